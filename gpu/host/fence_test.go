//go:build unix

package host

import (
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"unsafe"
)

// fences makes arrays that end at a page which nobody may touch, or begin behind one: what
// reads or writes one element more ends the process, in the very code that users run. (A
// compiler's sanitizer looks at its own reads and writes, not at those of most vector
// instructions.)
type fences struct {
	t     *testing.T
	front bool // arrays begin behind the page
	maps  [][]byte
}

func newFences(t *testing.T) *fences {
	f := &fences{t: t}
	t.Cleanup(f.drop)
	return f
}

func (f *fences) drop() {
	for _, m := range f.maps {
		if err := syscall.Munmap(m); err != nil {
			f.t.Error(err)
		}
	}
	f.maps = nil
}

// bytes are n of them between two pages that may not be touched, right at one of them.
func (f *fences) bytes(n int) []byte {
	page := os.Getpagesize()
	size := (n + page - 1) / page * page
	m, err := syscall.Mmap(-1, 0, size+2*page, syscall.PROT_NONE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err == nil {
		err = syscall.Mprotect(m[page:page+size], syscall.PROT_READ|syscall.PROT_WRITE)
	}
	if err != nil {
		f.t.Fatal(err)
	}
	f.maps = append(f.maps, m)
	if f.front {
		return m[page : page+n : page+n]
	}
	return m[page+size-n : page+size : page+size]
}

// fence is a copy of an array behind a fence; nil of none.
func fence[T any](f *fences, x []T) []T {
	if len(x) == 0 {
		return x
	}
	n := len(x) * int(unsafe.Sizeof(x[0]))
	out := unsafe.Slice((*T)(unsafe.Pointer(&f.bytes(n)[0])), len(x))
	copy(out, x)
	return out
}

func (f *fences) floats(rng *rand.Rand, dtype DType, n int) Floats {
	return Floats{fence(f, randomHalf(rng, n, dtype)), dtype}
}

// heads ends a view's array with its last element.
func (f *fences) heads(x Heads, b, h, t, d int) Heads {
	n := (b-1)*x.Batch + (h-1)*x.Head + (t-1)*x.Row + d
	if x.DType == F32 {
		x.Data = fence(f, x.Data[:n])
	} else {
		x.Half = fence(f, x.Half[:n])
	}
	return x
}

func (f *fences) matrix(x Matrix) Matrix {
	n := (x.Rows-1)*x.RowStride + (x.Cols-1)*x.ColStride + 1
	if min(x.Rows, x.Cols) == 0 {
		n = 0
	}
	if x.DType == F32 {
		x.Data = fence(f, x.Data[:n])
	} else {
		x.Half = fence(f, x.Half[:n])
	}
	return x
}

// fenced are calls of all vector kernels, on arrays of awkward lengths.
func fenced() map[string]func(f *fences, e *Engine, rng *rand.Rand, i int) error {
	type call = func(f *fences, e *Engine, rng *rand.Rand, dtype DType) error
	of := func(c call) func(f *fences, e *Engine, rng *rand.Rand, i int) error {
		return func(f *fences, e *Engine, rng *rand.Rand, i int) error { return c(f, e, rng, DType(i%3)) }
	}
	return map[string]func(f *fences, e *Engine, rng *rand.Rand, i int) error{
		"products": of((*fences).products), "attentions": of((*fences).attentions), "elements": of((*fences).elements),
		"rows": of((*fences).rows), "images": of((*fences).images),
		"steps": func(f *fences, e *Engine, rng *rand.Rand, i int) error { return f.steps(e, rng, Kind(i)%NumKinds) },
	}
}

// The vector kernels touch nothing beside their arrays.
func TestKernelsStayWithinTheirArrays(t *testing.T) {
	debug.SetTraceback("single")
	for _, isa := range native() {
		for name, call := range fenced() {
			t.Run(string(isa)+"/"+name, func(t *testing.T) {
				rng := rand.New(rand.NewPCG(21, 22))
				for i := range 60 {
					f := &fences{t: t, front: i/3%3 == 2}
					e, err := New(isa, 2, func(n int) ([]float32, func(), error) { return fence(f, make([]float32, n)), func() {}, nil })
					if err != nil {
						t.Fatal(err)
					}
					if err := call(f, e, rng, i); err != nil {
						t.Fatal(err)
					}
					f.drop()
				}
			})
		}
	}
}

func (f *fences) products(e *Engine, rng *rand.Rand, dtype DType) error {
	m, n, k := 1+rng.IntN(70), 1+rng.IntN(70), 1+rng.IntN(70)
	a, b := halves(normal(rng, m*k), dtype, m, k), halves(normal(rng, k*n), dtype, k, n)
	if rng.IntN(2) == 0 {
		a = halves(normal(rng, m*k), dtype, k, m).T()
	}
	if rng.IntN(2) == 0 {
		b = halves(normal(rng, k*n), dtype, n, k).T()
	}
	c := halves(make([]float32, m*n), []DType{dtype, F32}[rng.IntN(2)], m, n)
	a, b, c = f.matrix(a), f.matrix(b), f.matrix(c)
	return errors.Join(e.MatMul(c, a, b, rng.IntN(2) == 0), e.MatMulBias(c, a, b, FloatsOf(fence(f, normal(rng, n)))))
}

func (f *fences) attentions(e *Engine, rng *rand.Rand, dtype DType) error {
	tq := 1 + rng.IntN(40)
	if rng.IntN(3) == 0 {
		tq = 1 + rng.IntN(fewQueries)
	}
	a := randomAttention(rng, dtype, tq, 1+rng.IntN(80), 1+rng.IntN(40))
	for _, x := range []*Heads{&a.Q, &a.Out, &a.DOut, &a.DQ} {
		*x = f.heads(*x, a.B, a.H, a.Tq, a.D)
	}
	for _, x := range []*Heads{&a.K, &a.V, &a.DK, &a.DV} {
		*x = f.heads(*x, a.B, a.Kv, a.Tk, a.D)
	}
	a.LSE, a.Bias.Data = fence(f, a.LSE), fence(f, a.Bias.Data)
	rows := []int{0, a.Tq - 1}
	return errors.Join(e.AttentionForward(&a.Attention), e.AttentionBackward(a),
		e.AttentionWeights(&a.Attention, rows, fence(f, make([]float32, a.B*a.H*len(rows)*a.Tk))))
}

func (f *fences) elements(e *Engine, rng *rand.Rand, dtype DType) error {
	n, cols := 1+rng.IntN(300), 1+rng.IntN(90)
	of := func(n int) Floats { return f.floats(rng, dtype, n) }
	x, y, z := of(n), of(n), of(n)
	var errs []error
	for op := OpFill; op <= OpSigmoidGrad; op++ {
		errs = append(errs, e.Each(op, y, x, z, 0.5))
	}
	wide, b := of(n*cols), of(cols)
	for _, to := range []DType{F32, F16, BF16, I32} {
		view := View{fence(f, make([]byte, n*cols*to.Size())), to, []int{cols, n}, []int{n, 1}}
		errs = append(errs, e.Copy(view, View{wide.Data, dtype, []int{cols, n}, []int{1, cols}}),
			e.Copy(view, View{wide.Data, dtype, []int{cols, n}, []int{n, 1}}))
	}
	view := View{fence(f, make([]byte, n*dtype.Size())), dtype, []int{n}, []int{1}}
	errs = append(errs, e.Copy(view, View{Bytes(fence(f, whole(rng, n))), I32, []int{n}, []int{1}}))
	return errors.Join(append(errs, e.AddBias(of(n*cols), wide, b), e.SumAxis(of(cols), wide, 1, n, cols, 0.5),
		e.SumAxis(of(n), wide, n, cols, 1, 0.5), e.Spread(wide, of(n), n, cols, 1, 0.5), e.Spread(wide, b, 1, n, cols, 0.5),
		e.Dropout(of(n*cols), wide, false, Mask{Drop: 30000, Seed: 5}, n))...)
}

// whole are n whole numbers of all sizes.
func whole(rng *rand.Rand, n int) []int32 {
	x := make([]int32, n)
	for i := range x {
		x[i] = int32(rng.Uint32()) >> rng.IntN(32)
	}
	return x
}

func (f *fences) rows(e *Engine, rng *rand.Rand, dtype DType) error {
	rows, n := 1+rng.IntN(20), 1+rng.IntN(90)
	of := func(n int) Floats { return f.floats(rng, dtype, n) }
	stat := func() []float32 { return fence(f, normal(rng, rows)) }
	x, y, dx, gain, bias := of(rows*n), of(rows*n), of(rows*n), of(n), of(n)
	mean, rstd, ids := stat(), stat(), fence(f, make([]int32, rows))
	for i := range ids {
		ids[i] = int32(rng.IntN(min(rows, n)))
	}
	return errors.Join(e.Norm(y, mean, rstd, x, gain, bias, 1e-5), e.NormGrad(dx, of(n), of(n), x, y, gain, mean, rstd),
		e.Norm(y, nil, rstd, x, gain, Floats{}, 1e-5), e.Gather(y, x, ids, n), e.Scatter(dx, y, ids, n),
		e.Softmax(y, x, n, false), e.SoftmaxGrad(dx, y, x, n, false), e.Softmax(y, x, n, true), e.SoftmaxGrad(dx, y, x, n, true),
		e.CrossEntropy(mean, rstd, x, ids, Floats{}), e.CrossEntropyGrad(dx, x, ids, Floats{}, rstd, mean, 1),
		e.CrossEntropy(mean, rstd, x, nil, y), e.CrossEntropyGrad(dx, x, nil, y, rstd, mean, 1),
		f.losses(e, rng, mean, dx, x, y), e.Argmax(ids, x))
}

func (f *fences) losses(e *Engine, rng *rand.Rand, mean []float32, dx, x, y Floats) error {
	kind := []LossKind{SquaredLoss, BinaryLoss, HuberLoss}[rng.IntN(3)]
	return errors.Join(e.Loss(kind, mean, x, y, 0.5), e.LossGrad(kind, dx, x, y, len(mean), mean, 1, 0.5))
}

func (f *fences) images(e *Engine, rng *rand.Rand, dtype DType) error {
	of := func(n int) Floats { return f.floats(rng, dtype, n) }
	groups := 1 + rng.IntN(2)
	c := Conv{N: 1 + rng.IntN(2), In: groups * (1 + rng.IntN(3)), H: 5 + rng.IntN(9), W: 5 + rng.IntN(9), Out: groups * (1 + rng.IntN(9)),
		KH: 1 + rng.IntN(3), KW: 1 + rng.IntN(3), Stride: 1 + rng.IntN(2), Pad: rng.IntN(2), Dilation: 1 + rng.IntN(2), Groups: groups}
	x, y := of(c.N*c.In*c.H*c.W), of(c.N*c.Out*c.OutH()*c.OutW())
	w, bias := of(c.Out*c.In/groups*c.KH*c.KW), of(c.Out)
	p := Pool{N: c.N, C: c.In, H: c.H, W: c.W, Kernel: 2 + rng.IntN(2), Stride: 1 + rng.IntN(2), Pad: rng.IntN(2)}
	small := of(p.N * p.C * p.OutH() * p.OutW())
	return errors.Join(f.batches(e, rng, of),
		e.Conv2D(c, y, x, w, bias),
		e.Conv2DGrad(c, of(x.Len()), FloatsOf(fence(f, make([]float32, w.Len()))), FloatsOf(fence(f, make([]float32, c.Out))), x, w, y),
		e.MaxPool(p, small, x), e.MaxPoolGrad(p, of(x.Len()), x, small), e.AveragePool(p, small, x), e.AveragePoolGrad(p, of(x.Len()), small))
}

func (f *fences) batches(e *Engine, rng *rand.Rand, of func(n int) Floats) error {
	b := BatchNorm{N: 1 + rng.IntN(3), C: 1 + rng.IntN(5), Inner: 1 + rng.IntN(70), Train: rng.IntN(2) == 0, Eps: 1e-5, Momentum: 0.1}
	n := b.N * b.C * b.Inner
	stat := func() []float32 { return fence(f, normal(rng, b.C)) }
	x, mean, rstd, gain, square := of(n), stat(), stat(), of(b.C), stat()
	for i, v := range square {
		square[i] = v * v
	}
	return errors.Join(e.BatchNorm(b, of(n), mean, rstd, x, gain, of(b.C), stat(), square),
		e.BatchNormGrad(b, of(n), of(b.C), of(b.C), x, of(n), gain, mean, rstd))
}

func (f *fences) steps(e *Engine, rng *rand.Rand, k Kind) error {
	us := randomUpdates(rng, k)
	var gs []Floats
	for i := range us {
		u := &us[i]
		u.X, u.Half, u.G = fence(f, u.X), fence(f, u.Half), fence(f, u.G)
		for j := range u.S {
			u.S[j] = fence(f, u.S[j])
		}
		gs = append(gs, Floats{u.G, u.GType})
	}
	_, err := e.Update(k, Factors{Scale: 0.5, Rate: 0.1, Mean: 0.1, Square: 0.01, Correct1: 1.1, Correct2: 1.2, Eps: 1e-3}, us)
	_, err2 := e.SumSquares(gs)
	return errors.Join(err, err2)
}

// What is one element too short is noticed.
func TestFencesNoticeOneElement(t *testing.T) {
	if len(native()) == 0 {
		t.Skip("this machine has no vector kernels")
	}
	if which := os.Getenv("ATTUNE_FENCE"); which != "" {
		f, rng := newFences(t), rand.New(rand.NewPCG(23, 24))
		e, err := New(Best(), 1, nil)
		if err != nil {
			t.Fatal(err)
		}
		c, a, b := Dense(normal(rng, 9*17), 9, 17), Dense(normal(rng, 9*5), 9, 5), Dense(normal(rng, 5*17), 5, 17)
		ws := make([]float32, e.run.gemmSpace(c, a))
		if which == "whole" {
			e.run.gemm(f.matrix(c), f.matrix(a), f.matrix(b), false, nil, ws)
			return
		}
		c.Data, a.Data, b.Data = fence(f, c.Data), fence(f, a.Data), fence(f, b.Data)
		switch which {
		case "written":
			c.Data = c.Data[1:]
		case "read":
			b.Data = b.Data[1:]
		}
		e.run.gemm(c, a, b, false, nil, ws)
		return
	}
	for _, which := range []string{"whole", "read", "written"} {
		cmd := exec.Command(os.Args[0], "-test.run", "^TestFencesNoticeOneElement$")
		cmd.Env = append(os.Environ(), "ATTUNE_FENCE="+which)
		out, err := cmd.CombinedOutput()
		if died := err != nil && strings.Contains(string(out), "SIGSEGV"); died != (which != "whole") {
			t.Errorf("%s: %v\n%s", which, err, out)
		}
	}
}
