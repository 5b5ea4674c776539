package native

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"attune/interp/docs"
)

// patterns are the packages that cells can import: the standard library, gonum,
// plot, gorgonia and the notebook's own.
var patterns = []string{
	"std",
	"gonum.org/v1/gonum/mat", "gonum.org/v1/gonum/stat", "gonum.org/v1/gonum/stat/distuv",
	"gonum.org/v1/gonum/stat/distmv", "gonum.org/v1/gonum/floats", "gonum.org/v1/gonum/floats/scalar",
	"gonum.org/v1/gonum/blas/blas64", "gonum.org/v1/gonum/integrate", "gonum.org/v1/gonum/interp",
	"gonum.org/v1/gonum/optimize", "gonum.org/v1/gonum/dsp/fourier", "gonum.org/v1/gonum/diff/fd",
	"gonum.org/v1/gonum/graph/simple", "gonum.org/v1/gonum/graph/path", "gonum.org/v1/gonum/graph/topo",
	"gonum.org/v1/plot", "gonum.org/v1/plot/plotter", "gonum.org/v1/plot/plotutil",
	"gonum.org/v1/plot/vg", "gonum.org/v1/plot/vg/draw", "gonum.org/v1/plot/vg/vgimg", "gonum.org/v1/plot/vg/vgsvg",
	"gonum.org/v1/plot/palette", "gonum.org/v1/plot/palette/moreland", "gonum.org/v1/plot/font",
	"gorgonia.org/gorgonia", "gorgonia.org/tensor",
	rtPath, "attune/display/...", "attune/gpu", "attune/gpu/mem", "attune/stdlib/nn", "attune/stdlib/balance", "attune/stdlib/gorgoniax", "attune/stdlib/monitor", "attune/stdlib/data",
	"attune/stdlib/ask", "attune/stdlib/balance", "attune/stdlib/balance/control", "attune/stdlib/comm",
}

// Lib is the folder that cells are checked and linked against: the archives of all
// packages, in importcfg, with what is needed to link quickly. It lies, under the
// name of its stamp, in a folder whose stamp.json says which one is in use.
type Lib struct {
	Dir    string
	Stamp  string // changes with the toolchain and with any package
	GoRoot string
}

// stampFile describes a finished folder.
type stampFile struct{ Stamp, GoRoot, GoVersion string }

// ErrNoLib says that the folder is not there or not finished.
var ErrNoLib = errors.New("the packages for cells are not built; run ./install.sh")

// OpenLib opens a folder that Warm made.
func OpenLib(dir string) (*Lib, error) {
	data, err := os.ReadFile(filepath.Join(dir, "stamp.json"))
	if err != nil {
		return nil, fmt.Errorf("%w (%v)", ErrNoLib, err)
	}
	var s stampFile
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, fmt.Errorf("%w (stamp.json: %v)", ErrNoLib, err)
	}
	return &Lib{Dir: filepath.Join(dir, s.Stamp), Stamp: s.Stamp, GoRoot: s.GoRoot}, nil
}

// Docs is the folder of the packages' documentation.
func (l *Lib) Docs() string { return filepath.Join(l.Dir, "docs") }

func writeDocs(list []exported, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make the folder of documentation: %w", err)
	}
	for _, p := range list {
		if len(p.source.Files) == 0 || p.source.Files[0] == "" || strings.Contains("/"+p.path+"/", "/internal/") {
			continue
		}
		if err := docs.Write(dir, p.source); err != nil {
			return err
		}
	}
	return nil
}

// ImportCfg is the list of archives.
func (l *Lib) ImportCfg() string { return filepath.Join(l.Dir, "importcfg") }

// Warm fills dir for the module at root: it has the go command compile every
// package as plugins need them and keeps the archives. A folder that is fresh is
// left alone. say is told what happens.
func Warm(ctx context.Context, root, dir string, say func(string)) error {
	return WarmIn(ctx, root, nil, dir, say)
}

// WarmIn is Warm in a module graph of its own: root is any folder of the workspace
// that env, added to the environment, tells the go command to use.
func WarmIn(ctx context.Context, root string, env []string, dir string, say func(string)) error {
	say("compile the packages that cells import (minutes the first time)")
	list, err := listExports(ctx, root, env)
	if err != nil {
		return err
	}
	goroot, version, err := goEnv(ctx)
	if err != nil {
		return err
	}
	sum := sha256.New()
	fmt.Fprintf(sum, "%s %q %q docs local %q\n", version, wrapperSource, extldScript, dummySource)
	for _, p := range list {
		fmt.Fprintln(sum, p.path, p.export)
	}
	stamp := hex.EncodeToString(sum.Sum(nil)[:8])
	have, err := OpenLib(dir)
	if err == nil && have.Stamp == stamp {
		say("they are fresh")
		return nil
	}
	lib := &Lib{Dir: filepath.Join(dir, stamp), Stamp: stamp, GoRoot: goroot}
	if err := copyArchives(list, lib.Dir); err != nil {
		return err
	}
	if err := lib.makeWrapper(ctx); err != nil {
		return err
	}
	if err := writeDocs(list, lib.Docs()); err != nil {
		return err
	}
	if err := writeStamp(dir, stampFile{stamp, goroot, version}); err != nil {
		return err
	}
	return dropOld(dir, lib, have)
}

// writeStamp names the folder in use, in one step.
func writeStamp(dir string, s stampFile) error {
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	file := filepath.Join(dir, "stamp.json")
	if err := os.WriteFile(file+".new", data, 0o644); err != nil {
		return fmt.Errorf("finish the packages for cells: %w", err)
	}
	return os.Rename(file+".new", file)
}

// dropOld removes all folders but that in use and the one before, which running
// kernels may still link against.
func dropOld(dir string, keep ...*Lib) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		kept := !e.IsDir()
		for _, l := range keep {
			kept = kept || l != nil && l.Stamp == e.Name()
		}
		if !kept {
			if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
				return fmt.Errorf("remove old packages: %w", err)
			}
		}
	}
	return nil
}

// noDebugInfo is the go command's flag for archives without what debuggers read: cells
// are linked without it, and a linker that does not find it need not read it.
// interp/modules compiles with the same.
const noDebugInfo = "-gcflags=all=-dwarf=false"

// exported is a package's archive and its source.
type exported struct {
	path, export string
	source       docs.Source
}

// listExports asks the go command for the archives, which it builds where needed.
func listExports(ctx context.Context, root string, env []string) ([]exported, error) {
	args := append([]string{"list", "-trimpath", "-buildmode=plugin", noDebugInfo, "-export", "-deps", "-e",
		"-f", `{{if .Export}}{{.ImportPath}}={{.Export}}|{{.Dir}}|{{join .GoFiles ","}}{{end}}{{if .Error}}!{{.ImportPath}}: {{.Error}}{{end}}`}, patterns...)
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Env = root, append(os.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w\n%s", err, stderr.String())
	}
	var list []exported
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSpace(line)
		if bad, ok := strings.CutPrefix(line, "!"); ok {
			return nil, fmt.Errorf("go list: %s", bad)
		}
		path, rest, ok := strings.Cut(line, "=")
		parts := strings.Split(rest, "|")
		if ok && len(parts) == 3 {
			list = append(list, exported{path, parts[0], docs.Source{Path: path, Dir: parts[1], Files: strings.Split(parts[2], ",")}})
		}
	}
	return list, nil
}

func goEnv(ctx context.Context) (goroot, version string, err error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOROOT", "GOVERSION").Output()
	if err != nil {
		return "", "", fmt.Errorf("go env: %w", err)
	}
	fields := strings.Fields(string(out))
	if len(fields) != 2 {
		return "", "", fmt.Errorf("go env answered %q", out)
	}
	return fields[0], fields[1], nil
}

// copyArchives keeps the archives, since the go command's cache may drop them.
func copyArchives(list []exported, dir string) error {
	if err := os.MkdirAll(filepath.Join(dir, "pkg"), 0o755); err != nil {
		return fmt.Errorf("make the folder of packages: %w", err)
	}
	var cfg strings.Builder
	for i, p := range list {
		data, err := os.ReadFile(p.export)
		if err != nil {
			return fmt.Errorf("keep %s: %w", p.path, err)
		}
		name := fmt.Sprintf("pkg/%03d.a", i)
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			return fmt.Errorf("keep %s: %w", p.path, err)
		}
		fmt.Fprintf(&cfg, "packagefile %s=%s\n", p.path, filepath.Join(dir, name))
	}
	return os.WriteFile(filepath.Join(dir, "importcfg"), []byte(cfg.String()), 0o644)
}
