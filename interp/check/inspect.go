package check

import (
	"go/ast"
	"go/types"
	"strings"
)

// Info is what is known of the name at the cursor.
type Info struct {
	Found bool
	// Signature is the declaration in a line; Kind is "var", "func", "type", …
	Signature, Kind, Doc string
	// Source is the declaration's text, for what the session declares.
	Source string
	// Decl is the session's declaration, if it is one.
	Decl *Decl
	// Path is the package, Name the name in it, "Type.Method" for a method or field.
	Path, Name string
	Members    []Candidate
}

// Inspect describes the name at offset; inside a call's brackets that of the
// function called.
func (c *Checker) Inspect(code string, offset int, scope *Scope) Info {
	offset = min(max(offset, 0), len(code))
	start, end := word(code, offset)
	if start == end {
		if start, end = callee(code, offset); start == end {
			return Info{}
		}
	}
	name := code[start:end]
	if o := c.ofPackage(code, start, name, scope); o != nil {
		return c.describe(o, scope)
	}
	p := c.probeAt(code, end, scope)
	if p == nil {
		p = c.probeAt(code[:end], end, scope)
	}
	if p == nil {
		return c.describe(c.lookup(nil, name, scope), scope)
	}
	return c.describe(c.lookup(p, name, scope), scope)
}

// ofPackage looks name up in the package that stands before it and a dot, though
// no cell has imported it: fmt.Println is known to everybody.
func (c *Checker) ofPackage(code string, start int, name string, scope *Scope) types.Object {
	if start == 0 || code[start-1] != '.' {
		return nil
	}
	from, to := word(code, start-1)
	pkg := code[from:to]
	if scope.Decls[pkg] != nil || scope.Imports[pkg] != "" || !ast.IsExported(name) {
		return nil
	}
	for p := range c.named(pkg) {
		if o := p.Scope().Lookup(name); o != nil {
			return o
		}
	}
	return nil
}

// named yields the packages of that name that cells can import.
func (c *Checker) named(name string) func(func(*types.Package) bool) {
	return func(yield func(*types.Package) bool) {
		for _, path := range c.Imp.Paths() {
			if (path == name || strings.HasSuffix(path, "/"+name)) && public(path) {
				if p, err := c.Imp.Import(path); err == nil && !yield(p) {
					return
				}
			}
		}
	}
}

// Offering lists the packages called pkg that export name.
func (c *Checker) Offering(pkg, name string) []string {
	var paths []string
	for p := range c.named(pkg) {
		if ast.IsExported(name) && p.Scope().Lookup(name) != nil {
			paths = append(paths, p.Path())
		}
	}
	return paths
}

// callee is the name before the open bracket that offset stands in.
func callee(code string, offset int) (start, end int) {
	depth := 0
	for i := offset - 1; i >= 0; i-- {
		switch code[i] {
		case ')':
			depth++
		case '(':
			if depth == 0 {
				return word(code, i)
			}
			depth--
		case '\n':
			if depth == 0 {
				return 0, 0
			}
		}
	}
	return 0, 0
}

// lookup finds the object that name means where the marker name+mark stands.
func (c *Checker) lookup(p *probe, name string, scope *Scope) types.Object {
	if p != nil {
		if sel := p.selector(); sel != nil {
			return sel(name)
		}
		if _, o := p.scopeAt().LookupParent(name, p.id.Pos()); o != nil {
			return o
		}
	}
	if d := scope.Decls[name]; d != nil {
		return d.Obj
	}
	if path, ok := scope.Imports[name]; ok {
		if pkg, err := c.Imp.Import(path); err == nil {
			return types.NewPkgName(0, nil, name, pkg)
		}
	}
	if o := types.Universe.Lookup(name); o != nil {
		return o
	}
	if c.Imp.Has(name) {
		if pkg, err := c.Imp.Import(name); err == nil {
			return types.NewPkgName(0, nil, pkg.Name(), pkg)
		}
	}
	return nil
}

func (c *Checker) describe(o types.Object, scope *Scope) Info {
	if o == nil {
		return Info{}
	}
	in := Info{Found: true, Name: o.Name(), Decl: scope.DeclOf(o)}
	if o.Pkg() != nil {
		in.Path = o.Pkg().Path()
	}
	if f, ok := o.(*types.Func); ok && f.Signature().Recv() != nil {
		in.Name = typeNameOf(f.Signature().Recv().Type()) + "." + o.Name()
	}
	in.Signature = objectString(o)
	in.Kind, _, _ = strings.Cut(in.Signature, " ")
	if p, ok := o.(*types.PkgName); ok {
		in.Path = p.Imported().Path()
		in.Name = ""
		in.Kind, in.Signature = "package", "package "+p.Imported().Name()+` // import "`+in.Path+`"`
		in.Members = exported(p.Imported())
	}
	if tn, ok := o.(*types.TypeName); ok {
		in.Members = typeMembers(tn.Type(), types.NewPackage(PkgPath, "main"))
	}
	if in.Decl != nil {
		in.Doc, in.Source = commentText(in.Decl.Doc), in.Decl.Text
	}
	return in
}

// typeNameOf is the name of a named type or a pointer to one.
func typeNameOf(t types.Type) string {
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	if n, ok := t.(*types.Named); ok {
		return n.Obj().Name()
	}
	return ""
}

func objectString(o types.Object) string {
	return types.ObjectString(o, func(p *types.Package) string {
		if p.Path() == PkgPath {
			return ""
		}
		return p.Name()
	})
}

// commentText is a comment without its marks.
func commentText(doc string) string {
	var out []string
	for line := range strings.Lines(doc) {
		line = strings.TrimSpace(line)
		for _, m := range []string{"//", "/*", "*/"} {
			line = strings.TrimPrefix(line, m)
		}
		out = append(out, strings.TrimSpace(strings.TrimSuffix(line, "*/")))
	}
	return strings.TrimSpace(strings.Join(out, "\n"))
}
