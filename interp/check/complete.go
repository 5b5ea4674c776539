package check

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// Candidate is one way to complete a name.
type Candidate struct{ Text, Type, Signature string }

// Complete lists what could stand at offset in code, and the byte range that it
// would replace.
func (c *Checker) Complete(code string, offset int, scope *Scope) (start, end int, out []Candidate) {
	start, end = word(code, offset)
	prefix := code[start:offset]
	if path, ok := importPath(code, start); ok {
		return offset - len(path), end, c.packages(path)
	}
	if p := c.probeAt(code[:offset]+code[end:], offset, scope); p != nil {
		out = c.candidates(p, scope)
	} else {
		out = c.global(scope)
	}
	out = slices.DeleteFunc(out, func(x Candidate) bool {
		return !hasPrefixFold(x.Text, prefix) || strings.Contains(x.Text, "Ξ")
	})
	slices.SortFunc(out, func(a, b Candidate) int {
		if x, y := strings.HasPrefix(a.Text, prefix), strings.HasPrefix(b.Text, prefix); x != y {
			if x {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Text, b.Text)
	})
	return start, end, slices.CompactFunc(out, func(a, b Candidate) bool { return a.Text == b.Text })
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// word is the identifier around offset.
func word(code string, offset int) (start, end int) {
	isPart := func(b byte) bool {
		return b == '_' || b >= 0x80 || b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z'
	}
	start, end = offset, offset
	for start > 0 && isPart(code[start-1]) {
		start--
	}
	for end < len(code) && isPart(code[end]) {
		end++
	}
	return start, end
}

// importPath tells whether the cursor stands in the path of an import, and what is
// there of it.
func importPath(code string, start int) (string, bool) {
	line := code[strings.LastIndexByte(code[:start], '\n')+1 : start]
	i := strings.IndexByte(line, '"')
	if i < 0 || strings.Count(line, `"`) != 1 || !strings.Contains(code[:start], "import") {
		return "", false
	}
	before := strings.TrimSpace(line[:i])
	if before != "" && !strings.HasPrefix(before, "import") {
		return "", false
	}
	_, end := word(code, start)
	return line[i+1:] + code[start:end], true
}

func (c *Checker) packages(prefix string) []Candidate {
	var out []Candidate
	for _, p := range c.Imp.Paths() {
		if strings.HasPrefix(p, prefix) && public(p) {
			out = append(out, Candidate{Text: p, Type: "module"})
		}
	}
	return out
}

func public(path string) bool {
	return !strings.Contains("/"+path, "/internal/") && !strings.HasSuffix(path, "/internal") && !strings.HasPrefix(path, "vendor/")
}

func (c *Checker) candidates(p *probe, scope *Scope) []Candidate {
	if len(p.path) > 1 {
		switch parent := p.path[len(p.path)-2].(type) {
		case *ast.SelectorExpr:
			if parent.Sel == p.id {
				return c.members(p, parent.X)
			}
		case *ast.CompositeLit:
			if fields := p.fields(parent); fields != nil {
				return append(fields, c.visible(p, scope)...)
			}
		}
	}
	return c.visible(p, scope)
}

// members lists what can stand behind x and a dot. A package that no cell has
// imported yet is known by its name.
func (c *Checker) members(p *probe, x ast.Expr) []Candidate {
	info := p.unit.Info
	if id, ok := ast.Unparen(x).(*ast.Ident); ok {
		if pkg, ok := info.Uses[id].(*types.PkgName); ok {
			return exported(pkg.Imported())
		}
		if info.Uses[id] == nil {
			for pkg := range c.named(id.Name) {
				return exported(pkg)
			}
		}
	}
	tv, ok := info.Types[x]
	if !ok || tv.Type == nil {
		return nil
	}
	return typeMembers(tv.Type, p.unit.Pkg)
}

func exported(pkg *types.Package) []Candidate {
	var out []Candidate
	for _, name := range pkg.Scope().Names() {
		if ast.IsExported(name) {
			out = append(out, candidate(pkg.Scope().Lookup(name)))
		}
	}
	return out
}

// typeMembers lists fields and methods of t, promoted ones included.
func typeMembers(t types.Type, pkg *types.Package) []Candidate {
	var out []Candidate
	seen := map[string]bool{}
	add := func(o types.Object) {
		if !seen[o.Name()] && (o.Exported() || o.Pkg() == nil || o.Pkg().Path() == pkg.Path()) {
			seen[o.Name()] = true
			out = append(out, candidate(o))
		}
	}
	recv := t
	if _, ok := t.Underlying().(*types.Interface); !ok {
		if _, ok := t.(*types.Pointer); !ok {
			recv = types.NewPointer(t)
		}
	}
	set := types.NewMethodSet(recv)
	for i := range set.Len() {
		add(set.At(i).Obj())
	}
	var fields func(t types.Type, depth int)
	fields = func(t types.Type, depth int) {
		if p, ok := t.Underlying().(*types.Pointer); ok {
			t = p.Elem()
		}
		s, ok := t.Underlying().(*types.Struct)
		if !ok || depth > 5 {
			return
		}
		for i := range s.NumFields() {
			add(s.Field(i))
			if s.Field(i).Embedded() {
				fields(s.Field(i).Type(), depth+1)
			}
		}
	}
	fields(t, 0)
	return out
}

// fields lists the field names that a struct literal may set.
func (p *probe) fields(lit *ast.CompositeLit) []Candidate {
	t := p.unit.Info.TypeOf(lit)
	if t == nil {
		return nil
	}
	s, ok := t.Underlying().(*types.Struct)
	if !ok {
		return nil
	}
	var out []Candidate
	for i := range s.NumFields() {
		if f := s.Field(i); f.Exported() || f.Pkg().Path() == PkgPath {
			out = append(out, Candidate{Text: f.Name() + ":", Type: "property", Signature: shortType(f.Type())})
		}
	}
	return out
}

// visible lists every name in scope at the cursor.
func (c *Checker) visible(p *probe, scope *Scope) []Candidate {
	var out []Candidate
	for s := p.scopeAt(); s != nil && s != types.Universe; s = s.Parent() {
		for _, name := range s.Names() {
			out = append(out, candidate(s.Lookup(name)))
		}
	}
	return append(out, c.global(scope)...)
}

// global lists the session's names, imports, and what Go predeclares.
func (c *Checker) global(scope *Scope) []Candidate {
	var out []Candidate
	for _, d := range scope.Names() {
		out = append(out, candidate(d.Obj))
	}
	for name, path := range scope.Imports {
		out = append(out, Candidate{Text: name, Type: "module", Signature: path})
	}
	for _, name := range types.Universe.Names() {
		out = append(out, candidate(types.Universe.Lookup(name)))
	}
	for t := token.BREAK; t <= token.VAR; t++ {
		out = append(out, Candidate{Text: t.String(), Type: "keyword"})
	}
	return out
}

// candidate describes an object in the words that front ends have icons for.
func candidate(o types.Object) Candidate {
	c := Candidate{Text: o.Name(), Type: "instance"}
	switch o := o.(type) {
	case *types.Func:
		c.Type, c.Signature = "function", shortType(o.Type())
	case *types.Builtin:
		c.Type = "function"
	case *types.TypeName:
		c.Type = "class"
	case *types.PkgName:
		c.Type, c.Signature = "module", o.Imported().Path()
	case *types.Const:
		c.Signature = shortType(o.Type())
	case *types.Var:
		c.Signature = shortType(o.Type())
		if o.IsField() {
			c.Type = "property"
		}
	}
	return c
}

// shortType writes a type as a user would, session types without a package.
func shortType(t types.Type) string {
	return types.TypeString(t, func(p *types.Package) string {
		if p.Path() == PkgPath {
			return ""
		}
		return p.Name()
	})
}

// TypeName is a declaration's type as a user would write it.
func TypeName(d *Decl) string {
	if d.Obj == nil {
		return ""
	}
	if d.Kind == Type {
		return shortType(d.Obj.Type().Underlying())
	}
	return shortType(d.Obj.Type())
}
