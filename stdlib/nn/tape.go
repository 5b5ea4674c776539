package nn

import (
	"errors"
	"fmt"

	"attune/gpu"
	"attune/gpu/mem"
)

// Tape records what was computed so that Backward can go through it in reverse
// (reverse-mode automatic differentiation). It owns all tensors in between and gives
// each back at its last use: Backward frees what lies behind it, and Free the rest. A
// tape serves one forward and one backward pass.
type Tape struct {
	// KeepWeights asks every attention for its weights, see Weights.
	KeepWeights bool
	// Weights holds the (B, H, T, T) weights of each attention so far, in order.
	// They live until Free.
	Weights []*gpu.Tensor
	// Seed chooses what dropout takes away, and First is the number of this batch's
	// first example in the whole batch of which it is a part: parts of a batch then
	// lose what the whole would lose.
	Seed  uint64
	First int
	// Checkpoint says which segments keep nothing of their inside between forward and
	// backward and are computed twice; nil: none. See Segment.
	Checkpoint func(segment string) bool

	dev       *gpu.Device
	training  bool
	precision gpu.DType
	net       *Net // whose copies in half go with an evaluation's tape
	shadows   map[*Param]*Param
	*frame
	cache *Cache // of Net.Continue
	again bool   // a checkpointed segment is being computed for the second time
	asked bool   // a layer reads the weights of the attention that is being computed
	keep  *Value // what the backward pass that is running does not free
	drops uint32
	scope []scope
	ops   []Op
	next  Op // of the operation that is being computed
	undo  Op // of the one whose gradient is being computed
	err   error
}

// frame is the bookkeeping of one stretch of a pass: the whole, or the inside of a
// segment. What is made while back is n long belongs to place n: when the backward
// pass has run step n nobody needs it any more.
type frame struct {
	grads  bool
	back   []func() error
	owned  []owned
	values []*Value // that got a gradient of their own
	wants  bool     // something that needs a gradient was used
	in     *frame   // where the stretch lies; nil for the whole
}

type owned struct {
	tensor *gpu.Tensor
	place  int
}

// Value is a tensor on a tape. After an error on the tape it may be nil.
type Value struct {
	tape   *Tape
	tensor *gpu.Tensor
	grad   *gpu.Tensor
	own    bool // grad is the value's own and no parameter's
	// parent is set in a view: its gradient is the parent's.
	parent *Value
	needs  bool
	frame  *frame
	place  int
	op     int // number of the operation that made it, -1 for parameters
	param  *Param
	// sizes says of (B, T, D) how many tokens each was merged from; nil: one each.
	sizes []float32
}

// NewTape returns a tape for training: it records gradients.
func NewTape(dev *gpu.Device) *Tape {
	return &Tape{dev: dev, training: true, frame: &frame{grads: true}}
}

// NewEvalTape returns a tape that computes values only, with layers as they are used
// after training: nothing is dropped.
func NewEvalTape(dev *gpu.Device) *Tape { return &Tape{dev: dev, frame: &frame{}} }

// Training says whether layers work as in training: Dropout drops and BatchNorm looks
// at the batch.
func (t *Tape) Training() bool { return t.training }

// Device is where the tape computes.
func (t *Tape) Device() *gpu.Device { return t.dev }

// Err is the first error of any operation on the tape.
func (t *Tape) Err() error { return t.err }

// elsewhere says why a parameter on dev cannot be used on the tape.
func (t *Tape) elsewhere(dev *gpu.Device) error {
	switch here := t.dev.Name(); {
	case t.shadows != nil: // a rehearsal of the net's own code
		return fmt.Errorf("it was made inside the function that is looked at: make layers before it, and only use them there")
	case t.dev.Meta():
		return fmt.Errorf("the tape is on a device of shapes: use the tape of Net.Shadow")
	case dev.Name() == here:
		return fmt.Errorf("it is on another %s device than the tape: make both on one, or use the tape of Net.Shadow", here)
	default:
		return fmt.Errorf("it is on %s and the tape on %s: make both on one device, or use the tape of Net.Shadow", dev.Name(), here)
	}
}

// Tensor is the value itself. It lives until Backward has gone past it, or the tape
// is freed.
func (v *Value) Tensor() *gpu.Tensor { return v.tensor }

// Shape is the value's shape, nil after an error on the tape.
func (v *Value) Shape() []int {
	if v == nil {
		return nil
	}
	return v.tensor.Shape()
}

// Float32s copies the value out, row-major. It returns the tape's error if v is
// what an operation after that error gave.
func (v *Value) Float32s() ([]float32, error) {
	if v == nil {
		return nil, fmt.Errorf("read a value that was not computed: see Tape.Err")
	}
	if v.tape.err != nil {
		return nil, v.tape.err
	}
	return v.tensor.Float32s()
}

// Input puts data (row-major, copied) on the tape; it gets no gradient.
func (t *Tape) Input(data []float32, shape ...int) *Value {
	if !t.usable("input") {
		return nil
	}
	x, err := t.dev.FromFloat32s(data, mem.Data, shape...)
	return t.input(x, err)
}

// Tokens puts integers on the tape: what Embedding takes.
func (t *Tape) Tokens(ids []int32, shape ...int) *Value {
	if !t.usable("input") {
		return nil
	}
	x, err := t.dev.FromInt32s(ids, mem.Data, shape...)
	return t.input(x, err)
}

func (t *Tape) input(x *gpu.Tensor, err error) *Value {
	if err != nil {
		return t.fail("put input on the tape", err)
	}
	return t.record(t.result(t.hold(x)), nil)
}

// Param puts a parameter on the tape: its gradient is added to p.Grad. A frozen one
// gets none. On a tape of a net's shadow it is the shadow's parameter.
func (t *Tape) Param(p *Param) *Value {
	if t.err != nil {
		return nil
	}
	if p == nil {
		return t.fail("use a parameter", fmt.Errorf("nil parameter: see Net.Err"))
	}
	if s := t.shadows[p]; s != nil {
		p = s
	}
	if dev := p.Value.Device(); dev != t.dev {
		return t.fail("use parameter "+p.Name, t.elsewhere(dev))
	}
	learns := p.Grad != nil
	t.wants = t.wants || learns
	t.next.Params = append(t.next.Params, p)
	return &Value{tape: t, tensor: p.Value, grad: p.Grad, needs: t.grads && learns, frame: t.frame, op: -1, param: p}
}

func (t *Tape) fail(act string, err error) *Value {
	if t.err == nil {
		where := ""
		if s := t.Scope(); s != "" {
			where = s + ": "
		}
		t.err = fmt.Errorf("%s%s: %w", where, act, err)
	}
	return nil
}

// hold makes the tape the owner of x.
func (t *Tape) hold(x *gpu.Tensor) *gpu.Tensor {
	if x != nil {
		t.owned = append(t.owned, owned{x, len(t.back)})
		t.next.Bytes += x.Bytes()
	}
	return x
}

// make returns a new activation, of its inputs' type, that needs a gradient if one of
// them does.
func (t *Tape) make(shape []int, inputs ...*Value) (*Value, error) {
	return t.makeIn(widest(inputs), shape, inputs...)
}

// makeIn is make in a given type.
func (t *Tape) makeIn(dtype gpu.DType, shape []int, inputs ...*Value) (*Value, error) {
	x, err := t.dev.Empty(dtype, mem.Activations, shape...)
	if err != nil {
		return nil, err
	}
	return t.result(t.hold(x), inputs...), nil
}

func (t *Tape) result(x *gpu.Tensor, inputs ...*Value) *Value {
	v := &Value{tape: t, tensor: x, frame: t.frame, place: len(t.back), op: -1}
	for _, in := range inputs {
		v.needs = v.needs || in.needs
	}
	return v
}

// record ends an operation and adds its step of the backward pass where its value
// needs one.
func (t *Tape) record(v *Value, f func() error) *Value {
	kind, scope := t.next.Kind, t.Scope()
	v.op = t.note(v)
	if v.needs && f != nil {
		t.back = append(t.back, func() error {
			t.undo = Op{Kind: kind, Scope: scope}
			return f()
		})
	}
	return v
}

// usable begins an operation on values. It says whether it may run: no error so far,
// and the values are of this tape.
func (t *Tape) usable(act string, values ...*Value) bool {
	if t.err != nil {
		return false
	}
	params := t.next.Params
	t.next = Op{Kind: act, Params: params}
	for _, v := range values {
		if v == nil || v.tape != t {
			t.fail(act, fmt.Errorf("a value of another tape, or none"))
			return false
		}
		if v.op >= 0 {
			t.next.Inputs = append(t.next.Inputs, v.op)
		}
		t.wants = t.wants || v.needs
	}
	return true
}

// gradient returns the value's gradient, zeros at first, for adding to.
func (v *Value) gradient() (*gpu.Tensor, error) {
	if v.parent != nil {
		g, err := v.parent.gradient()
		if err != nil {
			return nil, err
		}
		return g.Reshape(v.tensor.Shape()...)
	}
	if v.grad == nil {
		g, err := v.tape.dev.ZerosOf(v.tensor.DType(), mem.Gradients, v.tensor.Shape()...)
		if err != nil {
			return nil, err
		}
		v.setGradient(g)
	}
	return v.grad, nil
}

// setGradient makes g, which nobody else owns, the gradient of a value without one.
func (v *Value) setGradient(g *gpu.Tensor) {
	v.grad, v.own = g, true
	v.frame.values = append(v.frame.values, v)
}

// gradients is gradient of several values at once.
func gradients(values ...*Value) ([]*gpu.Tensor, error) {
	out := make([]*gpu.Tensor, len(values))
	for i, v := range values {
		g, err := v.gradient()
		if err != nil {
			return nil, err
		}
		out[i] = g
	}
	return out, nil
}

// pass hands the gradient of y, whose backward step is done with it, on to x of the
// same shape: without a copy where x has none yet.
func pass(y, x *Value) error {
	if !x.needs {
		return nil
	}
	if y.own && y.grad != nil && x.parent == nil && x.grad == nil && y.frame == x.frame && y.grad.DType() == x.tensor.DType() {
		g := y.grad
		y.grad, y.own = nil, false
		x.setGradient(g)
		return nil
	}
	g, err := gradients(y, x)
	if err != nil {
		return err
	}
	return gpu.Add(g[1], g[0])
}

// sinks lends f where an operation adds the gradients of values: nowhere that stays
// for those that need none.
func (t *Tape) sinks(values []*Value, f func(d []*gpu.Tensor) error) error {
	d := make([]*gpu.Tensor, len(values))
	var lent []*gpu.Tensor
	var err error
	for i, v := range values {
		if v.needs {
			d[i], err = v.gradient()
		} else if d[i], err = t.dev.ZerosOf(v.tensor.DType(), mem.Workspace, v.tensor.Shape()...); err == nil {
			lent = append(lent, d[i])
		}
		if err != nil {
			break
		}
	}
	if err == nil {
		err = f(d)
	}
	for _, x := range lent {
		err = errors.Join(err, x.Free())
	}
	return err
}

// nextDrop numbers the dropouts of a pass.
func (t *Tape) nextDrop() uint32 {
	t.drops++
	return t.drops
}

// Backward adds the gradients of loss, a single number, to all parameters that it
// was computed from. It frees all values but loss itself and the weights.
func (t *Tape) Backward(loss *Value) error { return t.BackwardScaled(loss, 1) }

// BackwardScaled is Backward of scale times the loss: a part of n examples of a batch
// of N counts n/N in the batch's mean.
func (t *Tape) BackwardScaled(loss *Value, scale float64) error {
	return t.backward(loss, func(g *gpu.Tensor) error { return gpu.Fill(g, float32(scale)) })
}

// backward is Backward with what begin puts in the place of the loss's own gradient.
func (t *Tape) backward(loss *Value, begin func(g *gpu.Tensor) error) error {
	if t.err != nil {
		return t.err
	}
	if loss == nil || loss.tape != t || loss.tensor.Len() != 1 {
		return fmt.Errorf("go backward: want one number of this tape to start from, a loss")
	}
	g, err := loss.gradient()
	if err == nil {
		err = begin(g)
	}
	if err == nil {
		t.keep = loss
		err = t.runBack(loss)
	}
	if err != nil {
		t.err = fmt.Errorf("go backward: %w", err)
	}
	return t.err
}

// runBack goes through the frame's steps in reverse and frees what is behind it,
// apart from keep.
func (t *Tape) runBack(keep *Value) error {
	for i := len(t.back) - 1; i >= 0; i-- {
		if err := t.back[i](); err != nil {
			return err
		}
		t.back[i] = nil
		if err := t.frame.free(i, keep); err != nil {
			return err
		}
	}
	t.back = t.back[:0]
	return nil
}

// free gives back what was made from place on, but keep's tensor.
func (f *frame) free(place int, keep *Value) error {
	var first error
	rest := len(f.owned)
	var kept []owned
	for rest > 0 && f.owned[rest-1].place >= place {
		rest--
		o := f.owned[rest]
		if keep != nil && o.tensor.Storage() == keep.tensor.Storage() {
			kept = append(kept, owned{o.tensor, 0})
			continue
		}
		if err := o.tensor.Free(); err != nil && first == nil {
			first = err
		}
	}
	f.owned = append(f.owned[:rest], kept...)
	if len(kept) > 0 { // keep lies below all others now
		copy(f.owned[len(kept):], f.owned[:rest])
		copy(f.owned, kept)
	}
	left := f.values[:0]
	for _, v := range f.values {
		if v.place < place {
			left = append(left, v)
			continue
		}
		if v.own {
			if err := v.grad.Free(); err != nil && first == nil {
				first = err
			}
			v.grad, v.own = nil, false
		}
	}
	f.values = left
	return first
}

// Free gives back all tensors that the tape made. Its values must not be used
// afterwards.
func (t *Tape) Free() error {
	var first error
	for f := t.frame; f != nil; f = f.in {
		if err := f.free(0, nil); err != nil && first == nil {
			first = err
		}
		f.back = nil
	}
	for _, w := range t.Weights {
		if err := w.Free(); err != nil && first == nil {
			first = err
		}
	}
	t.Weights = nil
	if t.net != nil {
		if err := t.net.Release(); err != nil && first == nil {
			first = err
		}
	}
	return first
}
