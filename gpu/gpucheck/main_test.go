package main

import (
	"bytes"
	"debug/elf"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"attune/gpu/driver/fakecuda"
)

// program is gpucheck as it is built for a machine without Go, before a fake driver.
type program struct{ binary, fake, tools string }

func built(t *testing.T) program {
	t.Helper()
	p := program{tools: t.TempDir(), fake: t.TempDir()}
	p.binary = filepath.Join(p.tools, "gpucheck")
	if out, err := exec.Command("go", "build", "-o", p.binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return p
}

func (p program) command(env, args string) *exec.Cmd {
	cmd := exec.Command(p.binary, strings.Fields("-tiny "+args)...)
	cmd.Env = append(os.Environ(), "LD_LIBRARY_PATH="+p.fake, "FAKECUDA_SM=90", "PATH="+p.tools+":"+os.Getenv("PATH"), env)
	return cmd
}

// says runs it and looks for texts, and for the exit status.
func (p program) says(t *testing.T, env, args string, status int, want ...string) {
	t.Helper()
	out, err := p.command(env, args).CombinedOutput()
	var exit *exec.ExitError
	got := 0
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	if got != status {
		t.Errorf("%s %s: exit status %d, want %d", env, args, got, status)
	}
	for _, w := range want {
		if !strings.Contains(string(out), w) {
			t.Errorf("%s %s: the report does not say %q", env, args, w)
		}
	}
	if t.Failed() {
		t.Logf("%s", out)
	}
}

// Whole runs, in which one thing is wrong: each costs its row and is told with its
// kernel and form, and what stands behind it is there.
func TestRuns(t *testing.T) {
	p := built(t)
	if _, err := fakecuda.Build(p.fake, nil); errors.Is(err, fakecuda.ErrNoCompiler) {
		t.Skip("cannot build the fake driver:", err)
	} else if err != nil {
		t.Fatal(err)
	}
	t.Run("sound", func(t *testing.T) {
		p.says(t, "", "-only device,kernels -match mma_bf16_64", 0, "| attention_grad_mma_64 | sm_80 | 2 | 2 |", "0 failed", "| device | Fake Device, sm_90")
	})
	t.Run("wrong", func(t *testing.T) {
		p.says(t, "FAKECUDA_FAULT=wrong:attention_mma_bf16_64", "-only kernels -match mma_bf16_64", 2,
			"| kernel attention_mma_bf16_64 | sm_80 | 1 | **no** |", "**differs: ", "allowed 6.0e-02**", "| attention_grad_mma_64 | sm_80 | 2 | 2 |", ", 1 failed")
	})
	t.Run("sticky", func(t *testing.T) {
		p.says(t, "FAKECUDA_FAULT=sticky:attention_mma_bf16_64", "-only kernels -match mma_bf16_64", 2,
			"| kernel attention_mma_bf16_64 | sm_80 | 1 | **no** |", "CUDA_ERROR_ILLEGAL_ADDRESS", "| attention_grad_mma_64 | sm_80 | 2 | 2 |", ", 1 failed")
	})
	t.Run("hang", func(t *testing.T) {
		p.says(t, "FAKECUDA_FAULT=hang:attention_mma_bf16_64", "-item 12s -only kernels -match mma_bf16_64", 2,
			"| kernel attention_mma_bf16_64 | sm_80 | 1 | **no** |", "**hangs: no answer for 12s**", "| attention_grad_mma_64 | sm_80 | 2 | 2 |", ", 1 failed")
	})
	t.Run("crash", func(t *testing.T) {
		p.says(t, "FAKECUDA_FAULT=crash:attention_mma_bf16_64", "-only kernels -match mma_bf16_64", 2,
			"| kernel attention_mma_bf16_64 | sm_80 | 1 | **no** |", "**crashes: ", "| attention_grad_mma_64 | sm_80 | 2 | 2 |", ", 1 failed")
	})
	t.Run("hang of a measurement", func(t *testing.T) {
		p.says(t, "FAKECUDA_FAULT=hang:attention_mma_bf16_128", "-item 12s -only forward", 2,
			"| attention_mma_bf16_128 sm_80 | **failed**: hangs: no answer for 12s |", "| attention_wgmma_bf16_64 sm_90a | ")
	})
	t.Run("no driver", func(t *testing.T) {
		none := p
		none.fake = t.TempDir()
		none.says(t, "", "", 1, "the NVIDIA driver's library is not there")
	})
	t.Run("all", p.all)
	t.Run("killed", p.killed)
	t.Run("ended", p.ended)
}

// all is the whole plan at tiny sizes, by its script, beside stand-ins for PyTorch and the
// toolkit.
func (p program) all(t *testing.T) {
	files := map[string]string{
		"compute-sanitizer": "#!/bin/sh\nlog=$(echo \"$4\" | sed \"s/%p/$$/\")\n" + `case $2 in
racecheck) printf '========= Error: Race reported between Write and Read\n=========     at attention_mma_bf16_64+0x70\n' >"$log" ;;
initcheck) echo '========= Device not supported' >"$log"; exit 1 ;;
*) echo '========= ERROR SUMMARY: 0 errors' >"$log" ;;
esac
shift 4
exec "$@"
`,
		"ncu": `#!/bin/sh
while [ "$1" != --log-file ]; do shift; done
printf '==PROF==\n"ID","Kernel Name","gpu__time_duration.sum"\n"","","us"\n"0","gemm_wgmma_nn_bf16","12"\n' >"$2"
`,
		"python": `#!/bin/sh
echo '{"about": "a stand-in"}'
while read -r line; do echo '{"seconds": {"flash": 1e9, "cuDNN": 1e-9, "fused": 1, "cuBLAS": 1e9}, "errors": {"efficient": "no | kernel"}}'; done
`,
		"nvidia-smi":   "#!/bin/sh\necho 12.3\n",
		"gpu_torch.py": "", "run.sh": read(t, "run.sh"),
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(p.tools, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	nvml := filepath.Join(p.fake, "libnvidia-ml.so.1")
	if text, err := exec.Command("cc", "-shared", "-fPIC", "-o", nvml, filepath.Join("..", "nvml", "testdata", "fake_nvml.c")).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	wants := []string{
		"PyTorch: a stand-in.\n", "| start-up of a session, from the driver's cache | ", "| compilation of ",
		"| copy f32 (5000) | copy_b32 sm_75 | ", "| forward bf16 (1, 2, 64, 64), causal | attention_wgmma_bf16_64 sm_90a | ",
		"of best, goal 1.00, missed**", "of flash, goal 0.85, met", "| cuDNN 1e-06, fused 1000, cuBLAS 1e+12, flash 1e+12 |",
		"| decoding bf16 (2, 32/8, 1/200, 128) | attention_join_bf16, attention_split_group_bf16_128 sm_75 | ",
		"| launch of an empty kernel | cuLaunchKernel ", "| within 1 %, met |", "| memcheck | clean: ",
		"| racecheck | **failed**: attention_mma_bf16_64: ", "| initcheck | **failed**: ",
		"best ", "at others: sm_75", " tokens/s; loss ", "as told, met", "| `gemm_wgmma_nn_bf16` | gpu__time_duration.sum 12 us |", "### In all\n",
	}
	if _, err := exec.LookPath("clang++-19"); err == nil {
		if text, err := exec.Command("go", "run", "./variants", filepath.Join(p.tools, "choices")).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		wants = append(wants, "| constants of gemm_mma, product bf16 (64, 64) by (64, 256) | as it is ", "BAND.32 ")
	}
	logs := t.TempDir()
	cmd := p.command("OUT="+logs, "")
	cmd.Path, cmd.Args = filepath.Join(p.tools, "run.sh"), []string{"run.sh", "-tiny", "-item", "30s", "-python", filepath.Join(p.tools, "python")}
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 2 {
		t.Errorf("exit: %v, want 2", err)
	}
	for _, want := range wants {
		if !strings.Contains(string(out), want) {
			t.Errorf("the report does not say %q", want)
		}
	}
	report, err := os.ReadFile(filepath.Join(logs, "gpu.md"))
	if err != nil || !bytes.Contains(report, []byte("### In all")) {
		t.Errorf("the report's file: %v", err)
	}
	if rows := read(t, filepath.Join(logs, "rows.jsonl")); strings.Count(rows, "\n") < 60 {
		t.Errorf("rows in full:\n%s", rows)
	}
	if t.Failed() {
		t.Logf("%s", out)
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// until starts the program and returns what it wrote when it has written text.
func (p program) until(t *testing.T, args, text string) (*exec.Cmd, io.Reader, []byte) {
	t.Helper()
	cmd := p.command("", args)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	var all []byte
	for b := make([]byte, 4096); !bytes.Contains(all, []byte(text)); {
		n, err := out.Read(b)
		if all = append(all, b[:n]...); err != nil {
			t.Fatalf("ended before %q: %v\n%s", text, err, all)
		}
	}
	return cmd, out, all
}

// killed: what was written is there, and nothing goes on behind.
func (p program) killed(t *testing.T) {
	cmd, _, _ := p.until(t, "-only kernels", "| copy | sm_75 | ")
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		left := p.running(t)
		if len(left) == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("processes go on: %v", left)
		}
	}
}

// running are the processes of the program.
func (p program) running(t *testing.T) (pids []int) {
	t.Helper()
	names, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if exe, err := os.Readlink(name); err == nil && exe == p.binary {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(name)))
			pids = append(pids, pid)
		}
	}
	return pids
}

// ended: a run that is asked to end sums up what it has.
func (p program) ended(t *testing.T) {
	cmd, out, _ := p.until(t, "-only kernels,peaks", "| copy | sm_75 | ")
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(out)
	if err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if !bytes.Contains(rest, []byte("A signal ended the run here.")) || !bytes.Contains(rest, []byte("| optim | sm_75 | ")) && !bytes.Contains(rest, []byte("### In all")) {
		t.Errorf("the end:\n%s", rest)
	}
}

// The plan's times fit into run.sh's limit, and each section has a name of its own.
func TestPlan(t *testing.T) {
	sum, seen := time.Duration(0), map[string]bool{}
	for _, s := range append(sections(), hidden()...) {
		if sum += s.most; seen[s.name] {
			t.Errorf("two sections %q", s.name)
		}
		seen[s.name] = true
	}
	if sum > 9*time.Minute { // a minute is for what is under way then
		t.Errorf("the plan takes %v", sum)
	}
}

// The binary runs where its C library is: glibc 2.35 is Ubuntu 22.04's, Debian 12 has 2.36,
// Ubuntu 24.04 2.39. It cannot be static, because it opens the driver's library.
func TestNeeds(t *testing.T) {
	f, err := elf.Open(built(t).binary)
	if err != nil {
		t.Skip(err)
	}
	defer f.Close()
	needs, err := f.DynamicVersionNeeds()
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, lib := range needs {
		for _, v := range lib.Needs {
			number, ok := strings.CutPrefix(v.Dep, "GLIBC_2.")
			minor, err := strconv.Atoi(strings.SplitN(number, ".", 2)[0])
			if found = true; !ok || err != nil || minor > 35 {
				t.Errorf("%s: %s is newer than Ubuntu 22.04's", lib.Name, v.Dep)
			}
		}
	}
	libraries, err := f.ImportedLibraries()
	if err != nil || !found {
		t.Fatal(err, needs)
	}
	for _, lib := range libraries {
		switch strings.SplitN(lib, ".", 2)[0] {
		case "libc", "libm", "libdl", "libpthread", "libresolv", "ld-linux-x86-64", "ld-linux-aarch64":
		default:
			t.Errorf("it needs %s", lib)
		}
	}
}

func TestPaste(t *testing.T) {
	path := filepath.Join(t.TempDir(), "RESULTS.md")
	const before = "# Figures\n<!-- gpucheck: begin -->\nold\n<!-- gpucheck: end -->\nmore\n"
	if err := os.WriteFile(path, []byte(before), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := paste(path, []byte("new\n")); err != nil {
		t.Fatal(err)
	}
	if got := read(t, path); got != strings.Replace(before, "old", "new", 1) {
		t.Errorf("%s", got)
	}
	if err := os.WriteFile(path, []byte(read(t, filepath.Join("..", "..", "bench", "RESULTS.md"))), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := paste(path, []byte("new\n")); err != nil || !strings.Contains(read(t, path), "<!-- gpucheck: begin -->\nnew\n<!--") {
		t.Error(err)
	}
}
