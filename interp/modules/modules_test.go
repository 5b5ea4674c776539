package modules_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"attune/interp/modules"
	"attune/interp/modules/modtest"
)

const proxied = `
-- gonum.org/v1/gonum@v0.99.0/go.mod --
module gonum.org/v1/gonum

go 1.26
-- gonum.org/v1/gonum@v0.99.0/floats/floats.go --
package floats

func Sum(s []float64) float64 { return 0 }
-- example.com/raises@v1.0.0/go.mod --
module example.com/raises

go 1.26

require gonum.org/v1/gonum v0.99.0
-- example.com/raises@v1.0.0/raises.go --
package raises

import "gonum.org/v1/gonum/floats"

func F() float64 { return floats.Sum(nil) }
-- example.com/quiet@v1.0.0/go.mod --
module example.com/quiet

go 1.26
-- example.com/quiet@v1.0.0/quiet.go --
package quiet

const Q = 1
-- example.com/quiet@v1.0.0/internal/in/in.go --
package in
-- example.com/quiet@v1.0.0/cmd/prog/main.go --
package main

func main() {}
`

// open makes a module for a notebook in dir over the packages that ./install.sh built.
func open(t *testing.T, dir, cache string) *modules.Module {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	stamps, err := filepath.Glob(filepath.Join(root, ".build", "lib", "*", "importcfg"))
	if err != nil || len(stamps) == 0 {
		t.Skip("the packages for cells are not built: run ./install.sh test")
	}
	newest := stamps[0]
	for _, s := range stamps {
		a, errA := os.Stat(s)
		b, errB := os.Stat(newest)
		if errA == nil && errB == nil && a.ModTime().After(b.ModTime()) {
			newest = s
		}
	}
	cfg, err := os.ReadFile(newest)
	if err != nil {
		t.Fatal(err)
	}
	lib := map[string]string{}
	for line := range strings.Lines(string(cfg)) {
		if path, file, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "packagefile "), "="); ok {
			lib[path] = file
		}
	}
	m := modules.New(modules.Config{Root: root, GoRoot: modtest.GoRoot(t), Notebook: dir, Cache: cache, Lib: lib})
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

// requirements is the session's go.mod.
func requirements(t *testing.T, m *modules.Module) string {
	t.Helper()
	var out, errs bytes.Buffer
	if _, err := m.Command(context.Background(), []string{"mod", "edit", "-print"}, &out, &errs); err != nil {
		t.Fatal(err, errs.String())
	}
	return out.String()
}

// TestConflict refuses what needs another version than the worker links, names both,
// and leaves no trace.
func TestConflict(t *testing.T) {
	modtest.Proxy(t, proxied)
	m := open(t, t.TempDir(), t.TempDir())
	var said bytes.Buffer
	_, err := m.Resolve(context.Background(), []string{"example.com/raises"}, &said)
	if !errors.Is(err, modules.ErrConflict) {
		t.Fatalf("got %v, want a conflict\n%s", err, said.String())
	}
	for _, want := range []string{"example.com/raises", "gonum.org/v1/gonum v0.99.0", "gonum.org/v1/gonum v0.17.0"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not name %s", err, want)
		}
	}
	if got := requirements(t, m); strings.Contains(got, "raises") || strings.Contains(got, "gonum") {
		t.Errorf("the failed import left %s", got)
	}
	if _, err := m.Resolve(context.Background(), []string{"example.com/quiet"}, &said); err != nil {
		t.Errorf("after the conflict: %v", err)
	}
}

// TestRemembered finds the versions of an earlier session of the same folder, with
// no proxy to ask.
func TestRemembered(t *testing.T) {
	modtest.Proxy(t, proxied)
	dir, cache := t.TempDir(), t.TempDir()
	var said bytes.Buffer
	if _, err := open(t, dir, cache).Resolve(context.Background(), []string{"example.com/quiet"}, &said); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOPROXY", "off")
	said.Reset()
	if _, err := open(t, dir, cache).Resolve(context.Background(), []string{"example.com/quiet"}, &said); err != nil {
		t.Error(err)
	}
	if strings.Contains(said.String(), "go get") {
		t.Errorf("the second session says %q", said.String())
	}
	if _, err := open(t, t.TempDir(), cache).Resolve(context.Background(), []string{"example.com/quiet"}, &said); err == nil {
		t.Error("another folder has the requirement without asking for it")
	}
}

// TestNotImportable refuses what is no library for cells.
func TestNotImportable(t *testing.T) {
	modtest.Proxy(t, proxied)
	m := open(t, t.TempDir(), t.TempDir())
	for path, want := range map[string]string{
		"example.com/quiet/internal/in": "use of internal package",
		"example.com/quiet/cmd/prog":    "is a program",
		"nosuchpackage":                 "is not in std",
		"example.com/quiet/none":        "does not contain package",
		"example.com/a b":               "malformed",
		"./local":                       "relative",
		"-x":                            "-x",
	} {
		var said bytes.Buffer
		if _, err := m.Resolve(context.Background(), []string{path}, &said); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", path, err, want)
		}
	}
}

// TestVendored takes what the user's module has in its vendor folder, and only there.
func TestVendored(t *testing.T) {
	modtest.Proxy(t, proxied)
	dir := t.TempDir()
	modtest.Write(t, dir, `
-- go.mod --
module example.com/me

go 1.26

require example.com/hidden v1.2.3
-- me.go --
package me

import "example.com/hidden"

const Me = hidden.H
-- vendor/modules.txt --
# example.com/hidden v1.2.3
## explicit; go 1.26
example.com/hidden
-- vendor/example.com/hidden/hidden.go --
package hidden

const H = 1
`)
	m := open(t, dir, t.TempDir())
	var said bytes.Buffer
	c, err := m.Resolve(context.Background(), []string{"example.com/hidden", "example.com/me"}, &said)
	if err != nil {
		t.Fatal(err, said.String())
	}
	if len(c.New) != 2 || c.New[0].Path != "example.com/hidden" || c.New[1].Path != "example.com/me" || !c.New[1].Local {
		t.Errorf("got %+v", c.New)
	}
}
