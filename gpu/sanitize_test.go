package gpu

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"testing"
	"time"

	"attune/gpu/driver/fakecuda"
	"attune/gpu/kernels"
)

// sanitizedLibrary names the fake driver that a child of the test runs on.
const sanitizedLibrary = "ATTUNE_SANITIZED_CUDA"

// The kernels, compiled for the host, run under AddressSanitizer and
// UndefinedBehaviorSanitizer in a child process: every read and write of device and
// shared memory is checked. A kernel that reads past its rows must be noticed.
func TestKernelsUnderSanitizers(t *testing.T) {
	if path := os.Getenv(sanitizedLibrary); path != "" {
		sanitizedWork(t, path)
		return
	}
	if testing.Short() {
		t.Skip("the kernels are compiled anew")
	}
	runtime, err := exec.Command("c++", "-print-file-name=libasan.so").Output()
	preload := strings.TrimSpace(string(runtime))
	if err != nil || !filepath.IsAbs(preload) {
		t.Skip("no AddressSanitizer for c++")
	}
	// The race detector and AddressSanitizer want the same addresses: a binary without it.
	binary := filepath.Join(t.TempDir(), "gpu.test")
	if out, err := exec.Command("go", "test", "-c", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("build the tests without the race detector: %v\n%s", err, out)
	}
	for _, c := range []struct{ name, file, old, new string }{
		{name: "as they are"},
		{"reading past the rows", "attention.h", "first + r < rows && c < d", "c < d"},
		{"reading past the logits", "layers.h", "get(o, at, j, x)", "get(o, at + 4096, j, x)"},
		{"turning past the rows", "copy_turn.cu", "(i & ((1 << high) - 1), rows - 1)", "(i & ((1 << high) - 1), rows + 4096)"},
		{"writing past the shared memory", "attention.cu", "ps[row * (COLS + 1) + lane + LANES * x] = ", "ps[row * (COLS + 5) + lane + LANES * x] = "},
	} {
		t.Run(c.name, func(t *testing.T) {
			edit := func(file, text string) string {
				if file == c.file {
					text = strings.ReplaceAll(text, c.old, c.new)
				}
				if strings.HasSuffix(file, "_wgmma.cu") {
					return strings.ReplaceAll(text, "#if SIZE(64)", "#if 1")
				}
				return strings.ReplaceAll(text, "#define SIZE(n) 1", "#define SIZE(n) (n == 32)")
			}
			// Threads are fibers, whose stacks the sanitizer cannot follow; with more than
			// -O0 the compiler takes minutes over what it adds.
			library, err := fakecuda.Build(t.TempDir(), edit, "-O0", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "--param", "asan-stack=0")
			if errors.Is(err, fakecuda.ErrNoCompiler) {
				t.Skip("cannot build the fake driver:", err)
			}
			if err != nil {
				t.Fatal(err)
			}
			sms := []string{"75", "80"}
			if c.old == "" {
				sms = append(sms, "90")
			}
			for _, sm := range sms {
				ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
				defer cancel()
				cmd := exec.CommandContext(ctx, binary, "-test.run", "^TestKernelsUnderSanitizers$")
				cmd.Env = append(os.Environ(), sanitizedLibrary+"="+library, "FAKECUDA_SM="+sm, "LD_PRELOAD="+preload, "ASAN_OPTIONS=detect_leaks=0")
				out, err := cmd.CombinedOutput()
				reported := strings.Contains(string(out), "runtime error: ") || strings.Contains(string(out), "AddressSanitizer")
				if edited := c.old != ""; reported != edited || !edited && err != nil {
					t.Fatalf("sm_%s: reported: %v, %v\n%s", sm, reported, err, out)
				}
			}
		})
	}
}

// sanitizedWork runs every kernel of head size 32, the products and the layers, on odd
// shapes.
func sanitizedWork(t *testing.T, path string) {
	dev, err := newCUDA(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(13, 14))
	if c := dev.back.(*cuda); c.hasHopper() {
		defer goruntime.KeepAlive(dev)
		c.fewest = 1
		for _, name := range []string{"attention_wgmma_bf16_64", "attention_grad_query_wgmma_bf16_64", "attention_grad_key_value_wgmma_bf16_64", "gemm_wgmma_nn_bf16", "gemm_wgmma_tt_f16"} {
			p, ok := problemOf(name)
			if !ok {
				t.Fatal(name, "has no problem")
			}
			if worst, limit, err := p.try(c); err != nil || worst > limit {
				t.Errorf("%s: off by %g, %v", name, worst, err)
			}
		}
		return
	}
	for i := range 12 {
		p := randomProblem(rng, DType(i%3), 9+rng.IntN(60), 1+rng.IntN(80), []int{8, 16, 17, 32}[i%4])
		if i < 3 { // the way that is cut along the keys
			p = randomProblem(rng, DType(i%3), 3, 300, 24)
		}
		p.check(t, dev)
	}
	for i := range 6 {
		matmulCase(t, dev, rng, DType(i%3), [3]int{1 + rng.IntN(140), 8 * (1 + rng.IntN(9)), 8 * rng.IntN(9)})
	}
	for i := range 3 {
		for _, c := range layerChecks(DType(i)) {
			if check := compare(c.name, c.limit, dev, must(Open("cpu"))(t), c.run); !check.OK() {
				t.Errorf("%+v", check)
			}
		}
	}
	for _, image := range []string{"copy", "copy_turn", "optim"} {
		for _, name := range kernels.Entries(must(kernels.PTX(image))(t)) {
			p, _ := problemOf(name)
			if worst, limit, err := p.try(dev.back.(*cuda)); err != nil || worst > limit {
				t.Errorf("%s: off by %g, %v", name, worst, err)
			}
		}
	}
}
