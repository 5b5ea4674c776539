package yaegi

import (
	"fmt"
	"io"
	"reflect"
	"runtime/debug"
	"strings"

	"github.com/traefik/yaegi/interp"
)

// A Tables finds the compiled names of a package by import path, in the form of
// an entry of interp.Exports. symbols.Table is one; a worker that has loaded
// more packages looks there first. It must be safe for concurrent use if the
// Engine is used concurrently.
type Tables func(path string) (values map[string]reflect.Value, ok bool)

// Engine compiles cells. It holds no state of theirs: each Compile starts a
// fresh interpreter, so that no cell can see or spoil what an earlier one
// declared, and so that a cell's memory goes with its last reference.
// An Engine may be used by several goroutines.
type Engine struct {
	tables Tables
	spare  chan *interp.Interpreter // a fresh one, made ahead
}

// New returns an engine that imports from tables. It costs nothing.
func New(tables Tables) *Engine {
	return &Engine{tables: tables, spare: make(chan *interp.Interpreter, 1)}
}

// Ready makes the next cell's interpreter ahead of it, an eighth of what the cell
// will cost. It is for a moment when nobody waits.
func (e *Engine) Ready() {
	if len(e.spare) > 0 {
		return
	}
	select {
	case e.spare <- fresh():
	default:
	}
}

func (e *Engine) interpreter() *interp.Interpreter {
	select {
	case in := <-e.spare:
		return in
	default:
		return fresh()
	}
}

// fresh is an interpreter that has seen nothing. Standard error takes only what it
// says of panics, which Run returns.
func fresh() *interp.Interpreter {
	return interp.New(interp.Options{Unrestricted: true, Stderr: io.Discard, SourcecodeFilesystem: noFiles{}})
}

// Has reports whether the tables hold the name, exported by the package at path.
func (e *Engine) Has(path, name string) bool {
	values, ok := e.tables(path)
	return ok && values[name].IsValid()
}

// Compiled is a cell ready to run.
type Compiled struct {
	run   func()
	marks *marks
}

// Compile readies a program; nothing of the cell runs. An error says that the
// program is not for this engine, be it that a table lacks a name or that the
// interpreter cannot follow: the caller then compiles the cell natively.
func (e *Engine) Compile(p Program) (c *Compiled, err error) {
	defer func() { // the interpreter's compiler panics on some of what it does not know
		if r := recover(); r != nil {
			c, err = nil, fmt.Errorf("interpret cell: %v\n%s", r, debug.Stack())
		}
	}()
	exports, err := e.exports(p)
	if err != nil {
		return nil, fmt.Errorf("import for cell: %w", err)
	}
	source, positions, err := instrument(p.source())
	if err != nil {
		return nil, fmt.Errorf("interpret cell: %w", err)
	}
	marks := &marks{positions: positions}
	exports[exportKey(sessionPath)][mark] = reflect.ValueOf(marks.at)
	in := e.interpreter()
	if err := in.Use(exports); err != nil {
		return nil, fmt.Errorf("bind cell: %w", err)
	}
	if _, err := in.Eval(source); err != nil {
		return nil, fmt.Errorf("interpret cell: %w", err)
	}
	// Symbols costs a fraction of evaluating the name.
	value := in.Symbols(packageName)[packageName][runName]
	if !value.IsValid() {
		return nil, fmt.Errorf("interpret cell: it has no entry point")
	}
	run, ok := value.Interface().(func())
	if !ok {
		return nil, fmt.Errorf("interpret cell: entry point is a %v", value.Type())
	}
	return &Compiled{run: run, marks: marks}, nil
}

// exports are the tables of the packages that the program imports, and one of
// the session's variables, functions and types.
func (e *Engine) exports(p Program) (interp.Exports, error) {
	exports := interp.Exports{}
	for _, im := range p.Imports {
		values, ok := e.tables(im.Path)
		if !ok {
			return nil, fmt.Errorf("no symbol table for package %q", im.Path)
		}
		exports[exportKey(im.Path)] = values
	}
	session := map[string]reflect.Value{}
	for name, f := range map[string]any{IndexHelper: index, SliceHelper: slice, CutHelper: cut, ClearHelper: clearAll} {
		if strings.Contains(p.Body, name) {
			session[name] = reflect.ValueOf(f)
		}
	}
	for _, v := range p.Vars {
		if v.Value.Kind() != reflect.Pointer || v.Value.IsNil() {
			return nil, fmt.Errorf("variable %s is not given by a pointer", v.Name)
		}
		session[v.Name] = v.Value
	}
	for _, f := range p.Funcs {
		if f.Value.Kind() != reflect.Func || f.Value.IsNil() {
			return nil, fmt.Errorf("function %s is not given by a func", f.Name)
		}
		session[f.Name] = f.Value
	}
	for _, t := range p.Types {
		session[t.Name] = reflect.Zero(reflect.PointerTo(t.Type))
	}
	exports[exportKey(sessionPath)] = session
	return exports, nil
}

// exportKey is the key under which interp.Use takes a package's table. Use
// splits it with package path; the name after the last slash is only taken for
// imports without an alias, which no cell has. The doubled slash keeps the key
// from being "fmt/fmt", at which Use would replace fmt.Print, log.Fatal, os.Args
// and more by versions of its own, and compile sources for 3 ms.
func exportKey(path string) string { return path + "//p" }
