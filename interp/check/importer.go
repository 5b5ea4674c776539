package check

import (
	"bufio"
	"bytes"
	"fmt"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
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

// EndingIn lists the importable packages whose path ends in the element name.
func (im *Importer) EndingIn(name string) []string {
	im.mu.Lock()
	defer im.mu.Unlock()
	var out []string
	for _, p := range im.paths {
		if strings.HasSuffix(p, "/"+name) && !strings.Contains(p, "internal/") && !strings.HasPrefix(p, "vendor/") {
			out = append(out, p)
		}
	}
	return out
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
	data, err := exportData(file)
	if err != nil {
		return nil, fmt.Errorf("import %q: %w", path, err)
	}
	p, err := gcexportdata.Read(bytes.NewReader(data), im.fset, im.read, path)
	if err != nil {
		return nil, fmt.Errorf("import %q: %w", path, err)
	}
	return p, nil
}

// exportData is what the compiler says of a package, from the first member of its
// archive: text up to a line $$B, the data, and an end mark (cmd/internal/archive).
func exportData(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	const head = len("!<arch>\n") + 60
	header := make([]byte, head)
	if _, err := io.ReadFull(f, header); err != nil {
		return nil, fmt.Errorf("read the archive: %w", err)
	}
	size, err := strconv.Atoi(strings.TrimSpace(string(header[head-12 : head-2])))
	if err != nil || !bytes.HasPrefix(header, []byte("!<arch>\n__.PKGDEF ")) || size < 0 {
		return nil, fmt.Errorf("%s is no archive of a Go package", filepath.Base(file))
	}
	member, err := io.ReadAll(io.LimitReader(f, int64(size)))
	if err != nil {
		return nil, fmt.Errorf("read the archive: %w", err)
	}
	_, data, ok := bytes.Cut(member, []byte("\n$$B\n"))
	end := bytes.LastIndex(data, []byte("\n$$\n"))
	if !ok || end < 0 {
		return nil, fmt.Errorf("%s holds no export data", filepath.Base(file))
	}
	return data[:end], nil
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
