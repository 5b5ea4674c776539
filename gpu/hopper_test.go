package gpu

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"attune/gpu/driver"
	"attune/gpu/driver/fakecuda"
	"attune/gpu/mem"
)

// hopperDevice is one of capability 9.0, or skips.
func hopperDevice(t *testing.T, path string) (*Device, *cuda) {
	t.Helper()
	t.Setenv("FAKECUDA_SM", "90")
	dev, err := newCUDA(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	c := dev.back.(*cuda)
	c.fewest, c.launched = 1, map[string]int{}
	return dev, c
}

// Masks, groups, padding, packed sequences and views go through the kernels for Hopper
// as through the others: more than one tile, none, one past a tile.
func TestHopperMatchesReference(t *testing.T) {
	dev, c := hopperDevice(t, fakePath(t, nil))
	rng := rand.New(rand.NewPCG(21, 22))
	for i, s := range [][3]int{{9, 129, 64}, {129, 60, 40}, {70, 300, 128}, {140, 11, 104}, {20, 257, 64}, {33, 128, 120}} {
		for _, dtype := range []DType{Float16, BFloat16} {
			p := randomProblem(rng, dtype, s[0], s[1], s[2])
			p.check(t, dev)
			if plain := p.bias == nil && p.options.ALiBi == nil && p.options.Dropout == 0; plain && i > 0 && len(c.launched) == 0 {
				t.Errorf("%v: nothing was launched", p)
			}
			for range 2 {
				matmulCase(t, dev, rng, dtype, [3]int{8 * (1 + rng.IntN(25)), 8 * (1 + rng.IntN(40)), 8 * (1 + rng.IntN(50))})
			}
		}
	}
	for _, name := range []string{"attention_wgmma_f16_64", "attention_wgmma_bf16_64", "attention_wgmma_f16_128", "attention_wgmma_bf16_128",
		"gemm_wgmma_nn_f16", "gemm_wgmma_nt_bf16", "gemm_wgmma_tn_f16", "gemm_wgmma_tt_bf16"} {
		if c.launched[name] == 0 {
			t.Errorf("%s was not launched", name)
		}
	}
}

// paddedAttention has NaN where no query looks: what comes out must not.
func paddedAttention(t *testing.T, dev *Device) bool {
	t.Helper()
	x := make([]float32, 300*64)
	for i := range x {
		x[i] = float32(i%7) / 7
		if i >= 140*64 {
			x[i] = float32(math.NaN())
		}
	}
	v := must(must(dev.FromFloat32s(x, mem.Data, 1, 1, 300, 64))(t).As(BFloat16))(t)
	for i := range 8 { // so that copies arrive late and early
		o := AttentionOptions{KeyLengths: []int{140 * (i % 2)}}
		out, err := must(Attention(v.span(2, 0, 100), v, v, o))(t).Output.Float32s()
		if err != nil {
			t.Log(err)
			return false
		}
		for _, y := range out {
			if y != y {
				return false
			}
		}
	}
	return true
}

func TestHopperReadsNoPadding(t *testing.T) {
	dev, c := hopperDevice(t, fakePath(t, nil))
	if !paddedAttention(t, dev) {
		t.Error("a value of the padding reached the output")
	}
	if c.launched["attention_wgmma_bf16_64"] == 0 {
		t.Errorf("launched %v", c.launched)
	}
}

// hopperMutations are mistakes in what only these kernels have, by kernel: each must
// show. An empty replacement removes a statement.
var hopperMutations = []kernelMutation{
	// Descriptors.
	{"attention_wgmma_bf16_128", "wgmma.h", "1ull << 62", "2ull << 62"},
	{"attention_wgmma_bf16_128", "wgmma.h", "(u64)(1024 >> 4)", "(u64)(512 >> 4)"},
	{"attention_wgmma_bf16_128", "wgmma.h", "(u64)(leading >> 4)", "(u64)(leading >> 5)"},
	{"attention_wgmma_bf16_64", "attention_wgmma.cu", "moved(v, j * 128)", "moved(v, j * 64)"},
	{"gemm_wgmma_nn_bf16", "gemm_wgmma.cu", "TURNED_B ? 16 : DEPTH * 128", "TURNED_B ? 16 : 16"},
	{"gemm_wgmma_tn_bf16", "gemm_wgmma.cu", "group * 64 * DEPTH * 2", "group * 32 * DEPTH * 2"},
	{"attention_wgmma_bf16_64", "attention_wgmma.cu", "(-(int)shared_address(DYNAMIC_SHARED) & 1023)", "0"},
	// Waits for products, their fences and groups.
	{"attention_wgmma_bf16_64", "attention_wgmma.cu", "products_wait<1>(); // the scores are there", ""},
	{"attention_wgmma_bf16_64", "attention_wgmma.cu", "products_wait<0>(); // the values are added", ""},
	{"attention_wgmma_bf16_64", "attention_wgmma.cu", "products_begin(); // the weights are rounded, the sums rescaled", ""},
	{"attention_wgmma_bf16_64", "attention_wgmma.cu", "products_end(); // of the values", ""},
	{"gemm_wgmma_nt_f16", "gemm_wgmma.cu", "products_wait<1>(); // the tile before is done with", ""},
	{"gemm_wgmma_nt_f16", "gemm_wgmma.cu", "products_begin();", ""},
	// Phases and counts.
	{"attention_wgmma_bf16_64", "attention_wgmma.cu", "barrier_wait(s.k_empty() + stage, round ^ 1, stuck)", "barrier_wait(s.k_empty() + stage, round, stuck)"},
	{"attention_wgmma_bf16_64", "attention_wgmma.cu", "barrier_wait(s.v_empty() + stage, round ^ 1, stuck);", ""},
	{"attention_wgmma_bf16_64", "attention_wgmma.cu", "barrier_wait(s.k_full() + x.stage, x.round, x.stuck);", ""},
	{"attention_wgmma_bf16_64", "attention_wgmma.cu", "barrier_wait(s.k_full() + next, next_round, x.stuck)", "barrier_wait(s.k_full() + next, next_round ^ 1, x.stuck)"},
	{"attention_wgmma_bf16_64", "attention_wgmma.cu", "barrier_expect(s.k_full() + stage, s.TILE)", "barrier_expect(s.k_full() + stage, s.TILE / 2)"},
	{"gemm_wgmma_nt_f16", "gemm_wgmma.cu", "barrier_wait(s.full() + stage, round, stuck);", ""},
	{"gemm_wgmma_nt_f16", "gemm_wgmma.cu", "barrier_wait(s.empty() + stage, round, stuck);", ""},
	{"gemm_wgmma_nt_f16", "gemm_wgmma.cu", "(first && t > 0)", "(first && t >= 0)"},
	{"gemm_wgmma_nt_f16", "gemm_wgmma.cu", "barrier_arrive(s.empty() + (stage + STAGES - 1) % STAGES); // the last one's", ""},
	// Fences between what threads write and what copies and products see.
	{"attention_wgmma_bf16_64", "attention_wgmma.cu", "async_fence(); // the barriers are there for copies", ""},
	{"attention_wgmma_bf16_64", "attention_wgmma.cu", "async_fence(); // the zeros are there for products", ""},
	{"gemm_wgmma_nt_f16", "gemm_wgmma.cu", "warp_barrier(); // the sums are there", ""},
	// What is computed.
	{"attention_wgmma_bf16_64", "softmax.h", "c > hi", "c > hi + 1"},
	{"attention_wgmma_bf16_64", "attention_wgmma.cu", "rescale<0, D>(r.out, fix[0]), rescale<1, D>(r.out, fix[1]);", ""},
	{"padding", "attention_wgmma.cu", "p.seqs && j + COLS > w.at.tk", "false"},
	{"padding", "attention_wgmma.cu", "(w.at.tk - j) * 128", "(w.at.tk - j + 1) * 128"},
	{"padding", "attention_wgmma.cu", "barrier_wait(s.v_raw(), round, stuck);", ""},
	// Going from work to work.
	{"attention_wgmma_bf16_64", "attention_wgmma.cu", "barrier_wait(s.q_empty(), round, stuck);", ""},
	{"attention_wgmma_bf16_64", "attention_wgmma.cu", "barrier_arrive(s.q_empty()); // the last scores are there", ""},
	{"attention_wgmma_bf16_64", "attention_wgmma.cu", "advance(x.stage, x.round); // for what follows", ""},
	{"attention_wgmma_bf16_64", "attention_wgmma.cu", "take(&taken, work)", "take(&taken, work + 1)"},
	{"attention_wgmma_bf16_64", "attention_wgmma.cu", "x.turn ^ group ^ 1", "x.turn"},
}

// Where queries, keys or values do not come, no result stays unwritten: what is not as it
// should be is NaN; and the next launch finds all as it was.
func TestStuckAttentionIsNaN(t *testing.T) {
	for lost, copied := range map[string]string{
		"barrier_expect(s.q_full(), s.QUERY);":        "copy_tile<D>(s.q, &maps->q,",
		"barrier_expect(s.k_full() + stage, s.TILE);": "copy_tile<D>(s.k() + stage * s.TILE, &maps->k,",
		"barrier_expect(s.v_full() + stage, s.TILE);": "copy_tile<D>(s.v() + stage * s.TILE, &maps->v,",
	} {
		path, err := fakecuda.Build(t.TempDir(), func(name, text string) string {
			switch {
			case name == "attention_wgmma.cu":
				for _, s := range []string{lost, copied} {
					if !strings.Contains(text, s) {
						t.Fatalf("%q is not in %s", s, name)
					}
					text = strings.ReplaceAll(text, s, "if (!getenv(\"LOST\") || w.q0 > 0) "+s)
				}
			case strings.HasSuffix(name, ".cu") && name != "copy.cu" && name != "copy_turn.cu" && name != "pointwise.cu":
				return ""
			case name == "mma.h":
				return text + "\n#include <stdlib.h>\n"
			}
			return text
		}, "-O1")
		if errors.Is(err, fakecuda.ErrNoCompiler) {
			t.Skip("cannot build the fake driver:", err)
		}
		if err != nil {
			t.Fatal(err)
		}
		dev, c := hopperDevice(t, path)
		x := must(must(dev.FromFloat32s(normal(rand.New(rand.NewPCG(1, 2)), 2*3*300*64), mem.Data, 2, 3, 300, 64))(t).As(BFloat16))(t)
		r := must(Attention(x, x, x, AttentionOptions{}))(t)
		want := must(r.Output.Float32s())(t)
		again := func() []float32 {
			t.Helper()
			if err := errors.Join(Fill(r.Output, 9), AttentionInto(r, x, x, x, AttentionOptions{})); err != nil {
				t.Fatal(err)
			}
			return must(r.Output.Float32s())(t)
		}
		t.Setenv("LOST", "1")
		nan := 0
		for i, y := range again() {
			if y != y {
				nan++
			} else if y != want[i] {
				t.Fatalf("without %s: value %d is %g, want %g or NaN", lost, i, y, want[i])
			}
		}
		if nan == 0 {
			t.Errorf("without %s nothing is NaN", lost)
		}
		if err := os.Unsetenv("LOST"); err != nil {
			t.Fatal(err)
		}
		if err := same(wide(again()), wide(want)); err != nil || c.launched["attention_wgmma_bf16_64"] != 3 {
			t.Errorf("after %s was lost: %v", lost, err)
		}
	}
}

// A driver that knows no tensor maps, or refuses one, and every other capability: the
// kernels for sm_80 do the work.
func TestHopperOnlyWhereItCanBe(t *testing.T) {
	t.Setenv("FAKECUDA_SM", "90")
	old := fakePath(t, nil)
	library := bytes.ReplaceAll(must(os.ReadFile(old))(t), []byte("cuTensorMapEncodeTiled"), []byte("cuTensorMapOfTomorrows"))
	if err := os.WriteFile(old, library, 0o755); err != nil {
		t.Fatal(err)
	}
	for sm, path := range map[string]string{"90": old, "100": fakePath(t, nil), "80": fakePath(t, nil)} {
		t.Setenv("FAKECUDA_SM", sm)
		dev, err := newCUDA(path, 0)
		if err != nil {
			t.Fatal(err)
		}
		c := dev.back.(*cuda)
		c.fewest, c.launched = 1, map[string]int{}
		x := must(dev.ZerosOf(BFloat16, mem.Data, 1, 1, 64, 64))(t)
		must(Attention(x, x, x, AttentionOptions{}))(t)
		m := must(x.Reshape(64, 64))(t)
		if err := MatMul(must(dev.ZerosOf(BFloat16, mem.Data, 64, 64))(t), m, m, false); err != nil {
			t.Fatal(err)
		}
		if c.launched["attention_mma_bf16_64"] == 0 || c.launched["gemm_mma_nn_bf16"] == 0 {
			t.Errorf("sm_%s: launched %v", sm, c.launched)
		}
	}
}

// TestMapsAreRemembered: more maps than are remembered, of which many have one place, are
// each what the driver makes of them.
func TestMapsAreRemembered(t *testing.T) {
	t.Setenv("FAKECUDA_SM", "90")
	dev := fakeDevice(t, nil)
	defer runtime.KeepAlive(dev)
	c := dev.back.(*cuda)
	for round := range 2 {
		for i := range 3 * mostMaps / 2 {
			m := driver.TensorMap{BF16: i%2 > 0, Addr: 1<<20 + uint64(i%7)<<16, Rows: 64 << (i % 2), Size: [4]uint64{64, uint64(1 + i), 1, 1}, Step: [3]uint64{128, 128, 16}}
			for range 2 {
				got, err := c.mapTensor(nil, m)
				if err != nil {
					t.Fatal(err)
				}
				if want := must(c.ctx.MapTensor(m))(t); !slices.Equal(got, want[:]) {
					t.Fatalf("round %d: map %d is another's", round, i)
				}
			}
		}
	}
}
