// Package list says which names the symbol tables hold, without linking what
// they name: the front plans cells with it. It imports the standard library only.
package list

import (
	_ "embed" // the lists are part of the binary
	"strings"
)

// Each list opens with a comment line; every other line is an import path and
// the names of its table in order, all separated and ended by a space.
var (
	//go:embed z_std.txt
	std string
	//go:embed z_science.txt
	science string
	//go:embed z_own.txt
	own string
	//go:embed instances.txt
	instances string
)

// Has reports whether the table of the package at path holds name. It takes
// microseconds: the text is searched as it stands.
func Has(path, name string) bool {
	line, ok := find(path)
	return ok && name != "" && strings.Contains(line, " "+name+" ")
}

// HasInstance reports whether there is a compiled instance called name of a generic
// function, as "slices.Sort[[]int,int]" (see symbols/instances).
func HasInstance(name string) bool {
	return name != "" && strings.Contains("\n"+instances, "\n"+name+"\n")
}

// HasPackage reports whether there is a table for the package at path, which
// may be empty when all that the package exports is generic.
func HasPackage(path string) bool {
	_, ok := find(path)
	return ok
}

// Names returns the names that the table of the package at path holds, sorted.
func Names(path string) []string {
	line, _ := find(path)
	return strings.Fields(line)
}

// Packages returns the import paths of all tables, sorted within their group:
// standard library, science, attune's own.
func Packages() []string {
	var paths []string
	for _, text := range []string{std, science, own} {
		for line := range strings.Lines(text) {
			if path, _, ok := strings.Cut(line, " "); ok && path != "#" {
				paths = append(paths, path)
			}
		}
	}
	return paths
}

// find returns the rest of the path's line, from the space after the path to
// the space that ends it.
func find(path string) (names string, ok bool) {
	if path == "" || path == "#" || strings.ContainsAny(path, " \n") {
		return "", false
	}
	for _, text := range []string{std, science, own} {
		_, rest, found := strings.Cut(text, "\n"+path+" ")
		if !found {
			continue
		}
		line, _, _ := strings.Cut(rest, "\n")
		return " " + line, true
	}
	return "", false
}
