package native

import (
	"cmp"
	"fmt"
	"go/types"
	"maps"
	"slices"
	"strings"

	"attune/interp/check"
)

// emitter writes one unit.
type emitter struct {
	u       *check.Unit
	cellID  func(cell int) string
	wanted  []*check.Decl // to be declared, in the order found
	seen    map[*check.Decl]bool
	imports map[string]string // path → name
	slots   map[string]slot   // by key
	shared  []shared
	far     map[string]bool // full names
	typed   *check.TypeWriter
	lits    *literals
	embeds  map[*check.Decl]bool // types that fields are called after
}

// Emit writes the unit as the parts of a Go file. cellID gives the name under which
// the text of an earlier cell is known in positions. It fails where a type cannot be
// named.
func Emit(u *check.Unit, cellID func(cell int) string) (*Source, error) {
	e := newEmitter(u, cellID)
	inits := prepare(u)
	e.lits = findLiterals(u)
	var body []block
	calls := initCalls(len(inits))
	if u.Body != nil {
		body, calls = []block{bodyBlock(u, e.lits, calls)}, ""
	} else {
		body = initBlocks(u, e.lits)
	}
	own, list := e.own(), e.pairs()
	for _, d := range own {
		e.wantPieces(d.Pieces)
		if err := e.slot(d); err != nil {
			return nil, err
		}
	}
	for _, b := range append(slices.Clone(body), inits...) {
		e.wantPieces(b.pieces)
	}
	consts, err := e.lits.declare(e.typed)
	if err != nil {
		return nil, err
	}
	if err := e.declare(); err != nil {
		return nil, err
	}
	var text strings.Builder
	for _, d := range own {
		e.function(&text, d)
	}
	for _, b := range inits {
		e.mark(&text, b.cell, b.line, b.col)
		e.pieces(&text, b.pieces)
		text.WriteString("\n")
	}
	e.runFunc(&text, consts, body, calls)
	if err := e.bindFunc(&text, own, list); err != nil {
		return nil, err
	}
	return e.finish(text.String()), nil
}

// Means is what the unit means by the names that it declares and that other texts
// repeat, and by those that these name in turn: see Source.Means.
func Means(u *check.Unit) (map[string]string, error) {
	e := newEmitter(u, check.CellName)
	for _, d := range append(slices.Clone(u.New), u.Again...) {
		if d.Kind == check.Type || d.Kind == check.Const || d.Generic && d.Kind == check.Func {
			e.want(d)
		}
	}
	if len(e.wanted) == 0 {
		return nil, nil
	}
	prepare(u)
	if err := e.declare(); err != nil {
		return nil, err
	}
	return means(e.shared), nil
}

func newEmitter(u *check.Unit, cellID func(cell int) string) *emitter {
	e := &emitter{u: u, cellID: cellID, seen: map[*check.Decl]bool{}, imports: map[string]string{rtPath: rtName}, slots: map[string]slot{}, far: map[string]bool{}, embeds: map[*check.Decl]bool{}}
	e.typed = &check.TypeWriter{Scope: u.Scope, Import: e.importAs, Use: e.want}
	return e
}

// own lists the functions and methods that this unit gives a body.
func (e *emitter) own() []*check.Decl {
	var out []*check.Decl
	for _, d := range append(slices.Clone(e.u.New), e.u.Again...) {
		if (d.Kind == check.Func || d.Kind == check.Method) && !d.Generic && d.Pieces != nil {
			out = append(out, d)
		}
		if d.Kind == check.Type || d.Kind == check.Var {
			e.want(d)
		}
	}
	return out
}

func (e *emitter) importAs(path, _ string) string {
	e.imports[path] = importName(path)
	return e.imports[path]
}

func (e *emitter) want(d *check.Decl) {
	if !e.seen[d] && d.Key != "" {
		e.seen[d] = true
		e.wanted = append(e.wanted, d)
	}
}

func (e *emitter) wantPieces(pieces []check.Piece) {
	for _, p := range pieces {
		if p.Ref != nil {
			e.want(p.Ref)
			e.embeds[p.Ref] = e.embeds[p.Ref] || p.Embedded
		}
	}
}

// declare writes what is wanted, and what that wants in turn.
func (e *emitter) declare() error {
	done := map[string]bool{}
	for i := 0; i < len(e.wanted); i++ {
		d := e.wanted[i]
		id := d.Kind.String() + d.Key
		if done[id] {
			continue
		}
		done[id] = true
		if err := e.declareOne(d); err != nil {
			return err
		}
	}
	return e.aliases()
}

func (e *emitter) declareOne(d *check.Decl) error {
	var text strings.Builder
	switch {
	case d.Kind == check.Const:
		if err := e.constant(&text, d); err != nil {
			return err
		}
	case d.Kind == check.Type:
		if err := e.typeDecl(&text, d); err != nil {
			return err
		}
	case d.Generic:
		e.wantPieces(d.Pieces)
		e.mark(&text, d.Cell, d.Line, 1)
		e.pieces(&text, d.Pieces)
		text.WriteString("\n")
	default:
		return e.slot(d)
	}
	if strings.Contains(text.String(), hashMark) {
		return fmt.Errorf("internal: the text of %s, which cells share, has a name of its cell's own; please report this", d.Name)
	}
	e.share(d.Key, text.String(), meaning(d, text.String()))
	return nil
}

// aliases gives the newest types their own names, which embedded fields have. A text
// that also uses the type which had the name before leaves the name to that.
func (e *emitter) aliases() error {
	taken := map[string]bool{}
	for _, d := range e.wanted {
		taken[d.Key] = taken[d.Key] || d.Kind == check.Type
	}
	for _, d := range e.wanted {
		if d.Kind != check.Type || d.Key == d.Name || e.u.Scope.Decls.Get(d.Name) != d || d.Generic {
			continue
		}
		if types.Universe.Lookup(d.Name) != nil && !e.embeds[d] {
			continue
		}
		if !taken[d.Name] {
			e.share(d.Name, fmt.Sprintf("type %s = %s\n", d.Name, d.Key), "")
		} else if e.embeds[d] {
			return fmt.Errorf("the cell embeds the new %s and uses a value of the type that was called so before; do one of them in a cell of its own", d.Name)
		}
		taken[d.Name] = true
	}
	return nil
}

func (e *emitter) share(name, text, meaning string) {
	e.shared = append(e.shared, shared{name, e.settled(text), meaning})
}

// meaning is the text of d without the positions, and with what its embedded fields
// stand for.
func meaning(d *check.Decl, text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "//line ") {
			b.WriteString(line)
		}
	}
	for _, p := range d.Pieces {
		if p.Embedded {
			fmt.Fprintf(&b, "// %s is %s\n", p.Ref.Name, p.Ref.Key)
		}
	}
	return b.String()
}

// slot notes the pointer through which d's storage is reached.
func (e *emitter) slot(d *check.Decl) error {
	if _, ok := e.slots[d.Key]; ok {
		return nil
	}
	t := d.Obj.Type()
	if sig, ok := t.(*types.Signature); ok && d.Kind == check.Method {
		t = methodFunc(sig)
	}
	typ, err := e.typed.Text(t)
	s, found := slot{typ: typ}, true
	if err != nil {
		s, found = e.inferred(t)
	}
	if !found {
		return fmt.Errorf("%s: %w", d.Name, err)
	}
	e.slots[d.Key] = s
	return nil
}

// methodFunc is the type of a method as a function of its receiver.
func methodFunc(sig *types.Signature) *types.Signature {
	params := []*types.Var{sig.Recv()}
	for i := range sig.Params().Len() {
		params = append(params, sig.Params().At(i))
	}
	return types.NewSignatureType(nil, nil, nil, types.NewTuple(params...), sig.Results(), sig.Variadic())
}

func (e *emitter) constant(text *strings.Builder, d *check.Decl) error {
	c := d.Obj.(*types.Const)
	typ := ""
	if b, ok := c.Type().(*types.Basic); !ok || b.Info()&types.IsUntyped == 0 {
		t, err := e.typed.Text(c.Type())
		if err != nil {
			return err
		}
		typ = " " + t
	}
	fmt.Fprintf(text, "const %s%s = %s\n", d.Key, typ, check.ConstValue(c))
	return nil
}

// typeDecl writes a type with its methods, each of which calls the newest body.
func (e *emitter) typeDecl(text *strings.Builder, d *check.Decl) error {
	e.wantPieces(d.Pieces)
	e.mark(text, d.Cell, d.Line, 1)
	e.pieces(text, d.Pieces)
	text.WriteString("\n")
	for _, m := range d.Methods {
		if m.Generic {
			e.wantPieces(m.Pieces)
			e.mark(text, m.Cell, m.Line, 1)
			e.pieces(text, m.Pieces)
			text.WriteString("\n")
			continue
		}
		if err := e.method(text, d, m); err != nil {
			return err
		}
	}
	return nil
}

func (e *emitter) method(text *strings.Builder, d, m *check.Decl) error {
	if err := e.slot(m); err != nil {
		return err
	}
	sig := m.Obj.(*types.Func).Signature()
	star := ""
	if _, ok := sig.Recv().Type().(*types.Pointer); ok {
		star = "*"
	}
	plain := types.NewSignatureType(nil, nil, nil, sig.Params(), sig.Results(), sig.Variadic())
	typ, err := e.typed.Text(plain)
	if err != nil {
		return err
	}
	args := []string{"Ξr"}
	for i := range sig.Params().Len() {
		a := "p" + itoa(i)
		if sig.Variadic() && i == sig.Params().Len()-1 {
			a += "..."
		}
		args = append(args, a)
	}
	ret := ""
	if sig.Results().Len() > 0 {
		ret = "return "
	}
	name := m.Name[len(d.Name)+1:]
	// A position that is no cell's: calls through here are not the user's own.
	fmt.Fprintf(text, "//line attune:1\nfunc (Ξr %s%s) %s%s { %s(*%s%s)(%s) }\n", star, d.Key, name,
		strings.TrimPrefix(typ, "func"), ret, slotMark, m.Key, strings.Join(args, ", "))
	return nil
}

// function writes a body, and copies of it if it calls itself.
func (e *emitter) function(text *strings.Builder, d *check.Decl) {
	var b strings.Builder
	e.pieces(&b, d.Pieces)
	body, name := b.String(), funcMark+d.Key
	n := 1
	if strings.Contains(body, selfMark) && len(body) <= maxCopied && !strings.Contains(body, "type ") {
		n = copies
	}
	for i := range n {
		next := name + hashMark
		if i+1 < n {
			next = fmt.Sprintf("%sΞ%d%s", name, i+1, hashMark)
		}
		copied := strings.ReplaceAll(body, selfMark, next)
		if i > 0 {
			copied = strings.Replace(copied, name+hashMark, fmt.Sprintf("%sΞ%d%s", name, i, hashMark), 1)
			copied = strings.Replace(copied, pointMark, "", 1)
		}
		e.mark(text, d.Cell, d.Line, 1)
		text.WriteString(strings.ReplaceAll(copied, pointMark, safepoint) + "\n")
	}
}

func (e *emitter) mark(text *strings.Builder, cell, line, col int) {
	if line > 0 {
		id := ownMark
		if cell != e.u.Cell {
			id = e.cellID(cell)
		}
		fmt.Fprintf(text, "//line %s:%d:%d\n", id, line, max(col, 1))
	}
}

// pieces writes text with its references resolved.
func (e *emitter) pieces(text *strings.Builder, pieces []check.Piece) {
	skip := 0 // of the next piece's text
	for i, p := range pieces {
		p.Text, skip = p.Text[skip:], 0
		next := ""
		if i+1 < len(pieces) && pieces[i+1].Ref == nil && pieces[i+1].Pkg == "" {
			next = pieces[i+1].Text
		}
		if name, used := farIn(p, next); name != "" {
			e.far[name], skip = true, used
			text.WriteString(farName(name))
			continue
		}
		if p.Pkg != "" {
			e.importAs(p.Pkg, "")
		}
		switch d := p.Ref; {
		case d == nil:
			text.WriteString(p.Text)
		case p.Embedded:
			text.WriteString(d.Name)
		case d.Kind == check.Type, d.Kind == check.Const, d.Generic:
			text.WriteString(d.Key)
		default:
			text.WriteString("(*" + slotMark + d.Key + ")")
		}
	}
}

// runFunc writes the function that runs the cell's statements, consts before them and
// calls behind them.
func (e *emitter) runFunc(text *strings.Builder, consts string, body []block, calls string) {
	fmt.Fprintf(text, "//line attune:1\nfunc Ξrun%s(%s *%s.Env) {\n", hashMark, envName, rtName)
	text.WriteString(consts)
	for _, b := range body {
		e.mark(text, b.cell, b.line, b.col)
		e.pieces(text, b.pieces)
		text.WriteString("\n")
	}
	text.WriteString(calls + "\n")
	if e.u.Main {
		fmt.Fprintf(text, "(*%s%s)()\n", slotMark, e.u.Scope.Decls.Get("main").Key)
	}
	text.WriteString("}\n")
}

// bindFunc writes the function that binds the text's names to the session.
func (e *emitter) bindFunc(text *strings.Builder, own []*check.Decl, list []pair) error {
	fmt.Fprintf(text, "//line attune:1\nfunc Ξbind%s(%s *%s.Env) {\n", hashMark, envName, rtName)
	tables(text, list)
	for _, d := range e.wanted {
		if d.Kind == check.Type && !d.Generic && !constraint(d.Obj.Type()) {
			fmt.Fprintf(text, "%s.Type[%s](%s, %q)\n", rtName, d.Key, envName, d.Key)
		}
	}
	for _, rb := range e.u.Rebinds {
		typ, err := e.typed.Text(rb.To.Obj.Type())
		if err != nil {
			return err
		}
		fmt.Fprintf(text, "%s.Move[%s](%s, %q, %q)\n", rtName, typ, envName, rb.From.Key, rb.To.Key)
	}
	for _, key := range slices.Sorted(maps.Keys(e.slots)) {
		text.WriteString(e.slots[key].bind(key))
	}
	for _, d := range slices.SortedFunc(slices.Values(own), func(a, b *check.Decl) int { return cmp.Compare(a.Key, b.Key) }) {
		fmt.Fprintf(text, "*%s%s = %s%s%s\n", slotMark, d.Key, funcMark, d.Key, hashMark)
	}
	bindFar(text, e.far)
	text.WriteString("}\n")
	return nil
}

// constraint tells whether t can only constrain type parameters.
func constraint(t types.Type) bool {
	i, ok := t.Underlying().(*types.Interface)
	return ok && !i.IsMethodSet()
}

// finish makes a source of what was written.
func (e *emitter) finish(own string) *Source {
	s := &Source{imports: e.imports, blank: e.u.Blank, shared: e.shared, slots: e.slots, far: e.far, own: e.settled(own), Literals: e.lits.values}
	s.settle()
	return s
}

// settled puts in what is known by now: the looks in generic functions and init, and
// that positions which the text came with are of this cell.
func (e *emitter) settled(text string) string {
	text = strings.ReplaceAll(text, pointMark, safepoint)
	return strings.ReplaceAll(text, "//line "+check.CellName(e.u.Cell)+":", "//line "+ownMark+":")
}
