package yaegi

import (
	"fmt"
	"io/fs"
	"reflect"
	"strings"
)

// Program is a cell for the instant engine: Go statements, and all that they
// name from outside. It must have passed the type checker and the planner: the
// interpreter accepts much that is not Go, and gets wrong much that is.
//
// All names of Vars, Funcs, Types and import aliases are distinct, none is a
// predeclared identifier (the interpreter would lose the predeclared one), and
// none starts with "attune_".
type Program struct {
	// Imports are the packages that Body names, by aliases.
	Imports []Import
	// Vars are the session's variables, each by a pointer to its storage, new ones
	// included. Body writes (*x) where the cell writes x.
	Vars []Binding
	// Funcs are the session's functions, each by its func value. Body writes f as the cell does.
	Funcs []Binding
	// Types are the session's types, compiled ones all. Body writes T as the cell does.
	Types []TypeBinding
	// Body is the statements. It may hold //line comments, naming File alone. An
	// index i into something of length n may be written IndexHelper(i, n) with i of
	// type int: then an index out of range panics in the words of compiled Go.
	Body string
	// File and Line are the position of the body's first line, for instance "In[3]", 1.
	File string
	Line int
}

// Import is a package under the name that a program calls it by.
type Import struct{ Alias, Path string }

// Binding is a value under the name that a program calls it by.
type Binding struct {
	Name  string
	Value reflect.Value
}

// TypeBinding is a type under the name that a program calls it by.
type TypeBinding struct {
	Name string
	Type reflect.Type
}

// IndexHelper is the name of a func(i, n int) int that returns i and panics as
// indexing does if it is not in [0, n).
const IndexHelper = "attune_index"

func index(i, n int) int {
	_ = make([]struct{}, n)[i]
	return i
}

// SliceHelper is the name of a func(lo, hi, n, c int) int that returns lo and panics
// as x[lo:hi] does for a slice x of that length and capacity if they are out of
// bounds; CutHelper, func(lo, hi, n int) int, is the same for a string.
const (
	SliceHelper = "attune_slice"
	CutHelper   = "attune_cut"
)

// ClearHelper is the name of a func(any) that does what the built-in clear does.
const ClearHelper = "attune_clear"

func clearAll(x any) { reflect.ValueOf(x).Clear() }

func slice(lo, hi, n, c int) int {
	_ = make([]struct{}, n, c)[lo:hi]
	return lo
}

func cut(lo, hi, n int) int {
	switch {
	case hi < 0:
		panic(boundsError(fmt.Sprintf("[:%d]", hi)))
	case hi > n:
		panic(boundsError(fmt.Sprintf("[:%d] with length %d", hi, n)))
	case lo < 0:
		panic(boundsError(fmt.Sprintf("[%d:]", lo)))
	case lo > hi:
		panic(boundsError(fmt.Sprintf("[%d:%d]", lo, hi)))
	}
	return lo
}

// boundsError is the runtime's error of that name, which it keeps to itself.
type boundsError string

func (e boundsError) Error() string { return "runtime error: slice bounds out of range " + string(e) }

// RuntimeError makes it a runtime.Error.
func (boundsError) RuntimeError() {}

// The names that an interpreted file adds to those of the cell.
const (
	packageName = "attune_cell"
	runName     = "Run"
	sessionPath = "attune_session"
)

// source is the file that the interpreter compiles: a package of its own, never
// the interpreter's incremental mode, which runs statements again and mixes the
// scopes of cells.
//
// The first line names the same file as the body's: the interpreter files
// imports under the name of the file they are in. bodyAt is the body's byte offset.
func (p Program) source() (text string, bodyAt int) {
	var b strings.Builder
	fmt.Fprintf(&b, "//line %s:%d\npackage %s; ", p.File, p.Line, packageName)
	for _, im := range p.Imports {
		fmt.Fprintf(&b, "import %s %q; ", im.Alias, im.Path)
	}
	fmt.Fprintf(&b, "import . %q; func %s() { ", sessionPath, runName)
	fmt.Fprintf(&b, "\n//line %s:%d:1\n", p.File, p.Line)
	bodyAt = b.Len()
	fmt.Fprintf(&b, "%s\n}\n", p.Body)
	return b.String(), bodyAt
}

// noFiles is an empty file system: an import that no table answers is an error
// and never a search for sources on disk.
type noFiles struct{}

func (noFiles) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}
