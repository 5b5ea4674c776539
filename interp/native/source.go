package native

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Source is a cell as text for the compiler, in parts: what it shares with other
// cells of the session stands once in a file of several.
type Source struct {
	Hash string // of the text; names of its own end with it
	// Cell is the name of the cell in positions. It is made of the text.
	Cell string
	// Literals are the constants of the cell that each run of the text is given.
	Literals []any
	// Packages are the imports of the text, without duplicates.
	Packages []string

	imports map[string]string // path → name
	blank   []string
	shared  []shared
	slots   map[string]slot // by key
	far     map[string]bool // full names of functions that are called in the worker
	own     string          // functions, run and bind
}

// shared is a declaration that every text repeats which uses it: a type with its
// methods, a constant, a generic function.
type shared struct {
	name, text string
	// meaning is the text without positions, and with every name settled: equal
	// meanings make equal symbols. It is "" for an alias, which makes none.
	meaning string
}

// Means is what the shared names of the text mean. A worker that has opened a text
// must never open one in which such a name means something else.
func (s *Source) Means() map[string]string { return means(s.shared) }

func means(list []shared) map[string]string {
	out := map[string]string{}
	for _, d := range list {
		if d.meaning != "" {
			sum := sha256.Sum256([]byte(d.meaning))
			out[d.name] = hex.EncodeToString(sum[:16])
		}
	}
	return out
}

// settle works out the cell's name in positions and then the hash, and writes them
// into the text.
func (s *Source) settle() {
	s.Packages = slices.Collect(maps.Keys(s.imports))
	s.Packages = append(s.Packages, s.blank...)
	slices.Sort(s.Packages)
	s.Packages = slices.Compact(s.Packages)
	s.Cell = CellID(join(s).text())
	s.own = strings.ReplaceAll(s.own, ownMark, s.Cell)
	for i, d := range s.shared {
		s.shared[i].text = strings.ReplaceAll(d.text, ownMark, s.Cell)
	}
	s.Hash = hashOf(join(s).text())
	s.own = strings.ReplaceAll(s.own, hashMark, "_"+s.Hash)
}

// CellID is the name in positions of the cell with this text.
func CellID(text string) string { return "cell-" + hashOf(text) }

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}

// bundle is several sources that one file, and so one plugin, holds.
type bundle struct {
	sources []*Source
	imports map[string]string
	slots   map[string]slot
	far     map[string]bool
	shared  []shared
	byName  map[string]shared
}

func join(list ...*Source) *bundle {
	b := &bundle{imports: map[string]string{}, slots: map[string]slot{}, far: map[string]bool{}, byName: map[string]shared{}}
	for _, s := range list {
		b.add(s)
	}
	return b
}

// add takes s in, unless it means something else by a name than the others do.
func (b *bundle) add(s *Source) bool {
	for _, d := range s.shared {
		if have, ok := b.byName[d.name]; ok && (have.meaning != d.meaning || d.meaning == "" && have.text != d.text) {
			return false
		}
	}
	for key, typ := range s.slots {
		if have, ok := b.slots[key]; ok && have != typ {
			return false
		}
	}
	b.sources = append(b.sources, s)
	maps.Copy(b.imports, s.imports)
	maps.Copy(b.slots, s.slots)
	maps.Copy(b.far, s.far)
	for _, d := range s.shared {
		if _, ok := b.byName[d.name]; !ok {
			b.byName[d.name] = d
			b.shared = append(b.shared, d)
		}
	}
	return true
}

// hash is the file's own: that of the source in it if there is one only.
func (b *bundle) hash() string {
	if len(b.sources) == 1 {
		return b.sources[0].Hash
	}
	var all strings.Builder
	for _, s := range b.sources {
		fmt.Fprintln(&all, s.Hash)
	}
	return hashOf(all.String())
}

// text is the Go file but for the function that finds the cells in it.
func (b *bundle) text() string {
	var t strings.Builder
	t.WriteString("package main\nimport _ \"runtime\" // " + whyRuntime + "\n")
	for _, path := range slices.Sorted(maps.Keys(b.imports)) {
		fmt.Fprintf(&t, "import %s %q\n", b.imports[path], path)
	}
	for _, s := range b.sources {
		for _, path := range s.blank {
			fmt.Fprintf(&t, "import _ %q\n", path)
		}
	}
	// The compiler asks for it in a program; a cell's own main is called by its key.
	t.WriteString("//line attune:1\nfunc main() {}\n")
	for _, d := range b.shared {
		t.WriteString(d.text)
	}
	for _, key := range slices.Sorted(maps.Keys(b.slots)) {
		t.WriteString("//line attune:1\n" + b.slots[key].declare(key))
	}
	farVars(&t, b.far)
	for _, s := range b.sources {
		t.WriteString(s.own)
	}
	return t.String()
}

// file is the whole Go file. Its function findMark finds a cell by its hash.
func (b *bundle) file() string {
	var t strings.Builder
	t.WriteString(b.text())
	fmt.Fprintf(&t, "//line attune:1\nfunc %s%s(hash string) (run, bind func(*%s.Env)) {\nswitch hash {\n", findMark, b.hash(), rtName)
	for _, s := range b.sources {
		fmt.Fprintf(&t, "case %q:\nreturn Ξrun_%s, Ξbind_%s\n", s.Hash, s.Hash, s.Hash)
	}
	t.WriteString("}\nreturn nil, nil\n}\n")
	return t.String()
}
