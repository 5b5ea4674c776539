package check

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"
)

// Info is what is known of the name at the cursor.
type Info struct {
	Found bool
	// Signature is the declaration in a line; Kind is "var", "func", "type", …
	Signature, Kind, Doc string
	// Source is the declaration's text, for what the session declares; File and Line
	// are where a package declares it, as its compiler wrote them down.
	Source, File string
	Line         int
	// Decl is the session's declaration, if it is one.
	Decl *Decl
	// Path is the package, Name the name in it, "Type.Method" for a method or field.
	Path, Name string
	// Members are a type's fields and methods, or what a package exports.
	Members []Candidate
	// Size is how many bytes a value of the type has, what it points to left out; -1
	// where there is no such thing.
	Size int64
	// Call is the call that the cursor stands in, if it stands in one.
	Call Call
}

// Call is a function's signature, and which bytes of it are the parameter that the
// argument at the cursor is for.
type Call struct {
	Signature string
	From, To  int
	// Name is the function's own, without what it is selected from.
	Name string
}

// Inspect describes the name at offset, and the call whose arguments offset is among.
// Where there is no name it describes the function called.
func (c *Checker) Inspect(code string, offset int, scope *Scope) Info {
	code = withoutMagics(code)
	offset = min(max(offset, 0), len(code))
	t := look(code[:offset])
	if t.noted || t.unclosed == "comment" {
		return Info{}
	}
	if path, ok := t.importPath(code, offset); ok && t.quoted {
		_, end := pathAround(code, offset)
		if pkg, err := c.Imp.Import(path + code[offset:end]); err == nil {
			return c.describe(types.NewPkgName(0, nil, pkg.Name(), pkg), "", scope)
		}
	}
	call, callee := c.callAt(code, t, scope)
	in := Info{}
	if start, end := word(code, offset); start < end && !t.quoted && t.unclosed == "" {
		in = c.nameAt(code, start, end, scope)
	}
	if !in.Found && call.Signature != "" {
		in = callee
		if !in.Found {
			in = Info{Found: true, Signature: call.Signature, Kind: "func", Size: -1}
		}
	}
	in.Call = call
	return in
}

// nameAt describes the word from start to end.
func (c *Checker) nameAt(code string, start, end int, scope *Scope) Info {
	name := code[start:end]
	if w, ok := keywords[name]; ok && token.IsKeyword(name) {
		return Info{Found: true, Signature: w.signature, Kind: "keyword", Doc: w.doc, Size: -1}
	}
	if pkg := dotted(code, start); pkg != "" && scope.Decls.Get(pkg) == nil && scope.Imports[pkg] == "" && ast.IsExported(name) {
		for p := range c.named(pkg) { // fmt.Println is known to everybody
			if o := p.Scope().Lookup(name); o != nil {
				if local := c.resolve(code, start, end, scope); local.Found {
					return local
				}
				return c.describe(o, "", scope)
			}
		}
	}
	return c.resolve(code, start, end, scope)
}

// resolve looks the word up where it stands.
func (c *Checker) resolve(code string, start, end int, scope *Scope) Info {
	name := code[start:end]
	p := c.probeAt(code, end, scope, true, "")
	if p == nil {
		return c.describe(c.lookup(nil, name, scope), "", scope)
	}
	if x := p.selected(); x != nil {
		if pkg := p.packageOf(x); pkg != nil {
			return c.describe(pkg.Scope().Lookup(name), "", scope)
		}
		return c.member(p, p.unit.Info.TypeOf(x), name, scope)
	}
	if p.place() == aFieldKey {
		lit, ok := p.up(1).(*ast.CompositeLit)
		if !ok {
			lit, _ = p.up(2).(*ast.CompositeLit)
		}
		if in := c.member(p, p.unit.Info.TypeOf(lit), name, scope); in.Found {
			return in
		}
	}
	if o := p.unit.Info.Defs[p.id]; o != nil { // it is declared here
		in := c.describe(o, "", scope)
		in.Signature = strings.ReplaceAll(in.Signature, mark, "")
		in.Name = strings.ReplaceAll(in.Name, mark, "")
		return in
	}
	return c.describe(c.lookup(p, name, scope), "", scope)
}

// member describes a field or method of t.
func (c *Checker) member(p *probe, t types.Type, name string, scope *Scope) Info {
	if t == nil {
		return Info{}
	}
	o, index, _ := types.LookupFieldOrMethod(t, true, p.unit.Pkg, name)
	if o == nil {
		return Info{}
	}
	// The type that declares a promoted field is the one that the path leads to.
	for _, i := range index[:len(index)-1] {
		if s, ok := under(t).(*types.Struct); ok {
			t = s.Field(i).Type()
		}
	}
	return c.describe(o, typeNameOf(t), scope)
}

// lookup finds the object that name means where the marker stands.
func (c *Checker) lookup(p *probe, name string, scope *Scope) types.Object {
	if p != nil {
		if _, o := p.scopeAt().LookupParent(name, p.id.Pos()); o != nil {
			return o
		}
	}
	if d := scope.Decls.Get(name); d != nil {
		return d.Obj
	}
	imports := scope.Imports
	if p != nil {
		imports = p.named
	}
	if path, ok := imports[name]; ok {
		if pkg, err := c.Imp.Import(path); err == nil {
			return types.NewPkgName(0, nil, name, pkg)
		}
	}
	if o := types.Universe.Lookup(name); o != nil {
		return o
	}
	for pkg := range c.named(name) {
		return types.NewPkgName(0, nil, pkg.Name(), pkg)
	}
	return nil
}

// describe says what is known of o, which the type called owner declares if it is a
// field.
func (c *Checker) describe(o types.Object, owner string, scope *Scope) Info {
	if o == nil {
		return Info{}
	}
	in := Info{Found: true, Name: o.Name(), Decl: scope.DeclOf(o), Size: -1, Signature: objectString(o)}
	if o.Pkg() != nil {
		in.Path = o.Pkg().Path()
		if in.Path != PkgPath {
			at := c.Imp.fset.Position(o.Pos())
			in.File, in.Line = at.Filename, at.Line
		}
	}
	in.Kind, _, _ = strings.Cut(in.Signature, " ")
	switch o := o.(type) {
	case *types.Func:
		if r := o.Signature().Recv(); r != nil {
			in.Name = typeNameOf(r.Type()) + "." + o.Name()
		}
	case *types.Const:
		in.Signature += " = " + o.Val().String()
	case *types.Var:
		in.Size = sizeOf(o.Type())
		if o.IsField() && owner != "" {
			in.Name = owner + "." + o.Name()
		}
	case *types.TypeName:
		in.Size = sizeOf(o.Type())
		in.Signature = typeString(o)
		in.Members = typeMembers(o.Type(), types.NewPackage(PkgPath, "main"))
		in.Doc = predeclared[o.Name()]
	case *types.PkgName:
		in.Path, in.Name = o.Imported().Path(), ""
		in.Kind, in.Signature = "package", "package "+o.Imported().Name()+` // import "`+in.Path+`"`
		in.Members = exported(o.Imported())
	case *types.Builtin:
		in.Signature, in.Kind, in.Doc = builtins[o.Name()].signature, "func", builtins[o.Name()].doc
	}
	if o.Pkg() == nil && in.Doc == "" {
		in.Doc = predeclared[o.Name()]
	}
	if o.Pkg() != nil && in.Path != "" && in.Kind == "type" {
		in.Doc = ""
	}
	if in.Decl != nil {
		in.Doc, in.Source = commentText(in.Decl.Doc), in.Decl.Text
	}
	return in
}

// sizeOf is the size of a value of type t in bytes, -1 where it depends on a type
// parameter.
func sizeOf(t types.Type) int64 {
	open := false
	Walk(t, func(t types.Type) {
		switch t := t.(type) {
		case *types.TypeParam:
			open = true
		case *types.Named:
			open = open || t.TypeParams().Len() > t.TypeArgs().Len()
		case *types.Basic:
			open = open || t.Kind() == types.Invalid || t.Info()&types.IsUntyped != 0
		}
	})
	if open {
		return -1
	}
	return types.SizesFor("gc", "amd64").Sizeof(t)
}

// typeString is a type's declaration; of a package's struct without what it does not
// export.
func typeString(o *types.TypeName) string {
	s, ok := o.Type().Underlying().(*types.Struct)
	if !ok || o.Pkg() == nil || o.Pkg().Path() == PkgPath || o.IsAlias() {
		return objectString(o)
	}
	var fields []string
	for i := range s.NumFields() {
		switch f := s.Field(i); {
		case !f.Exported():
			continue
		case f.Embedded():
			fields = append(fields, shortType(f.Type()))
		default:
			fields = append(fields, f.Name()+" "+shortType(f.Type()))
		}
	}
	if len(fields) < s.NumFields() {
		fields = append(fields, "…")
	}
	head, _, _ := strings.Cut(objectString(o), " struct{")
	return head + " struct{" + strings.Join(fields, "; ") + "}"
}

// typeNameOf is the name of a named type or a pointer to one.
func typeNameOf(t types.Type) string {
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	if n, ok := types.Unalias(t).(*types.Named); ok {
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
