package serve

import (
	"errors"
	"log"
	"math"
	"reflect"

	"attune/interp/native/cellrt"
	"attune/interp/worker"
	"attune/interp/yaegi"
)

// interruptible lets an interrupt reach the statements of cell id, one that came
// before they were ready included.
func (s *server) interruptible(id int, c *yaegi.Compiled) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current == nil || s.current.id != id {
		return
	}
	s.current.straight = c
	if s.current.stopped {
		c.Interrupt()
	}
}

// straight runs a cell on the instant engine.
func (s *server) straight(st *worker.Straight, env *cellrt.Env, done *worker.Done) {
	p := yaegi.Program{Body: st.Body, File: st.File, Line: st.Line}
	for _, im := range st.Imports {
		p.Imports = append(p.Imports, yaegi.Import{Alias: im.Name, Path: im.Path})
	}
	for _, t := range s.table.Compiled() {
		s.known.add(t)
	}
	for _, im := range st.Imports {
		s.known.addPackage(im.Path)
	}
	for _, loops := range st.Loops {
		if worker.Times(loops, s.extent) > worker.MaxTimes {
			done.NotStraight = "a loop is long"
			return
		}
	}
	for _, t := range st.Needs {
		if _, err := s.typeOf(t); err != nil {
			done.NotStraight = err.Error()
			return
		}
	}
	var results []reflect.Value
	for _, v := range st.Vars {
		typ, err := s.typeOf(v.Type)
		if err != nil {
			done.NotStraight = err.Error()
			return
		}
		ptr := reflect.New(typ)
		if v.Key == "" {
			results = append(results, ptr)
		} else if ptr, err = s.table.Ptr(v.Key, typ); err != nil {
			done.NotStraight = err.Error()
			return
		}
		p.Vars = append(p.Vars, yaegi.Binding{Name: v.Name, Value: ptr})
	}
	for _, f := range st.Funcs {
		ptr, ok := s.table.Lookup(f.Key)
		if !ok || ptr.Elem().IsNil() {
			done.NotStraight = "function " + f.Name + " has no compiled body yet"
			return
		}
		p.Funcs = append(p.Funcs, yaegi.Binding{Name: f.Name, Value: ptr.Elem()})
	}
	for _, name := range st.Stands {
		p.Funcs = append(p.Funcs, yaegi.Binding{Name: worker.StandName(name), Value: stand(name)})
	}
	for _, t := range st.Types {
		typ, ok := s.table.Type(t.Key)
		if !ok {
			done.NotStraight = "type " + t.Name + " is not compiled yet"
			return
		}
		p.Types = append(p.Types, yaegi.TypeBinding{Name: t.Name, Type: typ})
	}
	s.interpret(p, env, results, done)
}

func (s *server) interpret(p yaegi.Program, env *cellrt.Env, results []reflect.Value, done *worker.Done) {
	c, err := s.engine.Compile(p)
	if err != nil {
		done.NotStraight = err.Error()
		return
	}
	s.interruptible(done.ID, c)
	err = c.Run()
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
	case len(results) > 0:
		env.Has = true
		for _, r := range results {
			env.Out = append(env.Out, r.Elem().Interface())
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
