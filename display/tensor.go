package display

import (
	"fmt"
	"reflect"
	"strconv"

	"attune/display/mime"
	"attune/display/table"
	"attune/display/text"
)

// tensor is what can be shown as a table of its first and last rows: values in
// row-major order and a shape. Package gpu's Tensor is one; gorgonia's Dense is read
// by reflection, because display knows neither.
type tensor struct {
	shape []int
	at    func(i int) float64
	// digits are those of a value in a table, and name what stands below it.
	digits int
	name   string
}

// tensorOf is v as a tensor, if it is one whose values can be read at once.
func tensorOf(v reflect.Value) (tensor, bool) {
	if v.Kind() != reflect.Pointer || v.IsNil() || !v.CanInterface() {
		return tensor{}, false
	}
	switch x := v.Interface().(type) {
	case interface {
		Shape() []int
		Data() ([]float32, error)
		Float32s() ([]float32, error)
	}:
		t := tensor{shape: x.Shape(), digits: 6}
		if s, ok := x.(fmt.Stringer); ok {
			t.name = s.String()
		}
		// Data shares; what is not dense in host memory, or not float32, is copied.
		data, err := x.Data()
		if err != nil {
			data, err = x.Float32s()
		}
		t.at = func(i int) float64 { return float64(data[i]) }
		if whole, ok := x.(interface{ Int32s() ([]int32, error) }); ok && err != nil {
			var ints []int32
			ints, err = whole.Int32s()
			t.at, t.digits = func(i int) float64 { return float64(ints[i]) }, 10
		}
		return t, err == nil
	case interface {
		Data() any
		Dims() int
		RequiresIterator() bool
	}:
		data, shape, strides := reflect.ValueOf(x.Data()), intsOf(v, "Shape"), intsOf(v, "Strides")
		if x.RequiresIterator() || data.Kind() != reflect.Slice || !numeric(data.Type().Elem()) || !rowMajor(shape, strides) {
			return tensor{}, false
		}
		return tensor{shape: shape, at: func(i int) float64 { return number(data.Index(i)) }, digits: 6}, true
	}
	return tensor{}, false
}

// intsOf is what a method without arguments returns, as integers; nil if it is none.
func intsOf(v reflect.Value, method string) []int {
	m := v.MethodByName(method)
	if !m.IsValid() || m.Type().NumIn() != 0 || m.Type().NumOut() != 1 || !m.Type().Out(0).ConvertibleTo(reflect.TypeFor[[]int]()) {
		return nil
	}
	ints, _ := m.Call(nil)[0].Convert(reflect.TypeFor[[]int]()).Interface().([]int)
	return ints
}

// rowMajor says whether values of that shape lie with the last index fastest.
func rowMajor(shape, strides []int) bool {
	if len(shape) == 0 || len(shape) != len(strides) {
		return false
	}
	step := 1
	for i := len(shape) - 1; i >= 0; i-- {
		if strides[i] != step {
			return false
		}
		step *= shape[i]
	}
	return true
}

// number is a real number's value.
func number(v reflect.Value) float64 {
	switch {
	case v.CanFloat():
		return v.Float()
	case v.CanInt():
		return float64(v.Int())
	case v.CanUint():
		return float64(v.Uint())
	case v.CanComplex():
		return real(v.Complex())
	}
	return 0
}

// text is a value as the table has it.
func (t tensor) text(i int) string { return strconv.FormatFloat(t.at(i), 'g', t.digits, 64) }

// bundle shows the tensor's last two dimensions as a table; of more dimensions the
// first of each, which the caption says.
func (t tensor) bundle(v reflect.Value) mime.Bundle {
	head := text.Format(v, text.Limits{})
	if len(t.shape) == 0 {
		return mime.Plain(head + ": " + t.text(0))
	}
	if len(t.shape) > 16 {
		return mime.Plain(head)
	}
	rows, columns, all := 1, t.shape[len(t.shape)-1], 1
	if len(t.shape) > 1 {
		rows = t.shape[len(t.shape)-2]
	}
	for _, n := range t.shape {
		all *= n
	}
	if all == 0 {
		return mime.Plain(head)
	}
	out := table.Table{Labels: []string{}, Caption: t.name}
	if t.name == "" {
		out.Caption = fmt.Sprintf("%s, shape %s", text.TypeName(v.Type()), shapeText(t.shape))
	}
	if rows*columns < all {
		out.Caption += fmt.Sprintf("; the first of %s matrices", text.Count(all/(rows*columns)))
	}
	index, gap := cut(rows, wholeRows, headRows, tailRows)
	across, gapColumn := cut(columns, wholeColumns, headColumns, tailColumns)
	out.Gap, out.GapColumn = gap, gapColumn
	for _, j := range across {
		out.Columns = append(out.Columns, table.Column{Name: text.Count(j), Right: true})
	}
	for _, i := range index {
		line := make([]string, len(across))
		for k, j := range across {
			line[k] = t.text(i*columns + j)
		}
		out.Labels = append(out.Labels, text.Count(i))
		out.Rows = append(out.Rows, line)
	}
	return mime.Bundle{Data: map[string]string{mime.Text: out.Text(), mime.HTML: out.HTML()}}
}

func shapeText(shape []int) string {
	s := "("
	for i, n := range shape {
		if i > 0 {
			s += ", "
		}
		s += strconv.Itoa(n)
	}
	return s + ")"
}
