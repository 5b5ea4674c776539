package check

import (
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strings"
)

// Candidate is one way to complete a name.
type Candidate struct {
	Text string
	// Type is what it is: "function", "method", "variable", "field", "type", "const",
	// "module", "keyword", "label".
	Type string
	// Signature is its type, or a package's path; From the path of a package that is
	// not imported yet.
	Signature, From string
	obj             types.Object
	rank            int
}

// The order in which candidates are offered, what suits the place first in each.
const (
	ofPlace = iota // labels, keys of a literal, members
	ofBlock
	ofSession
	ofImports
	ofUniverse
	ofLanguage
	ofOthers // packages that are not imported
)

// Complete lists what could stand at offset in code, and the byte range that it
// would replace.
func (c *Checker) Complete(code string, offset int, scope *Scope) (start, end int, out []Candidate) {
	code = withoutMagics(code)
	start, end = word(code, offset)
	prefix := code[start:offset]
	t := look(code[:start])
	if t.quoted {
		if path, ok := t.importPath(code, offset); ok {
			_, end = pathAround(code, offset)
			return offset - len(path), end, c.packages(path)
		}
	}
	number := start > 0 && code[start-1] == '.' && t.last().tok != token.PERIOD
	if number || t.quoted || t.unclosed != "" || t.noted || prefix != "" && prefix[0] >= '0' && prefix[0] <= '9' {
		return offset, offset, nil
	}
	rest := code[end:]
	if t.receiver() && !strings.HasPrefix(strings.TrimLeft(rest, " "), "(") {
		rest = "() {\n}" + rest // without them it is a function literal
	}
	member, named := t.last().tok == token.PERIOD, prefix
	if member {
		named = ""
	}
	p := c.probeAt(code[:offset]+rest, offset, scope, member || prefix != "", named)
	at := placeOf(t, p, code[:start])
	out = c.candidates(p, t, at, prefix, scope)
	out = slices.DeleteFunc(out, func(x Candidate) bool {
		return !hasPrefixFold(x.Text, prefix) || strings.Contains(x.Text, "Ξ")
	})
	arrange(out, p, at, prefix)
	seen := map[string]bool{}
	return start, end, slices.DeleteFunc(out, func(x Candidate) bool {
		had := seen[x.Text]
		seen[x.Text] = true
		return had
	})
}

// arrange sorts what is offered: first what is written as typed, then what has the
// type that is asked for, then what is near.
func arrange(list []Candidate, p *probe, at place, prefix string) {
	var want types.Type
	if p != nil && at != aType {
		want = p.expected()
	}
	weight := func(x Candidate) int {
		w := 4 * x.rank
		if !strings.HasPrefix(x.Text, prefix) {
			w += 1000
		}
		_, isType := x.obj.(*types.TypeName)
		if isType && at != aType && at != aMember { // values are wanted more often
			w += 2
		}
		switch {
		case want == nil || x.rank == ofPlace && x.obj == nil: // a key of a literal
		case !suits(x.obj, want):
			w += 100
		case isType: // of a conversion or literal
			w += 50
		case x.Type == "function": // to be called
			w++
		}
		return w
	}
	slices.SortStableFunc(list, func(a, b Candidate) int {
		if x, y := weight(a), weight(b); x != y {
			return x - y
		}
		if a.rank == ofPlace && a.From == "" {
			return 0 // in the order of their declaration
		}
		return strings.Compare(a.Text, b.Text)
	})
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// word is the identifier around offset.
func word(code string, offset int) (start, end int) {
	return around(code, offset, func(b byte) bool {
		return b == '_' || b >= 0x80 || b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z'
	})
}

// pathAround is the part of an import path around offset.
func pathAround(code string, offset int) (start, end int) {
	return around(code, offset, func(b byte) bool { return b > ' ' && b != '"' && b != '`' && b != ')' && b != ';' })
}

func around(code string, offset int, isPart func(byte) bool) (start, end int) {
	start, end = offset, offset
	for start > 0 && isPart(code[start-1]) {
		start--
	}
	for end < len(code) && isPart(code[end]) {
		end++
	}
	return start, end
}

// importPath is what stands of an import's path in front of offset, if the text ends
// in one.
func (t *text) importPath(code string, offset int) (string, bool) {
	n := len(t.toks) - 1
	for n > 0 && t.toks[n].tok != token.STRING {
		n--
	}
	if n < 1 {
		return "", false
	}
	before := t.toks[:n]
	if k := before[n-1].tok; n > 1 && (k == token.IDENT || k == token.PERIOD) {
		before = before[:n-1] // the name it is imported under
	}
	in := before[len(before)-1].tok == token.IMPORT
	if b := len(t.open) - 1; b >= 0 && t.open[b].tok == token.LPAREN {
		in = t.open[b].before == token.IMPORT
	}
	return code[t.toks[n].off+1 : offset], in
}

// receiver tells whether the text ends in a method's receiver: what comes is its name.
func (t *text) receiver() bool {
	n := len(t.toks) - 1
	if n >= 0 && t.toks[n].tok == token.SEMICOLON && t.toks[n].lit != ";" {
		n--
	}
	if len(t.open) > 0 || n < 2 || t.toks[n].tok != token.RPAREN {
		return false
	}
	for n > 0 && t.toks[n].tok != token.LPAREN {
		n--
	}
	return n > 0 && t.toks[n-1].tok == token.FUNC && (n == 1 || t.toks[n-2].tok == token.SEMICOLON)
}

// packages lists the import paths that begin with prefix, the standard library first.
func (c *Checker) packages(prefix string) []Candidate {
	var out []Candidate
	for _, p := range c.Imp.Paths() {
		if strings.HasPrefix(p, prefix) && public(p) {
			out = append(out, Candidate{Text: p, Type: "module"})
		}
	}
	slices.SortStableFunc(out, func(a, b Candidate) int { return origin(a.Text) - origin(b.Text) })
	return out
}

// candidates lists all that may stand in the place.
func (c *Checker) candidates(p *probe, t *text, at place, prefix string, scope *Scope) []Candidate {
	var out []Candidate
	switch {
	case at == aNewName:
		return p.wantedMethods(scope)
	case at == aMember && p == nil:
		return nil
	case at == aMember:
		if x := p.selected(); x != nil {
			return ofRank(ofPlace, c.members(p, x))
		}
		return nil
	case at == aLabel && p != nil:
		return p.labels(t.last().tok)
	case at == aFieldKey:
		out = p.fields()
	}
	for _, w := range p.keywords(at, t) {
		out = append(out, Candidate{Text: w, Type: "keyword", rank: ofLanguage})
	}
	if at == aCase || at == anElse || at == aLabel {
		return out
	}
	out = append(out, c.visible(p, scope)...)
	if prefix != "" {
		out = append(out, ofRank(ofOthers, c.unimported(prefix))...)
	}
	if at == aType {
		out = slices.DeleteFunc(out, func(x Candidate) bool {
			return x.Type != "type" && x.Type != "module" && x.Type != "keyword"
		})
	} else if p != nil {
		out = append(out, p.literal()...)
	}
	return out
}

func ofRank(rank int, list []Candidate) []Candidate {
	for i := range list {
		list[i].rank = rank
	}
	return list
}

// literal is the head of a function where one is asked for.
func (p *probe) literal() []Candidate {
	want := p.expected()
	if want == nil {
		return nil
	}
	sig, ok := want.Underlying().(*types.Signature)
	if !ok {
		return nil
	}
	head := shortType(named(sig))
	return []Candidate{{Text: head + " { }", Type: "function", Signature: "a function literal"}}
}

// named gives every parameter of sig a name.
func named(sig *types.Signature) *types.Signature {
	var vars []*types.Var
	for i := range sig.Params().Len() {
		v := sig.Params().At(i)
		name := v.Name()
		if name == "" || name == "_" {
			name = string(rune('a' + i%26))
		}
		vars = append(vars, types.NewParam(v.Pos(), v.Pkg(), name, v.Type()))
	}
	return types.NewSignatureType(nil, nil, nil, types.NewTuple(vars...), sig.Results(), sig.Variadic())
}

// visible lists every name in scope at the cursor: the block's, the session's, the
// imports, and what Go predeclares.
func (c *Checker) visible(p *probe, scope *Scope) []Candidate {
	var out []Candidate
	add := func(o types.Object, rank int) {
		x := candidate(o)
		x.rank = rank
		out = append(out, x)
	}
	imports := scope.Imports
	if p != nil {
		imports = p.named
		for s := p.scopeAt(); s != nil && s != types.Universe; s = s.Parent() {
			for _, name := range s.Names() {
				o := s.Lookup(name)
				_, isPkg := o.(*types.PkgName)
				if _, seen := s.LookupParent(name, p.id.Pos()); seen != o || isPkg {
					continue // declared further down, or for checking alone
				}
				if s == p.unit.Pkg.Scope() {
					add(o, ofSession)
				} else {
					add(o, ofBlock)
				}
			}
		}
	}
	for _, d := range scope.Names() {
		if d.Obj != nil {
			add(d.Obj, ofSession)
		}
	}
	if p != nil {
		for _, path := range p.dots {
			if pkg, err := c.Imp.Import(path); err == nil {
				out = append(out, ofRank(ofImports, exported(pkg))...)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(imports)) {
		out = append(out, Candidate{Text: name, Type: "module", Signature: imports[name], rank: ofImports})
	}
	for _, name := range types.Universe.Names() {
		add(types.Universe.Lookup(name), ofUniverse)
	}
	return out
}

// candidate describes an object.
func candidate(o types.Object) Candidate {
	c := Candidate{Text: o.Name(), Type: "variable", obj: o}
	switch o := o.(type) {
	case *types.Func:
		c.Type, c.Signature = "function", shortType(o.Type())
		if o.Signature().Recv() != nil {
			c.Type = "method"
		}
	case *types.Builtin:
		c.Type, c.Signature = "function", builtins[o.Name()].signature
	case *types.TypeName:
		c.Type = "type"
		if _, ok := o.Type().(*types.Basic); !ok {
			c.Signature = kindOfType(o.Type())
		}
	case *types.PkgName:
		c.Type, c.Signature = "module", o.Imported().Path()
	case *types.Const:
		c.Type, c.Signature = "const", shortType(o.Type())
	case *types.Nil:
		c.Type = "const"
	case *types.Var:
		c.Signature = shortType(o.Type())
		if o.IsField() {
			c.Type = "field"
		}
	}
	return c
}

// kindOfType is the word for what a type is made of.
func kindOfType(t types.Type) string {
	switch t.Underlying().(type) {
	case *types.Struct:
		return "struct"
	case *types.Interface:
		return "interface"
	}
	return shortType(t.Underlying())
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

// dotted is the name in front of the dot before start, "" if there is none or if it
// is itself selected from something.
func dotted(code string, start int) string {
	if start == 0 || code[start-1] != '.' {
		return ""
	}
	from, to := word(code, start-1)
	if from > 0 && code[from-1] == '.' || !token.IsIdentifier(code[from:to]) {
		return ""
	}
	return code[from:to]
}
