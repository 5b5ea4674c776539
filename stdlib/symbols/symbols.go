// Package symbols holds what the instant engine may call: the exported names of
// the packages listed in stdlib/gen/packages.txt, bound to their compiled
// values. It links all of those packages, so only the worker imports it; the
// front asks symbols/list which names there are. The z_ files below it are made
// by `go run ./stdlib/gen`.
//
// It imports its own three groups of tables: std, science and own.
package symbols

import (
	"reflect"

	"attune/stdlib/symbols/own"
	"attune/stdlib/symbols/science"
	"attune/stdlib/symbols/std"
	"attune/stdlib/symbols/table"
)

// Table returns the names of a package with their values, in the form of an
// entry of yaegi's interp.Exports, built anew at each call. ok is false where
// there is no table for the path. Generic names are never in a table.
func Table(path string) (values map[string]reflect.Value, ok bool) {
	for _, find := range []func(string) []table.Symbol{std.Find, science.Find, own.Find} {
		if found := find(path); found != nil {
			return table.Values(found), true
		}
	}
	return nil, false
}
