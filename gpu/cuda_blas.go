package gpu

import (
	"errors"
	"fmt"
	mathbits "math/bits"
	"sync"
	"time"

	"attune/gpu/driver"
	"attune/gpu/mem"
)

// blasWorkspace is what cuBLASLt may take beside a product, blasPlans how many products
// are kept prepared, blasLeast the operations that a product is worth the library's
// loading from, blasSample how many values of a trial are compared at each end.
const (
	blasWorkspace = 32 << 20
	blasPlans     = 256
	blasLeast     = 1 << 28
	blasSample    = 1 << 18
)

// blas is cuBLASLt beside our own kernels: of each class of shapes, the first product
// is computed by both, and the library's way is taken from then on where it was right
// and faster on this very device. The verdict is kept with those on kernels.
type blas struct {
	names []string // of the library
	least int      // operations
	// faster compares our own kernels' time with the library's.
	faster func(own, library time.Duration) bool

	mu      sync.Mutex
	tried   bool // to open it
	lt      *driver.BLAS
	plans   map[driver.Product]*driver.Plan
	use     map[string]bool // by class
	dropped bool            // it failed in use
}

func newBLAS(names []string, least int) *blas {
	// What is hardly faster is not worth its workspace.
	faster := func(own, library time.Duration) bool { return library < own*19/20 }
	return &blas{names: names, least: least, faster: faster, plans: map[driver.Product]*driver.Plan{}, use: map[string]bool{}}
}

// close forgets the plans with their library.
func (b *blas) close() {
	if b == nil || b.lt == nil {
		return
	}
	for _, p := range b.plans {
		b.lt.Drop(p)
	}
	b.lt.Close()
	b.lt = nil
}

// open opens the first of the libraries that is there; none is no failure, but one that
// is not as it should be is told of.
func (b *blas) open(c *cuda) bool {
	if !b.tried {
		b.tried = true
		for _, name := range b.names {
			lt, err := c.openBLAS(name)
			if err == nil {
				b.lt = lt
				break
			}
			if !errors.Is(err, driver.ErrNoLibrary) {
				c.trials.tell(fmt.Sprintf("gpu: products are computed by attune's own kernels: %v", err))
			}
		}
	}
	return b.lt != nil && !b.dropped
}

func (c *cuda) openBLAS(name string) (*driver.BLAS, error) {
	ctx, ok := c.ctx.(*driver.Context)
	if !ok {
		return nil, driver.ErrNoLibrary
	}
	return ctx.OpenBLAS(name)
}

// blasCall is a product on its way to the library.
type blasCall struct {
	about driver.Product
	bias  *Tensor
	add   bool
}

// class is what verdicts hold for: types, layouts, and sizes to a power of two.
func (x *blasCall) class() string {
	p := x.about
	return fmt.Sprintf("cublaslt %d to %d turned %v %v bias %v add %v, 2^%d by 2^%d by 2^%d", p.Type, p.Out, p.TurnedA, p.TurnedB, p.Bias, x.add,
		mathbits.Len(uint(p.M)), mathbits.Len(uint(p.K)), mathbits.Len(uint(p.N)))
}

// blasOf describes a product, if the library can take it.
func blasOf(out, a, b, bias *Tensor, add bool) (*blasCall, bool) {
	types := map[DType]driver.ProductType{Float32: driver.ProductF32, Float16: driver.ProductF16, BFloat16: driver.ProductBF16}
	x := &blasCall{bias: bias, add: add}
	p := &x.about
	p.Type, p.Out, p.Bias = types[a.dtype], types[out.dtype], bias != nil
	p.M, p.N, p.K = out.shape[0], out.shape[1], a.shape[1]
	step := func(t *Tensor) (turned bool, step int) {
		if t.strides[1] == 1 || t.shape[1] == 1 {
			return false, max(t.strides[0], t.shape[1])
		}
		return true, max(t.strides[1], t.shape[0])
	}
	p.TurnedA, p.StepA = step(a)
	p.TurnedB, p.StepB = step(b)
	p.StepC = max(out.strides[0], p.N)
	repeats := false
	for _, t := range []*Tensor{out, a, b} {
		repeats = repeats || t.shape[0] > 1 && t.strides[0] == 0 || t.shape[1] > 1 && t.strides[1] == 0 || t.shape[0] == 1 || t.shape[1] == 1
	}
	return x, p.K > 0 && !repeats
}

// product computes by the library where that is settled; false where it is not used.
func (b *blas) product(c *cuda, out, x, y, bias *Tensor, add bool) (done bool, err error) {
	if b == nil || c.dry || c.trials == nil || 2*out.shape[0]*out.shape[1]*x.shape[1] < b.least {
		return false, nil
	}
	call, ok := blasOf(out, x, y, bias, add)
	if !ok {
		return false, nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.open(c) {
		return false, nil
	}
	class := call.class()
	use, known := b.use[class]
	if !known {
		if use, err = b.try(c, call, out, x, y); err != nil {
			return false, nil // for want of memory: another time
		}
		b.use[class] = use
	}
	if !use {
		return false, nil
	}
	err = b.run(c, call, out, x, y)
	var refused *driver.BLASError
	if errors.As(err, &refused) {
		b.dropped = true
		c.trials.tell(fmt.Sprintf("gpu: cuBLASLt is not used any more on %s: %v. Attune's own kernels compute the products.", c.trials.device, err))
		return false, nil
	}
	return true, err
}

// run prepares a product, or finds it prepared, and starts it.
func (b *blas) run(c *cuda, x *blasCall, out, a, y *Tensor) error {
	plan := b.plans[x.about]
	if plan == nil {
		if len(b.plans) >= blasPlans {
			for _, p := range b.plans {
				b.lt.Drop(p)
			}
			clear(b.plans)
		}
		var err error
		if plan, err = b.lt.Prepare(x.about, blasWorkspace); err != nil {
			return err
		}
		b.plans[x.about] = plan
	}
	var at uint64
	var room *mem.Block
	if plan.Workspace > 0 {
		var err error
		if room, err = c.memory.Alloc(plan.Workspace, mem.Workspace); err != nil {
			return err
		}
		at = room.Addr()
	}
	err := b.lt.Run(plan, out.address(), a.address(), y.address(), pointer(x.bias), x.add, at)
	if room != nil {
		err = errors.Join(err, room.Return())
	}
	return err
}

// try computes the product both ways into memory of its own, and compares values and
// times. An error leaves the question open.
func (b *blas) try(c *cuda, x *blasCall, out, a, y *Tensor) (use bool, err error) {
	class := x.class()
	key := trialKey(c.trials.device, fmt.Sprintf("cublaslt %d", b.lt.Version()), class)
	if faster, known := c.trials.record.verdict(key); known {
		return faster, nil
	}
	memory := mem.New("trial of "+class, deviceMemory{c.ctx, &c.outside}, func() {})
	defer func() { err = errors.Join(err, memory.Trim()) }()
	dev := newDevice("cuda", "", memory, c.unproven(memory))
	ways := []func(to *Tensor) error{
		func(to *Tensor) error { return c.ownMatmul(to, a, y, x.bias, x.add) },
		func(to *Tensor) error {
			own := *x
			own.about.StepC = to.strides[0]
			return b.run(c, &own, to, a, y)
		},
	}
	var results [2][]float32
	var took [2]time.Duration
	for i, way := range ways {
		to, err := dev.ZerosOf(out.dtype, mem.Workspace, out.shape...)
		if err != nil {
			return false, err
		}
		results[i], took[i], err = c.timed(to, way)
		var refused *driver.BLASError
		if err = errors.Join(err, to.Free()); errors.As(err, &refused) {
			c.trials.tell(fmt.Sprintf("gpu: cuBLASLt is not used for %s on %s: %v. Attune's own kernels compute the products.", class, c.trials.device, refused))
			return false, nil // and another session tries again
		} else if err != nil {
			return false, err
		}
	}
	worst, limit := 0.0, typeLimit(a.dtype)
	for i, w := range results[0] {
		worst = max(worst, difference(results[1][i], w))
	}
	if worst > limit {
		c.trials.record.add(key, class, false)
		c.trials.tell(fmt.Sprintf("gpu: cuBLASLt is not used for %s on %s: it was off by %.2g where %.2g is allowed. Attune's own kernels compute the products.",
			class, c.trials.device, worst, limit))
		return false, nil
	}
	use = b.faster(took[0], took[1])
	c.trials.record.add(key, class, use)
	return use, nil
}

// timed computes once into zeros, whose first and last values come back, and then for a
// while.
func (c *cuda) timed(to *Tensor, way func(*Tensor) error) (values []float32, took time.Duration, err error) {
	if err := way(to); err != nil {
		return nil, 0, err
	}
	flat, err := to.Reshape(to.Len())
	if err != nil {
		return nil, 0, err
	}
	n := min(to.Len(), blasSample)
	for _, lo := range []int{0, to.Len() - n} {
		part, err := flat.span(0, lo, lo+n).Float32s()
		if err != nil {
			return nil, 0, err
		}
		values = append(values, part...)
	}
	for runs := 1; ; runs *= 2 {
		begin := time.Now()
		for range runs {
			if err := way(to); err != nil {
				return nil, 0, err
			}
		}
		if err := c.ctx.Synchronize(); err != nil {
			return nil, 0, err
		}
		if took = time.Since(begin); took > 3*time.Millisecond || runs >= 256 {
			return values, took / time.Duration(runs), nil
		}
	}
}
