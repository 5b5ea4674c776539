package fakecuda

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

// kept is how long an object that nobody asks for stays in the cache.
const kept = 7 * 24 * time.Hour

// objects compiles the files in dir and returns the paths of what came of them. They
// lie in the user's cache, named by all that they were made of, so that a test that
// edits one file compiles one, and tests of other packages none.
func objects(dir, compiler string, args, files []string) ([]string, error) {
	cache, err := cacheDir()
	if err != nil {
		return nil, err
	}
	// Who comes second, from another process too, finds what the first one made.
	free, err := lock(filepath.Join(cache, "lock"))
	if err != nil {
		return nil, err
	}
	defer free()
	version, err := exec.Command(compiler, "--version").Output()
	if err != nil {
		return nil, fmt.Errorf("%s --version: %w", compiler, err)
	}
	all, failures := make([]string, len(files)), make([]error, len(files))
	var wg sync.WaitGroup
	turn := make(chan struct{}, runtime.NumCPU())
	for i, name := range files {
		text, err := everything(dir, name)
		if err != nil {
			return nil, err
		}
		key := sha256.Sum256(fmt.Appendf(nil, "%s\n%q\n%s\n%s", version, args, name, text))
		all[i] = filepath.Join(cache, fmt.Sprintf("%x.o", key[:16]))
		wg.Go(func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			failures[i] = object(dir, compiler, args, name, all[i])
		})
	}
	wg.Wait()
	return all, cmp.Or(errors.Join(failures...), trim(cache))
}

func cacheDir() (string, error) {
	user, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(user, "attune", "fakecuda")
	return dir, os.MkdirAll(dir, 0o755)
}

// object makes one, if it is not there.
func object(dir, compiler string, args []string, name, path string) error {
	now := time.Now()
	if os.Chtimes(path, now, now) == nil {
		return nil
	}
	part := path + ".part"
	cmd := exec.Command(compiler, append(slices.Clone(args), "-c", "-o", part, name)...)
	cmd.Dir = dir
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, text)
	}
	return os.Rename(part, path)
}

// everything is the text of a file and of those that it includes by quotes.
func everything(dir, name string) (string, error) {
	texts := map[string]string{}
	var read func(name string) error
	read = func(name string) error {
		if _, ok := texts[name]; ok {
			return nil
		}
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		texts[name] = string(data)
		for _, m := range regexp.MustCompile(`(?m)^\s*#\s*include\s*"([^"]+)"`).FindAllStringSubmatch(texts[name], -1) {
			if err := read(m[1]); err != nil {
				return err
			}
		}
		return nil
	}
	if err := read(name); err != nil {
		return "", err
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		fmt.Fprintf(&b, "%s %d\n%s", name, len(texts[name]), texts[name])
	}
	return b.String(), nil
}

// trim removes what nobody has asked for lately.
func trim(cache string) error {
	entries, err := os.ReadDir(cache)
	if err != nil {
		return err
	}
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && time.Since(info.ModTime()) > kept && e.Name() != "lock" {
			err = os.Remove(filepath.Join(cache, e.Name()))
		}
		if err != nil {
			return err
		}
	}
	return nil
}
