package native

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Package is an archive beyond those of the library. Sum is the hash of all code
// that comes with it: what is built of it is kept under that.
type Package struct{ Path, File, Sum string }

// Add lets cells import more packages, in place of earlier ones of the same path.
func (b *Builder) Add(packages []Package) {
	b.mu.Lock()
	defer b.mu.Unlock()
	more := map[string]Package{}
	for _, p := range slices.Concat(b.more, packages) {
		more[p.Path] = p
	}
	b.more = b.more[:0:0]
	for _, p := range more {
		b.more = append(b.more, p)
	}
	slices.SortFunc(b.more, func(x, y Package) int { return strings.Compare(x.Path, y.Path) })
}

// added are the packages beyond the library's.
func (b *Builder) added() []Package {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.more
}

// name is what the plugin of src is kept as: by its text, and by the added packages
// that come with it, which another session may have in other versions.
func (b *Builder) name(src *Source, added []Package) string {
	sum, some := sha256.New(), false
	for _, p := range added {
		if slices.Contains(src.Packages, p.Path) {
			fmt.Fprintln(sum, p.Path, p.Sum)
			some = true
		}
	}
	if !some {
		return src.Hash
	}
	return src.Hash + "-" + hex.EncodeToString(sum.Sum(nil)[:8])
}

// importCfg writes the list of all archives into dir, or names the library's where
// there are no others, and returns its text as well.
func (b *Builder) importCfg(dir string, added []Package) (file, text string, err error) {
	if len(added) == 0 {
		return b.lib.ImportCfg(), b.cfg, nil
	}
	var cfg strings.Builder
	cfg.WriteString(b.cfg)
	for _, p := range added {
		fmt.Fprintf(&cfg, "packagefile %s=%s\n", p.Path, p.File)
	}
	file = filepath.Join(dir, "importcfg")
	if err := os.WriteFile(file, []byte(cfg.String()), 0o644); err != nil {
		return "", "", fmt.Errorf("write the list of packages: %w", err)
	}
	return file, cfg.String(), nil
}
