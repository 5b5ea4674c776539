package main

import (
	"fmt"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"strings"
)

// load asks the go command for the group's export data, building what is not in
// its cache, and reads it. The packages come in the order of the group's paths.
// Packages of attune's own that do not exist or do not build yet are left out.
func load(root string, g group) ([]*types.Package, error) {
	if len(g.paths) == 0 {
		return nil, nil
	}
	args := []string{"list", "-export", "-f", "{{.ImportPath}}\t{{.Export}}"}
	if g.name == ownGroup {
		args = append(args, "-e")
	}
	cmd := exec.Command("go", append(args, g.paths...)...)
	cmd.Dir = root
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list -export: %w", err)
	}
	exports := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), "\t")
		exports[path] = file
	}
	// One importer for all, so that packages agree on the types of those they share.
	from := importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) {
		return os.Open(exports[path])
	})
	var packages []*types.Package
	for _, path := range g.paths {
		if exports[path] == "" && g.name == ownGroup {
			fmt.Fprintf(os.Stderr, "gen: %s does not build and gets no table\n", path)
			continue
		}
		p, err := from.Import(path)
		if err != nil {
			return nil, fmt.Errorf("read export data of %s: %w", path, err)
		}
		packages = append(packages, p)
	}
	return packages, nil
}
