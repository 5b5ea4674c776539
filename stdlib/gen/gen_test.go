package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"attune/stdlib/symbols"
	"attune/stdlib/symbols/list"
)

const root = "../.."

// TestTablesAreFresh makes all tables again and compares. The standard library's
// are left out under another minor version of Go than the one that made them.
func TestTablesAreFresh(t *testing.T) {
	groups, err := readGroups()
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range groups {
		listed, err := os.ReadFile(filepath.Join(root, g.listFile()))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(listed[:bytes.IndexByte(listed, '\n')], []byte(" "+source(g)+".")) {
			t.Logf("group %s was made by another version of Go than %s", g.name, goMinor())
			continue
		}
		files, err := g.generate(root)
		if err != nil {
			t.Fatal(err)
		}
		for path, want := range files {
			if have, err := os.ReadFile(filepath.Join(root, path)); err != nil || !bytes.Equal(have, want) {
				t.Errorf("%s is stale: run go run ./stdlib/gen (with -own for attune's packages alone)", path)
			}
		}
		have, err := filepath.Glob(filepath.Join(root, g.tableDir(), "z_*.go"))
		if err != nil {
			t.Fatal(err)
		}
		if len(have) != len(files)-1 { // the list lies elsewhere
			t.Errorf("%s holds %d tables, want %d: run go run ./stdlib/gen", g.tableDir(), len(have), len(files)-1)
		}
	}
}

// TestListSaysWhatTablesHold holds the front's list to the worker's tables.
func TestListSaysWhatTablesHold(t *testing.T) {
	paths := list.Packages()
	if len(paths) < 100 {
		t.Fatalf("only %d packages are listed", len(paths))
	}
	for _, path := range paths {
		values, ok := symbols.Table(path)
		if !ok || !list.HasPackage(path) {
			t.Errorf("%s is listed and has no table", path)
		}
		names := list.Names(path)
		if len(names) != len(values) {
			t.Errorf("%s: %d names listed, %d in the table", path, len(names), len(values))
		}
		for _, name := range names {
			if v := values[name]; !v.IsValid() || !list.Has(path, name) {
				t.Errorf("%s.%s is listed and has no value", path, name)
			}
		}
	}
	for _, c := range [][2]string{{"fmt", "Fictional"}, {"fmt", ""}, {"fmt", "Print Println"}, {"no/such", "X"},
		{"", "fmt"}, {"#", "Code"}, {"slices", "Sort"}, {"mt", "Println"}, {"fmt", "rint"}} {
		if list.Has(c[0], c[1]) {
			t.Errorf("list.Has(%q, %q)", c[0], c[1])
		}
	}
}

func TestReadGroupsIsInOrder(t *testing.T) {
	groups, err := readGroups()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, g := range groups {
		names = append(names, g.name)
	}
	if got := strings.Join(names, " "); got != "std science own" {
		t.Errorf("groups: %s", got)
	}
}
