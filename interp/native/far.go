package native

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"attune/interp/check"
)

// farMark begins the names of variables that hold functions of the worker's program.
const farMark = "Ξw_"

// farFunc is the type of a function that compiled text calls in the worker's program
// instead of having a copy: with fmt come a thousand functions to link, which takes
// longer than all else, and beside its work a call through a variable costs nothing.
// "" is for all others.
func farFunc(path, name string) string {
	if path != "fmt" {
		return ""
	}
	switch name {
	case "Print", "Println":
		return "func(a ...interface{}) (int, error)"
	case "Printf":
		return "func(format string, a ...interface{}) (int, error)"
	case "Sprint", "Sprintln":
		return "func(a ...interface{}) string"
	case "Sprintf":
		return "func(format string, a ...interface{}) string"
	case "Errorf":
		return "func(format string, a ...interface{}) error"
	}
	return ""
}

// farIn tells whether p, with next behind it, names a far function: its full name, and
// how much of next belongs to it.
func farIn(p check.Piece, next string) (name string, used int) {
	if p.Pkg == "" {
		return "", 0
	}
	rest, ok := strings.CutPrefix(p.Text, importName(p.Pkg))
	if !ok {
		return "", 0
	}
	if rest == "" {
		rest, used = next, 1
		for used < len(next) && ('a' <= next[used]|0x20 && next[used]|0x20 <= 'z') {
			used++
		}
		rest = next[:min(used, len(next))]
	}
	name, ok = strings.CutPrefix(rest, ".")
	if !ok || farFunc(p.Pkg, name) == "" {
		return "", 0
	}
	return p.Pkg + "." + name, used
}

// farName is the variable for the far function of this full name.
func farName(full string) string { return farMark + strings.ReplaceAll(full, ".", "Ξ") }

func farType(full string) string {
	path, name, _ := strings.Cut(full, ".")
	return farFunc(path, name)
}

// farVars declares the variables.
func farVars(text *strings.Builder, far map[string]bool) {
	for _, full := range slices.Sorted(maps.Keys(far)) {
		fmt.Fprintf(text, "//line attune:1\nvar %s %s\n", farName(full), farType(full))
	}
}

// bindFar sets them.
func bindFar(text *strings.Builder, far map[string]bool) {
	for _, full := range slices.Sorted(maps.Keys(far)) {
		fmt.Fprintf(text, "if %[1]s == nil { %[1]s = %[2]s.Far[%[3]s](%[4]q) }\n", farName(full), rtName, farType(full), full)
	}
}
