package check

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"
)

// callAt finds the call whose arguments the end of t is among, and describes the
// function called.
func (c *Checker) callAt(code string, t *text, scope *Scope) (Call, Info) {
	n := len(t.open) - 1
	for n >= 0 && t.open[n].tok == token.LBRACK { // an index inside an argument
		n--
	}
	if n < 0 || t.open[n].tok != token.LPAREN {
		return Call{}, Info{}
	}
	switch t.open[n].before {
	case token.IDENT, token.RPAREN, token.RBRACK, token.RBRACE:
	default:
		return Call{}, Info{}
	}
	// The arguments before the cursor's are whole; a name in its place makes the rest so.
	at, arg, depth := t.open[n].off+1, 0, 0
	for _, k := range t.toks {
		if k.off < at && arg == 0 || k.off <= t.open[n].off {
			continue
		}
		switch k.tok {
		case token.LPAREN, token.LBRACK, token.LBRACE:
			depth++
		case token.RPAREN, token.RBRACK, token.RBRACE:
			depth--
		case token.COMMA:
			if depth == 0 {
				at, arg = k.off+1, arg+1
			}
		}
	}
	p := c.probeAt(code[:at], at, scope, true, "")
	if p == nil {
		return Call{}, Info{}
	}
	call, ok := p.up(1).(*ast.CallExpr)
	if !ok {
		return Call{}, Info{}
	}
	out := c.signatureOf(p, call, arg)
	switch f := ast.Unparen(call.Fun).(type) {
	case *ast.Ident:
		out.Name = f.Name
	case *ast.SelectorExpr:
		out.Name = f.Sel.Name
	}
	return out, c.callee(p, call.Fun, scope)
}

// callee describes the function that fun names.
func (c *Checker) callee(p *probe, fun ast.Expr, scope *Scope) Info {
	switch f := ast.Unparen(fun).(type) {
	case *ast.IndexExpr:
		return c.callee(p, f.X, scope)
	case *ast.IndexListExpr:
		return c.callee(p, f.X, scope)
	case *ast.Ident:
		if o := p.unit.Info.Uses[f]; o != nil {
			return c.describe(o, "", scope)
		}
	case *ast.SelectorExpr:
		if o := p.unit.Info.Uses[f.Sel]; o != nil {
			return c.describe(o, ownerOf(p, f.X), scope)
		}
		if id, ok := f.X.(*ast.Ident); ok {
			if o := c.unimportedName(id.Name, f.Sel.Name); o != nil {
				return c.describe(o, "", scope)
			}
		}
	}
	return Info{}
}

func ownerOf(p *probe, x ast.Expr) string {
	if t := p.unit.Info.TypeOf(x); t != nil {
		return typeNameOf(t)
	}
	return ""
}

// unimportedName finds pkg.name though no cell has imported pkg.
func (c *Checker) unimportedName(pkg, name string) types.Object {
	for p := range c.named(pkg) {
		if o := p.Scope().Lookup(name); o != nil && o.Exported() {
			return o
		}
	}
	return nil
}

// signatureOf writes what call calls, and where its parameter arg stands in that.
func (c *Checker) signatureOf(p *probe, call *ast.CallExpr, arg int) Call {
	name := types.ExprString(call.Fun)
	if _, ok := call.Fun.(*ast.FuncLit); ok {
		name = ""
	}
	t := p.unit.Info.TypeOf(call.Fun)
	if id, ok := ast.Unparen(call.Fun).(*ast.Ident); ok {
		if _, ok := p.unit.Info.Uses[id].(*types.Builtin); ok {
			return builtinCall(id.Name, arg)
		}
	}
	sig, ok := under(t).(*types.Signature)
	if sel, isSel := ast.Unparen(call.Fun).(*ast.SelectorExpr); !ok && isSel {
		if id, isID := sel.X.(*ast.Ident); isID && p.unit.Info.Uses[id] == nil {
			if o := c.unimportedName(id.Name, sel.Sel.Name); o != nil {
				sig, ok = o.Type().(*types.Signature)
			}
		}
	}
	if !ok || p.unit.Info.Types[call.Fun].IsType() {
		return Call{}
	}
	var params []string
	for i := range sig.Params().Len() {
		v := sig.Params().At(i)
		text := shortType(v.Type())
		if s, ok := v.Type().(*types.Slice); ok && sig.Variadic() && i == sig.Params().Len()-1 {
			text = "..." + shortType(s.Elem())
		}
		if v.Name() != "" {
			text = v.Name() + " " + text
		}
		params = append(params, text)
	}
	head := "func " + name
	if tp := sig.TypeParams(); tp.Len() > 0 {
		var names []string
		for i := range tp.Len() {
			names = append(names, tp.At(i).Obj().Name()+" "+shortType(tp.At(i).Constraint()))
		}
		head += "[" + strings.Join(names, ", ") + "]"
	}
	return markParam(head, params, results(sig), arg, sig.Variadic())
}

func results(sig *types.Signature) string {
	switch r := sig.Results(); {
	case r.Len() == 0:
		return ""
	case r.Len() == 1 && r.At(0).Name() == "":
		return " " + shortType(r.At(0).Type())
	default:
		return " " + shortType(r)
	}
}

// markParam joins the parts of a signature.
func markParam(head string, params []string, tail string, arg int, variadic bool) Call {
	if variadic {
		arg = min(arg, len(params)-1)
	}
	out := Call{Signature: head + "("}
	for i, p := range params {
		if i > 0 {
			out.Signature += ", "
		}
		if i == arg {
			out.From, out.To = len(out.Signature), len(out.Signature)+len(p)
		}
		out.Signature += p
	}
	out.Signature += ")" + tail
	return out
}

func builtinCall(name string, arg int) Call {
	sig := builtins[name].signature
	head, rest, ok := strings.Cut(sig, "(")
	end := strings.IndexByte(rest, ')')
	if !ok || end < 0 {
		return Call{}
	}
	return markParam(head, strings.Split(rest[:end], ", "), rest[end+1:], arg, strings.Contains(rest, "..."))
}
