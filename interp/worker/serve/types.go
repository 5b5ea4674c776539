package serve

import (
	"fmt"
	"reflect"

	"attune/interp/worker"
	"attune/stdlib/symbols"
)

// basicTypes are the predeclared types by name.
func basicTypes() map[string]reflect.Type {
	types := map[string]reflect.Type{"error": reflect.TypeFor[error](), "unsafe.Pointer": nil}
	for _, v := range []any{false, 0, int8(0), int16(0), int32(0), int64(0), uint(0), uint8(0), uint16(0), uint32(0),
		uint64(0), uintptr(0), float32(0), float64(0), complex64(0), complex128(0), ""} {
		t := reflect.TypeOf(v)
		types[t.Name()] = t
	}
	return types
}

// typeOf builds the type that t spells out.
func (s *server) typeOf(t *worker.TypeRef) (reflect.Type, error) {
	switch t.Kind {
	case worker.Basic:
		if typ := basicTypes()[t.Name]; typ != nil {
			return typ, nil
		}
	case worker.Session:
		if typ, ok := s.table.Type(t.Name); ok {
			return typ, nil
		}
	case worker.Named:
		values, _ := symbols.Table(t.Pkg)
		if v := values[t.Name]; v.IsValid() && v.Kind() == reflect.Pointer && v.IsNil() {
			return v.Type().Elem(), nil
		}
	case worker.EmptyInterface:
		return reflect.TypeFor[any](), nil
	case worker.Func:
		return s.funcType(t)
	default:
		return s.composite(t)
	}
	return nil, fmt.Errorf("no type %s.%s to bind", t.Pkg, t.Name)
}

func (s *server) composite(t *worker.TypeRef) (reflect.Type, error) {
	elem, err := s.typeOf(t.Elem)
	if err != nil {
		return nil, err
	}
	switch t.Kind {
	case worker.Pointer:
		return reflect.PointerTo(elem), nil
	case worker.Slice:
		return reflect.SliceOf(elem), nil
	case worker.Array:
		return reflect.ArrayOf(int(t.Len), elem), nil
	case worker.Chan:
		return reflect.ChanOf(reflect.ChanDir(t.Len), elem), nil
	case worker.Map:
		key, err := s.typeOf(t.Key)
		if err != nil {
			return nil, err
		}
		if !key.Comparable() {
			return nil, fmt.Errorf("map key %v", key)
		}
		return reflect.MapOf(key, elem), nil
	}
	return nil, fmt.Errorf("unknown kind of type %d", t.Kind)
}

func (s *server) funcType(t *worker.TypeRef) (reflect.Type, error) {
	list := func(refs []*worker.TypeRef) ([]reflect.Type, error) {
		var out []reflect.Type
		for _, r := range refs {
			typ, err := s.typeOf(r)
			if err != nil {
				return nil, err
			}
			out = append(out, typ)
		}
		return out, nil
	}
	in, err := list(t.In)
	if err != nil {
		return nil, err
	}
	out, err := list(t.Out)
	if err != nil {
		return nil, err
	}
	return reflect.FuncOf(in, out, t.Varia), nil
}
