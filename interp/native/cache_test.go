package native

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestPrune(t *testing.T) {
	dir := t.TempDir()
	now := time.Now()
	for name, age := range map[string]time.Duration{"new.so": 0, "day.so": 24 * time.Hour, "week.so": 7 * 24 * time.Hour, "stale.so": 40 * 24 * time.Hour, "other": 90 * 24 * time.Hour} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, make([]byte, 100), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, now, now.Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	for link, file := range map[string]string{"in-day.so": "day.so", "in-stale.so": "stale.so"} {
		if err := os.Symlink(file, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"day.json", "stale.json"} { // what the cells of a file mean
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	prune(dir, 200, now)
	for name, want := range map[string]bool{
		"in-day.so": true, "in-stale.so": false, "day.json": true, "stale.json": false,
		"new.so": true, "day.so": true, "week.so": false, "stale.so": false, "other": true,
	} {
		if _, err := os.Lstat(filepath.Join(dir, name)); (err == nil) != want {
			t.Errorf("%s is kept: %v, want %v", name, err == nil, want)
		}
	}
}

func TestCacheFallsBack(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	dir, err := openCache(file, &Lib{Stamp: "s"}) // below a file nothing can be made
	if err != nil || dir == "" {
		t.Errorf("no cache: %v", err)
	}
}
