// Package docs keeps what packages say of their names, so that a notebook shows
// documentation without the sources and without a language server. Write makes one
// file for each package when the packages for cells are built; Store reads them.
// It imports the standard library only.
package docs

import (
	"encoding/gob"
	"errors"
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"sync"
)

// Package is the documentation of one package: Overview its own, Names that of
// each exported name, a method or field under "Type.Name".
type Package struct {
	Overview string
	Names    map[string]string
}

// Source is a package's files.
type Source struct {
	Path, Dir string
	Files     []string
}

// read reads the comments of src.
func read(src Source) (Package, error) {
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range src.Files {
		f, err := parser.ParseFile(fset, filepath.Join(src.Dir, name), nil, parser.ParseComments)
		if err != nil {
			return Package{}, fmt.Errorf("document %s: %w", src.Path, err)
		}
		files = append(files, f)
	}
	p, err := doc.NewFromFiles(fset, files, src.Path)
	if err != nil {
		return Package{}, fmt.Errorf("document %s: %w", src.Path, err)
	}
	return collect(p), nil
}

// Write reads the comments of src and writes them into dir.
func Write(dir string, src Source) error {
	p, err := read(src)
	if err != nil {
		return err
	}
	file, err := os.Create(fileOf(dir, src.Path))
	if err != nil {
		return fmt.Errorf("document %s: %w", src.Path, err)
	}
	defer file.Close()
	if err := gob.NewEncoder(file).Encode(p); err != nil {
		return fmt.Errorf("document %s: %w", src.Path, err)
	}
	return nil
}

func fileOf(dir, path string) string { return filepath.Join(dir, url.PathEscape(path)+".doc") }

func collect(p *doc.Package) Package {
	out := Package{Overview: p.Doc, Names: map[string]string{}}
	values := func(list []*doc.Value) {
		for _, v := range list {
			for _, s := range v.Decl.Specs {
				vs, ok := s.(*ast.ValueSpec)
				if !ok {
					continue
				}
				text := first(vs.Doc.Text(), vs.Comment.Text(), v.Doc)
				for _, id := range vs.Names {
					out.Names[id.Name] = text
				}
			}
		}
	}
	funcs := func(prefix string, list []*doc.Func) {
		for _, f := range list {
			out.Names[prefix+f.Name] = f.Doc
		}
	}
	values(p.Consts)
	values(p.Vars)
	funcs("", p.Funcs)
	for _, t := range p.Types {
		out.Names[t.Name] = t.Doc
		values(t.Consts)
		values(t.Vars)
		funcs("", t.Funcs)
		funcs(t.Name+".", t.Methods)
		members(out.Names, t)
	}
	return out
}

// members adds the comments of struct fields and interface methods; one that has none is
// described with its type.
func members(names map[string]string, t *doc.Type) {
	for _, s := range t.Decl.Specs {
		ts, ok := s.(*ast.TypeSpec)
		if !ok {
			continue
		}
		var list *ast.FieldList
		switch x := ts.Type.(type) {
		case *ast.StructType:
			list = x.Fields
		case *ast.InterfaceType:
			list = x.Methods
		}
		if list == nil {
			continue
		}
		for _, f := range list.List {
			for _, id := range f.Names {
				names[t.Name+"."+id.Name] = first(f.Doc.Text(), f.Comment.Text(), t.Doc)
			}
		}
	}
}

func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// Store finds documentation in a folder that Write filled. It is safe for
// concurrent use, and reads a package when it is first asked for.
type Store struct {
	dir  string
	mu   sync.Mutex
	have map[string]*Package
	more map[string]Source
}

// Open returns the store of a folder, which need not exist.
func Open(dir string) *Store {
	return &Store{dir: dir, have: map[string]*Package{}, more: map[string]Source{}}
}

// Add has the store find what src says, which it reads when first asked for.
func (s *Store) Add(src Source) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.more[src.Path] = src
	delete(s.have, src.Path)
}

// Find is the documentation of name in the package at path, of the package itself
// for an empty name; "" if there is none.
func (s *Store) Find(path, name string) string {
	p, err := s.load(path)
	if err != nil || p == nil {
		return ""
	}
	if name == "" {
		return p.Overview
	}
	return p.Names[name]
}

func (s *Store) load(path string) (*Package, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p, ok := s.have[path]; ok {
		return p, nil
	}
	s.have[path] = nil // once is enough for what is not there
	if src, ok := s.more[path]; ok {
		p, err := read(src)
		if err != nil {
			return nil, err
		}
		s.have[path] = &p
		return &p, nil
	}
	f, err := os.Open(fileOf(s.dir, path))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read documentation: %w", err)
	}
	defer f.Close()
	var p Package
	if err := gob.NewDecoder(f).Decode(&p); err != nil {
		return nil, fmt.Errorf("read documentation of %s: %w", path, err)
	}
	s.have[path] = &p
	return &p, nil
}
