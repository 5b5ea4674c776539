package serve

import (
	"errors"
	"fmt"
	"reflect"

	"attune/interp/worker"
	"attune/stdlib/symbols"
)

// typeOf builds the type that t spells out. It makes no unnamed type that compiled
// code does not have: see known.
func (s *server) typeOf(t *worker.TypeRef) (reflect.Type, error) {
	switch t.Kind {
	case worker.Basic:
		if typ := s.known.basic[t.Name]; typ != nil {
			return typ, nil
		}
	case worker.Session:
		if typ, ok := s.table.Type(t.Name); ok {
			return typ, nil
		}
	case worker.Named:
		s.known.addPackage(t.Pkg)
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
	var key reflect.Type
	if t.Kind == worker.Map {
		if key, err = s.typeOf(t.Key); err != nil {
			return nil, err
		}
	}
	typ := s.known.composite(t, elem, key)
	if typ == nil {
		return nil, fmt.Errorf("compiled code has no type of this kind over %v yet", elem)
	}
	return typ, nil
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
	typ := s.known.function(in, out, t.Varia)
	if typ == nil {
		return nil, errors.New("compiled code has no such function type yet")
	}
	return typ, nil
}
