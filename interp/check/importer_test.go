package check

import (
	"os"
	"path/filepath"
	"testing"
)

// FuzzExportData reads damaged archives.
func FuzzExportData(f *testing.F) {
	member := "go object linux amd64 go1.26\n\n$$B\nudata\n$$\n"
	f.Add([]byte("!<arch>\n__.PKGDEF       0           0     0     644     43        `\n" + member))
	f.Add([]byte("!<arch>\n__.PKGDEF       0           0     0     644     9999      `\n$$B\n"))
	f.Add([]byte("!<arch>\n__.PKGDEF       0           0     0     644     -1        `\n" + member))
	f.Add([]byte("no archive"))
	f.Fuzz(func(t *testing.T, data []byte) {
		file := filepath.Join(t.TempDir(), "x.a")
		if err := os.WriteFile(file, data, 0o644); err != nil {
			t.Fatal(err)
		}
		got, err := exportData(file)
		if err == nil && len(got) > len(data) {
			t.Errorf("%d bytes of export data in %d", len(got), len(data))
		}
	})
}

func TestExportData(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.a")
	member := "go object linux amd64 go1.26\n\n$$B\nudata\n$$\n"
	if err := os.WriteFile(file, []byte("!<arch>\n__.PKGDEF       0           0     0     644     44        `\n"+member), 0o644); err != nil {
		t.Fatal(err)
	}
	got, err := exportData(file)
	if err != nil || string(got) != "udata" {
		t.Errorf("got %q, %v", got, err)
	}
}
