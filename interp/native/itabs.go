package native

import (
	"fmt"
	"go/types"
	"strings"

	"attune/interp/check"
)

// pair is a type of the session and an interface that it has the methods of.
type pair struct {
	typ, iface *check.Decl // iface is nil for error
	pointer    bool
}

// pairs lists what the unit's new types have to do with the session's interfaces, and
// its new interfaces with the session's types. The runtime compares interface values
// by their method tables and makes one itself where no loaded text has one, as when
// reflection converts; text that comes later would bring another for the same two
// types, and x.(T) would fail. So the text that declares a type brings the tables.
func (e *emitter) pairs() []pair {
	fresh := map[*check.Decl]bool{}
	for _, list := range [][]*check.Decl{e.u.New, e.u.Again} {
		for _, d := range list {
			if d.Kind == check.Type {
				fresh[d] = true
			}
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	var out []pair
	add := func(d, iface *check.Decl, t types.Type, i *types.Interface) {
		switch {
		case iface != nil && !fresh[iface] && !fresh[d], iface == nil && !fresh[d]:
		case types.Implements(t, i):
			out = append(out, pair{d, iface, false}, pair{d, iface, true})
		case types.Implements(types.NewPointer(t), i):
			out = append(out, pair{d, iface, true})
		}
	}
	names := e.u.Scope.Names()
	for _, d := range names {
		if !concrete(d) {
			continue
		}
		add(d, nil, d.Obj.Type(), types.Universe.Lookup("error").Type().Underlying().(*types.Interface))
		for _, other := range names {
			if i := methodSet(other); i != nil {
				add(d, other, d.Obj.Type(), i)
			}
		}
	}
	for _, p := range out {
		e.want(p.typ)
		if p.iface != nil {
			e.want(p.iface)
		}
	}
	return out
}

// concrete tells whether d is a type that values have.
func concrete(d *check.Decl) bool {
	tn, ok := d.Obj.(*types.TypeName)
	return ok && d.Kind == check.Type && !d.Generic && d.Key != "" && !tn.IsAlias() && !types.IsInterface(tn.Type())
}

// methodSet is the interface that d names, nil if that is none with methods.
func methodSet(d *check.Decl) *types.Interface {
	tn, ok := d.Obj.(*types.TypeName)
	if !ok || d.Kind != check.Type || d.Generic || d.Key == "" || tn.IsAlias() {
		return nil
	}
	i, ok := tn.Type().Underlying().(*types.Interface)
	if !ok || !i.IsMethodSet() || i.NumMethods() == 0 {
		return nil
	}
	return i
}

// tables writes conversions that bring the method tables of pairs and are never made.
// They stand before all that the compiler can tell from that the environment is not nil.
func tables(text *strings.Builder, list []pair) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(text, "if %s == nil {\n", envName)
	for _, p := range list {
		iface, value := "error", "*new("+p.typ.Key+")"
		if p.iface != nil {
			iface = p.iface.Key
		}
		if p.pointer {
			value = "new(" + p.typ.Key + ")"
		}
		fmt.Fprintf(text, "%s.Keep[%s](%s)\n", rtName, iface, value)
	}
	text.WriteString("}\n")
}
