package gpu

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"testing"

	"attune/gpu/driver/fakecuda"
	"attune/gpu/mem"
)

// Masks, groups, padding, packed sequences and views go through Hopper's backward kernels
// as through the others.
func TestHopperGradientsMatchReference(t *testing.T) {
	dev, c := hopperDevice(t, fakePath(t, nil))
	rng := rand.New(rand.NewPCG(31, 32))
	for _, s := range [][3]int{{9, 129, 64}, {129, 60, 40}, {70, 260, 128}, {200, 11, 104}, {20, 257, 64}, {193, 128, 120}} {
		for _, dtype := range []DType{Float16, BFloat16} {
			p := randomProblem(rng, dtype, s[0], s[1], s[2])
			for p.bias != nil || p.options.ALiBi != nil || p.options.Dropout > 0 {
				p = randomProblem(rng, dtype, s[0], s[1], s[2])
			}
			p.check(t, dev)
		}
	}
	for _, dtype := range []DType{Float16, BFloat16} {
		for _, size := range []int{64, 128} {
			for _, of := range []string{"query", "key_value"} {
				if name := fmt.Sprintf("attention_grad_%s_wgmma_%s_%d", of, dtype, size); c.launched[name] == 0 {
					t.Errorf("%s was not launched", name)
				}
			}
		}
	}
}

// paddedGradients has NaN in the rows that no sequence has, and keys that nobody looks
// at: what comes out has none, and zeros for those keys.
func paddedGradients(t *testing.T, dev *Device) bool {
	t.Helper()
	rows := func(heads, n, from int) *Tensor {
		x := make([]float32, heads*n*64)
		for i := range x {
			if x[i] = float32(i%7) / 7; i/64%n >= from {
				x[i] = float32(math.NaN())
			}
		}
		return must(must(dev.FromFloat32s(x, mem.Data, 1, heads, n, 64))(t).As(BFloat16))(t)
	}
	for _, c := range []struct {
		tq, tk, queries, keys int
		o                     AttentionOptions
	}{
		{100, 300, 100, 140, AttentionOptions{KeyLengths: []int{140}}},
		{100, 300, 100, 300, AttentionOptions{KeyLengths: []int{0}}},
		{90, 300, 90, 300, AttentionOptions{Window: 20}},
		{200, 200, 150, 130, AttentionOptions{CuSeqlensQ: []int{0, 70, 150}, CuSeqlensK: []int{0, 60, 130}}},
	} {
		res, err := Attention(rows(2, c.tq, c.queries), rows(1, c.tk, c.keys), rows(1, c.tk, c.keys), c.o)
		if err != nil {
			t.Log(err)
			return false
		}
		dq, dk, dv, err := res.Backward(rows(2, c.tq, c.queries))
		if err != nil {
			t.Log(err)
			return false
		}
		for _, g := range []*Tensor{dq, dk, dv} {
			values, err := g.Float32s()
			for i, x := range values {
				if x != x || c.o.Window > 0 && g != dq && i < 150*64 && x != 0 {
					t.Logf("%+v: element %d is %g", c.o, i, x)
					return false
				}
			}
			if err != nil {
				t.Log(err)
				return false
			}
		}
	}
	return true
}

func TestHopperGradientsReadNoPadding(t *testing.T) {
	dev, c := hopperDevice(t, fakePath(t, nil))
	if !paddedGradients(t, dev) {
		t.Error("a value of the padding reached a gradient")
	}
	if c.launched["attention_grad_query_wgmma_bf16_64"] == 0 || c.launched["attention_grad_key_value_wgmma_bf16_64"] == 0 {
		t.Errorf("launched %v", c.launched)
	}
}

// The same problem gives the same bits, whatever order blocks and copies come in.
func TestHopperGradientsAreTheSameEachTime(t *testing.T) {
	dev, c := hopperDevice(t, fakePath(t, nil))
	r := &trialRun{dev: dev, cpu: must(Open("cpu"))(t)}
	var first []float32
	for range 3 {
		var got []float32
		for _, of := range []string{"query", "key_value"} {
			all, err := r.hopperGradients(BFloat16, 64, of)
			got = append(got, must(readAll(all, err))(t)...)
		}
		if first == nil {
			first = got
		}
		for i, x := range got {
			if math.Float32bits(x) != math.Float32bits(first[i]) {
				t.Fatalf("element %d is %g, was %g", i, x, first[i])
			}
		}
	}
	if c.launched["attention_grad_query_wgmma_bf16_64"] == 0 {
		t.Errorf("launched %v", c.launched)
	}
}

// hopperGradMutations are mistakes in attention_grad_wgmma.cu, by kernel (of bfloat16):
// each must show. An empty replacement removes a statement.
var hopperGradMutations = []struct{ kernel, old, new string }{
	// Where operands lie.
	{"query_64", "offset >> 4", "offset >> 5"},
	{"key_value_64", "offset >> 4", "offset >> 3"},
	{"query_64", "b + k * 128", "b + k * 64"},
	{"query_128", "tile + c / 64 * ROWS * 128", "tile + c / 64 * ROWS * 64"},
	{"key_value_128", "a + (c / 64 * ROWS * 128 + c % 64 * 2)", "a + (c / 64 * ROWS * 64 + c % 64 * 2)"},
	{"key_value_64", "s.held + row * 128", "s.held + row * 64"},
	{"query_64", "(-(int)shared_address(shared) & 1023)", "0"},
	// Waits for products, their fences and groups.
	{"query_64", "products_wait<1>(); // the tiles before are done with", ""},
	{"key_value_64", "products_wait<1>(); // the tiles before are done with", ""},
	{"query_64", "products_wait<1>(); // the scores are there", ""},
	{"key_value_64", "products_wait<1>(); // the scores are there", ""},
	{"query_64", "products_wait<0>(); // dP is there", ""},
	{"key_value_64", "products_wait<1>(); // dP is there", ""},
	{"query_64", "products_begin(); // the values are rounded", ""},
	{"key_value_64", "products_end(); // of the sums", ""},
	{"key_value_64", "products_end(); // of scores", ""},
	// Phases and counts.
	{"query_64", "step.wait(s.full);", ""},
	{"key_value_64", "step.wait(s.full);", ""},
	{"query_64", "step.wait(s.empty); // for the tiles", ""},
	{"key_value_64", "step.wait(s.empty); // for the tiles", ""},
	{"key_value_64", "step.wait(s.empty); // for lse and delta", ""},
	{"key_value_64", "step.release(s.empty);", ""},
	{"key_value_64", "n && thread_x() % 32 == 0", "thread_x() % 32 == 0"},
	{"key_value_64", "stage = 0, round ^= 1", "stage = 0, round ^= 0"},
	{"query_64", "(stage ? stage : STAGES) - 1", "stage"},
	{"key_value_64", "barrier_arrive(s.full + stage); // for lse and delta", ""},
	{"padding", "last ? s.landed : s.full + step.stage", "s.full + step.stage"},
	{"padding", "barrier_wait(s.landed, step.landed, step.stuck);", ""},
	{"padding", "step.landed ^= 1;", ""},
	// Fences between what threads write and what copies and products see.
	{"query_64", "async_fence(); // the barriers are there for copies", ""},
	{"query_64", "async_fence(); // the zeros are there for products", ""},
	// What is computed.
	{"query_64", "c < lo || c > hi", "c < lo || c > hi + 1"},
	{"query_64", "c < lo || c > hi", "c < lo - 1 || c > hi"},
	{"key_value_64", "low + sight.many", "low + sight.many + 1"},
	{"key_value_64", "i < sight.whole || i > sight.last", "i < sight.whole - 32 || i > sight.last"},
	{"key_value_64", "i < sight.whole || i > sight.last", "i < sight.whole || i > sight.last + 32"},
	{"query_64", "delta_of<E, D>(p, at, i + g + 8 * e) * a.scale", "delta_of<E, D>(p, at, i + g + 8 * e)"},
	{"key_value_64", "there ? delta[c] * a.scale : 0", "there ? delta[c] : 0"},
	{"padding", "p.seqs && r + s.COLS > rows", "false"},
	{"padding", "(rows - r) * 128", "(rows - r + 1) * 128"},
	{"padding", "thread_x() == 0 && walk.count", "thread_x() == 0"},
	{"padding", "thread_x() == 0 && j < end", "thread_x() == 0"},
}

// mutatedGradients is the fake driver with all of them in it: MUTATION in the environment
// says which one is on. Only what they need is compiled.
func mutatedGradients(t *testing.T) []byte {
	t.Helper()
	const file = "attention_grad_wgmma.cu"
	library, err := fakecuda.Build(t.TempDir(), func(name, text string) string {
		switch {
		case name == "mma.h":
			return text + "\n#include <stdlib.h>\nstatic inline bool mutated(int n) { const char *e = getenv(\"MUTATION\"); return e && *e && atoi(e) == n; }\n"
		case strings.HasSuffix(name, ".cu") && name != file && name != "attention_wgmma.cu" && name != "copy.cu":
			return ""
		case name != file:
			return text
		}
		// A mark stands for each place, so that two mistakes may share one.
		for i, m := range hopperGradMutations {
			if !strings.Contains(text, m.old) {
				t.Fatalf("%q is not in %s", m.old, file)
			}
			at := fmt.Sprintf("\x01%d\x02", i)
			text = strings.ReplaceAll(text, m.old, at+m.old+"\x03")
		}
		for i, m := range hopperGradMutations {
			mark := fmt.Sprintf("\x01%d\x02", i)
			for strings.Contains(text, mark) {
				before, rest, _ := strings.Cut(text, mark)
				was, after := untilMark(rest)
				if m.new == "" {
					text = before + fmt.Sprintf("if (!mutated(%d)) ", i) + was + after
				} else {
					text = before + fmt.Sprintf("(mutated(%d) ? (%s) : (", i, m.new) + was + "))" + after
				}
			}
		}
		return text
	}, "-O1")
	if errors.Is(err, fakecuda.ErrNoCompiler) {
		t.Skip("cannot build the fake driver:", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return must(os.ReadFile(library))(t)
}

// untilMark cuts text at the end mark that belongs to a begin mark before it.
func untilMark(text string) (inside, after string) {
	depth := 0
	for i, c := range text {
		switch {
		case c == 1:
			depth++
		case c == 3 && depth == 0:
			return text[:i], text[i+1:]
		case c == 3:
			depth--
		}
	}
	return text, ""
}

func TestFakeDriverNoticesBrokenHopperGradients(t *testing.T) {
	if testing.Short() {
		t.Skip("the kernels are compiled anew")
	}
	library := mutatedGradients(t)
	agrees := func(t *testing.T, mutation, kernel string) bool {
		t.Setenv("MUTATION", mutation)
		dev, c := hopperCopy(t, library)
		defer runtime.KeepAlive(dev)
		if kernel == "padding" {
			for range 3 {
				if !paddedGradients(t, dev) {
					return false
				}
			}
			return true
		}
		of, size, _ := strings.Cut(strings.Replace(kernel, "key_value", "keyvalue", 1), "_")
		p, ok := problemOf("attention_grad_" + strings.Replace(of, "keyvalue", "key_value", 1) + "_wgmma_bf16_" + size)
		if !ok {
			t.Fatalf("%s has no problem", kernel)
		}
		return alwaysAgrees(t, p, c)
	}
	sound := map[string]bool{}
	for i, m := range hopperGradMutations {
		if !sound[m.kernel] && !agrees(t, "", m.kernel) {
			t.Fatalf("%s fails as it is", m.kernel)
		}
		sound[m.kernel] = true
		t.Run(m.old, func(t *testing.T) {
			if agrees(t, fmt.Sprint(i), m.kernel) {
				t.Error("nobody noticed")
			}
		})
	}
}
