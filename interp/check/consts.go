package check

import (
	"go/ast"
	"go/constant"
	"go/types"
	"strings"
)

// ConstValue is a constant's value as Go text, exactly.
func ConstValue(c *types.Const) string {
	if b, ok := c.Type().Underlying().(*types.Basic); ok {
		switch {
		case b.Kind() == types.UntypedRune:
			return "'\\x00' + " + c.Val().ExactString()
		case b.Info()&types.IsFloat != 0:
			return floatText(c.Val())
		case b.Info()&types.IsComplex != 0:
			return floatText(constant.Real(c.Val())) + " + " + floatText(constant.Imag(c.Val())) + "*1i"
		}
	}
	return c.Val().ExactString()
}

// floatText is v as a floating-point constant: a rational is written as a quotient,
// since 0.1 has no exact digits, and an integer with a point, since integer
// constants have fewer bits.
func floatText(v constant.Value) string {
	text := constant.ToFloat(v).ExactString()
	if strings.ContainsAny(text, "p.") {
		return "(" + text + ")"
	}
	num, denom, quotient := strings.Cut(text, "/")
	if quotient {
		return "(" + num + ".0/" + denom + ".0)"
	}
	return "(" + num + ".0)"
}

// constText is the declaration of one constant alone: with its expression, so that it
// can be worked out anew when what it names changes, or where that says nothing by
// itself (iota, a repeated expression) with its value.
func (r *run) constText(f *File, s *ast.ValueSpec, i int, d *Decl) string {
	c := d.Obj.(*types.Const)
	if i < len(s.Values) && !mentionsIota(s.Values[i]) {
		typ := ""
		if s.Type != nil {
			typ = " " + f.Text[r.c.offset(s.Type.Pos()):r.c.offset(s.Type.End())]
		}
		v := s.Values[i]
		return "const " + d.Name + typ + " = " + f.Text[r.c.offset(v.Pos()):r.c.offset(v.End())]
	}
	w := TypeWriter{Scope: r.unit.Scope, Plain: true, Import: func(path, name string) string {
		d.Imports[name] = path
		return name
	}}
	typ := ""
	if b, ok := c.Type().(*types.Basic); !ok || b.Info()&types.IsUntyped == 0 {
		if text, err := w.Text(c.Type()); err == nil {
			typ = " " + text
		}
	}
	return "const " + d.Name + typ + " = " + ConstValue(c)
}

func mentionsIota(e ast.Expr) (found bool) {
	ast.Inspect(e, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		found = found || ok && id.Name == "iota"
		return !found
	})
	return found
}
