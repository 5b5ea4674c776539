package serve

import (
	"errors"
	"fmt"
	"log"
	"math"
	"reflect"

	"attune/interp/native/cellrt"
	"attune/interp/worker"
	"attune/interp/yaegi"
)

// interruptible lets an interrupt reach the statements of run id, one that came before
// they were ready included; nil says that they are over. It tells whether no interrupt
// has come, and without statements none will.
func (s *server) interruptible(id int, c *yaegi.Compiled) bool {
	run := s.find(id)
	if run == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if run.straight = c; c != nil {
		run.interpreted = true
		if run.stopped {
			c.Interrupt()
		}
	}
	return !run.stopped
}

// straight runs a cell on the instant engine.
func (s *server) straight(packed []byte, env *cellrt.Env, done *worker.Done) {
	r, err := s.ready(packed)
	if err == nil {
		err = s.short(r.loops)
	}
	if err != nil {
		done.NotStraight = err.Error()
		return
	}
	s.interpret(r, env, done)
}

// ready is the cell ready to run: kept from the last time, or compiled now. An error
// says that the engine cannot have it.
func (s *server) ready(packed []byte) (*readied, error) {
	r, found := s.again.take(packed)
	if found {
		return r, nil
	}
	st, err := worker.Unpack(packed)
	if err != nil {
		return nil, err
	}
	p, results, err := s.program(st)
	if err != nil {
		return nil, err
	}
	r.loops, r.results = st.Loops, results
	r.program, err = s.engine.Compile(p)
	return r, err
}

// short refuses loops that run for long with the values that variables have now.
func (s *server) short(loops [][]worker.Extent) error {
	for _, nest := range loops {
		if worker.Times(nest, s.extent) > worker.MaxTimes {
			return errors.New("a loop is long")
		}
	}
	return nil
}

// program binds what the cell names; an error says that the engine cannot have it.
func (s *server) program(st *worker.Straight) (p yaegi.Program, results []reflect.Value, err error) {
	s.building.Lock()
	defer s.building.Unlock()
	p = yaegi.Program{Body: st.Body, File: st.File, Line: st.Line}
	for _, im := range st.Imports {
		p.Imports = append(p.Imports, yaegi.Import{Alias: im.Name, Path: im.Path})
	}
	for _, t := range s.table.Compiled() {
		s.known.add(t)
	}
	for _, im := range st.Imports {
		s.known.addPackage(im.Path)
	}
	for _, t := range st.Needs {
		if _, err := s.typeOf(t); err != nil {
			return p, nil, err
		}
	}
	for _, v := range st.Vars {
		typ, err := s.typeOf(v.Type)
		if err != nil {
			return p, nil, err
		}
		ptr := reflect.New(typ)
		if v.Key == "" {
			results = append(results, ptr)
		} else if ptr, err = s.table.Ptr(v.Key, typ); err != nil {
			return p, nil, err
		}
		p.Vars = append(p.Vars, yaegi.Binding{Name: v.Name, Value: ptr})
	}
	for _, f := range st.Funcs {
		ptr, ok := s.table.Lookup(f.Key)
		if !ok || ptr.Elem().IsNil() {
			return p, nil, fmt.Errorf("function %s has no compiled body yet", f.Name)
		}
		p.Funcs = append(p.Funcs, yaegi.Binding{Name: f.Name, Value: ptr.Elem()})
	}
	for _, name := range st.Stands {
		p.Funcs = append(p.Funcs, yaegi.Binding{Name: worker.StandName(name), Value: stand(name)})
	}
	for _, in := range st.Instances {
		p.Funcs = append(p.Funcs, yaegi.Binding{Name: in.Name, Value: s.instances().Find(in.Key)})
	}
	for _, t := range st.Types {
		typ, ok := s.table.Type(t.Key)
		if !ok {
			return p, nil, fmt.Errorf("type %s is not compiled yet", t.Name)
		}
		p.Types = append(p.Types, yaegi.TypeBinding{Name: t.Name, Type: typ})
	}
	return p, results, nil
}

func (s *server) interpret(r *readied, env *cellrt.Env, done *worker.Done) {
	s.interruptible(done.ID, r.program)
	err := r.program.Run()
	var pan *yaegi.Panic
	switch {
	case errors.Is(err, yaegi.ErrInterrupted):
		done.Interrupted = true
	case errors.As(err, &pan):
		if _, ok := pan.Value.(cellrt.Interrupted); ok {
			done.Interrupted = true
			return
		}
		done.Failure = straightFailure(pan)
	case err != nil:
		done.Failure = &worker.Failure{Text: err.Error(), Internal: true}
	default:
		for _, v := range r.results {
			env.Has = true
			env.Out = append(env.Out, v.Elem().Interface())
			v.Elem().SetZero()
		}
		if s.interruptible(done.ID, nil) {
			s.again.keep(r)
		}
	}
}

// stand is what compiled cells have for the function called name, the zero Value if
// they have nothing.
func stand(name string) reflect.Value {
	switch name {
	case "os.Exit":
		return reflect.ValueOf(cellrt.Exit)
	case "log.Fatal":
		return reflect.ValueOf(cellrt.Fatal(log.Print))
	case "log.Fatalln":
		return reflect.ValueOf(cellrt.Fatal(log.Println))
	case "log.Fatalf":
		return reflect.ValueOf(cellrt.Fatalf(log.Printf))
	}
	return reflect.Value{}
}

// extent is how large the variable is that key names, see worker.Extent. One that is
// not there is refused later.
func (s *server) extent(key string) int64 {
	ptr, ok := s.table.Lookup(key)
	if !ok {
		return 0
	}
	switch v := ptr.Elem(); v.Kind() {
	case reflect.Slice, reflect.Map, reflect.String, reflect.Array:
		return int64(v.Len())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return max(v.Int(), -max(v.Int(), -math.MaxInt64))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return int64(min(v.Uint(), math.MaxInt64))
	}
	return math.MaxInt64
}
