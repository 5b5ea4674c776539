package display

import (
	"fmt"
	"reflect"
	"strings"

	"gonum.org/v1/gonum/mat"

	"attune/display/mime"
	"attune/display/table"
	"attune/display/text"
)

// How much of a table is shown: all rows up to wholeRows, else so many from either
// end; the same for columns.
const (
	wholeRows, headRows, tailRows          = 40, 20, 10
	wholeColumns, headColumns, tailColumns = 24, 14, 6
)

// cellLimits cut what stands in one cell of a table.
var cellLimits = text.Limits{Depth: 3, Elements: 10, Nodes: 50, Bytes: 200, Digits: 6}

// cellText is what stands in the cell for v, and v itself where that was rounded.
func cellText(v reflect.Value) (short, whole string) {
	for v.IsValid() && v.Kind() == reflect.Interface && !v.IsNil() {
		v = v.Elem()
	}
	short = text.Inline(v, cellLimits)
	if v.IsValid() && v.CanFloat() && !spoke(v.Type()) {
		if whole = text.Float(v.Float(), v.Type().Bits()); whole == short {
			whole = ""
		}
	}
	return short, whole
}

// cut picks what is shown of n: the indices, and after how many something is left out.
func cut(n, whole, head, tail int) (index []int, gap int) {
	if n > whole {
		gap = head
	}
	for i := 0; i < n; i++ {
		if gap > 0 && i == head {
			i = n - tail
		}
		index = append(index, i)
	}
	return index, gap
}

// htmlTable is v as an HTML table, for values that are one: slices and arrays of
// structs or of rows, and maps.
func htmlTable(v reflect.Value) (string, bool) {
	if v.Kind() == reflect.Pointer && !v.IsNil() {
		v = v.Elem()
	}
	if spoke(v.Type()) {
		return "", false
	}
	switch v.Kind() {
	case reflect.Map:
		if v.Len() > 0 {
			return mapTable(v).HTML(), true
		}
	case reflect.Slice, reflect.Array:
		if v.Len() == 0 || spoke(v.Type().Elem()) {
			return "", false
		}
		switch elem := direct(v.Type().Elem()); elem.Kind() {
		case reflect.Struct:
			if !spoke(elem) && len(fields(elem)) > 0 {
				return structTable(v, elem).HTML(), true
			}
		case reflect.Slice, reflect.Array:
			if t, ok := rowTable(v); ok {
				return t.HTML(), true
			}
		}
	}
	return "", false
}

// spoke says whether values of type t say themselves how they read; such a value is
// one thing and not a table.
func spoke(t reflect.Type) bool {
	for _, i := range []reflect.Type{reflect.TypeFor[error](), reflect.TypeFor[fmt.Stringer](), reflect.TypeFor[fmt.Formatter]()} {
		if t.Implements(i) {
			return true
		}
	}
	return false
}

func direct(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return t
}

// fields are a struct's columns, unexported ones included: a cell's author does not
// capitalise for a table's sake.
func fields(t reflect.Type) []int {
	var index []int
	for i := range t.NumField() {
		if t.Field(i).Name != "_" {
			index = append(index, i)
		}
	}
	return index
}

func column(name string, t reflect.Type) table.Column {
	return table.Column{Name: name, Note: text.TypeName(t), Right: numeric(t)}
}

func numeric(t reflect.Type) bool {
	return t.Kind() >= reflect.Int && t.Kind() <= reflect.Complex128
}

func structTable(v reflect.Value, elem reflect.Type) table.Table {
	all := fields(elem)
	columns, gapColumn := cut(len(all), wholeColumns, headColumns, tailColumns)
	rows, gap := cut(v.Len(), wholeRows, headRows, tailRows)
	t := table.Table{Gap: gap, GapColumn: gapColumn, Labels: []string{},
		Caption: fmt.Sprintf("%s × %s", plural(v.Len(), "row"), plural(len(all), "column"))}
	for _, c := range columns {
		t.Columns = append(t.Columns, column(elem.Field(all[c]).Name, elem.Field(all[c]).Type))
	}
	for _, r := range rows {
		e := v.Index(r)
		line, whole := make([]string, len(columns)), make([]string, len(columns))
		if e.Kind() == reflect.Pointer {
			e = e.Elem()
		}
		for i, c := range columns {
			if !e.IsValid() {
				line[i] = "nil"
				continue
			}
			line[i], whole[i] = cellText(e.Field(all[c]))
		}
		t.Labels = append(t.Labels, text.Count(r))
		t.Rows, t.Whole = append(t.Rows, line), append(t.Whole, whole)
	}
	return t
}

// rowTable is a slice of slices or arrays whose elements are scalars. Rows may
// differ in length; missing cells stay empty. Only the rows shown are measured.
func rowTable(v reflect.Value) (table.Table, bool) {
	elem := v.Type().Elem()
	if elem.Kind() == reflect.Pointer {
		return table.Table{}, false
	}
	scalar := elem.Elem()
	if k := scalar.Kind(); k < reflect.Bool || k > reflect.Complex128 && k != reflect.String && k != reflect.Interface {
		return table.Table{}, false
	}
	rows, gap := cut(v.Len(), wholeRows, headRows, tailRows)
	n := 0
	for _, r := range rows {
		n = max(n, v.Index(r).Len())
	}
	columns, gapColumn := cut(n, wholeColumns, headColumns, tailColumns)
	t := table.Table{Gap: gap, GapColumn: gapColumn, Labels: []string{},
		Caption: fmt.Sprintf("%s, %s × %s", text.TypeName(v.Type()), plural(v.Len(), "row"), plural(n, "column"))}
	for _, c := range columns {
		t.Columns = append(t.Columns, table.Column{Name: text.Count(c), Right: numeric(scalar)})
	}
	for _, r := range rows {
		line, whole := make([]string, len(columns)), make([]string, len(columns))
		for i, c := range columns {
			if c < v.Index(r).Len() {
				line[i], whole[i] = cellText(v.Index(r).Index(c))
			}
		}
		t.Labels = append(t.Labels, text.Count(r))
		t.Rows, t.Whole = append(t.Rows, line), append(t.Whole, whole)
	}
	return t, true
}

// mapTable has the key in the first column, and a struct value's fields or the value
// itself in the others.
func mapTable(v reflect.Value) table.Table {
	entries := text.Entries(v, wholeRows)
	exact := cellLimits
	exact.Digits = 0 // two keys never look alike
	t := table.Table{Caption: fmt.Sprintf("%s, %s", text.TypeName(v.Type()), plural(v.Len(), "entry"))}
	if len(entries) < v.Len() {
		t.Caption += fmt.Sprintf(", %d shown", len(entries))
	}
	t.Columns = []table.Column{column("key", v.Type().Key())}
	elem := v.Type().Elem()
	var all []int
	if s := direct(elem); s.Kind() == reflect.Struct && !spoke(elem) && !spoke(s) {
		all = fields(s)
		all = all[:min(len(all), wholeColumns)]
		for _, f := range all {
			t.Columns = append(t.Columns, column(s.Field(f).Name, s.Field(f).Type))
		}
	}
	if len(all) == 0 {
		t.Columns = append(t.Columns, column("value", elem))
	}
	for _, e := range entries {
		line, whole := mapCells(e.Value, all)
		t.Rows = append(t.Rows, append([]string{text.Inline(e.Key, exact)}, line...))
		t.Whole = append(t.Whole, append([]string{""}, whole...))
	}
	return t
}

func mapCells(e reflect.Value, fields []int) (cells, whole []string) {
	if len(fields) == 0 {
		s, w := cellText(e)
		return []string{s}, []string{w}
	}
	cells, whole = make([]string, len(fields)), make([]string, len(fields))
	if e.Kind() == reflect.Pointer {
		e = e.Elem()
	}
	for i, f := range fields {
		if !e.IsValid() {
			cells[i] = "nil"
			continue
		}
		cells[i], whole[i] = cellText(e.Field(f))
	}
	return cells, whole
}

// matrixBundle shows a gonum matrix: six digits a cell, as a table and as text.
func matrixBundle(m mat.Matrix) mime.Bundle {
	r, c := m.Dims()
	rows, gap := cut(r, wholeRows, headRows, tailRows)
	columns, gapColumn := cut(c, wholeColumns, headColumns, tailColumns)
	t := table.Table{Gap: gap, GapColumn: gapColumn, Labels: []string{},
		Caption: fmt.Sprintf("%s, %s × %s", text.TypeName(direct(reflect.TypeOf(m))), text.Count(r), text.Count(c))}
	for _, j := range columns {
		t.Columns = append(t.Columns, table.Column{Name: text.Count(j), Right: true})
	}
	for _, i := range rows {
		line := make([]string, len(columns))
		for k, j := range columns {
			line[k] = fmt.Sprintf("%.6g", m.At(i, j))
		}
		t.Labels = append(t.Labels, text.Count(i))
		t.Rows = append(t.Rows, line)
	}
	return mime.Bundle{Data: map[string]string{mime.Text: t.Text(), mime.HTML: t.HTML()}}
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	if stem, ok := strings.CutSuffix(what, "y"); ok && what != "key" {
		what = stem + "ie"
	}
	return text.Count(n) + " " + what + "s"
}
