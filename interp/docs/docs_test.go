package docs

import (
	"os"
	"path/filepath"
	"testing"
)

const source = `// Package p counts.
package p

// Limit is the most.
const Limit = 7

// Words about several.
const (
	A = 1 // the first
	B = 2
)

// Counter counts things.
type Counter struct {
	// N is how many.
	N int
	M, hidden int
}

// NewCounter starts at zero.
func NewCounter() *Counter { return nil }

// Add adds one.
func (c *Counter) Add() {}

// Adder adds.
type Adder interface {
	// Plus is addition.
	Plus(int) int
}
`

func TestWriteThenFind(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "p.go"), []byte(source), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Write(dir, Source{Path: "example.org/p", Dir: dir, Files: []string{"p.go"}}); err != nil {
		t.Fatal(err)
	}
	s := Open(dir)
	for name, want := range map[string]string{
		"": "Package p counts.\n", "Limit": "Limit is the most.\n", "A": "the first\n", "B": "Words about several.\n",
		"Counter": "Counter counts things.\n", "Counter.N": "N is how many.\n", "Counter.M": "Counter counts things.\n", "NewCounter": "NewCounter starts at zero.\n",
		"Counter.Add": "Add adds one.\n", "Adder.Plus": "Plus is addition.\n", "Counter.hidden": "", "Nothing": "",
	} {
		if got := s.Find("example.org/p", name); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
	if got := s.Find("no/such", "X"); got != "" {
		t.Errorf("an unknown package answers %q", got)
	}
}

func TestDamagedFile(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(fileOf(dir, "p"), []byte("not gob"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := Open(dir).Find("p", "X"); got != "" {
		t.Errorf("a damaged file answers %q", got)
	}
}
