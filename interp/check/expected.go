package check

import (
	"go/ast"
	"go/token"
	"go/types"
)

// expected is the type that the place of the marker asks for, nil if any will do.
func (p *probe) expected() types.Type {
	i := len(p.path) - 1
	// A member is wanted where its whole selector stands.
	for i > 0 {
		if sel, ok := p.path[i-1].(*ast.SelectorExpr); ok && sel.Sel == p.path[i] {
			i--
			continue
		}
		if par, ok := p.path[i-1].(*ast.ParenExpr); ok && par.X == p.path[i] {
			i--
			continue
		}
		break
	}
	if i == 0 {
		return nil
	}
	t := p.wanted(p.path[:i], p.path[i])
	if t == nil {
		return nil
	}
	if b, ok := t.(*types.Basic); ok && (b.Kind() == types.Invalid || b.Kind() == types.UntypedNil) {
		return nil
	}
	if it, ok := t.Underlying().(*types.Interface); ok && it.NumMethods() == 0 {
		return nil // anything will do, which ranks nothing
	}
	return t
}

// wanted is the type that the last node of above asks of its child n.
func (p *probe) wanted(above []ast.Node, n ast.Node) types.Type {
	info := p.unit.Info
	switch up := above[len(above)-1].(type) {
	case *ast.CallExpr:
		return p.argument(up, n)
	case *ast.AssignStmt:
		if i := indexOf(up.Rhs, n); i >= 0 && up.Tok != token.DEFINE && len(up.Lhs) == len(up.Rhs) {
			return info.TypeOf(up.Lhs[i])
		}
	case *ast.ValueSpec:
		if up.Type != nil && indexOf(up.Values, n) >= 0 {
			return info.TypeOf(up.Type)
		}
	case *ast.ReturnStmt:
		if sig := p.signatureAround(above); sig != nil {
			if i := indexOf(up.Results, n); i >= 0 && i < sig.Results().Len() {
				return sig.Results().At(i).Type()
			}
		}
	case *ast.BinaryExpr:
		return p.operand(up, n, above)
	case *ast.UnaryExpr:
		return p.unary(up, above)
	case *ast.CompositeLit:
		return p.element(up, n, nil)
	case *ast.KeyValueExpr:
		if len(above) > 1 {
			if lit, ok := above[len(above)-2].(*ast.CompositeLit); ok {
				return p.element(lit, n, up)
			}
		}
	case *ast.SendStmt:
		if ch, ok := under(info.TypeOf(up.Chan)).(*types.Chan); ok && up.Value == n {
			return ch.Elem()
		}
	case *ast.IndexExpr:
		if m, ok := under(info.TypeOf(up.X)).(*types.Map); ok && up.Index == n {
			return m.Key()
		}
		if up.Index == n {
			return types.Typ[types.Int]
		}
	case *ast.SliceExpr:
		if up.X != n {
			return types.Typ[types.Int]
		}
	case *ast.IfStmt:
		return types.Typ[types.Bool]
	case *ast.ForStmt:
		return types.Typ[types.Bool]
	case *ast.CaseClause:
		return p.choice(above)
	}
	return nil
}

// under is t's underlying type, pointers followed; nil for none.
func under(t types.Type) types.Type {
	if t == nil {
		return nil
	}
	if p, ok := t.Underlying().(*types.Pointer); ok {
		return p.Elem().Underlying()
	}
	return t.Underlying()
}

func indexOf(list []ast.Expr, n ast.Node) int {
	for i, e := range list {
		if e == n {
			return i
		}
	}
	return -1
}

// argument is what a call asks for in the place of n.
func (p *probe) argument(call *ast.CallExpr, n ast.Node) types.Type {
	i := indexOf(call.Args, n)
	if i < 0 {
		return nil
	}
	if id, ok := ast.Unparen(call.Fun).(*ast.Ident); ok && i > 0 {
		if b, ok := p.unit.Info.Uses[id].(*types.Builtin); ok {
			return builtinArgument(b.Name(), p.unit.Info.TypeOf(call.Args[0]))
		}
	}
	sig, ok := under(p.unit.Info.TypeOf(call.Fun)).(*types.Signature)
	if !ok {
		return nil
	}
	return parameter(sig, i)
}

// parameter is the type of a function's ith argument.
func parameter(sig *types.Signature, i int) types.Type {
	n := sig.Params().Len()
	if sig.Variadic() && i >= n-1 {
		if s, ok := sig.Params().At(n - 1).Type().(*types.Slice); ok {
			return s.Elem()
		}
		return nil
	}
	if i >= n {
		return nil
	}
	return sig.Params().At(i).Type()
}

func builtinArgument(name string, first types.Type) types.Type {
	switch t := under(first).(type) {
	case *types.Slice:
		if name == "append" {
			return t.Elem()
		}
		if name == "copy" {
			return first
		}
	case *types.Map:
		if name == "delete" {
			return t.Key()
		}
	}
	if name == "make" {
		return types.Typ[types.Int]
	}
	return nil
}

// operand is the type of an operator's other side.
func (p *probe) operand(up *ast.BinaryExpr, n ast.Node, above []ast.Node) types.Type {
	if up.Op == token.LAND || up.Op == token.LOR {
		return types.Typ[types.Bool]
	}
	other := up.X
	if other == n {
		other = up.Y
	}
	t := p.unit.Info.TypeOf(other)
	if b, ok := t.(*types.Basic); ok && b.Info()&types.IsUntyped != 0 && len(above) > 1 {
		return types.Default(t)
	}
	return t
}

func (p *probe) unary(up *ast.UnaryExpr, above []ast.Node) types.Type {
	switch up.Op {
	case token.NOT:
		return types.Typ[types.Bool]
	case token.AND:
		if len(above) > 1 {
			if ptr, ok := p.wanted(above[:len(above)-1], up).(*types.Pointer); ok {
				return ptr.Elem()
			}
		}
	}
	return nil
}

// element is what a composite literal asks for in the place of n, which is its own
// element, or the key or value of pair.
func (p *probe) element(lit *ast.CompositeLit, n ast.Node, pair *ast.KeyValueExpr) types.Type {
	switch t := under(p.unit.Info.TypeOf(lit)).(type) {
	case *types.Slice:
		return t.Elem()
	case *types.Array:
		return t.Elem()
	case *types.Map:
		if pair != nil && pair.Value == n {
			return t.Elem()
		}
		return t.Key()
	case *types.Struct:
		if pair == nil {
			if i := indexOf(lit.Elts, n); i >= 0 && i < t.NumFields() {
				return t.Field(i).Type()
			}
			return nil
		}
		id, ok := pair.Key.(*ast.Ident)
		for i := range t.NumFields() {
			if f := t.Field(i); ok && pair.Value == n && f.Name() == id.Name {
				return f.Type()
			}
		}
	}
	return nil
}

// choice is the type of what a switch looks at.
func (p *probe) choice(above []ast.Node) types.Type {
	for i := len(above) - 1; i >= 0; i-- {
		if sw, ok := above[i].(*ast.SwitchStmt); ok {
			if sw.Tag == nil {
				return types.Typ[types.Bool]
			}
			return p.unit.Info.TypeOf(sw.Tag)
		}
	}
	return nil
}

// signatureAround is that of the innermost function.
func (p *probe) signatureAround(above []ast.Node) *types.Signature {
	for i := len(above) - 1; i >= 0; i-- {
		switch f := above[i].(type) {
		case *ast.FuncLit:
			sig, _ := p.unit.Info.TypeOf(f).(*types.Signature)
			return sig
		case *ast.FuncDecl:
			if o, ok := p.unit.Info.Defs[f.Name].(*types.Func); ok {
				return o.Signature()
			}
			return nil
		}
	}
	return nil
}

// suits tells whether an object gives a value of type t, a function by its result.
func suits(o types.Object, t types.Type) bool {
	if o == nil || t == nil || o.Type() == nil {
		return false
	}
	switch o := o.(type) {
	case *types.Const, *types.Var, *types.Nil:
		if o.Parent() == types.Universe && o.Name() == "iota" {
			return false
		}
		return types.AssignableTo(o.Type(), t)
	case *types.Func:
		if types.AssignableTo(o.Type(), t) {
			return true
		}
		r := o.Signature().Results()
		return o.Signature().TypeParams() == nil && r.Len() == 1 && types.AssignableTo(r.At(0).Type(), t)
	case *types.TypeName:
		_, basic := o.Type().(*types.Basic)
		return !basic && (types.Identical(o.Type(), t) || types.Identical(types.NewPointer(o.Type()), t))
	}
	return false
}
