package gpu

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"attune/gpu/mem"
)

var rewrite = flag.Bool("update", false, "write kernels/counters.txt anew")

// counted is one line of what the fake driver counted of a launch: its numbers by name.
type counted struct {
	name string
	n    map[string]float64
}

// launched is a launch, and its instructions that went to memory.
type launched struct {
	counted
	memory []counted
}

// countersOf reads what run's launches are counted to do.
func countersOf(t *testing.T, run func() error) []launched {
	t.Helper()
	path := filepath.Join(t.TempDir(), "counts")
	t.Setenv("FAKECUDA_COUNTS", path)
	err := run()
	if err := os.Unsetenv("FAKECUDA_COUNTS"); err != nil {
		t.Fatal(err)
	}
	text, readErr := os.ReadFile(path)
	if err := errors.Join(err, readErr); err != nil {
		t.Fatal(err)
	}
	var all []launched
	for line := range strings.Lines(string(text)) {
		kind, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		name, numbers, _ := strings.Cut(rest, ": ")
		c := counted{name, map[string]float64{}}
		fields := strings.Fields(numbers)
		for i := 0; i+1 < len(fields); i += 2 {
			var x float64
			if _, err := fmt.Sscan(fields[i+1], &x); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			c.n[fields[i]] = x
		}
		if kind == "launch" {
			all = append(all, launched{counted: c})
		} else {
			all[len(all)-1].memory = append(all[len(all)-1].memory, c)
		}
	}
	return all
}

// rounded is a number that small changes of the code leave as it is.
func rounded(x float64) string { return fmt.Sprintf("%.2g", x) }

// over is how many times too many: nothing where they are as few as can be.
func over(n, least float64) string {
	if n == least {
		return fmt.Sprintf("%.0f", n)
	}
	return fmt.Sprintf("%.0f for %.0f (%.2f)", n, least, n/least)
}

func (l launched) String() string {
	var b strings.Builder
	moved := l.n["boxes"]
	for _, m := range l.memory {
		moved += 32 * m.n["sectors"]
	}
	fmt.Fprintf(&b, "%s, %.0f blocks of %.0f:", l.name, l.n["blocks"], l.n["threads"])
	fmt.Fprintf(&b, " %s instructions a byte, %.1f lanes, %.0f%% of branches split", rounded(l.n["instructions"]/moved), l.n["lanes"]/l.n["instructions"], 100*l.n["split"]/max(1, l.n["branches"]))
	fmt.Fprintf(&b, ", %.0f barriers, %.0f products, %s operations a byte", l.n["barriers"], l.n["products"], rounded(l.n["operations"]/moved))
	if l.n["divisions"] > 0 {
		fmt.Fprintf(&b, ", %.2g%% divide", 100*l.n["divisions"]/l.n["instructions"])
	}
	if l.n["waits"] > 0 {
		fmt.Fprintf(&b, ", %s bytes a lane under way", rounded(l.n["flight"]/l.n["waits"]))
	}
	b.WriteString("\n")
	fmt.Fprintf(&b, "\tmoves %s bytes", over(moved-l.n["boxes"], l.n["read"]+l.n["written"]))
	if l.n["boxes"] > 0 {
		fmt.Fprintf(&b, " and boxes of %.0f", l.n["boxes"])
	}
	b.WriteString("\n")
	for _, m := range l.memory {
		fmt.Fprintf(&b, "\t%s: %.0f", m.name, m.n["runs"])
		if m.n["waves"] > 0 {
			fmt.Fprintf(&b, ", waves %s", over(m.n["waves"], m.n["least_waves"]))
		}
		if m.n["sectors"] > 0 {
			fmt.Fprintf(&b, ", sectors %s", over(m.n["sectors"], m.n["least_sectors"]))
		}
		if m.n["worst"] > 1 {
			fmt.Fprintf(&b, ", worst %.2f", m.n["worst"])
		}
		b.WriteString("\n")
	}
	return b.String()
}

// countedCase prepares tensors and returns what is counted.
type countedCase struct {
	name       string
	capability string
	dtype      DType
	run        func(b *bench) func() error
}

func countedAttention(b *bench, q, k []int, o AttentionOptions, back bool) func() error {
	x, y, z, dout := b.like(b.dtype, q...), b.like(b.dtype, k...), b.like(b.dtype, k...), b.like(b.dtype, q...)
	return func() error {
		r, err := Attention(x, y, z, o)
		if err == nil && back {
			_, _, _, err = r.Backward(dout)
		}
		if err == nil && back && o.Bias != nil {
			_, err = r.BackwardBias(dout)
		}
		if err == nil && back && o.ALiBi != nil {
			_, err = r.BackwardALiBi(dout)
		}
		return err
	}
}

func attentionCases() []countedCase {
	causal := AttentionOptions{Causal: true}
	var all []countedCase
	for _, d := range []int{64, 128} {
		s := []int{1, 2, 256, d}
		all = append(all,
			countedCase{fmt.Sprintf("attention and its gradient, causal, (1, 2, 256, %d)", d), "80", BFloat16, func(b *bench) func() error { return countedAttention(b, s, s, causal, true) }},
			countedCase{fmt.Sprintf("attention and its gradient, causal, (1, 2, 256, %d)", d), "90", BFloat16, func(b *bench) func() error { return countedAttention(b, s, s, causal, true) }},
			countedCase{fmt.Sprintf("decoding, 8 heads on 2, 1024 keys of %d", d), "80", BFloat16, func(b *bench) func() error {
				return countedAttention(b, []int{1, 8, 1, d}, []int{1, 2, 1024, d}, AttentionOptions{}, false)
			}})
	}
	small := []int{1, 2, 128, 64}
	return append(all,
		countedCase{"attention with ALiBi and dropout, and its gradients, (1, 2, 128, 64)", "80", BFloat16, func(b *bench) func() error {
			return countedAttention(b, small, small, AttentionOptions{ALiBi: ALiBiSlopes(2), Dropout: 0.1}, true)
		}},
		countedCase{"attention with a bias, and its gradients, (1, 2, 128, 64)", "80", BFloat16, func(b *bench) func() error {
			return countedAttention(b, small, small, AttentionOptions{Bias: b.like(Float32, 1, 1, 128, 128)}, true)
		}},
		countedCase{"attention and its gradient, (1, 2, 128, 64)", "75", Float32, func(b *bench) func() error { return countedAttention(b, small, small, AttentionOptions{}, true) }})
}

// countedProduct is (m, k) by (k, n); turned operands are views.
func countedProduct(b *bench, ta, tb bool, m, k, n int) func() error {
	turn := func(turned bool, r, c int) *Tensor {
		if !turned {
			return b.like(b.dtype, r, c)
		}
		x, err := b.like(b.dtype, c, r).Permute(1, 0)
		b.err = errors.Join(b.err, err)
		return x
	}
	c, x, y := b.like(b.dtype, m, n), turn(ta, m, k), turn(tb, k, n)
	return func() error { return MatMul(c, x, y, false) }
}

func productCases() []countedCase {
	var all []countedCase
	for _, ways := range [][2]bool{{false, false}, {false, true}, {true, false}} {
		name := fmt.Sprintf("product (256, 256) by (256, 256), turned: %v, %v", ways[0], ways[1])
		for _, capability := range []string{"80", "90"} {
			all = append(all, countedCase{name, capability, BFloat16, func(b *bench) func() error { return countedProduct(b, ways[0], ways[1], 256, 256, 256) }})
		}
		all = append(all, countedCase{name, "75", Float32, func(b *bench) func() error { return countedProduct(b, ways[0], ways[1], 128, 64, 128) }})
	}
	return all
}

func countedStep(b *bench, o interface {
	Step(params, grads []*Tensor) error
}) func() error {
	p, g := []*Tensor{b.like(b.dtype, 1<<16)}, []*Tensor{b.like(b.dtype, 1<<16)}
	b.err = errors.Join(b.err, o.Step(p, g)) // the state is there
	return func() error { return o.Step(p, g) }
}

func optimizerCases() []countedCase {
	var all []countedCase
	for _, dtype := range []DType{Float32, BFloat16} {
		all = append(all,
			countedCase{"Adam, clipped, 65536 values", "80", dtype, func(b *bench) func() error {
				o := NewAdam(0.1)
				o.Clip = 1
				return countedStep(b, o)
			}},
			countedCase{"SGD, 65536 values", "80", dtype, func(b *bench) func() error { return countedStep(b, NewSGD(0.1)) }},
			countedCase{"LAMB, 65536 values", "80", dtype, func(b *bench) func() error { return countedStep(b, NewLAMB(0.1)) }})
	}
	return all
}

func rowCases() []countedCase {
	var all []countedCase
	add := func(name string, run func(b *bench) func() error) {
		for _, dtype := range []DType{Float32, BFloat16} {
			all = append(all, countedCase{name, "80", dtype, run})
		}
	}
	add("layer norm and its gradient, (64, 768)", func(b *bench) func() error {
		x, y, dx, dy := b.like(b.dtype, 64, 768), b.like(b.dtype, 64, 768), b.like(b.dtype, 64, 768), b.like(b.dtype, 64, 768)
		gain, bias, dgain, dbias := b.like(b.dtype, 768), b.like(b.dtype, 768), b.like(b.dtype, 768), b.like(b.dtype, 768)
		mean, rstd := b.like(Float32, 64), b.like(Float32, 64)
		return func() error {
			return errors.Join(LayerNorm(y, mean, rstd, x, gain, bias, 1e-5), LayerNormGrad(dx, dgain, dbias, x, dy, gain, mean, rstd))
		}
	})
	add("softmax, cross entropy and their gradients, (32, 1000)", func(b *bench) func() error {
		x, y, dx := b.like(b.dtype, 32, 1000), b.like(b.dtype, 32, 1000), b.like(b.dtype, 32, 1000)
		loss, lse, labels := b.like(Float32, 32), b.like(Float32, 32), b.add(b.dev.FromInt32s(make([]int32, 32), mem.Data, 32))
		return func() error {
			return errors.Join(Softmax(y, x), SoftmaxGrad(dx, y, x), CrossEntropy(loss, lse, x, labels), CrossEntropyGrad(dx, x, labels, lse, nil, 1))
		}
	})
	add("embedding of 64 of 100 rows of 256 and its gradient", func(b *bench) func() error {
		ids := make([]int32, 64)
		for i := range ids {
			ids[i] = int32(i * 7 % 100)
		}
		y, table, at := b.like(b.dtype, 64, 256), b.like(b.dtype, 100, 256), b.add(b.dev.FromInt32s(ids, mem.Data, 64))
		return func() error { return errors.Join(Embedding(y, table, at), EmbeddingGrad(table, y, at)) }
	})
	return all
}

func pointCases() []countedCase {
	var all []countedCase
	add := func(name string, run func(b *bench) func() error) {
		for _, dtype := range []DType{Float32, BFloat16} {
			all = append(all, countedCase{name, "80", dtype, run})
		}
	}
	add("gelu and its gradient, sum, bias, dropout, (64, 512)", func(b *bench) func() error {
		x, y, z, row := b.like(b.dtype, 64, 512), b.like(b.dtype, 64, 512), b.like(b.dtype, 64, 512), b.like(b.dtype, 512)
		return func() error {
			return errors.Join(GELU(y, x), GELUGrad(z, x, y), Add(y, x), AddBias(y, x, row), SumRows(row, x, 1), SumAxis(b.like(b.dtype, 64), x, 1, 1),
				Spread(x, row, 0, 1), Dropout(y, x, DropMask{P: 0.1}))
		}
	})
	add("copy to another type, and turned, (64, 512)", func(b *bench) func() error {
		x := b.like(b.dtype, 64, 512)
		return func() error {
			other := Float32
			if b.dtype == Float32 {
				other = BFloat16
			}
			_, err := x.As(other)
			turned, err2 := x.Permute(1, 0)
			if err := errors.Join(err, err2); err != nil {
				return err
			}
			return Copy(b.like(b.dtype, 512, 64), turned)
		}
	})
	add("convolution (4, 16, 16, 16) by (32, 16, 3, 3), pooling, batch norm, and their gradients", func(b *bench) func() error {
		x, w, y, bias := b.like(b.dtype, 4, 16, 16, 16), b.like(b.dtype, 32, 16, 3, 3), b.like(b.dtype, 4, 32, 16, 16), b.like(b.dtype, 32)
		half, mean, rstd := b.like(b.dtype, 4, 32, 8, 8), b.like(Float32, 32), b.like(Float32, 32)
		conv, pool, norm := ConvOptions{Padding: 1}, PoolOptions{Kernel: 2}, BatchNormOptions{Train: true, Momentum: 0.1, Eps: 1e-5}
		return func() error {
			return errors.Join(Conv2D(y, x, w, bias, conv), Conv2DGrad(x, w, bias, x, w, y, conv), MaxPool2D(half, y, pool), MaxPool2DGrad(y, y, half, pool),
				BatchNorm(y, mean, rstd, y, bias, bias, nil, nil, norm), BatchNormGrad(y, bias, bias, y, y, bias, mean, rstd, norm))
		}
	})
	return all
}

// What each kernel asks of memory stands in kernels/counters.txt: a change that makes it
// ask for more is seen there.
func TestCounters(t *testing.T) {
	if testing.Short() {
		t.Skip("the images run an instruction at a time")
	}
	var b strings.Builder
	b.WriteString("# Made by go test ./gpu -run Counters -update; RATIONALE.md says how to read it.\n")
	for _, c := range append(append(append(append(attentionCases(), productCases()...), optimizerCases()...), rowCases()...), pointCases()...) {
		dev := imagesDevice(t, c.capability)
		dev.back.(*cuda).fewest = 1
		operands := &bench{dev: dev, dtype: c.dtype}
		run := c.run(operands)
		if operands.err != nil {
			t.Fatal(c.name, operands.err)
		}
		fmt.Fprintf(&b, "\n== %s, %s, sm_%s\n", c.name, c.dtype, c.capability)
		for _, l := range countersOf(t, run) {
			if !strings.HasPrefix(l.name, "each_0") { // zeros that results begin with
				b.WriteString(l.String())
			}
		}
		runtime.KeepAlive(dev)
	}
	path := filepath.Join("kernels", "counters.txt")
	if *rewrite {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Error("kernels/counters.txt is stale, run: go test ./gpu -run Counters -update, and see what got worse")
	}
}
