package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"attune/interp/native"
	"attune/interp/worker"
)

// runDoctor prints a line for each part that attune uses: what is there, and for what
// is missing what to do about it.
func runDoctor(w io.Writer) error {
	at, err := locate()
	if err != nil {
		return err
	}
	missing := 0
	for _, p := range examine(at) {
		if p.State == "missing" {
			missing++
		}
		if _, err := fmt.Fprintf(w, "%-8s %-12s %s\n", p.State, p.Name, p.Text); err != nil {
			return fmt.Errorf("print what was found: %w", err)
		}
	}
	switch missing {
	case 0:
		return nil
	case 1:
		return errors.New("one part is missing; its line says what to do")
	}
	return fmt.Errorf("%d parts are missing; each line says what to do", missing)
}

func found(name, text string) worker.Part { return worker.Part{Name: name, State: "ok", Text: text} }
func lacking(name, text string) worker.Part {
	return worker.Part{Name: name, State: "missing", Text: text}
}

// examine looks at all parts. The slow questions are asked at one time.
func examine(at parts) []worker.Part {
	jupyters := make(chan []worker.Part)
	go func() { jupyters <- jupyterParts(at) }()
	lib, libErr := native.OpenLib(at.lib)
	goRoot := ""
	if libErr == nil {
		goRoot = lib.GoRoot
	}
	out := []worker.Part{goPart(goRoot), compilerPart(), linkerPart()}
	out = append(out, <-jupyters...)
	_, workerErr := os.Stat(at.worker)
	if workerErr == nil {
		out = append(out, found("worker", at.worker))
	} else {
		out = append(out, lacking("worker", "the program that runs cells is not there; run ./install.sh"))
	}
	if libErr == nil {
		out = append(out, found("packages", lib.Dir), toolchainPart(goRoot))
	} else {
		out = append(out, lacking("packages", "what cells import is not built; run ./install.sh"))
	}
	if workerErr == nil {
		gpu, err := worker.Parts(at.worker)
		if err != nil {
			gpu = []worker.Part{lacking("GPU", err.Error()+"; run ./install.sh to build the worker anew")}
		}
		out = append(out, gpu...)
	}
	return out
}

// firstLine is the first line that a program prints.
func firstLine(name string, args ...string) (string, error) {
	out, err := exec.Command(name, args...).Output()
	line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return line, err
}

// oldestGo is the minor version of the oldest Go that builds attune.
const oldestGo = 26

var goVersion = regexp.MustCompile(`go1\.(\d+)`)

// goPart looks for the go command: that of the path, or that which built the packages
// for cells, which cells use.
func goPart(goRoot string) worker.Part {
	const name, remedy = "Go", "install Go 1.26 or newer (https://go.dev/doc/install), then run ./install.sh"
	program := "go"
	if _, err := exec.LookPath(program); err != nil && goRoot != "" {
		program = filepath.Join(goRoot, "bin", "go")
	}
	cmd := exec.Command(program, "env", "GOVERSION")
	cmd.Env = append(os.Environ(), "GOTOOLCHAIN=local")
	out, err := cmd.Output()
	version := strings.TrimSpace(string(out))
	m := goVersion.FindStringSubmatch(version)
	if err != nil || m == nil {
		return lacking(name, remedy)
	}
	if minor, _ := strconv.Atoi(m[1]); minor < oldestGo {
		return lacking(name, version+" is too old; "+remedy)
	}
	if program != "go" {
		return found(name, version+" ("+program+"; the path has none, and cells need none)")
	}
	return found(name, version)
}

// compilerPart looks for a C compiler that finds its headers.
func compilerPart() worker.Part {
	for _, cc := range []string{os.Getenv("CC"), "gcc", "clang", "cc"} {
		path, err := exec.LookPath(cc)
		if cc == "" || err != nil {
			continue
		}
		cmd := exec.Command(path, "-x", "c", "-fsyntax-only", "-")
		cmd.Stdin = strings.NewReader("#include <stdlib.h>\n")
		if cmd.Run() == nil {
			return found("C compiler", path)
		}
	}
	return lacking("C compiler", "install one (apt-get install gcc libc6-dev); it builds attune and modules with C in them, cells need none")
}

func linkerPart() worker.Part {
	line, err := firstLine("ld", "--version")
	if err != nil {
		return lacking("ld", "install binutils (apt-get install binutils); compiled cells are linked by ld")
	}
	return found("ld", line)
}

// toolchainPart looks at what compiles cells.
func toolchainPart(goRoot string) worker.Part {
	tools, err := filepath.Glob(filepath.Join(goRoot, "pkg", "tool", "*", "compile"))
	if err != nil || len(tools) == 0 {
		return lacking("toolchain", "the Go that built the packages is gone from "+goRoot+"; run ./install.sh")
	}
	return found("toolchain", goRoot)
}

// jupyterParts looks for Jupyter, JupyterLab and the kernelspec.
func jupyterParts(at parts) []worker.Part {
	const remedy = "run ./install.sh, which makes an environment with JupyterLab"
	jupyter, err := exec.LookPath("jupyter")
	if err != nil {
		jupyter = filepath.Join(at.root, ".venv", "bin", "jupyter")
		if _, err := os.Stat(jupyter); err != nil {
			return []worker.Part{lacking("Jupyter", remedy), lacking("JupyterLab", remedy), specPart(at, dataFolders(""))}
		}
	}
	out := []worker.Part{found("Jupyter", jupyter)}
	if version, err := firstLine(jupyter, "lab", "--version"); err != nil {
		out = append(out, lacking("JupyterLab", "pip install jupyterlab, or "+remedy))
	} else {
		out = append(out, found("JupyterLab", version))
	}
	return append(out, specPart(at, dataFolders(jupyter)))
}

// dataFolders are where Jupyter looks for kernels, by its own word if there is one.
func dataFolders(jupyter string) []string {
	var paths struct{ Data []string }
	if jupyter != "" {
		if out, err := exec.Command(jupyter, "--paths", "--json").Output(); err == nil && json.Unmarshal(out, &paths) == nil {
			return paths.Data
		}
	}
	folders := filepath.SplitList(os.Getenv("JUPYTER_PATH"))
	if dir, err := specDir(nil); err == nil {
		folders = append(folders, filepath.Dir(filepath.Dir(dir)))
	}
	return append(folders, "/usr/local/share/jupyter", "/usr/share/jupyter")
}

// specPart looks which program the kernelspec starts: the first that Jupyter finds counts.
func specPart(at parts, folders []string) worker.Part {
	for _, dir := range folders {
		file := filepath.Join(dir, "kernels", "attune", "kernel.json")
		data, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		var spec kernelSpec
		if err := json.Unmarshal(data, &spec); err != nil || len(spec.Argv) == 0 {
			return lacking("kernelspec", file+" cannot be read; run "+at.program+" install --user")
		}
		if real, err := filepath.EvalSymlinks(spec.Argv[0]); err != nil || real != at.program {
			return lacking("kernelspec", fmt.Sprintf("%s starts %s, which is not this build; run %s install --user (or the --prefix it is in)", file, spec.Argv[0], at.program))
		}
		return found("kernelspec", file)
	}
	return lacking("kernelspec", "Jupyter does not know of the kernel; run "+at.program+" install --user")
}
