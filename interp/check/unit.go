package check

import (
	"go/ast"
	"go/token"
	"go/types"
)

// PkgPath is the path of the one package that all cells of a session make up: that
// of a program, so that what reflect and the runtime print of a cell's types is what
// they print of a program's.
const PkgPath = "main"

// bodyName is the function that a cell's statements are checked in.
const bodyName = "Ξcell"

// File is one checked file: a declaration of the cell, its statements, or an
// earlier declaration that has to be compiled again.
type File struct {
	Text    string // the source; AST offsets refer to it
	AST     *ast.File
	Imports map[string]string // every import that the file may name
	Chunk   Chunk
	// Decl is the earlier declaration that this file repeats, nil for the cell's own.
	Decl *Decl
	// AsFunc: a method of an unchanged type, checked as a function.
	AsFunc bool
	hoist  bool // only there for types, never compiled
}

// Rebind gives live values in From's storage the newer type that To names: the
// two have the same layout, and differ in methods.
type Rebind struct{ From, To *Decl }

// Unit is a checked cell.
type Unit struct {
	Cell  int
	Fset  *token.FileSet
	Info  *types.Info
	Pkg   *types.Package
	Files []*File // declarations to compile: the cell's, then earlier ones again
	// Body holds the statements, nil if there are none.
	Body *File
	// Order gives package-level variables' initialisation, for cells that only declare.
	Order []*types.Initializer
	// New are the cell's own declarations; Again earlier ones in a new version.
	New, Again []*Decl
	// Uses are the session declarations that the statements refer to, New included.
	Uses    []*Decl
	Rebinds []Rebind
	Imports []Import
	// Blank are imports for their effect alone.
	Blank []string
	// Inits are func init declarations; Main tells that func main is to be run.
	Inits []*ast.FuncDecl
	Main  bool
	// Result is the last expression, nil if nothing is displayed; ResultTypes are
	// the types of its values.
	Result      ast.Expr
	ResultTypes []types.Type
	// Muted is a last expression that a semicolon mutes: it is evaluated, not shown.
	Muted ast.Expr
	// Notes are things the user should know: what went stale, what kept its type.
	Notes []string
	// Scope is the session's scope once this unit has been taken in.
	Scope *Scope
	// objs finds the session declaration behind an object of this unit.
	objs  map[types.Object]*Decl
	swaps []swap
}

// swap is a new body of a method whose type stayed the same.
type swap struct{ old, now *Decl }

// Commit makes the unit part of the session and returns the session's scope.
func (u *Unit) Commit() *Scope {
	for _, s := range u.swaps {
		for i, m := range s.old.Recv.Methods {
			if m.Name == s.now.Name {
				s.old.Recv.Methods[i] = s.now
			}
		}
	}
	u.Scope.settle()
	return u.Scope
}

// BodyDecl is the function that holds the statements.
func (u *Unit) BodyDecl() *ast.FuncDecl {
	for _, d := range u.Body.AST.Decls {
		if fd, ok := d.(*ast.FuncDecl); ok && fd.Name.Name == bodyName {
			return fd
		}
	}
	return nil
}

// DeclOf is the session declaration that obj stands for, nil if it is local to the
// cell, imported or predeclared.
func (u *Unit) DeclOf(obj types.Object) *Decl {
	switch o := obj.(type) {
	case *types.Func:
		obj = o.Origin()
	case *types.Var:
		obj = o.Origin()
	}
	if d := u.objs[obj]; d != nil {
		return d
	}
	return u.Scope.byObj.Get(obj)
}

// FuncDecls calls f for every function declaration in file.
func (file *File) FuncDecls(f func(*ast.FuncDecl)) {
	for _, d := range file.AST.Decls {
		if fd, ok := d.(*ast.FuncDecl); ok {
			f(fd)
		}
	}
}

// RecvName is the name of a method's type, "" for a function.
func RecvName(fd *ast.FuncDecl) string {
	if fd.Recv == nil || len(fd.Recv.List) == 0 {
		return ""
	}
	t := fd.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.ParenExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}
