// Package table is the form in which compiled packages offer their exported
// names to the instant engine: a flat, static list of names and values that
// costs nothing until it is asked for. It imports the standard library only.
//
// The lists are package variables of arrays without a call in them, so that the
// linker lays them out as data: thousands of names add no work to the start of
// the program that links them, which a map filled by an init function would.
package table

import (
	"go/constant"
	"go/token"
	"reflect"
)

// Symbol is one exported name of a package. Value is
//
//   - a function, as it is;
//   - &v for a variable v;
//   - (*T)(nil) for a type T;
//   - a Literal for an untyped number or string;
//   - the value itself for any other constant.
//
// Nothing else is ever stored, so the five cases can be told apart.
type Symbol struct {
	Name  string
	Value any
}

// Literal is an untyped constant, exact at any size, in Go's own syntax.
type Literal struct {
	Kind token.Token // token.INT, FLOAT, IMAG, CHAR or STRING
	Text string
}

// Values turns a list into what yaegi's interp.Exports holds for a package:
// variables as settable values, types as nil pointers, untyped constants as
// constant.Value.
func Values(symbols []Symbol) map[string]reflect.Value {
	m := make(map[string]reflect.Value, len(symbols))
	for _, s := range symbols {
		m[s.Name] = value(s.Value)
	}
	return m
}

func value(x any) reflect.Value {
	if lit, ok := x.(Literal); ok {
		return reflect.ValueOf(constant.MakeFromLiteral(lit.Text, lit.Kind, 0))
	}
	v := reflect.ValueOf(x)
	if v.Kind() == reflect.Pointer && !v.IsNil() {
		return v.Elem()
	}
	return v
}
