package check

import (
	"go/ast"
	"go/types"
	"strings"
)

// members lists what can stand behind x and a dot.
func (c *Checker) members(p *probe, x ast.Expr) []Candidate {
	if pkg := p.packageOf(x); pkg != nil {
		return exported(pkg)
	}
	if id, ok := ast.Unparen(x).(*ast.Ident); ok && p.unit.Info.Uses[id] == nil && p.unit.Info.Defs[id] == nil {
		return c.offered(id.Name)
	}
	tv, ok := p.unit.Info.Types[x]
	if !ok || tv.Type == nil {
		return nil
	}
	out := typeMembers(tv.Type, p.unit.Pkg)
	if tv.IsType() { // a method expression
		kept := out[:0]
		for _, m := range out {
			if m.Type == "method" {
				kept = append(kept, m)
			}
		}
		return kept
	}
	return out
}

// offered lists what the packages of that name export though no cell has imported
// them: the cell that names one gets the import (Imports).
func (c *Checker) offered(name string) []Candidate {
	var out []Candidate
	for pkg := range c.named(name) {
		for _, m := range exported(pkg) {
			m.From = pkg.Path()
			out = append(out, m)
		}
	}
	return out
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
	var fields func(t types.Type, depth int)
	fields = func(t types.Type, depth int) {
		s, ok := under(t).(*types.Struct)
		if !ok || depth > 5 {
			return
		}
		for i := range s.NumFields() {
			add(s.Field(i))
		}
		for i := range s.NumFields() {
			if s.Field(i).Embedded() {
				fields(s.Field(i).Type(), depth+1)
			}
		}
	}
	fields(t, 0)
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
	return out
}

// fields lists the keys that the struct literal at the marker does not give yet; none
// where its values stand in order.
func (p *probe) fields() []Candidate {
	lit, ok := p.up(1).(*ast.CompositeLit)
	colon := ":"
	if pair, isPair := p.up(1).(*ast.KeyValueExpr); isPair && pair.Key == p.id {
		lit, ok = p.up(2).(*ast.CompositeLit)
		colon = ""
	}
	if !ok {
		return nil
	}
	s, ok := under(p.unit.Info.TypeOf(lit)).(*types.Struct)
	if !ok {
		return nil
	}
	given := map[string]bool{}
	for _, e := range lit.Elts {
		pair, ok := e.(*ast.KeyValueExpr)
		if !ok {
			if e != p.id {
				return nil
			}
			continue
		}
		if id, ok := pair.Key.(*ast.Ident); ok {
			given[id.Name] = true
		}
	}
	var out []Candidate
	for i := range s.NumFields() {
		if f := s.Field(i); (f.Exported() || f.Pkg().Path() == PkgPath) && !given[f.Name()] {
			out = append(out, Candidate{Text: f.Name() + colon, Type: "field", Signature: shortType(f.Type())})
		}
	}
	return out
}

// wantedMethods lists the methods that the receiver at the marker lacks of the session's
// interfaces, of error and of fmt.Stringer.
func (p *probe) wantedMethods(scope *Scope) []Candidate {
	if p == nil {
		return nil
	}
	fd, ok := p.up(1).(*ast.FuncDecl)
	if !ok || fd.Name != p.id || fd.Recv == nil || len(fd.Recv.List) == 0 {
		return nil
	}
	have := map[string]bool{}
	if t := p.unit.Info.TypeOf(fd.Recv.List[0].Type); t != nil {
		for _, m := range typeMembers(t, p.unit.Pkg) {
			have[m.Text] = true
		}
	}
	var out []Candidate
	add := func(name, signature, of string) {
		if !have[name] {
			have[name] = true
			out = append(out, Candidate{Text: name + signature + " { }", Type: "method", Signature: "of " + of})
		}
	}
	for _, d := range scope.Names() {
		if d.Kind != Type || d.Obj == nil {
			continue
		}
		if it, ok := d.Obj.Type().Underlying().(*types.Interface); ok {
			for i := range it.NumMethods() {
				m := it.Method(i)
				add(m.Name(), strings.TrimPrefix(shortType(named(m.Signature())), "func"), d.Name)
			}
		}
	}
	add("String", "() string", "fmt.Stringer")
	add("Error", "() string", "error")
	return out
}
