package gpu

import (
	"fmt"
	"slices"

	"attune/gpu/driver"
	"attune/gpu/host"
	"attune/gpu/mem"
)

// lineup is what a step makes of its parameters and gradients. It is kept, because the
// next step mostly has the same: to check and list them anew takes many times as long as
// a launch.
type lineup struct {
	dev   *Device
	kind  host.Kind
	given []place
	// slots are of the parameters that have a gradient, state is what they hold.
	slots  []*slot
	state  []*storage
	groups []*group
	// Of a CUDA device: what the norms of all gradients are made by, and the kernels that
	// there were when those of a step were found, those of one that it decides about too.
	norms []*packedNorms
	found [2]*map[handle]*driver.Function
}

// place is the serials of a parameter and its gradient, both 0 where there is no
// gradient: to hold a gradient until the next step would keep its memory.
type place struct{ p, g uint64 }

// group is parameters of one rate and at one step: those that came later are at an
// earlier step of their own.
type group struct {
	first  *slot
	factor float64
	at     []int     // where they stand in the step's arguments; none is empty
	us     []update  // their gradients are set during a step only
	lists  []*packed // instead, for a CUDA device
}

// still says whether a lineup is what these arguments would give again.
func (l *lineup) still(kind host.Kind, params, grads []*Tensor) bool {
	if l == nil || l.kind != kind || len(params) != len(l.given) || len(grads) != len(l.given) || l.dev.shut.closed() {
		return false
	}
	for i, g := range grads {
		at := l.given[i]
		if g == nil && at.g == 0 {
			continue
		}
		if !g.is(at.g, l.dev) || !params[i].is(at.p, l.dev) {
			return false
		}
	}
	for _, s := range l.state {
		if s.freed.Load() {
			return false
		}
	}
	return true
}

// is says whether t is the device's tensor of that serial, and not freed.
func (t *Tensor) is(serial uint64, dev *Device) bool {
	return t != nil && t.serial == serial && t.store.dev == dev && !t.store.freed.Load()
}

// lineUp checks a step's arguments, and makes the state that is not there yet. Its groups
// are not made yet. It has no slots where nothing has a gradient.
func (o *Training) lineUp(params, grads []*Tensor) (*lineup, error) {
	kind := o.rule.kind()
	if o.line.still(kind, params, grads) {
		return o.line, nil
	}
	o.line = nil
	l := &lineup{kind: kind, given: make([]place, len(params))}
	withGrads, err := l.pairs(params, grads)
	if err != nil || len(withGrads) == 0 {
		return l, err
	}
	if err := o.soundFactors(params, grads); err != nil {
		return nil, err
	}
	if err := o.prepare(withGrads); err != nil {
		return nil, err
	}
	l.dev = withGrads[0].store.dev
	for _, p := range withGrads {
		s := o.state[p]
		l.slots = append(l.slots, s)
		for _, t := range s.tensors() {
			l.state = append(l.state, t.store)
		}
	}
	o.line = l
	return l, nil
}

// pairs checks parameters and gradients and returns the parameters that have one.
func (l *lineup) pairs(params, grads []*Tensor) (withGrads []*Tensor, err error) {
	if len(params) != len(grads) {
		return nil, fmt.Errorf("%s, %s: want a gradient, or nil, for each parameter", plural(len(params), "parameter", "parameters"), plural(len(grads), "gradient", "gradients"))
	}
	seen := map[*Tensor]bool{}
	for i, g := range grads {
		if g == nil {
			continue
		}
		p := params[i]
		err := live(p, g)
		switch {
		case err != nil:
		case !p.dtype.Float() || !g.dtype.Float():
			err = fmt.Errorf("%s with gradient %s: want floating point: f32, f16 or bf16", p, g)
		case !slices.Equal(p.shape, g.shape):
			err = fmt.Errorf("%s with gradient %s: want two dense tensors of one shape", p, g)
		case !p.Dense() || !g.Dense():
			err = fmt.Errorf("%s with strides %s, gradient with strides %s: want two dense tensors; Clone makes a dense copy", p, dims(p.strides), dims(g.strides))
		case seen[p]:
			err = fmt.Errorf("%s is there twice", p)
		case len(withGrads) > 0:
			err = live(withGrads[0], p)
		}
		if err != nil {
			return nil, fmt.Errorf("parameter %d: %w", i, err)
		}
		seen[p] = true
		withGrads = append(withGrads, p)
		l.given[i] = place{p.serial, g.serial}
	}
	return withGrads, nil
}

// prepare makes the state of parameters that have none.
func (o *Training) prepare(params []*Tensor) error {
	if o.state == nil {
		o.state = map[*Tensor]*slot{}
	}
	var fresh []*Tensor
	for _, p := range params {
		if err := o.prepareOne(p, &fresh); err != nil {
			for _, p := range fresh {
				for _, t := range o.state[p].tensors() {
					_ = t.Free()
				}
				delete(o.state, p)
			}
			return err
		}
	}
	return nil
}

// prepareOne makes what p's state lacks; it adds p to fresh where it had none.
func (o *Training) prepareOne(p *Tensor, fresh *[]*Tensor) error {
	s, ok := o.state[p]
	if !ok {
		s = new(slot)
		o.state[p] = s
		*fresh = append(*fresh, p)
	}
	for _, t := range s.tensors() {
		err := live(p, t)
		if err == nil && !slices.Equal(p.shape, t.shape) {
			err = fmt.Errorf("it is %s", t)
		}
		if err != nil {
			return fmt.Errorf("the state of %s: %w; Forget drops it", p, err)
		}
	}
	var err error
	if s.master == nil && p.dtype != Float32 {
		if s.master, err = p.store.dev.Empty(Float32, mem.OptimizerState, p.shape...); err != nil {
			return err
		}
		if err := Copy(s.master, p); err != nil {
			return err
		}
	}
	for i := range o.rule.kind().States() {
		if s.s[i] == nil {
			if s.s[i], err = p.store.dev.Zeros(mem.OptimizerState, p.shape...); err != nil {
				return err
			}
		}
	}
	return nil
}

// group makes the groups of a new lineup. The steps of its slots are known by now.
func (o *Training) group(l *lineup, params, grads []*Tensor) {
	if l.groups != nil {
		return
	}
	type likeness struct {
		steps  int
		factor float64
	}
	groups, next := map[likeness]*group{}, 0
	for i, g := range grads {
		if g == nil {
			continue
		}
		p, s := params[i], l.slots[next]
		if next++; p.Len() == 0 {
			continue
		}
		k := likeness{s.steps, o.Factor(p)}
		in := groups[k]
		if in == nil {
			in = &group{first: s, factor: k.factor}
			groups[k], l.groups = in, append(l.groups, in)
		}
		u := update{x: p, g: g, s: s.s, rate: 1}
		if p.dtype != Float32 {
			u.x, u.half = s.master, p
		}
		in.us, in.at = append(in.us, u), append(in.at, i)
	}
	for _, in := range l.groups {
		if _, ok := l.dev.back.(*cuda); ok {
			in.lists, in.us, in.at = pack(l.kind, in.us), nil, nil
		}
	}
	l.fill(nil)
}

// fill sets the gradients of the updates, or none.
func (l *lineup) fill(grads []*Tensor) {
	for _, in := range l.groups {
		for k, at := range in.at {
			if in.us[k].g = nil; grads != nil {
				in.us[k].g = grads[at]
			}
		}
	}
}
