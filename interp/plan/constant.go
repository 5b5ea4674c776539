package plan

import (
	"go/ast"
	"go/constant"
	"go/types"
	"strconv"
)

// constant writes the constant expression e as T(literal).
func (w *writer) constant(e ast.Expr, tv types.TypeAndValue) string {
	t := types.Default(tv.Type)
	basic, ok := t.Underlying().(*types.Basic)
	if !ok || instance(t) {
		return w.refuse(e, "a constant of type "+w.show(t))
	}
	name := w.typeText(t, e)
	switch info := basic.Info(); {
	case info&types.IsBoolean != 0:
		return wrap(name, "bool", strconv.FormatBool(constant.BoolVal(tv.Value)))
	case info&types.IsString != 0:
		return wrap(name, "string", strconv.Quote(constant.StringVal(tv.Value)))
	case info&types.IsInteger != 0:
		return name + "(" + constant.ToInt(tv.Value).ExactString() + ")"
	case info&types.IsFloat != 0:
		return name + "(" + floatText(tv.Value, basic) + ")"
	case info&types.IsComplex != 0:
		re, im := floatText(constant.Real(tv.Value), basic), floatText(constant.Imag(tv.Value), basic)
		if name == "complex128" {
			return "complex(float64(" + re + "), float64(" + im + "))"
		}
		return name + "(complex(" + re + ", " + im + "))"
	}
	return w.refuse(e, "a constant of type "+w.show(t))
}

// wrap converts text to the type called name unless it has the type already.
func wrap(name, have, text string) string {
	if name == have {
		return text
	}
	return name + "(" + text + ")"
}

// floatText is v in as few digits as the type needs.
func floatText(v constant.Value, basic *types.Basic) string {
	if basic.Kind() == types.Float32 || basic.Kind() == types.Complex64 {
		f, _ := constant.Float32Val(v)
		return strconv.FormatFloat(float64(f), 'g', -1, 32)
	}
	f, _ := constant.Float64Val(v)
	return strconv.FormatFloat(f, 'g', -1, 64)
}
