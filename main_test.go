package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"attune/gpu/driver/fakecuda"
)

// asAttune makes the test binary attune itself.
const asAttune = "ATTUNE_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asAttune) != "" {
		if err := run(context.Background(), os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, "attune:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// installation lays the program out as ./install.sh does, in a folder of its own: this
// very binary, and beside it the worker and the packages that were built, if whole.
func installation(t *testing.T, whole bool) (program string) {
	t.Helper()
	dir := t.TempDir()
	bin := filepath.Join(dir, ".build", "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	self, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	program = filepath.Join(bin, "attune")
	if err := os.WriteFile(program, self, 0o755); err != nil {
		t.Fatal(err)
	}
	if !whole {
		return program
	}
	built, err := filepath.Abs(".build")
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{filepath.Join("bin", "attune-worker"), "lib"} {
		if _, err := os.Stat(filepath.Join(built, part)); err != nil {
			t.Skip("the worker or the packages are not built: run ./install.sh")
		}
		if err := os.Symlink(filepath.Join(built, part), filepath.Join(dir, ".build", part)); err != nil {
			t.Fatal(err)
		}
	}
	return program
}

// attune runs the program and returns what it says and whether it ended well.
func attune(t *testing.T, program string, env []string, args ...string) (text string, ok bool) {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Env = append(append([]string{asAttune + "=1", "HOME=" + t.TempDir()}, "PATH="+os.Getenv("PATH")), env...)
	out, err := cmd.CombinedOutput()
	return string(out), err == nil
}

// says fails unless a line of text has all words, in order.
func says(t *testing.T, text string, words ...string) {
	t.Helper()
lines:
	for line := range strings.Lines(text) {
		for _, w := range words {
			at := strings.Index(line, w)
			if at < 0 {
				continue lines
			}
			line = line[at+len(w):]
		}
		return
	}
	t.Errorf("no line says %q:\n%s", words, text)
}

// TestDoctorWithNothing: an empty path and nothing built. Each line says what to do.
func TestDoctorWithNothing(t *testing.T) {
	text, ok := attune(t, installation(t, false), []string{"PATH="}, "doctor")
	if ok {
		t.Error("the doctor is content")
	}
	for name, remedy := range map[string]string{
		"Go": "install Go", "C compiler": "apt-get install", "ld": "apt-get install binutils", "Jupyter": "./install.sh",
		"JupyterLab": "./install.sh", "kernelspec": "install --user", "worker": "./install.sh", "packages": "./install.sh",
	} {
		says(t, text, "missing", " "+name+" ", remedy)
	}
	says(t, text, "8 parts are missing")
}

// TestDoctorWithoutGPU: no driver is no fault.
func TestDoctorWithoutGPU(t *testing.T) {
	if _, err := os.Stat("/dev/nvidiactl"); err == nil {
		t.Skip("this machine has a GPU")
	}
	program := installation(t, true)
	text, _ := attune(t, program, []string{"PATH="}, "doctor")
	says(t, text, "none", "libcuda", "no NVIDIA driver", "the CPU path is used")
	says(t, text, "none", "NVML", "no NVIDIA driver")
	says(t, text, "none", "GPU", "the CPU path is used")
	says(t, text, "ok", "worker", "attune-worker")
	says(t, text, "ok", "packages")
	says(t, text, "ok", "Go", "the path has none, and cells need none")
	says(t, text, "5 parts are missing") // C compiler, ld, Jupyter, JupyterLab, kernelspec
}

// TestDoctorWithGPU finds the driver's two libraries, which stand-ins play.
func TestDoctorWithGPU(t *testing.T) {
	program := installation(t, true)
	dir := t.TempDir()
	if _, err := fakecuda.Build(dir, nil); errors.Is(err, fakecuda.ErrNoCompiler) {
		t.Skip("cannot build the fake driver: ", err)
	} else if err != nil {
		t.Fatal(err)
	}
	fake := exec.Command("cc", "-shared", "-fPIC", "-o", filepath.Join(dir, "libnvidia-ml.so.1"), filepath.Join("gpu", "nvml", "testdata", "fake_nvml.c"))
	if out, err := fake.CombinedOutput(); err != nil {
		t.Fatalf("build the fake NVML: %v\n%s", err, out)
	}
	text, _ := attune(t, program, []string{"LD_LIBRARY_PATH=" + dir, "FAKE_NVML=second is gone"}, "doctor")
	says(t, text, "ok", "libcuda", "CUDA 12.4")
	says(t, text, "ok", "CUDA device", "cuda:0")
	says(t, text, "ok", "NVML", "driver 570.00")
	says(t, text, "ok", "GPU 0", "Fake GPU, 80 GiB, 76 GiB of it free")
	says(t, text, "none", "GPU", "open GPU 1: GPU is lost", "the CPU path is used")
}

// TestDoctorLooksAtTheKernelspec, which may start another build, or nothing.
func TestDoctorLooksAtTheKernelspec(t *testing.T) {
	program := installation(t, false)
	prefix := t.TempDir()
	env := []string{"PATH=", "JUPYTER_PATH=" + filepath.Join(prefix, "share", "jupyter")}
	if text, ok := attune(t, program, env, "install", "--prefix", prefix); !ok {
		t.Fatal(text)
	}
	text, _ := attune(t, program, env, "doctor")
	says(t, text, "ok", "kernelspec", prefix)
	other := installation(t, false)
	text, _ = attune(t, other, env, "doctor")
	says(t, text, "missing", "kernelspec", "starts "+program, "not this build", other+" install")
	if err := os.Remove(program); err != nil {
		t.Fatal(err)
	}
	text, _ = attune(t, other, env, "doctor")
	says(t, text, "missing", "kernelspec", "starts "+program)
}

// TestInstallAndUninstall puts the kernelspec where each option says, and takes it away.
func TestInstallAndUninstall(t *testing.T) {
	program := installation(t, false)
	dir := t.TempDir()
	for _, c := range []struct {
		name string
		args []string
		env  []string
		at   string
	}{
		{"prefix", []string{"--prefix", filepath.Join(dir, "a b")}, nil, filepath.Join(dir, "a b", "share", "jupyter")},
		{"prefix=", []string{"--prefix=" + filepath.Join(dir, "c")}, nil, filepath.Join(dir, "c", "share", "jupyter")},
		{"user", nil, []string{"HOME=" + filepath.Join(dir, "home")}, filepath.Join(dir, "home", ".local", "share", "jupyter")},
		{"data", []string{"--user"}, []string{"JUPYTER_DATA_DIR=" + filepath.Join(dir, "data")}, filepath.Join(dir, "data")},
	} {
		t.Run(c.name, func(t *testing.T) {
			text, ok := attune(t, program, c.env, append([]string{"install"}, c.args...)...)
			folder := filepath.Join(c.at, "kernels", "attune")
			if !ok || !strings.Contains(text, folder) {
				t.Fatalf("install says %q, want %s", text, folder)
			}
			data, err := os.ReadFile(filepath.Join(folder, "kernel.json"))
			if err != nil {
				t.Fatal(err)
			}
			var spec kernelSpec
			if err := json.Unmarshal(data, &spec); err != nil || spec.Argv[0] != program || spec.InterruptMode != "message" {
				t.Errorf("the kernelspec is %s (%v)", data, err)
			}
			for _, logo := range []string{"logo-32x32.png", "logo-64x64.png", "logo-svg.svg"} {
				if _, err := os.Stat(filepath.Join(folder, logo)); err != nil {
					t.Error(err)
				}
			}
			if text, ok := attune(t, program, c.env, append([]string{"uninstall"}, c.args...)...); !ok || !strings.Contains(text, "removed") {
				t.Errorf("uninstall says %q", text)
			}
			if _, err := os.Stat(folder); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("%s is still there", folder)
			}
			if text, ok := attune(t, program, c.env, append([]string{"uninstall"}, c.args...)...); !ok || !strings.Contains(text, "there is no kernelspec") {
				t.Errorf("a second uninstall says %q", text)
			}
		})
	}
	if text, ok := attune(t, program, nil, "install", "--here"); ok || !strings.Contains(text, "--prefix DIR") {
		t.Errorf("an unknown option answers %q", text)
	}
}
