package yaegi_test

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite golden and generated files")

// snippet is one entry of testdata/snippets.txt: session variables, and the
// statements of a cell that works on them.
type snippet struct {
	name  string
	decls string // var lines
	body  string
	vars  []string
}

// compiledSnippet is a snippet in Go proper. run declares the variables, hands out
// their addresses and, if body is true, runs the body.
type compiledSnippet struct {
	name string
	run  func(body bool, use func(pointers ...any))
}

// readSnippets parses the list. The var lines at a snippet's top are the
// session's; "var" lines after the first other line belong to the cell, as do
// those of the snippets named define/var-*, all but their first.
func readSnippets(t *testing.T) []snippet {
	t.Helper()
	text, err := os.ReadFile("testdata/snippets.txt")
	if err != nil {
		t.Fatal(err)
	}
	var snippets []snippet
	for part := range strings.SplitSeq("\n"+string(text), "\n== ") {
		name, rest, ok := strings.Cut(part, "\n")
		if !ok {
			continue
		}
		s := snippet{name: strings.TrimSpace(name)}
		lines := strings.Split(strings.TrimRight(rest, "\n"), "\n")
		n := 0
		for n < len(lines) && strings.HasPrefix(lines[n], "var ") && !(path.Dir(s.name) == "define" && n == 1) {
			s.vars = append(s.vars, declared(t, lines[n])...)
			n++
		}
		s.decls, s.body = strings.Join(lines[:n], "\n"), strings.Join(lines[n:], "\n")
		snippets = append(snippets, s)
	}
	return append(snippets, matrixSnippets()...)
}

func declared(t *testing.T, line string) (names []string) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "", "package p\n"+line, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range f.Decls[0].(*ast.GenDecl).Specs[0].(*ast.ValueSpec).Names {
		names = append(names, name.Name)
	}
	return names
}

// snippetPackages are those that snippets name, by their last element.
var snippetPackages = []string{"bytes", "encoding/json", "errors", "fmt", "io", "maps", "math", "net/url", "os",
	"slices", "sort", "strconv", "strings", "sync", "time", "unicode"}

// snippetsFile writes the snippets as a Go file of this package.
func snippetsFile(snippets []snippet) ([]byte, error) {
	var body bytes.Buffer
	for i, s := range snippets {
		pointers := "&" + strings.Join(s.vars, ", &")
		fmt.Fprintf(&body, "\nfunc run%d(body bool, use func(...any)) {\n%s\nuse(%s)\nif body {\n%s\n}\n}\n",
			i, s.decls, pointers, s.body)
	}
	var text bytes.Buffer
	text.WriteString("// Code generated from testdata/snippets.txt by go test -update. DO NOT EDIT.\n\n")
	text.WriteString("//lint:file-ignore SA* the snippets try odd code on purpose\n\n")
	text.WriteString("package yaegi_test\n\nimport (\n")
	for _, p := range snippetPackages {
		if regexp.MustCompile(`\b` + path.Base(p) + `\.`).Match(body.Bytes()) {
			fmt.Fprintf(&text, "%q\n", p)
		}
	}
	text.WriteString(")\n\nfunc compiledSnippets() []compiledSnippet {\nreturn []compiledSnippet{\n")
	for i, s := range snippets {
		fmt.Fprintf(&text, "{%q, run%d},\n", s.name, i)
	}
	text.WriteString("}\n}\n")
	text.Write(body.Bytes())
	return format.Source(text.Bytes())
}

func TestSnippetsFileIsFresh(t *testing.T) {
	snippets := readSnippets(t)
	names := make([]string, len(snippets))
	for i, s := range snippets {
		names[i] = s.name
	}
	slices.Sort(names)
	if unique := slices.Compact(slices.Clone(names)); len(unique) != len(names) {
		t.Errorf("%d names are used twice", len(names)-len(unique))
	}
	want, err := snippetsFile(snippets)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "z_snippets_test.go", want)
}

// golden compares a generated file with what it should be, or with -update rewrites it.
func golden(t *testing.T, file string, want []byte) {
	t.Helper()
	have, err := os.ReadFile(file)
	if err == nil && bytes.Equal(have, want) {
		return
	}
	if !*update {
		t.Errorf("%s is stale, run go test -update twice; first difference:\n%s", file, difference(have, want))
		return
	}
	if err := os.WriteFile(file, want, 0o644); err != nil {
		t.Fatal(err)
	}
}

func difference(have, want []byte) string {
	h, w := strings.Split(string(have), "\n"), strings.Split(string(want), "\n")
	for i := range min(len(h), len(w)) {
		if h[i] != w[i] {
			return "have " + h[i] + "\nwant " + w[i]
		}
	}
	return fmt.Sprintf("have %d lines, want %d", len(h), len(w))
}
