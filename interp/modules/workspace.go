package modules

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
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/mod/modfile"
)

// user is what the user's go command sees from the notebook's folder.
type user struct {
	GOFLAGS, GOMOD, GOWORK string
	modules                []string // folders of the modules that the user works on
	paths                  []string // their module paths
	replace                []*modfile.Replace
	vendor                 string // the folder to run in where dependencies are vendored
}

// place is where the go command runs: a folder, and what its environment has more.
type place struct {
	dir string
	env []string
}

// workspace is the session's own module in its workspace.
func (m *Module) workspace() place {
	return place{m.dir, []string{"GOWORK=" + filepath.Join(m.dir, "go.work"), "GOFLAGS=" + strings.Join(m.flags, " ")}}
}

// command is a go command that ends, with its children, when ctx does. It is the
// worker's own toolchain, whatever a go.mod asks for: archives of two toolchains do
// not link.
func (m *Module) command(ctx context.Context, at place, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(m.cfg.GoRoot, "bin", "go"), args...)
	cmd.Dir = at.dir
	cmd.Env = append(os.Environ(), "GOTOOLCHAIN=local", "GO111MODULE=on", "PWD="+at.dir)
	cmd.Env = append(cmd.Env, at.env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = time.Second
	return cmd
}

// cause prefers the end of ctx to what it did to the command.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if errors.Is(err, os.ErrNotExist) {
		return errors.New("the Go toolchain is not there any more; run ./install.sh")
	}
	return err
}

// output runs a go command for what it prints.
func (m *Module) output(ctx context.Context, at place, args ...string) ([]byte, error) {
	cmd := m.command(ctx, at, args...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		if said := strings.TrimSpace(errs.String()); said != "" && ctx.Err() == nil {
			return nil, fmt.Errorf("go %s: %s", args[0], said)
		}
		return nil, fmt.Errorf("go %s: %w", args[0], cause(ctx, err))
	}
	return out, nil
}

// prepare makes the session's folder and writes the workspace, which follows the
// user's files as they are now.
func (m *Module) prepare(ctx context.Context) error {
	if err := m.look(ctx); err != nil {
		return err
	}
	if before := m.pending; before != nil {
		m.pending = nil
		if err := before.undo(m, nil); err != nil {
			return err
		}
	}
	if m.dir == "" {
		if err := m.seed(); err != nil {
			return err
		}
	}
	if err := m.sums(); err != nil {
		return err
	}
	work := new(modfile.WorkFile)
	work.Syntax = new(modfile.FileSyntax)
	if err := work.AddGoStmt(goVersion()); err != nil {
		return fmt.Errorf("write the workspace: %w", err)
	}
	for _, dir := range append([]string{"."}, m.user.modules...) {
		if dir == m.cfg.Root {
			continue // the session requires it already
		}
		if err := work.AddUse(dir, ""); err != nil {
			return fmt.Errorf("write the workspace: %w", err)
		}
	}
	for _, r := range m.user.replace {
		if err := work.AddReplace(r.Old.Path, r.Old.Version, r.New.Path, r.New.Version); err != nil {
			return fmt.Errorf("write the workspace: %w", err)
		}
	}
	return write(filepath.Join(m.dir, "go.work"), modfile.Format(work.Syntax))
}

// ownModule is the path of attune's module.
const ownModule = "attune"

func goVersion() string { return strings.TrimPrefix(runtime.Version(), "go") }

// look asks the go command what holds in the notebook's folder.
func (m *Module) look(ctx context.Context) error {
	out, err := m.output(ctx, place{dir: m.cfg.Notebook}, "env", "-json", "GOFLAGS", "GOMOD", "GOWORK")
	if err != nil {
		return err
	}
	var u user
	if err := json.Unmarshal(out, &u); err != nil {
		return fmt.Errorf("go env: %w", err)
	}
	m.flags = nil
	vendor := true
	for _, f := range strings.Fields(u.GOFLAGS) {
		if name, how, _ := strings.Cut(strings.TrimLeft(f, "-"), "="); name == "mod" || name == "modfile" {
			vendor = vendor && how == "vendor"
			continue // means the user's module, not this workspace
		}
		m.flags = append(m.flags, f)
	}
	home := ""
	switch {
	case u.GOWORK != "" && u.GOWORK != "off":
		home = filepath.Dir(u.GOWORK)
		err = u.readWork(u.GOWORK)
	case u.GOMOD != "" && u.GOMOD != os.DevNull:
		home = filepath.Dir(u.GOMOD)
		u.modules = []string{home}
	}
	if err != nil {
		return err
	}
	for _, dir := range u.modules {
		data, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err != nil {
			return fmt.Errorf("read the module at %s: %w", dir, err)
		}
		u.paths = append(u.paths, modfile.ModulePath(data))
	}
	if home != "" && vendor {
		if _, err := os.Stat(filepath.Join(home, "vendor", "modules.txt")); err == nil {
			u.vendor = home
		}
	}
	m.user = u
	return nil
}

// readWork takes over what a go.work says.
func (u *user) readWork(file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read the workspace above the notebook: %w", err)
	}
	work, err := modfile.ParseWork(file, data, nil)
	if err != nil {
		return fmt.Errorf("read the workspace above the notebook: %w", err)
	}
	absolute := func(path string) string {
		if filepath.IsAbs(path) {
			return filepath.Clean(path)
		}
		return filepath.Join(filepath.Dir(file), path)
	}
	for _, use := range work.Use {
		u.modules = append(u.modules, absolute(use.Path))
	}
	for _, r := range work.Replace {
		if r.New.Version == "" {
			r.New.Path = absolute(r.New.Path)
		}
		u.replace = append(u.replace, r)
	}
	return nil
}

// blank is the go.mod of a session that has asked for nothing yet. It requires
// attune's module, and does not use it in the workspace: what attune's requirements
// require in turn is then left out of the module graph (Go Modules Reference, "Module
// graph pruning"), as it is where the worker is built.
func (m *Module) blank() []byte {
	text := "module attune.session\n\ngo " + goVersion() + "\n"
	if m.cfg.Root != "" {
		text += "\nrequire " + ownModule + " v0.0.0\n\nreplace " + ownModule + " => " + modfile.AutoQuote(m.cfg.Root) + "\n"
	}
	return []byte(text)
}

// sums adds the checksums that attune's module has to the session's, which go mod tidy
// may have taken away.
func (m *Module) sums() error {
	if m.cfg.Root == "" {
		return nil
	}
	own, err := os.ReadFile(filepath.Join(m.cfg.Root, "go.sum"))
	if err != nil {
		return fmt.Errorf("read attune's module: %w", err)
	}
	file := filepath.Join(m.dir, "go.sum")
	have, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("read the session's module: %w", err)
	}
	lines := slices.Concat(strings.SplitAfter(string(have), "\n"), strings.SplitAfter(string(own), "\n"))
	slices.Sort(lines)
	all := strings.Join(slices.Compact(lines), "")
	if all == string(have) {
		return nil
	}
	return write(file, []byte(all))
}

// imports writes what cells imported as a file of Go, so that go mod tidy keeps it.
func (m *Module) imports() error {
	var b strings.Builder
	b.WriteString("package session\n\nimport (\n")
	if m.cfg.Root != "" {
		fmt.Fprintf(&b, "\t_ %q\n", ownModule+"/display")
	}
	for _, path := range m.imported() {
		if !slices.ContainsFunc(m.user.paths, func(module string) bool { return under(path, module) }) {
			fmt.Fprintf(&b, "\t_ %q\n", path)
		}
	}
	b.WriteString(")\n")
	return write(filepath.Join(m.dir, "imports.go"), []byte(b.String()))
}

// files are those that hold a module's requirements.
var files = [...]string{"go.mod", "go.sum", "go.work.sum"}

// seed makes the session's folder from what notebooks of this folder required in
// earlier sessions.
func (m *Module) seed() error {
	if err := os.MkdirAll(m.kept(), 0o755); err != nil {
		return fmt.Errorf("make the session's module: %w", err)
	}
	sweep(m.cfg.Cache, "session-", unused) // of kernels that were killed
	sweep(m.kept(), "", unusedArchives)
	dir, err := os.MkdirTemp(m.cfg.Cache, "session-")
	if err != nil {
		return fmt.Errorf("make the session's module: %w", err)
	}
	m.dir = dir
	for _, name := range files {
		data, err := os.ReadFile(filepath.Join(m.memory(), name))
		switch {
		case err == nil:
		case name == "go.mod":
			data = m.blank()
		default:
			continue
		}
		if err := write(filepath.Join(dir, name), data); err != nil {
			return err
		}
	}
	return nil
}

// memory is the folder that keeps the requirements of this folder's notebooks.
func (m *Module) memory() string {
	sum := sha256.New()
	own, _ := os.ReadFile(filepath.Join(m.cfg.Root, "go.mod")) // none without a Root
	fmt.Fprintf(sum, "%q %s %s %s", m.cfg.Notebook, goVersion(), m.blank(), own)
	return filepath.Join(m.cfg.Cache, "required", hex.EncodeToString(sum.Sum(nil)[:8]))
}

// remember keeps the requirements for the next session, so that it gets the same
// versions and needs no network. It is a convenience: a failure costs only that.
func (m *Module) remember() {
	if os.MkdirAll(m.memory(), 0o755) != nil {
		return
	}
	for _, name := range files {
		data, err := os.ReadFile(filepath.Join(m.dir, name))
		if err != nil {
			continue
		}
		fresh := filepath.Join(m.memory(), filepath.Base(m.dir)+name)
		if write(fresh, data) == nil {
			_ = os.Rename(fresh, filepath.Join(m.memory(), name))
		}
	}
}

func write(file string, data []byte) error {
	if err := os.WriteFile(file, data, 0o644); err != nil {
		return fmt.Errorf("write the session's module: %w", err)
	}
	return nil
}

// snapshot is the module's files as they were.
type snapshot map[string][]byte

func (m *Module) snapshot() snapshot {
	s := snapshot{}
	for _, name := range files {
		if data, err := os.ReadFile(filepath.Join(m.dir, name)); err == nil {
			s[name] = data
		}
	}
	return s
}

// undo puts the files back and returns why.
func (s snapshot) undo(m *Module, why error) error {
	for _, name := range files {
		file := filepath.Join(m.dir, name)
		data, ok := s[name]
		if !ok {
			_ = os.Remove(file)
			continue
		}
		if err := write(file, data); err != nil {
			return errors.Join(why, err)
		}
	}
	return why
}
