package serve

import (
	"reflect"
	"testing"

	"attune/interp/worker"
)

// TestKnown asks for types before and after compiled code came with them.
func TestKnown(t *testing.T) {
	type point struct{ X, Y int }
	k := newKnown()
	elem := reflect.TypeFor[point]()
	slice, array := &worker.TypeRef{Kind: worker.Slice}, &worker.TypeRef{Kind: worker.Array, Len: 7}
	if got := k.composite(slice, elem, nil); got != nil {
		t.Errorf("%v is known before any code came with it", got)
	}
	if got := k.function([]reflect.Type{elem}, nil, false); got != nil {
		t.Errorf("%v is known before any code came with it", got)
	}
	k.add(reflect.TypeFor[map[string]func(point) []point]())
	if got, want := k.composite(slice, elem, nil), reflect.TypeFor[[]point](); got != want {
		t.Errorf("slice: %v, want %v", got, want)
	}
	f := k.function([]reflect.Type{elem}, []reflect.Type{reflect.TypeFor[[]point]()}, false)
	if want := reflect.TypeFor[func(point) []point](); f != want {
		t.Errorf("function: %v, want %v", f, want)
	}
	if got := k.composite(&worker.TypeRef{Kind: worker.Map}, f, reflect.TypeFor[string]()); got != reflect.TypeFor[map[string]func(point) []point]() {
		t.Errorf("map: %v", got)
	}
	if got := k.composite(array, elem, nil); got != nil {
		t.Errorf("%v is known though nothing came with it", got)
	}
	for _, want := range []reflect.Type{reflect.TypeFor[[]float64](), reflect.TypeFor[[][]string](), reflect.TypeFor[[]any]()} {
		if got := k.composite(slice, want.Elem(), nil); got != want {
			t.Errorf("%v: %v", want, got)
		}
	}
}
