package interp

import (
	"go/types"
	"regexp"
	"strings"

	"attune/interp/check"
	"attune/interp/worker"
)

// nilPointer is what the runtime says of a nil that was used.
const nilPointer = "invalid memory address or nil pointer dereference"

// nameIn finds the names of a line that stand behind no dot.
var nameIn = regexp.MustCompile(`(?:^|[^\pL\pN_.])([\pL_][\pL\pN_]*)`)

// nils names the variables that are nil on the line of the cell's own statements that led
// to a nil (names in functions may be the functions'), and what err says where it holds
// something: mostly the call that was to make the value failed, and nobody looked. It is
// "" where nothing is known.
func (e *execution) nils(frames []worker.Frame) string {
	scope := e.s.scope.Load()
	var keys []string
	names := map[string]string{} // by key
	add := func(name string, want func(types.Type) bool) {
		d := scope.Decls.Get(name)
		if d != nil && d.Kind == check.Var && d.Obj != nil && names[d.Key] == "" && want(d.Obj.Type()) {
			names[d.Key] = name
			keys = append(keys, d.Key)
		}
	}
	for _, m := range nameIn.FindAllStringSubmatch(e.lineOf(frames), -1) {
		add(m[1], mayBeNil)
	}
	if len(keys) == 0 {
		return ""
	}
	add("err", isError)
	l := e.s.worker().list(int(e.s.nextID.Add(1)), keys)
	if l == nil {
		return ""
	}
	var found []string
	said := ""
	for _, it := range l.Items {
		empty := it.Text == "nil" || strings.HasPrefix(it.Text, "nil ")
		switch {
		case names[it.Key] == "err":
			if !empty && it.Text != "" {
				said = "; err is: " + it.Text
			}
		case empty:
			found = append(found, names[it.Key])
		}
	}
	switch len(found) {
	case 0:
		return ""
	case 1:
		return found[0] + " is nil" + said
	}
	return strings.Join(found, ", ") + " are nil" + said
}

// lineOf is the innermost line among the frames that is in no function, "" for none.
func (e *execution) lineOf(frames []worker.Frame) string {
	for _, f := range frames {
		t, ok := e.s.names.text(baseName(f.File))
		if lines := strings.Split(t.code, "\n"); ok && funcName(f.Func) == "" && !strings.HasPrefix(f.Func, "main.Ξbind") && f.Line >= 1 && f.Line <= len(lines) {
			return lines[f.Line-1]
		}
	}
	return ""
}

func mayBeNil(t types.Type) bool {
	switch t.Underlying().(type) {
	case *types.Pointer, *types.Interface, *types.Signature:
		return !isError(t)
	}
	return false
}

func isError(t types.Type) bool { return types.Identical(t, types.Universe.Lookup("error").Type()) }
