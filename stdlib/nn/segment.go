package nn

import (
	"fmt"
	"slices"

	"attune/gpu"
)

// Segment is f(x), as a part of the model with a name. Where Tape.Checkpoint says so,
// nothing that f computes on the way stays in memory: it is computed again when
// Backward comes by, with the same dropout (Chen et al. 2016, "Training deep nets with
// sublinear memory cost"). f must do the same both times. In evaluation what f
// computes on the way is freed at its end.
func (t *Tape) Segment(name string, x *Value, f func(x *Value) *Value) *Value {
	inner := func() *Value { return t.Within(name, func() *Value { return f(x) }) }
	switch {
	case t.err != nil || x == nil:
		return nil
	case !t.grads:
		return t.leave(t.enter(false), inner())
	case t.Checkpoint != nil && t.Checkpoint(name):
		return t.checkpoint(inner)
	}
	return inner()
}

// enter begins a stretch of its own and returns the one around it.
func (t *Tape) enter(grads bool) *frame {
	outer := t.frame
	t.frame = &frame{grads: grads, in: outer}
	return outer
}

// leave ends a stretch: all that it made is freed, but y, which becomes outer's.
func (t *Tape) leave(outer *frame, y *Value) *Value {
	inner := t.frame
	if t.err != nil || y == nil {
		t.frame = outer
		return failed(t, inner.free(0, nil))
	}
	err := inner.free(0, y)
	t.frame = outer
	if err != nil {
		return t.fail("free a segment's inside", err)
	}
	if y.frame != inner { // made outside, and only passed on
		return y
	}
	place := len(outer.back)
	for _, o := range inner.owned { // y's storage at most
		outer.owned = append(outer.owned, owned{o.tensor, place})
	}
	outer.wants = outer.wants || inner.wants
	return &Value{tape: t, tensor: y.tensor, frame: outer, place: place, op: y.op, sizes: y.sizes}
}

// failed notes an error of freeing after another error.
func failed(t *Tape, err error) *Value {
	if err != nil && t.err == nil {
		t.fail("free a segment's inside", err)
	}
	return nil
}

// checkpoint computes a segment without keeping its inside.
func (t *Tape) checkpoint(f func() *Value) *Value {
	drops, within := t.drops, slices.Clone(t.scope)
	outer := t.enter(false)
	inner := t.frame
	y := f()
	wants := inner.wants
	y = t.leave(outer, y)
	if y == nil || !wants || y.frame != outer {
		return y
	}
	y.needs = true
	t.back = append(t.back, func() error {
		around := t.scope
		t.scope = within
		defer func() { t.scope = around }()
		return t.recompute(y, drops, f)
	})
	return y
}

// recompute computes a segment once more, now with its inside, and goes backward
// through it from the gradient of y. What read y is done: its memory is given back
// before, so that the result is never there twice.
func (t *Tape) recompute(y *Value, drops uint32, f func() *Value) error {
	if err := y.frame.release(y.tensor, t.keep); err != nil {
		return err
	}
	after, again := t.drops, t.again
	t.drops, t.again = drops, true
	outer := t.enter(true)
	defer func() { t.frame, t.drops, t.again = outer, after, again }()
	inner := t.frame
	err := func() error {
		y2 := f()
		if t.err != nil {
			return t.err
		}
		if dims(y2.tensor) != dims(y.tensor) {
			return fmt.Errorf("a checkpointed segment gave %s and then %s: it must do the same twice", dims(y.tensor), dims(y2.tensor))
		}
		g, err := y.gradient()
		if err != nil {
			return err
		}
		if y2.grad == nil && y2.parent == nil && y2.needs && y2.frame == inner {
			y.grad, y.own = nil, false
			y2.setGradient(g)
		} else {
			g2, err := y2.gradient()
			if err != nil {
				return err
			}
			if err := gpu.Add(g2, g); err != nil {
				return err
			}
		}
		return t.runBack(nil)
	}()
	if ferr := inner.free(0, nil); err == nil {
		err = ferr
	}
	return err
}

// release frees the storage of x, unless it is that of keep.
func (f *frame) release(x *gpu.Tensor, keep *Value) error {
	if keep != nil && keep.tensor.Storage() == x.Storage() {
		return nil
	}
	for i, o := range f.owned {
		if o.tensor.Storage() == x.Storage() {
			f.owned = slices.Delete(f.owned, i, i+1)
			return o.tensor.Free()
		}
	}
	return nil
}

func dims(x *gpu.Tensor) string { return shapeText(x.Shape()) }
