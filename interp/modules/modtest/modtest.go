// Package modtest makes module proxies and module folders of txtar text, for tests
// that need no network. It imports the standard library and txtar.
package modtest

import (
	"archive/zip"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// Write writes the files of a txtar text below dir.
func Write(t testing.TB, dir, text string) {
	t.Helper()
	for _, f := range txtar.Parse([]byte(text)).Files {
		write(t, filepath.Join(dir, filepath.FromSlash(f.Name)), f.Data)
	}
}

func write(t testing.TB, file string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// Proxy makes the go command of this test download from a proxy of files: those of
// text, named module@version/file, and the modules that this machine has already.
// What is downloaded goes into a cache of the test's own.
func Proxy(t testing.TB, text string) {
	t.Helper()
	dir := t.TempDir()
	modules := map[string][]txtar.File{}
	for _, f := range txtar.Parse([]byte(text)).Files {
		module, rest, _ := strings.Cut(f.Name, "@")
		version, _, _ := strings.Cut(rest, "/")
		key := module + "@" + version
		modules[key] = append(modules[key], f)
	}
	for key, files := range modules {
		module, version, _ := strings.Cut(key, "@")
		at := filepath.Join(dir, filepath.FromSlash(module), "@v")
		write(t, filepath.Join(at, version+".info"), fmt.Appendf(nil, `{"Version":%q,"Time":"2026-01-02T03:04:05Z"}`, version))
		write(t, filepath.Join(at, version+".zip"), zipped(t, files))
		for _, f := range files {
			if f.Name == key+"/go.mod" {
				write(t, filepath.Join(at, version+".mod"), f.Data)
			}
		}
		list, _ := os.ReadFile(filepath.Join(at, "list"))
		write(t, filepath.Join(at, "list"), append(list, version+"\n"...))
	}
	out, err := exec.Command("go", "env", "GOMODCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOPROXY", "file://"+dir+",file://"+strings.TrimSpace(string(out))+"/cache/download")
	t.Setenv("GOMODCACHE", t.TempDir())
	t.Setenv("GOFLAGS", "-modcacherw")
	t.Setenv("GOSUMDB", "off")
	t.Setenv("GOWORK", "")
}

func zipped(t testing.TB, files []txtar.File) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	for _, f := range files {
		w, err := z.Create(f.Name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(f.Data); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// GoRoot is the folder of the toolchain in use.
func GoRoot(t testing.TB) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}
