package gpu

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"attune/gpu/driver/fakecuda"
)

// kernelMutation is a mistake in a kernel's source that the kernel's trial, or a check
// of that name, must notice; an empty replacement removes a statement.
type kernelMutation struct{ kernel, file, old, new string }

// mutationMark stands in the library: the number behind it is the mutation that is on.
const mutationMark, noMutation = "the mutation that is on: ", "0000"

// mutableLibrary is the fake driver with all mutations in it, counted from 1.
func mutableLibrary(t *testing.T, mutations []kernelMutation) []byte {
	t.Helper()
	library, err := fakecuda.Build(t.TempDir(), func(name, text string) string {
		text = mutable(t, mutations, name, text)
		switch {
		case strings.HasSuffix(name, "_wgmma.cu"):
			return strings.ReplaceAll(text, "#if SIZE", "#if 1 || SIZE")
		case name == "device.h":
			text += "\nstatic volatile char mutation_mark[] = \"" + mutationMark + noMutation + "\";\n" + `
static int mutation_read()
{
	int n = 0;
	for (size_t i = sizeof mutation_mark - 5; mutation_mark[i]; i++) n = n * 10 + (mutation_mark[i] - '0');
	return n;
}
static const int mutation_on = mutation_read();
static inline bool mutated(int n) { return mutation_on == n; }
`
		}
		return only32(text)
	}, "-O1")
	if errors.Is(err, fakecuda.ErrNoCompiler) {
		t.Skip("cannot build the fake driver:", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return must(os.ReadFile(library))(t)
}

// mutable is a source with its mutations in it. A mark stands for each place first, so
// that two mistakes may share one.
func mutable(t *testing.T, mutations []kernelMutation, file, text string) string {
	t.Helper()
	for i, m := range mutations {
		if m.file != file {
			continue
		}
		if !strings.Contains(text, m.old) {
			t.Fatalf("%q is not in %s, or a mistake before it has taken it apart", m.old, file)
		}
		text = strings.ReplaceAll(text, m.old, fmt.Sprintf("\x01%d\x02%s\x03", i, m.old))
	}
	for i, m := range mutations {
		mark := fmt.Sprintf("\x01%d\x02", i)
		for strings.Contains(text, mark) {
			before, rest, _ := strings.Cut(text, mark)
			was, after := untilMark(rest)
			if m.new == "" {
				text = before + fmt.Sprintf("if (!mutated(%d)) ", i+1) + was + after
			} else {
				text = before + fmt.Sprintf("(mutated(%d) ? (%s) : (", i+1, m.new) + was + "))" + after
			}
		}
	}
	return text
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

// mutationChecks notice what no trial of one kernel can.
func mutationChecks() map[string]func(t *testing.T, dev *Device) bool {
	return map[string]func(t *testing.T, dev *Device) bool{
		"padding": paddedAttention, "padded gradients": paddedGradients, "guards": guardsAgree,
	}
}

// agreesMutated is whether the kernel's trial, or the check of that name, agrees each
// time with one of the mutations on, or none.
func agreesMutated(t *testing.T, library []byte, mutation int, kernel string) bool {
	t.Helper()
	path := filepath.Join(t.TempDir(), "libcuda.so.1") // after a failure the state is spoilt
	library = bytes.ReplaceAll(library, []byte(mutationMark+noMutation), fmt.Appendf(nil, "%s%04d", mutationMark, mutation))
	if err := os.WriteFile(path, library, 0o755); err != nil {
		t.Fatal(err)
	}
	dev, err := newCUDA(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer runtime.KeepAlive(dev)
	c := dev.back.(*cuda)
	c.fewest = 1
	check := mutationChecks()[kernel]
	p, ok := problemOf(kernel)
	if check == nil && !ok {
		t.Fatalf("%s has no problem", kernel)
	}
	tries := 1
	if mutation != 0 {
		tries = 4 // so that copies arrive late and early, and threads run in other orders
	}
	for range tries {
		if check != nil {
			if !check(t, dev) {
				return false
			}
			continue
		}
		worst, limit, err := p.try(c)
		if err != nil || worst > limit {
			t.Logf("off by %g, %v", worst, err)
			return false
		}
	}
	return true
}

// TestTrialsNoticeBrokenKernels turns the mutations on one by one: with each the kernel's
// trial must fail, and without any agree.
func TestTrialsNoticeBrokenKernels(t *testing.T) {
	if testing.Short() {
		t.Skip("the kernels are compiled anew")
	}
	t.Setenv("FAKECUDA_SM", "90")
	all := slices.Concat(portableMutations, tensorMutations, hopperMutations, hopperGradMutations, guardMutations)
	library := mutableLibrary(t, all)
	sound := map[string]bool{}
	numbers := make(chan int)
	var wg sync.WaitGroup
	for range runtime.NumCPU() {
		wg.Go(func() {
			for n := range numbers {
				m := all[max(n, -n)-1]
				if n < 0 {
					t.Run(m.kernel+" as it is", func(t *testing.T) {
						if !agreesMutated(t, library, 0, m.kernel) {
							t.Error("fails without any mistake")
						}
					})
					continue
				}
				t.Run(m.kernel+" "+m.old, func(t *testing.T) {
					if agreesMutated(t, library, n, m.kernel) {
						t.Error("nobody noticed")
					}
				})
			}
		})
	}
	for i, m := range all {
		if !sound[m.kernel] {
			sound[m.kernel] = true
			numbers <- -(i + 1)
		}
		numbers <- i + 1
	}
	close(numbers)
	wg.Wait()
}

// portableMutations are mistakes in the kernels that need no tensor cores: barriers,
// masks, bounds, sums.
var portableMutations = []kernelMutation{
	// Copies.
	{"copy_b16", "copy.cu", "first + e * THREADS < p.n", "first + e * THREADS < p.n - 1"},
	{"copy_b16", "copy.cu", "thread_x() < p.tail", "thread_x() < p.tail - 1"},
	{"copy_f32_bf16", "copy.h", "from[n] += at * p.from[axis];", ""},
	{"copy_f32_bf16", "copy.h", "over * (u32)p.shape[axis]", "over * (u32)(p.shape[axis] - 1)"},
	{"copy_i32_bf16", "copy.h", "sticky(x)", "x"},
	{"turn_b16", "copy_turn.cu", "barrier(); // the matrices' places are there", ""},
	{"turn_f32_f16", "copy_turn.cu", "barrier(); // the square is there", ""},
	{"turn_b32", "copy_turn.cu", "barrier(); // the tile is there", ""},
	{"turn_b16", "copy_turn.cu", "row < rows", "row < rows - 1"},
	{"turn_b16", "copy_turn.cu", "column < columns", "column < columns - 1"},
	{"turn_b16", "copy_turn.cu", "matrix < matrices", "matrix < matrices - 1"},
	// Rows.
	{"norm", "rows.cu", "(row >= p.rows)", "(row >= p.rows - 1)"},
	{"norm", "rows.cu", "warp_sum(mean)", "mean"},
	{"norm", "rows.cu", "warp_sum(square)", "square"},
	{"norm_grad", "rows.cu", "t = warp_sum(t) / (float)p.n;", ""},
	{"norm_params", "rows.cu", "barrier(); // both halves are there", ""},
	{"norm_params", "rows.cu", "half >= 32", "half > 32"},
	{"norm_params", "rows.cu", "row < end", "row < end - 1"},
	{"norm_params", "rows.cu", "column >= p.n", "column > p.n"},
	{"softmax_rows_grad", "rows.cu", "s = warp_sum(s);", ""},
	{"cross_entropy", "rows.cu", "loss = warp_sum(loss);", ""},
	{"cross_entropy_grad", "rows.cu", "if (label < 0) return;", ""},
	{"cross_entropy", "rows.cu", "label < 0", "label < 1"},
	{"cross_entropy_grad", "rows.cu", "total = warp_sum(total);", ""},
	{"pair_loss", "rows.cu", "p.delta * (far - p.delta / 2)", "p.delta * (far - p.delta)"},
	{"pair_loss", "rows.cu", "warp_sum(sum) / (float)p.n", "sum / (float)p.n"},
	{"pair_loss_grad", "rows.cu", "(i >= p.rows * p.n)", "(i >= p.rows * p.n - 1)"},
	{"pair_loss_grad", "rows.cu", "(i >= p.rows * p.n)", "(i > p.rows * p.n)"},
	{"argmax", "rows.cu", "v == w && i < j", "v == w && i > j"},
	{"argmax", "rows.cu", "shuffle_xor(best, mask)", "shuffle_xor(best, 1)"},
	// Each value once, and sums along an axis.
	{"each_6", "pointwise.cu", "a > 0", "a >= 1"},
	{"each_11", "pointwise.cu", "x2 < 0.04f", "x2 < 4"},
	{"add_bias", "pointwise.cu", "load(p.b, i % p.inner)", "load(p.b, i % p.outer)"},
	{"spread", "pointwise.cu", "i / (p.middle * p.inner) * p.inner", "i / p.middle"},
	{"sum_axis", "pointwise.cu", "barrier(); // both halves are there", ""},
	{"sum_axis", "pointwise.cu", "half > 0", "half > 1"},
	{"sum_axis", "pointwise.cu", "m < end", "m < end - 1"},
	{"sum_axis", "pointwise.cu", "column >= p.inner", "column > p.inner"},
	{"scatter", "pointwise.cu", "barrier(); // nothing is marked, and all have done with the ids before", ""},
	{"scatter", "pointwise.cu", "barrier(); // the ids and the marks are there", ""},
	{"scatter", "pointwise.cu", "barrier(); // all have read the marks", ""},
	{"scatter", "pointwise.cu", "i < p.count", "i < p.count - 1"},
	{"scatter", "pointwise.cu", "j < (k + 1) * THREADS", "j < (k + 1) * THREADS - 1"},
	{"gather_b16", "pointwise.cu", "id * p.n + i % p.n", "id * p.n + i % (p.n - 1)"},
	{"gather_b32", "pointwise.cu", "id < p.vocabulary", "id + 1 < p.vocabulary"},
	{"dropout", "pointwise.cu", "p.first + g / groups", "g / groups"},
	{"dropout", "pointwise.cu", "e % 2 * 16", "e % 2 * 15"},
	// Optimizers.
	{"update_3", "optim.cu", "s.n - i", "s.n - i - 1"},
	{"update_0", "optim.cu", "s.n - i", "s.n - i + 1"},
	{"update_3h", "optim.cu", "left >= 4", "left >= 3"},
	{"sum_squares", "optim.cu", "(e + n * THREADS < left)", "(e + n * THREADS < left - 1)"},
	{"sum_squares", "optim.cu", "n * THREADS + thread_x()", "thread_x()"},
	{"update_3", "optim.cu", "slots[mid].first <= block_x()", "slots[mid].first < block_x()"},
	{"update_2", "optim.cu", "d + p.momentum * v", "d + v"},
	{"update_10", "optim.cu", "barrier(); // all have done with the sum before", ""},
	{"sum_squares", "optim.cu", "barrier(); // both halves are there", ""},
	{"sum_squares", "optim.cu", "half > 0", "half > 1"},
	{"update_10", "optim.cu", "uu = block_sum(uu);", ""},
	{"trust_ratio", "optim.cu", "n < s.n", "n < s.n - 1"},
	{"trust_ratio", "optim.cu", "o + p.decay * w", "o"},
	{"trust_ratio", "optim.cu", "rate *= p.rates[number];", ""},
	// Images.
	{"conv", "image.cu", "barrier(); // all have done with the tile before", ""},
	{"conv", "image.cu", "barrier(); // the tile is there", ""},
	{"conv_weights", "image.cu", "barrier(); // the tile is there", ""},
	{"conv", "image.cu", "h >= p.sh", "h > p.sh"},
	{"conv", "image.cu", "r >= p.m", "r > p.m"},
	{"conv", "image.cu", "q >= places", "q > places"},
	{"conv", "image.cu", "r < p.m && k < p.k", "k < p.k - 1 && r < p.m"},
	{"conv_weights", "image.cu", "r < p.m && k < p.k", "k < p.k - 1 && r < p.m"},
	{"max_pool", "image.cu", "v > top", "v < top"},
	{"max_pool_grad", "image.cu", "v > top", "v >= top"},
	{"max_pool", "image.cu", "v != v && top == top", "v != v && false"},
	{"average_pool", "image.cu", "h + p.kernel < p.h", "h + p.kernel < p.h - 1"},
	{"average_pool_grad", "image.cu", "(past + p.stride - 1) / p.stride", "past / p.stride"},
	{"max_pool_grad", "image.cu", "j < p.ow", "j < p.ow - 1"},
	{"batch_norm", "image.cu", "barrier(); // all have read the sum before", ""},
	{"batch_norm", "image.cu", "barrier(); // both halves are there", ""},
	{"batch_norm_grad", "image.cu", "barrier(); // the sum is there", ""},
	{"batch_norm", "image.cu", "(float)(count - 1)", "(float)count"},
	{"batch_norm", "image.cu", "THREADS / 2", "THREADS / 4"},
	{"batch_norm_grad", "image.cu", "hat * t", "0.0f"},
	// Few queries.
	{"attention_split_group_f32_32", "attention_split.cu", "barrier(); // all have done with the row before", ""},
	{"attention_split_f32_32", "attention_split.cu", "barrier(); // the slots' sums are there", ""},
	{"attention_split_group_bf16_32", "attention_split.cu", "j < end", "j < end + 1"},
	{"attention_split_f32_32", "attention_split.cu", "(part + 1) * (int)p.keys", "(part + 1) * (int)p.keys + 1"},
	{"attention_split_f32_32", "attention_split.cu", "s = row_sum<LANES>(s);", ""},
	{"attention_split_group_f32_32", "attention_split.cu", "n % tq", "n / tq"},
	{"attention_split_group_f32_32", "attention_split.cu", "r0 + r < queries", "r0 + r < queries - 1"},
	{"attention_split_f32_32", "attention_split.cu", "c <= D", "c < D"},
	{"attention_join_f32", "attention_split.cu", "exp2_fast(parts[s * (a.d + 2) + a.d] - safe)", "1.0f"},
	{"attention_join_f16", "attention_split.cu", "c < a.d", "c < a.d - 1"},
	// Gradients by what is added to scores.
	{"attention_bias_grad_f32_32", "attention_bias.cu", "barrier(); // all have done with the keys before", ""},
	{"attention_bias_grad_f32_32", "attention_bias.cu", "barrier(); // all have done with the queries before", ""},
	{"attention_bias_grad_f32_32", "attention_bias.cu", "barrier(); // the tiles are there", ""},
	{"attention_bias_grad_f32_32", "attention_bias.cu", "barrier(); // the sums are there", ""},
	{"attention_bias_grad_f32_32", "attention_bias.cu", "(int)p.batches", "1"},
	{"attention_bias_grad_f32_32", "attention_bias.cu", "(int)a.heads", "1"},
	{"attention_bias_grad_f32_32", "attention_bias.cu", "p.nq == 1 && y < ROWS", "p.nq == 1 && y < ROWS - 1"},
	{"attention_bias_grad_bf16_32", "attention_bias.cu", "k0 + ROWS > q0 + at.shift - at.left", "k0 > q0 + at.shift - at.left"},
	{"attention_bias_grad_f32_32", "attention_bias.cu", "k0 + c >= a.tk", "k0 + c > a.tk"},
	{"attention_bias_grad_f16_32", "attention_bias.cu", "keep(a, at, i, j)", "1.0f"},
	{"attention_bias_grad_f16_32", "attention_bias.cu", "rest / (int)a.tiles % (int)p.nh", "0"},
	{"attention_slopes_grad_f32_32", "attention_bias.cu", "barrier(); // the queries are there", ""},
	{"attention_slopes_grad_f32_32", "attention_bias.cu", "barrier(); // the keys are there", ""},
	{"attention_slopes_grad_f32_32", "attention_bias.cu", "barrier(); // all have done with the keys before", ""},
	{"attention_slopes_grad_f32_32", "attention_bias.cu", "n < THREADS", "n < THREADS - 1"},
	{"attention_slopes_grad_bf16_32", "attention_bias.cu", "(far < 0 ? -far : far)", "far"},
	{"attention_slopes_join", "attention_bias.cu", "n < p.n", "n < p.n - 1"},
	// Attention with float32 arithmetic.
	{"attention_f32_32", "attention.cu", "barrier(); // the tile is there", ""},
	{"attention_weights_f32_32", "attention.cu", "barrier(); // the tile is there", ""},
	{"attention_bf16_32", "attention.cu", "barrier(); // all have done with the tile before", ""},
	{"attention_weights_f32_32", "attention.cu", "barrier(); // all have done with the tile before", ""},
	{"attention_f32_32", "attention.h", "far <= s.right", "far < s.right"},
	{"attention_f32_32", "attention.h", "c[1] = (unsigned)i", "c[1] = (unsigned)i + 1"},
	{"attention_grad_query_f32_32", "attention_grad.cu", "barrier(); // the tile is there", ""},
	{"attention_grad_query_f32_32", "attention_grad.cu", "barrier(); // the rows of dS are there", ""},
	{"attention_grad_key_value_f32_32", "attention_grad.cu", "barrier(); // the columns of P and dS are there", ""},
	{"attention_grad_key_value_f32_32", "attention_grad.cu", "barrier(); // all have done with the tile before", ""},
	{"attention_grad_key_value_f32_32", "attention_grad.cu", "at.kv * (int)a.group + g", "at.kv * (int)a.group"},
}

// tensorMutations are mistakes in the kernels for tensor cores from sm_80 on.
var tensorMutations = []kernelMutation{
	{"attention_mma_bf16_32", "attention_mma.cu", "barrier(); // the keys are there, and all have done with the values before", ""},
	{"attention_mma_bf16_32", "attention_mma.cu", "barrier(); // the values are there, and all have done with the keys", ""},
	{"attention_mma_bf16_32", "attention_mma.cu", "copies_wait<0>();", ""},
	{"attention_mma_f16_32", "softmax.h", "c > hi", "c > hi + 1"},
	{"attention_mma_f16_32", "softmax.h", "top[0] = m0, top[1] = m1;", ""},
	{"attention_mma_f16_32", "softmax.h", "rescale<0, D>(out, fix0), rescale<1, D>(out, fix1);", ""},
	{"attention_mma_f16_32", "softmax.h", "sum[0] *= fix0, sum[1] *= fix1;", ""},
	{"attention_mma_full_f16_32", "mma.h", "word >> 16 < p.drop", "hi >> 16 < p.drop"},
	{"attention_grad_query_mma_bf16_32", "attention_grad_mma.cu", "barrier(); // the tile is there, and all have done with the one before", ""},
	{"attention_grad_key_value_mma_bf16_32", "attention_grad_mma.cu", "barrier(); // the tile is there, and all have done with the one before", ""},
	{"attention_grad_query_mma_bf16_32", "attention_grad_mma.cu", "copies_wait<0>();", ""},
	{"attention_grad_key_value_mma_bf16_32", "attention_grad_mma.cu", "copies_wait<0>();", ""},
	{"attention_grad_query_mma_bf16_32", "grad_mma.h", "c > hi", "c > hi + 1"},
	{"attention_grad_key_value_mma_bf16_32", "grad_mma.h", "c < lo", "c < lo + 1"},
	{"attention_grad_query_mma_full_f16_32", "grad_mma.h", "(y - delta)", "y"},
	{"attention_grad_key_value_mma_full_f16_32", "attention_grad_mma.cu", "(y * m - delta[c])", "(y - delta[c])"},
	{"attention_grad_key_value_mma_full_f16_32", "attention_grad_mma.cu", "x = w * m", "x = w"},
	{"attention_grad_key_value_mma_bf16_32", "attention_grad_mma.cu", "n / turn.count", "0"},
	{"gemm_mma_nn_bf16", "gemm_mma.cu", "barrier(); // the tile is there, and all have done with the one before", ""},
	{"gemm_mma_nn_bf16", "gemm_mma.cu", "copies_wait<STAGES - 2>()", "copies_wait<STAGES - 1>()"},
	{"gemm_f32", "gemm.cu", "barrier(); // the tile is there", ""},
	{"gemm_f32", "gemm.cu", "barrier(); // all have done with the tile before", ""},
	{"attention_bias_grad_mma_bf16_32", "attention_bias_mma.cu", "barrier(); // all have done with the tiles before", ""},
	{"attention_bias_grad_mma_bf16_32", "attention_bias_mma.cu", "if (fresh) take_keys<E>(t, a, at, k0);", ""},
	{"attention_bias_grad_mma_bf16_32", "attention_bias_mma.cu", "barrier(); // the tiles are there", ""},
	{"attention_bias_grad_mma_bf16_32", "attention_bias_mma.cu", "barrier(); // the sums are there", ""},
	{"attention_bias_grad_mma_f16_32", "attention_bias_mma.cu", "copies_wait<0>();", ""},
	{"attention_bias_grad_mma_f16_32", "attention_bias_mma.cu", "(int)p.batches", "1"},
	{"attention_bias_grad_mma_f16_32", "attention_bias_mma.cu", "(int)a.heads", "1"},
	{"attention_bias_grad_mma_f16_32", "attention_bias_mma.cu", "k0 + c < a.tk", "k0 + c <= a.tk"},
	{"attention_bias_grad_mma_f16_32", "attention_bias_mma.cu", "r < p.nq", "r < p.nq - 1"},
	{"attention_bias_grad_mma_f16_32", "attention_bias_mma.cu", "k0 + COLS <= q0 + at.shift - at.left", "k0 <= q0 + at.shift - at.left"},
	{"attention_bias_grad_mma_f16_32", "attention_bias_mma.cu", "acc[n][e] + acc[n][e + 2]", "acc[n][e]"},
	{"attention_bias_grad_mma_f16_32", "attention_bias_mma.cu", "sums[1][c] + sums[2][c]", "sums[1][c]"},
	{"attention_bias_grad_mma_f16_32", "attention_bias_mma.cu", "mask < 32", "mask < 16"},
	{"attention_slopes_grad_mma_bf16_32", "attention_bias_mma.cu", "barrier(); // the tiles are there", ""},
	{"attention_slopes_grad_mma_f16_32", "attention_bias_mma.cu", "barrier(); // all have done with the keys before", ""},
	{"attention_slopes_grad_mma_f16_32", "attention_bias_mma.cu", "e / 2 * 8", "0"},
	{"attention_slopes_grad_mma_f16_32", "attention_bias_mma.cu", "n < THREADS", "n < THREADS - 1"},
	{"attention_grad_query_mma_full_f16_32", "grad_mma.h", "j + n * 8 + 2 * t + e", "j + n * 8 + 2 * t"},
	{"attention_grad_key_value_mma_f16_32", "attention_grad_mma.cu", "j - at.shift - at.right - i", "j - at.shift - at.right - i - 1"},
}
