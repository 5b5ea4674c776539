package check

import (
	"go/types"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Kind is what a session name stands for.
type Kind int

// The kinds of declarations.
const (
	Var Kind = iota
	Func
	Method
	Type
	Const
)

func (k Kind) String() string {
	return [...]string{"var", "func", "method", "type", "const"}[k]
}

// Decl is one version of one declaration of the session. It never changes once a
// cell that made it has been committed; a redefinition makes a new one.
type Decl struct {
	Name string // "x", "point"; a method is "point.String"
	Kind Kind
	Cell int // the cell that declared it, the N of In[N]
	Line int // in that cell
	Doc  string
	// Text is the declaration alone, as typed: "func f(…) {…}", "type T …",
	// "const c = …". Empty for variables.
	Text string
	// Obj is what go/types made of it. A method's is its *types.Func.
	Obj types.Object
	// Key names the storage of a variable, or of a function's current body, in the
	// worker; for types, generic functions and constants the name in compiled code.
	// One key means one exact type for as long as a worker lives.
	Key string
	// Generic: has type parameters, so that it is compiled anew into each user. So is
	// a method whose body calls recover, which works in what is deferred and no deeper,
	// or asks for its caller: it cannot lead to its body through the session's storage.
	Generic bool
	// Imports are the packages that Text names: import name to path.
	Imports map[string]string
	// Uses are the session declarations that Text refers to.
	Uses []*Decl
	// Methods of a type, in order of declaration.
	Methods []*Decl
	// Recv is a method's type.
	Recv *Decl
	// Pieces is Text ready for the compiler (set by interp/native).
	Pieces []Piece
	// Stale says why the declaration no longer fits what it uses; "" if it does.
	Stale string
}

// same tells whether d and e mean the same: a re-run of a cell makes new
// declarations that do.
func (d *Decl) same(e *Decl) bool {
	return d == e || d.Kind == e.Kind && d.Name == e.Name && d.Key == e.Key
}

// Piece is a stretch of source text or, with Ref, a reference to a session
// declaration that is written in when the text is compiled.
type Piece struct {
	Text string
	Ref  *Decl
	// Pkg is the path of a package that Text names, "" for none.
	Pkg string
	// Embedded: the reference names an embedded field, whose name must stay.
	Embedded bool
}

// Import is one import of the session.
type Import struct{ Name, Path string }

// Scope is the session's names: the newest declaration of each, the imports, and
// which keys were ever used. It is not safe for concurrent use; Clone is cheap
// and gives completion and inspection a view of their own.
type Scope struct {
	Decls   layers[string, *Decl]
	Imports map[string]string // name to path
	Dots    []string          // dot imports
	byObj   layers[types.Object, *Decl]
	keys    layers[string, string] // key → what it means, for one worker's life and longer
	serial  layers[string, int]
}

// NewScope is an empty session.
func NewScope() *Scope {
	return &Scope{Imports: map[string]string{}}
}

// Clone is a copy for readers.
func (s *Scope) Clone() *Scope {
	return &Scope{
		Decls: s.Decls.clone(), Imports: maps.Clone(s.Imports), Dots: slices.Clone(s.Dots),
		byObj: s.byObj.clone(), keys: s.keys.clone(), serial: s.serial.clone(),
	}
}

// settle keeps later copies cheap.
func (s *Scope) settle() {
	s.Decls.settle()
	s.byObj.settle()
	s.keys.settle()
	s.serial.settle()
}

// DeclOf is the declaration that made obj, nil if it is none of the session's.
func (s *Scope) DeclOf(obj types.Object) *Decl {
	switch o := obj.(type) {
	case *types.Func:
		obj = o.Origin()
	case *types.Var:
		obj = o.Origin()
	}
	return s.byObj.Get(obj)
}

// Versions lists the cells that declared type name, one for each of its meanings, the
// newest last: values may still be of an older one.
func (s *Scope) Versions(name string) []int {
	cells := map[string]int{} // by key
	for _, d := range s.byObj.All() {
		if d.Kind == Type && d.Name == name {
			cells[d.Key] = max(cells[d.Key], d.Cell)
		}
	}
	return slices.Sorted(maps.Values(cells))
}

// Names lists the session's declarations by name, methods left out.
func (s *Scope) Names() []*Decl {
	var out []*Decl
	for _, d := range s.Decls.All() {
		if d.Kind != Method {
			out = append(out, d)
		}
	}
	slices.SortFunc(out, func(a, b *Decl) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// key gives name a key that has only ever meant meaning: the same meaning gets the
// same key again. Symbols and storage are bound by key, so two meanings must never
// share one. A predeclared name is no key: compiled text needs it for what it means to Go.
func (s *Scope) key(name, meaning string) string {
	first := 1
	if types.Universe.Lookup(name) != nil {
		first = 2
	}
	for i := first; ; i++ {
		k := name
		if i > 1 {
			k += "Ξ" + strconv.Itoa(i)
		}
		have, ok := s.keys.lookup(k)
		if !ok {
			s.keys.Set(k, meaning)
			return k
		}
		if have == meaning {
			return k
		}
	}
}

// fresh gives name a key that was never used before.
func (s *Scope) fresh(name string) string {
	n := s.serial.Get(name) + 1
	s.serial.Set(name, n)
	return s.key(name, "#"+name+strconv.Itoa(n))
}

// Reserve is the scope without some keys that nothing of the session has; nil if there
// are none among them.
func (s *Scope) Reserve(keys []string) *Scope {
	var out *Scope
	for _, k := range keys {
		if _, used := s.keys.lookup(k); used {
			continue
		}
		if out == nil {
			out = s.Clone()
		}
		out.keys.Set(k, "reserved")
	}
	return out
}

// Forget drops names, as after %reset or when a worker was lost with its values.
func (s *Scope) Forget(keep func(*Decl) bool) (gone []*Decl) {
	for _, d := range s.Decls.All() {
		if !keep(d) {
			gone = append(gone, d)
		}
	}
	slices.SortFunc(gone, func(a, b *Decl) int { return strings.Compare(a.Name, b.Name) })
	for _, d := range gone {
		s.Decls.Delete(d.Name)
	}
	return gone
}
