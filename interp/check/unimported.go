package check

import (
	"go/ast"
	"go/types"
	"maps"
	"slices"
	"strings"
)

func public(path string) bool {
	return !strings.Contains("/"+path, "/internal/") && !strings.HasSuffix(path, "/internal") && !strings.HasPrefix(path, "vendor/") && path != "main"
}

// origin orders packages by where they come from: the standard library, attune, others.
func origin(path string) int {
	first, _, _ := strings.Cut(path, "/")
	switch {
	case first == "attune":
		return 1
	case strings.Contains(first, "."):
		return 2
	}
	return 0
}

// naturalName is the name that the package at path most likely has: the last element
// of its path that is no major version.
func naturalName(path string) string {
	elems := strings.Split(path, "/")
	for _, e := range slices.Backward(elems) {
		if len(e) > 1 && e[0] == 'v' && strings.Trim(e[1:], "0123456789") == "" && len(elems) > 1 {
			continue
		}
		e, _, _ = strings.Cut(e, ".")
		return e
	}
	return path
}

// named yields the packages of that name that cells can import, the likeliest first.
func (c *Checker) named(name string) func(func(*types.Package) bool) {
	return func(yield func(*types.Package) bool) {
		var paths []string
		for _, path := range c.Imp.Paths() {
			if naturalName(path) == name && public(path) {
				paths = append(paths, path)
			}
		}
		slices.SortStableFunc(paths, func(a, b string) int { return origin(a) - origin(b) })
		for _, path := range paths {
			if p, err := c.Imp.Import(path); err == nil && p.Name() == name && !yield(p) {
				return
			}
		}
	}
}

// unimported lists the packages that cells can import and whose names begin with prefix.
func (c *Checker) unimported(prefix string) []Candidate {
	var out []Candidate
	for _, path := range c.Imp.Paths() {
		if name := naturalName(path); public(path) && hasPrefixFold(name, prefix) {
			out = append(out, Candidate{Text: name, Type: "module", Signature: path, From: path})
		}
	}
	slices.SortStableFunc(out, func(a, b Candidate) int { return origin(a.From) - origin(b.From) })
	return out
}

// Offering lists the packages called pkg that export name.
func (c *Checker) Offering(pkg, name string) []string {
	var paths []string
	for p := range c.named(pkg) {
		if ast.IsExported(name) && p.Scope().Lookup(name) != nil {
			paths = append(paths, p.Path())
		}
	}
	return paths
}

// Missing finds the imports that code leaves out: for each undefined name in front of
// a dot the one package of that name which exports all that is selected from it. Of
// several the standard library's is meant, and of one module's major versions the
// first. What remains in doubt is left out: the user has to say.
func (c *Checker) Missing(problems []Problem, code string) map[string]string {
	wanted := map[string][]string{}
	lines := strings.Split(code, "\n")
	for _, p := range problems {
		name, ok := strings.CutPrefix(p.Msg, "undefined: ")
		if !ok || p.Pos.Line < 1 || p.Pos.Line > len(lines) {
			continue
		}
		line := lines[p.Pos.Line-1]
		at := p.Pos.Column - 1 + len(name)
		if at < len(name) || at >= len(line) || line[at] != '.' {
			continue
		}
		_, end := word(line, at+1)
		wanted[name] = append(wanted[name], line[at+1:end])
	}
	found := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		var paths []string
		for i, member := range wanted[name] {
			offering := c.Offering(name, member)
			if i > 0 {
				offering = slices.DeleteFunc(offering, func(p string) bool { return !slices.Contains(paths, p) })
			}
			paths = offering
		}
		if path := likeliest(paths); path != "" {
			found[name] = path
		}
	}
	return found
}

// likeliest is the path that is meant, "" if that cannot be told.
func likeliest(paths []string) string {
	if len(paths) == 0 {
		return ""
	}
	for _, p := range paths[1:] {
		if origin(p) == origin(paths[0]) && !strings.HasPrefix(p, paths[0]+"/v") {
			return ""
		}
	}
	return paths[0]
}
