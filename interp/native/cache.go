package native

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Built cells are kept until there are too many or nobody has used them for long.
const (
	maxCache  = 2 << 30 // bytes
	staleTime = 30 * 24 * time.Hour
)

// openCache makes the folder for cells built against lib, below cache or, where
// that cannot be written, below the system's folder for temporary files.
func openCache(cache string, lib *Lib) (string, error) {
	dir := filepath.Join(cache, lib.Stamp)
	err := os.MkdirAll(dir, 0o755)
	if err != nil {
		dir = filepath.Join(os.TempDir(), fmt.Sprintf("attune-%d", os.Getuid()), lib.Stamp)
		err = os.MkdirAll(dir, 0o700)
	}
	if err != nil {
		return "", fmt.Errorf("make the cache of built cells: %w", err)
	}
	return dir, nil
}

// kept is one file of the cache.
type kept struct {
	path string
	size int64
	used time.Time
}

// prune removes what was not used for long, and then the oldest until the rest is
// small enough. A plugin that a running worker has open stays usable for it. What
// cannot be removed is left: another process may be at it as well.
func prune(cache string, limit int64, now time.Time) {
	var files []kept
	var links []string
	total := int64(0)
	_ = filepath.WalkDir(cache, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".so") {
			return nil
		}
		if d.Type()&os.ModeSymlink != 0 {
			links = append(links, path)
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return nil
		}
		files = append(files, kept{path, info.Size(), info.ModTime()})
		total += info.Size()
		return nil
	})
	slices.SortFunc(files, func(a, b kept) int { return cmp.Compare(a.used.UnixNano(), b.used.UnixNano()) })
	for _, f := range files {
		if total <= limit && now.Sub(f.used) < staleTime {
			break
		}
		if os.Remove(f.path) == nil {
			total -= f.size
			_ = os.Remove(meansFile(f.path)) // which only plugins of several cells have
		}
	}
	for _, link := range links {
		if _, err := os.Stat(link); os.IsNotExist(err) {
			_ = os.Remove(link)
		}
	}
}

// touch notes that a built cell was used.
func touch(file string) {
	now := time.Now()
	_ = os.Chtimes(file, now, now) // only makes it look older than it is
}
