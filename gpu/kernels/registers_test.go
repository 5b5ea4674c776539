package kernels

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write registers.txt anew")

// assembler finds NVIDIA's ptxas, which PyPI's nvidia-cuda-nvcc-cu12 brings: in PATH,
// or in the environment that ./install.sh test fills.
func assembler() (string, error) {
	if path, err := exec.LookPath("ptxas"); err == nil {
		return path, nil
	}
	found, err := filepath.Glob("../../.venv/lib/python*/site-packages/nvidia/*/bin/ptxas")
	if err == nil && len(found) == 0 {
		err = errors.New("ptxas is not installed")
	}
	if err != nil {
		return "", err
	}
	return found[0], nil
}

// What each kernel takes stands in registers.txt; none may keep a thread's values in
// memory.
func TestRegisters(t *testing.T) {
	ptxas, err := assembler()
	if err != nil {
		t.Skip("cannot count registers:", err)
	}
	version, err := exec.Command(ptxas, "--version").Output()
	if err != nil {
		t.Fatal(err)
	}
	release := regexp.MustCompile(`V\d+\.\d+\.\d+`).FindString(string(version))
	var lines []string
	for _, i := range Images() {
		lines = append(lines, assemble(t, ptxas, i, i.Target())...)
		if i.Arch == 80 { // which is what Hopper runs as well, by another assembly
			lines = append(lines, assemble(t, ptxas, i, "sm_90")...)
		}
	}
	slices.Sort(lines)
	text := "# Made by go test ./gpu/kernels -run Registers -update with ptxas " + release + ".\n" + strings.Join(lines, "\n") + "\n"
	if *update {
		if err := os.WriteFile("registers.txt", []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile("registers.txt")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(want), release) {
		t.Skipf("registers.txt was made by another ptxas than this machine's %s", release)
	}
	if text != string(want) {
		t.Error("registers.txt is stale, run: go test ./gpu/kernels -run Registers -update")
	}
}

// assemble returns a line for each kernel of an image, for one architecture.
func assemble(t *testing.T, ptxas string, i Image, target string) []string {
	t.Helper()
	image, err := PTX(i.Name)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), i.Name+".ptx")
	if err := os.WriteFile(path, image, 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(ptxas, "-arch="+target, "-v", "-o", filepath.Join(t.TempDir(), "out"), path)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", i.Name, err, out)
	}
	// What stalls the products of a warpgroup, or has ptxas mend them.
	if warning := regexp.MustCompile(`.*\((?:C75\d\d)\).*|.*setmaxnreg.*`).FindString(string(out)); warning != "" {
		t.Errorf("%s: %s", i.Name, warning)
	}
	spill := regexp.MustCompile(`(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads`)
	registers := regexp.MustCompile(`Used (\d+) registers`)
	shared := regexp.MustCompile(`(\d+) bytes smem`)
	var lines []string
	for _, part := range strings.Split(string(out), "Compiling entry function '")[1:] {
		name, rest, _ := strings.Cut(part, "'")
		s, r := spill.FindStringSubmatch(rest), registers.FindStringSubmatch(rest)
		if s == nil || r == nil {
			t.Fatalf("%s: ptxas says of %s:\n%s", i.Name, name, rest)
		}
		if s[1] != "0" || s[2] != "0" || s[3] != "0" {
			t.Errorf("%s for %s keeps a thread's values in memory: %s", name, target, s[0])
		}
		bytes := "0"
		if m := shared.FindStringSubmatch(rest); m != nil {
			bytes = m[1]
		}
		lines = append(lines, fmt.Sprintf("%s %s: %s registers, %s bytes shared", name, target, r[1], bytes))
	}
	return lines
}
