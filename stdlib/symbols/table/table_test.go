package table_test

import (
	"go/constant"
	"go/token"
	"reflect"
	"testing"

	"attune/stdlib/symbols/table"
)

type kind uint8

// TestValuesTellsTheCasesApart gives one symbol of each kind.
func TestValuesTellsTheCasesApart(t *testing.T) {
	variable := []int{1}
	m := table.Values([]table.Symbol{
		{Name: "Func", Value: reflect.TypeOf},
		{Name: "Var", Value: &variable},
		{Name: "Type", Value: (*kind)(nil)},
		{Name: "Big", Value: table.Literal{Kind: token.INT, Text: "18446744073709551616"}},
		{Name: "Const", Value: kind(7)},
	})
	if m["Func"].Kind() != reflect.Func {
		t.Errorf("function: %v", m["Func"])
	}
	m["Var"].Set(reflect.Append(m["Var"], reflect.ValueOf(2)))
	if len(variable) != 2 {
		t.Errorf("a change of the variable did not reach it: %v", variable)
	}
	if v := m["Type"]; v.Type() != reflect.TypeFor[*kind]() || !v.IsNil() {
		t.Errorf("type: %v", v)
	}
	if v, ok := m["Big"].Interface().(constant.Value); !ok || v.ExactString() != "18446744073709551616" {
		t.Errorf("literal: %v", m["Big"])
	}
	if v, ok := m["Const"].Interface().(kind); !ok || v != 7 {
		t.Errorf("constant: %v", m["Const"])
	}
}
