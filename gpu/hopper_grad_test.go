package gpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

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

// hopperGradMutations are mistakes in what only the gradients for Hopper have.
var hopperGradMutations = []kernelMutation{
	// Where operands lie.
	{"attention_grad_query_wgmma_bf16_64", "attention_grad_wgmma.cu", "offset >> 4", "offset >> 5"},
	{"attention_grad_key_value_wgmma_bf16_64", "attention_grad_wgmma.cu", "offset >> 4", "offset >> 3"},
	{"attention_grad_query_wgmma_bf16_64", "attention_grad_wgmma.cu", "b + k * 128", "b + k * 64"},
	{"attention_grad_query_wgmma_bf16_128", "attention_grad_wgmma.cu", "shared_at(tile) + c / 64 * ROWS * 128", "shared_at(tile) + c / 64 * ROWS * 64"},
	{"attention_grad_key_value_wgmma_bf16_128", "attention_grad_wgmma.cu", "a + (c / 64 * ROWS * 128 + c % 64 * 2)", "a + (c / 64 * ROWS * 64 + c % 64 * 2)"},
	{"attention_grad_key_value_wgmma_bf16_64", "attention_grad_wgmma.cu", "s.held + row * 128", "s.held + row * 64"},
	{"attention_grad_query_wgmma_bf16_64", "attention_grad_wgmma.cu", "(-(int)shared_address(shared) & 1023)", "0"},
	// Waits for products, their fences and groups.
	{"attention_grad_query_wgmma_bf16_64", "attention_grad_wgmma.cu", "products_wait<1>(); // the tiles before are done with", ""},
	{"attention_grad_key_value_wgmma_bf16_64", "attention_grad_wgmma.cu", "products_wait<1>(); // the tiles before are done with", ""},
	{"attention_grad_query_wgmma_bf16_64", "attention_grad_wgmma.cu", "products_wait<1>(); // the scores are there", ""},
	{"attention_grad_key_value_wgmma_bf16_64", "attention_grad_wgmma.cu", "products_wait<1>(); // the scores are there", ""},
	{"attention_grad_query_wgmma_bf16_64", "attention_grad_wgmma.cu", "products_wait<0>(); // dP is there", ""},
	{"attention_grad_key_value_wgmma_bf16_64", "attention_grad_wgmma.cu", "products_wait<1>(); // dP is there", ""},
	{"attention_grad_query_wgmma_bf16_64", "attention_grad_wgmma.cu", "products_begin(); // the values are rounded", ""},
	{"attention_grad_key_value_wgmma_bf16_64", "attention_grad_wgmma.cu", "products_end(); // of the sums", ""},
	{"attention_grad_key_value_wgmma_bf16_64", "attention_grad_wgmma.cu", "products_end(); // of scores", ""},
	// Phases and counts.
	{"attention_grad_query_wgmma_bf16_64", "attention_grad_wgmma.cu", "step.wait(s.full);", ""},
	{"attention_grad_key_value_wgmma_bf16_64", "attention_grad_wgmma.cu", "step.wait(s.full);", ""},
	{"attention_grad_query_wgmma_bf16_64", "attention_grad_wgmma.cu", "step.wait(s.empty); // for the tiles", ""},
	{"attention_grad_key_value_wgmma_bf16_64", "attention_grad_wgmma.cu", "step.wait(s.empty); // for the tiles", ""},
	{"attention_grad_key_value_wgmma_bf16_64", "attention_grad_wgmma.cu", "step.wait(s.empty); // for lse and delta", ""},
	{"attention_grad_key_value_wgmma_bf16_64", "attention_grad_wgmma.cu", "step.release(s.empty);", ""},
	{"attention_grad_key_value_wgmma_bf16_64", "attention_grad_wgmma.cu", "n && thread_x() % 32 == 0", "thread_x() % 32 == 0"},
	{"attention_grad_key_value_wgmma_bf16_64", "attention_grad_wgmma.cu", "stage = 0, round ^= 1", "stage = 0, round ^= 0"},
	{"attention_grad_query_wgmma_bf16_64", "attention_grad_wgmma.cu", "(stage ? stage : STAGES) - 1", "stage"},
	{"attention_grad_key_value_wgmma_bf16_64", "attention_grad_wgmma.cu", "barrier_arrive(s.full + stage); // for lse and delta", ""},
	{"padded gradients", "attention_grad_wgmma.cu", "last ? s.landed : s.full + step.stage", "s.full + step.stage"},
	{"padded gradients", "attention_grad_wgmma.cu", "barrier_wait(s.landed, step.landed, step.stuck);", ""},
	{"padded gradients", "attention_grad_wgmma.cu", "step.landed ^= 1;", ""},
	// Fences between what threads write and what copies and products see.
	{"attention_grad_query_wgmma_bf16_64", "attention_grad_wgmma.cu", "async_fence(); // the barriers are there for copies", ""},
	{"attention_grad_query_wgmma_bf16_64", "attention_grad_wgmma.cu", "async_fence(); // the zeros are there for products", ""},
	// What is computed.
	{"attention_grad_query_wgmma_bf16_64", "attention_grad_wgmma.cu", "c < lo || c > hi", "c < lo || c > hi + 1"},
	{"attention_grad_query_wgmma_bf16_64", "attention_grad_wgmma.cu", "c < lo || c > hi", "c < lo - 1 || c > hi"},
	{"attention_grad_key_value_wgmma_bf16_64", "attention_grad_wgmma.cu", "low + sight.many", "low + sight.many + 1"},
	{"attention_grad_key_value_wgmma_bf16_64", "attention_grad_wgmma.cu", "i < sight.whole || i > sight.last", "i < sight.whole - 32 || i > sight.last"},
	{"attention_grad_key_value_wgmma_bf16_64", "attention_grad_wgmma.cu", "i < sight.whole || i > sight.last", "i < sight.whole || i > sight.last + 32"},
	{"attention_grad_query_wgmma_bf16_64", "attention_grad_wgmma.cu", "delta_of<E, D>(p, at, i + g + 8 * e) * a.scale", "delta_of<E, D>(p, at, i + g + 8 * e)"},
	{"attention_grad_key_value_wgmma_bf16_64", "attention_grad_wgmma.cu", "there ? delta[c] * a.scale : 0", "there ? delta[c] : 0"},
	{"padded gradients", "attention_grad_wgmma.cu", "p.seqs && r + s.COLS > rows", "false"},
	{"padded gradients", "attention_grad_wgmma.cu", "(rows - r) * 128", "(rows - r + 1) * 128"},
	{"padded gradients", "attention_grad_wgmma.cu", "thread_x() == 0 && walk.count", "thread_x() == 0"},
	{"padded gradients", "attention_grad_wgmma.cu", "thread_x() == 0 && j < end", "thread_x() == 0"},
}
