package native

import (
	"fmt"
	"go/types"
	"strings"

	"attune/interp/check"
)

// slot is how a text declares the pointer to a variable's storage: by the type, or, where
// that has names which its package keeps to itself, by functions and variables of the package
// from whose types the compiler infers it, as it does for vm := gorgonia.NewTapeMachine(g).
type slot struct {
	typ string
	// params are the type parameters that stand in typ for hidden types, and from what
	// to infer them from, with its types; empty for a type that has a name.
	params, from, types string
}

// declare is the slot's declaration.
func (s slot) declare(key string) string {
	if s.params == "" {
		return fmt.Sprintf("var %s%s *%s\n", slotMark, key, s.typ)
	}
	return fmt.Sprintf("func %s%s[%s](%s) *%s { return %s.Hidden[%s](%q) }\nvar %s%s = %s%s(%s)\n",
		hiddenMark, key, s.params, s.types, s.typ, rtName, s.typ, key, slotMark, key, hiddenMark, key, s.from)
}

// bind is what binds it to the session's storage.
func (s slot) bind(key string) string {
	if s.params == "" {
		return fmt.Sprintf("%s%s = %s.Var[%s](%s, %q)\n", slotMark, key, rtName, s.typ, envName, key)
	}
	return fmt.Sprintf("%s%s = %s.Again(%s, %q, %s%s)\n", slotMark, key, rtName, envName, key, slotMark, key)
}

// inferred is the slot of a type with hidden names, if each of them can be inferred.
func (e *emitter) inferred(t types.Type) (slot, bool) {
	names := map[*types.TypeName]string{}
	var hidden []*types.TypeName
	w := *e.typed
	w.Hidden = func(o *types.TypeName) string {
		if names[o] == "" {
			names[o] = fmt.Sprintf("Ξt%d", len(names))
			hidden = append(hidden, o)
		}
		return names[o]
	}
	typ, err := w.Text(t)
	if err != nil {
		return slot{}, false
	}
	var params, from, args []string
	for _, o := range hidden {
		w.Hidden = func(other *types.TypeName) string { return map[bool]string{true: names[o]}[other == o] }
		name, of, ok := e.maker(&w, o)
		if !ok {
			return slot{}, false
		}
		constraint := " any"
		if types.Comparable(o.Type()) {
			constraint = " comparable"
		}
		params, from, args = append(params, names[o]+constraint), append(from, name), append(args, "_ "+of)
	}
	return slot{typ: typ, params: strings.Join(params, ", "), from: strings.Join(from, ", "), types: strings.Join(args, ", ")}, true
}

// maker finds a function or a variable of o's package that has o in its type and no other
// hidden name: how the text has it, or its address, and the type of that.
func (e *emitter) maker(w *check.TypeWriter, o *types.TypeName) (expr, of string, ok bool) {
	var paths []string
	w.Import = func(path, _ string) string {
		paths = append(paths, path)
		return importName(path)
	}
	scope := o.Pkg().Scope()
	for _, n := range scope.Names() {
		x := scope.Lookup(n)
		address := ""
		switch x := x.(type) {
		case *types.Func:
			if x.Signature().TypeParams().Len() > 0 {
				continue
			}
		case *types.Var:
			address = "&"
		default:
			continue
		}
		if !x.Exported() || !mentions(x.Type(), o) {
			continue
		}
		paths = append(paths[:0], o.Pkg().Path())
		if of, err := w.Text(x.Type()); err == nil {
			for _, path := range paths { // a file may import only what it uses
				e.importAs(path, "")
			}
			return address + importName(o.Pkg().Path()) + "." + n, strings.Replace(address, "&", "*", 1) + of, true
		}
	}
	return "", "", false
}

func mentions(t types.Type, o *types.TypeName) bool {
	found := false
	check.Walk(t, func(t types.Type) {
		named, ok := t.(*types.Named)
		found = found || ok && named.Obj() == o
	})
	return found
}
