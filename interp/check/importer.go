package check

import (
	"bufio"
	"errors"
	"fmt"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// Importer reads the compiler's export data from the archives that native cells
// are linked against, so that what is checked and what is linked cannot differ.
// Safe for concurrent use.
type Importer struct {
	mu    sync.Mutex
	files map[string]string // import path → archive
	gc    types.Importer
	paths []string
}

// ErrNoPackage says that a package is not among those that cells can import.
var ErrNoPackage = errors.New("package is not available to cells")

// NewImporter reads the list of archives at importcfg: lines "packagefile path=file",
// relative files from the list's folder.
func NewImporter(importcfg string) (*Importer, error) {
	f, err := os.Open(importcfg)
	if err != nil {
		return nil, fmt.Errorf("read the list of packages: %w", err)
	}
	defer f.Close()
	im := &Importer{files: map[string]string{}}
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
	for path := range im.files {
		im.paths = append(im.paths, path)
	}
	slices.Sort(im.paths)
	im.gc = importer.ForCompiler(token.NewFileSet(), "gc", im.lookup)
	return im, nil
}

func (im *Importer) lookup(path string) (io.ReadCloser, error) {
	file, ok := im.files[path]
	if !ok {
		return nil, fmt.Errorf("import %q: %w", path, ErrNoPackage)
	}
	return os.Open(file)
}

// Import implements types.Importer.
func (im *Importer) Import(path string) (*types.Package, error) {
	if path == "unsafe" {
		return types.Unsafe, nil
	}
	im.mu.Lock()
	defer im.mu.Unlock()
	if _, ok := im.files[path]; !ok {
		return nil, fmt.Errorf("package %s is not available to cells", path)
	}
	return im.gc.Import(path)
}

// Paths lists every package that can be imported, sorted, internal ones included.
func (im *Importer) Paths() []string { return im.paths }

// Has tells whether path can be imported.
func (im *Importer) Has(path string) bool {
	_, ok := im.files[path]
	return ok || path == "unsafe"
}
