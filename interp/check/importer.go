package check

import (
	"bufio"
	"fmt"
	"go/token"
	"go/types"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/tools/go/gcexportdata"
)

// Importer reads the compiler's export data from the archives that native cells
// are linked against, so that what is checked and what is linked cannot differ.
// Safe for concurrent use.
type Importer struct {
	mu    sync.Mutex
	files map[string]string // import path → archive
	read  map[string]*types.Package
	fset  *token.FileSet
	paths []string
}

// NewImporter reads the list of archives at importcfg: lines "packagefile path=file",
// relative files from the list's folder.
func NewImporter(importcfg string) (*Importer, error) {
	f, err := os.Open(importcfg)
	if err != nil {
		return nil, fmt.Errorf("read the list of packages: %w", err)
	}
	defer f.Close()
	im := &Importer{files: map[string]string{}, read: map[string]*types.Package{}, fset: token.NewFileSet()}
	for sc := bufio.NewScanner(f); sc.Scan(); {
		path, file, ok := strings.Cut(strings.TrimPrefix(sc.Text(), "packagefile "), "=")
		if !ok {
			continue
		}
		if !filepath.IsAbs(file) {
			file = filepath.Join(filepath.Dir(importcfg), file)
		}
		im.files[path] = file
	}
	im.paths = slices.Sorted(maps.Keys(im.files))
	return im, nil
}

// Add makes more packages importable: import path to archive. Those that were there
// before are read anew, and so must be all that need them.
func (im *Importer) Add(files map[string]string) {
	im.mu.Lock()
	defer im.mu.Unlock()
	for path, file := range files {
		im.files[path] = file
		delete(im.read, path)
	}
	im.paths = slices.Sorted(maps.Keys(im.files))
}

// Replace makes files the packages, all of them: import path to archive. Whatever was
// imported before is of another world.
func (im *Importer) Replace(files map[string]string) {
	im.mu.Lock()
	defer im.mu.Unlock()
	im.files, im.read = maps.Clone(files), map[string]*types.Package{}
	im.paths = slices.Sorted(maps.Keys(files))
}

// Import implements types.Importer.
func (im *Importer) Import(path string) (*types.Package, error) {
	if path == "unsafe" {
		return types.Unsafe, nil
	}
	im.mu.Lock()
	defer im.mu.Unlock()
	file, ok := im.files[path]
	if !ok {
		return nil, fmt.Errorf("package %s is not available to cells", path)
	}
	// What another package's data says of this one may be only a part.
	if p := im.read[path]; p != nil && p.Complete() {
		return p, nil
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("import %q: %w", path, err)
	}
	defer f.Close()
	data, err := gcexportdata.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("import %q: %w", path, err)
	}
	p, err := gcexportdata.Read(data, im.fset, im.read, path)
	if err != nil {
		return nil, fmt.Errorf("import %q: %w", path, err)
	}
	return p, nil
}

// Paths lists every package that can be imported, sorted, internal ones included.
func (im *Importer) Paths() []string {
	im.mu.Lock()
	defer im.mu.Unlock()
	return im.paths
}

// Archives is every import path with its archive.
func (im *Importer) Archives() map[string]string {
	im.mu.Lock()
	defer im.mu.Unlock()
	return maps.Clone(im.files)
}

// Has tells whether path can be imported.
func (im *Importer) Has(path string) bool {
	im.mu.Lock()
	defer im.mu.Unlock()
	_, ok := im.files[path]
	return ok || path == "unsafe"
}
