package serve

import (
	"bufio"
	"bytes"
	"encoding/gob"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"reflect"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"unsafe"

	"attune/display"
	"attune/display/mime"
	"attune/interp/native/cellrt"
	"attune/interp/worker"
	"attune/stdlib/apart"
	"attune/stdlib/balance"
	"attune/stdlib/monitor"
	"attune/stdlib/symbols/instances"
)

// bound notes that a cell was bound: the newest last, as another process must do it.
func (s *server) bound(n *worker.Native) {
	s.building.Lock()
	defer s.building.Unlock()
	c := apart.Cell{File: n.File, Hash: n.Hash}
	for i, old := range s.order {
		if old == c {
			s.order = append(s.order[:i], s.order[i+1:]...)
			break
		}
	}
	s.order = append(s.order, c)
}

// apart is what apart.Command does in a session.
func (s *server) apart(f any) (*exec.Cmd, apart.Job, error) {
	const act = "run a function in a process of its own"
	v := reflect.ValueOf(f)
	if v.Kind() != reflect.Func || v.IsNil() {
		return nil, apart.Job{}, fmt.Errorf("%s: want a function, not %T", act, f)
	}
	key, ok := s.table.function(v)
	if !ok {
		return nil, apart.Job{}, fmt.Errorf("%s: it must be one that a cell declares by name (func train(…) …): a function literal may hold variables, "+
			"which another process cannot be given", act)
	}
	exe, err := os.Executable()
	if err != nil {
		return nil, apart.Job{}, fmt.Errorf("%s: %w", act, err)
	}
	s.building.Lock()
	cells := append([]apart.Cell(nil), s.order...)
	s.building.Unlock()
	cmd := exec.Command(exe, apart.Flag)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd, apart.Job{Cells: cells, Func: key, Values: s.table.plain()}, nil
}

// function is the key of a function of the session whose newest body is v.
func (t *table) function(v reflect.Value) (string, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for key, p := range t.vars {
		if f := p.Elem(); f.Kind() == reflect.Func && f.Type() == v.Type() && f.Pointer() == v.Pointer() {
			return key, true
		}
	}
	return "", false
}

// shortList is how many elements a list may have that another process is given.
const shortList = 1000

// plain is the values that another process can be given: numbers, texts, truths and
// short lists of these.
func (t *table) plain() map[string][]byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := map[string][]byte{}
	for key, p := range t.vars {
		v := p.Elem()
		list := v.Kind() == reflect.Slice && v.Len() <= shortList && basic(v.Type().Elem())
		var b bytes.Buffer
		if (list || basic(v.Type())) && gob.NewEncoder(&b).EncodeValue(v) == nil {
			out[key] = b.Bytes()
		}
	}
	return out
}

func basic(t reflect.Type) bool {
	k := t.Kind()
	return k >= reflect.Bool && k <= reflect.Complex128 && k != reflect.Uintptr || k == reflect.String
}

// fence is memory that may not be touched: it stands in for the session's variables
// that the process was not given, so that a use of one is an error and no zero.
type fence struct {
	values map[string][]byte
	mu     sync.Mutex
	names  map[uintptr]string // by page
}

// storage is that of a variable: its value where there is one, the fence where not.
func (f *fence) storage(key string, typ reflect.Type) (reflect.Value, error) {
	if text, ok := f.values[key]; ok {
		p := reflect.New(typ)
		if err := gob.NewDecoder(bytes.NewReader(text)).DecodeValue(p); err != nil {
			return p, fmt.Errorf("take over the variable %s: %w", key, err)
		}
		return p, nil
	}
	page := os.Getpagesize()
	size := (int(typ.Size()) + page) / page * page
	mem, err := syscall.Mmap(-1, 0, size, syscall.PROT_NONE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return reflect.Value{}, fmt.Errorf("fence the variable %s off: %w", key, err)
	}
	at := unsafe.Pointer(unsafe.SliceData(mem))
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := 0; i < size; i += page {
		f.names[uintptr(at)+uintptr(i)] = fmt.Sprintf("%s (%v)", key, typ)
	}
	return reflect.NewAt(typ, at), nil
}

// explain words a panic of the function.
func (f *fence) explain(v any) string {
	if fault, ok := v.(interface{ Addr() uintptr }); ok {
		page := uintptr(os.Getpagesize())
		f.mu.Lock()
		name, ok := f.names[fault.Addr()/page*page]
		f.mu.Unlock()
		if ok {
			return "it uses the notebook's variable " + name + ", which another process cannot be given: make it in the function"
		}
	}
	return "panic: " + strings.TrimSpace(strings.TrimPrefix(describe(v).Text, "panic: "))
}

// silent takes displays and shows none: the notebook shows the session's own.
type silent struct{}

func (silent) Display(mime.Bundle, string, bool) error { return nil }
func (silent) Clear(bool) error                        { return nil }

// Apart is the process that runs one function of a session: in begins with the job,
// the results go to out. exit is os.Exit.
func Apart(in io.Reader, out io.Writer, exit func(code int)) error {
	lines := bufio.NewReader(in)
	line, err := lines.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("read the job: %w", err)
	}
	var job apart.Job
	if err := json.Unmarshal(line, &job); err != nil {
		return fmt.Errorf("read the job: %w", err)
	}
	s := &server{table: newTable(), instances: sync.OnceValue(instances.All), opened: map[string]*cellPlugin{}, stop: newStopper()}
	s.table.fence = &fence{values: job.Values, names: map[uintptr]string{}}
	display.SetOut(silent{})
	monitor.Use(monitor.New())
	cellrt.SetHooks(cellrt.Hooks{
		Stopped: func() bool { return false },
		Panicked: func(v any) {
			fmt.Fprintln(os.Stderr, s.table.fence.explain(v))
			exit(2)
		},
		Func: s.worldFunc, Exited: exit, Table: s.table,
	})
	debug.SetMaxStack(maxStack)
	if err := limitMemory(os.Stderr); err != nil {
		return err
	}
	for _, c := range job.Cells {
		p, err := s.open(&worker.Native{File: c.File, Hash: c.Hash})
		if err != nil {
			return err
		}
		if failure, _ := guarded(func() { p.bind(&cellrt.Env{Table: s.table}) }); failure != nil {
			return fmt.Errorf("bind a cell: %s", failure.Text)
		}
	}
	f, ok := s.table.Lookup(job.Func)
	if !ok || f.Elem().IsNil() {
		return fmt.Errorf("find the function %s: no compiled cell has it", job.Func)
	}
	debug.SetPanicOnFault(true)
	return balance.Perform(f.Elem().Interface(), lines, out, s.table.fence.explain)
}
