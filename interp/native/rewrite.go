package native

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"attune/interp/check"
)

// Names in compiled text that no user types: Ξ is a letter to Go.
const (
	rtName     = "Ξrt"
	rtPath     = "attune/interp/native/cellrt"
	envName    = "Ξenv"
	hashMark   = "ΞHASHHASHΞ" // stands for the text's hash until it is known
	ownMark    = "ΞCELLΞ"     // stands for the cell's name in positions
	slotMark   = "Ξv_"
	hiddenMark = "Ξh_" // a function that makes a slot
	funcMark   = "Ξf_"
)

// A function that calls itself is written several times, each copy calling the
// next, and only one of them looks for an interrupt: the look costs a tenth of a
// small function, a quarter of that is lost in the noise.
const (
	selfMark  = "ΞSELFΞ"  // stands for the next copy
	pointMark = "ΞPOINTΞ" // stands for the look, in one copy
	copies    = 4
	maxCopied = 2000 // bytes of text
)

// safepoint is what loops and functions look at.
const safepoint = " if " + rtName + ".Stop != 0 { " + rtName + ".Safepoint() };"

// rewriter collects the edits that make a piece of a cell's text compilable text.
type rewriter struct {
	u     *check.Unit
	file  *check.File
	edits []check.Edit
	self  *check.Decl          // the function being rewritten: its calls of itself are direct
	wrote map[*check.Decl]bool // what is referred to
	body  *ast.FuncDecl
	// typed names types for go statements; named are the packages that it named.
	typed *check.TypeWriter
	named []string
	lits  *literals // that the run is given, nil for text that has none
}

func newRewriter(u *check.Unit, f *check.File) *rewriter {
	r := &rewriter{u: u, file: f, wrote: map[*check.Decl]bool{}}
	r.typed = &check.TypeWriter{
		Scope:  u.Scope,
		Import: func(path, _ string) string { r.named = append(r.named, path); return importName(path) },
		Use:    func(d *check.Decl) { r.wrote[d] = true },
	}
	return r
}

// importName is the name under which compiled text imports path: one that no user
// types, and that is no other package's.
func importName(path string) string {
	var b strings.Builder
	for _, c := range path {
		switch {
		case c == '/':
			b.WriteString("Ξ")
		case c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z':
			b.WriteRune(c)
		default:
			fmt.Fprintf(&b, "Δ%xΔ", c)
		}
	}
	return "Ξ" + b.String()
}

// inPackage writes name, one of the package at path, between from and to.
func (r *rewriter) inPackage(from, to token.Pos, path, name string) {
	r.edits = append(r.edits, check.Edit{From: r.off(from), To: r.off(to), New: importName(path) + name, Pkg: path})
}

func (r *rewriter) off(p token.Pos) int { return r.u.Fset.File(p).Offset(p) }

func (r *rewriter) replace(from, to token.Pos, text string) {
	r.edits = append(r.edits, check.Edit{From: r.off(from), To: r.off(to), New: text})
}

func (r *rewriter) insert(at int, text string) {
	r.edits = append(r.edits, check.Edit{From: at, To: at, New: text})
}

// node collects the edits under n.
func (r *rewriter) node(n ast.Node) {
	ast.Inspect(n, func(n ast.Node) bool {
		if r.literal(n) {
			return false
		}
		switch n := n.(type) {
		case *ast.StructType:
			r.embedded(n)
		case *ast.SelectorExpr:
			return r.selector(n)
		case *ast.Ident:
			r.ident(n)
		case *ast.ForStmt:
			r.insert(r.off(n.Body.Lbrace)+1, safepoint)
		case *ast.RangeStmt:
			r.insert(r.off(n.Body.Lbrace)+1, safepoint)
		case *ast.FuncDecl:
			if n.Body != nil && n != r.body && r.mayRecurse(n.Body) {
				r.insert(r.off(n.Body.Lbrace)+1, pointMark)
			}
		case *ast.FuncLit:
			if r.mayRecurse(n.Body) {
				r.insert(r.off(n.Body.Lbrace)+1, safepoint)
			}
		case *ast.BlockStmt:
			r.looks(n.List, false)
		case *ast.CaseClause:
			r.looks(n.Body, false)
		case *ast.CommClause:
			if n.Comm != nil {
				r.insert(r.off(n.Colon)+1, look)
			}
			r.looks(n.Body, false)
		case *ast.CallExpr:
			if r.recovers(n) { // an interrupt is not for the user to recover
				r.insert(r.off(n.Pos()), rtName+".Recovered(")
				r.insert(r.off(n.End()), ")")
			}
		case *ast.DeferStmt:
			return !r.recovers(n.Call) // deferred itself, it recovers nothing
		case *ast.GoStmt:
			if r.recovers(n.Call) {
				return false
			}
			r.goStmt(n)
		}
		return true
	})
}

// literal writes the run's constant in place of n, if n is one.
func (r *rewriter) literal(n ast.Node) bool {
	x, ok := n.(ast.Expr)
	if !ok || r.lits == nil {
		return false
	}
	i, ok := r.lits.at[x]
	if ok {
		r.replace(x.Pos(), x.End(), litName+itoa(i))
	}
	return ok
}

// embedded marks fields without a name: their type's name is the field's.
func (r *rewriter) embedded(s *ast.StructType) {
	for _, f := range s.Fields.List {
		if len(f.Names) > 0 {
			continue
		}
		t := f.Type
		if star, ok := t.(*ast.StarExpr); ok {
			t = star.X
		}
		if ix, ok := t.(*ast.IndexExpr); ok {
			t = ix.X
		}
		if id, ok := t.(*ast.Ident); ok {
			if d := r.u.DeclOf(r.u.Info.Uses[id]); d != nil && d.Kind == check.Type {
				r.wrote[d] = true
				r.edits = append(r.edits, check.Edit{From: r.off(id.Pos()), To: r.off(id.End()), Ref: d, Embedded: true})
			}
		}
	}
}

// selector notes imports, and replaces what would end the session.
func (r *rewriter) selector(n *ast.SelectorExpr) bool {
	id, ok := n.X.(*ast.Ident)
	if !ok {
		r.node(n.X)
		return false
	}
	pkg, ok := r.u.Info.Uses[id].(*types.PkgName)
	if !ok {
		r.ident(id)
		return false
	}
	path := pkg.Imported().Path()
	switch path + "." + n.Sel.Name {
	case "os.Exit":
		r.replace(n.Pos(), n.End(), rtName+".Exit")
		return false
	case "log.Fatal", "log.Fatalln", "log.Fatalf":
		print := importName(path) + ".Print" + strings.TrimPrefix(n.Sel.Name, "Fatal")
		f := "Fatal"
		if n.Sel.Name == "Fatalf" {
			f = "Fatalf"
		}
		r.edits = append(r.edits, check.Edit{From: r.off(n.Pos()), To: r.off(n.End()), New: rtName + "." + f + "(" + print + ")", Pkg: path})
		return false
	}
	r.inPackage(id.Pos(), id.End(), path, "")
	return false
}

// ident refers to the session's declaration that id names, if it is one.
func (r *rewriter) ident(id *ast.Ident) {
	obj := r.u.Info.Uses[id]
	if obj == nil {
		obj = r.u.Info.Defs[id]
	}
	if obj == nil {
		return
	}
	if c, ok := obj.(*types.Const); ok && c.Pkg() == r.u.Pkg && c.Parent() != r.u.Pkg.Scope() {
		// The first meaning of what `const (X = X + 1; Y)` repeats: go/types notes the last.
		if s := r.u.Pkg.Scope().Innermost(id.Pos()); s != nil && r.u.Info.Uses[id] == c {
			_, obj = s.LookupParent(id.Name, id.Pos())
		}
	}
	if pkg := obj.Pkg(); pkg != nil && pkg.Path() != check.PkgPath && obj.Parent() == pkg.Scope() {
		r.inPackage(id.Pos(), id.End(), pkg.Path(), "."+id.Name) // by a dot import
		return
	}
	d := r.u.DeclOf(obj)
	if d == nil || d.Kind == check.Method {
		return
	}
	from := r.off(id.Pos())
	if slices.ContainsFunc(r.edits, func(e check.Edit) bool { return e.From == from && e.To == from+len(id.Name) }) {
		return // an embedded field
	}
	if d == r.self && !d.Generic {
		r.replace(id.Pos(), id.End(), selfMark)
		return
	}
	r.wrote[d] = true
	r.edits = append(r.edits, check.Edit{From: from, To: from + len(id.Name), Ref: d})
}

// mayRecurse tells whether a body calls anything that could lead back to it: what
// the session declares, function values and interface methods.
func (r *rewriter) mayRecurse(body *ast.BlockStmt) bool {
	found := false
	ast.Inspect(body, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || found {
			return !found
		}
		if tv := r.u.Info.Types[call.Fun]; tv.IsType() || tv.IsBuiltin() {
			return true
		}
		var obj types.Object
		switch f := ast.Unparen(call.Fun).(type) {
		case *ast.Ident:
			obj = r.u.Info.Uses[f]
		case *ast.SelectorExpr:
			obj = r.u.Info.Uses[f.Sel]
		}
		fn, ok := obj.(*types.Func)
		found = !ok || fn.Pkg() == nil || fn.Pkg().Path() == check.PkgPath || types.IsInterface(recvType(fn))
		return !found
	})
	return found
}

func recvType(f *types.Func) types.Type {
	if r := f.Signature().Recv(); r != nil {
		return r.Type()
	}
	return types.Typ[types.Int]
}

// goStmt lets a panic in the goroutine be reported instead of ending the worker.
func (r *rewriter) goStmt(g *ast.GoStmt) {
	if lit, ok := ast.Unparen(g.Call.Fun).(*ast.FuncLit); ok {
		r.insert(r.off(lit.Body.Lbrace)+1, " defer "+rtName+".Recover();")
		return
	}
	tv := r.u.Info.Types[g.Call.Fun]
	sig, ok := tv.Type.(*types.Signature)
	if !ok || tv.IsBuiltin() || tv.IsType() || r.inferred(g.Call.Fun) {
		return
	}
	r.named = nil
	full, err := r.typed.Text(sig)
	if err != nil {
		return
	}
	plain, err := r.typed.Text(types.NewSignatureType(nil, nil, nil, sig.Params(), nil, sig.Variadic()))
	if err != nil {
		return
	}
	var args []string
	for i := range sig.Params().Len() {
		a := "p" + itoa(i)
		if sig.Variadic() && i == sig.Params().Len()-1 {
			a += "..."
		}
		args = append(args, a)
	}
	for _, path := range r.named {
		r.edits = append(r.edits, check.Edit{From: r.off(g.Call.Fun.Pos()), To: r.off(g.Call.Fun.Pos()), Pkg: path})
	}
	r.insert(r.off(g.Call.Fun.Pos()), "(func(Ξg "+full+") "+plain+" { return "+plain+" { defer "+rtName+".Recover(); Ξg("+strings.Join(args, ", ")+") } }(")
	r.insert(r.off(g.Call.Fun.End()), "))")
}

// inferred tells whether f is a generic function whose type arguments come from
// the call's arguments, so that f alone is no value.
func (r *rewriter) inferred(f ast.Expr) bool {
	switch f := ast.Unparen(f).(type) {
	case *ast.Ident:
		return r.u.Info.Instances[f].TypeArgs.Len() > 0
	case *ast.SelectorExpr:
		return r.u.Info.Instances[f.Sel].TypeArgs.Len() > 0
	}
	return false
}

// pieces cuts the file's text between from and to at the edits.
func (r *rewriter) pieces(from, to int) []check.Piece {
	slices.SortStableFunc(r.edits, func(a, b check.Edit) int {
		if a.From != b.From {
			return a.From - b.From
		}
		return a.To - b.To
	})
	var out []check.Piece
	at := from
	for _, e := range r.edits {
		if e.From < at || e.To > to {
			continue
		}
		if e.From > at {
			out = append(out, check.Piece{Text: r.file.Text[at:e.From]})
		}
		out = append(out, check.Piece{Text: e.New, Ref: e.Ref, Pkg: e.Pkg, Embedded: e.Embedded})
		at = e.To
	}
	return append(out, check.Piece{Text: r.file.Text[at:to]})
}

func itoa(i int) string {
	if i < 10 {
		return string(rune('0' + i))
	}
	return itoa(i/10) + itoa(i%10)
}
