package gpu

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"attune/gpu/host"
	"attune/gpu/mem"
	"attune/gpu/safetensors"
)

// stateVersion is the version of the files that Save writes.
const stateVersion = 1

// stateMeta is what a file says beside the tensors, as JSON under stateKey.
type stateMeta struct {
	Version int    `json:"version"`
	Rule    string `json:"rule"`
	Steps   int    `json:"steps"`
	Skipped int    `json:"skipped"`
	// Parameters are the steps done on each parameter.
	Parameters []int `json:"parameters"`
	// Factors are those of each parameter's rate, where one is not 1.
	Factors []float64     `json:"factors,omitempty"`
	Scale   *scaleState   `json:"scale,omitempty"`
	Plateau *plateauState `json:"plateau,omitempty"`
}

type scaleState struct {
	Value float64 `json:"value"`
	Good  int     `json:"good"`
}

type plateauState struct {
	Now      float64 `json:"now"`
	Best     float64 `json:"best"`
	Bad      int     `json:"bad"`
	Rest     int     `json:"rest"`
	Observed bool    `json:"observed"`
}

const stateKey = "attune.optimizer"

// Save writes the state of params to a safetensors file: float32 tensors named by
// the parameter's place in the list and the state's name, as in "0.mean", and
// "0.master" for one in half precision; steps, the loss scale and a Plateau's state
// stand in the metadata. The parameters themselves and the constants are not saved.
func (o *Training) Save(w io.Writer, params []*Tensor) error {
	if o.rule == nil {
		return fmt.Errorf("save optimizer: make the optimizer with its New function, as NewAdam(1e-3)")
	}
	if w == nil {
		return fmt.Errorf("save the state of %s: nil writer", o.rule.name())
	}
	for i, p := range params {
		if p == nil {
			return fmt.Errorf("save the state of %s: parameter %d is a %w", o.rule.name(), i, errNil)
		}
	}
	if err := o.save(w, params); err != nil {
		return fmt.Errorf("save the state of %s: %w", o.rule.name(), err)
	}
	return nil
}

func (o *Training) save(w io.Writer, params []*Tensor) error {
	if err := o.look(); err != nil {
		return err
	}
	meta := stateMeta{Version: stateVersion, Rule: o.rule.name(), Steps: o.steps, Skipped: o.skipped, Parameters: make([]int, len(params))}
	if o.Scale != nil {
		meta.Scale = &scaleState{o.Scale.Value(), o.Scale.good}
	}
	if p, ok := o.Schedule.(*Plateau); ok {
		p.start()
		meta.Plateau = &plateauState{Now: p.now, Bad: p.bad, Rest: p.rest}
		if p.best <= 1e308 { // JSON has no infinity
			meta.Plateau.Best, meta.Plateau.Observed = p.best, true
		}
	}
	if len(o.factors) > 0 {
		for _, p := range params {
			meta.Factors = append(meta.Factors, o.Factor(p))
		}
	}
	var f safetensors.File
	for i, p := range params {
		s := o.state[p]
		if s == nil {
			continue // not stepped yet
		}
		meta.Parameters[i] = s.steps
		for k, t := range append([]*Tensor{s.master}, s.s[:]...) {
			if t == nil {
				continue
			}
			data, err := t.Float32s()
			if err != nil {
				return err
			}
			f.Tensors = append(f.Tensors, safetensors.Tensor{Name: o.stateName(i, k), DType: "F32", Shape: t.Shape(), Data: host.Bytes(data)})
		}
	}
	text, err := json.Marshal(meta)
	if err != nil {
		return err
	}
	f.Meta = map[string]string{stateKey: string(text)}
	return safetensors.Write(w, f)
}

// stateName is the name in the file of parameter i's master (k is 0) or state k-1.
func (o *Training) stateName(i, k int) string {
	if k == 0 {
		return fmt.Sprintf("%d.master", i)
	}
	return fmt.Sprintf("%d.%s", i, o.rule.stateNames()[k-1])
}

// Load reads what Save wrote, a loss scale too, for params of the same shapes in the same order; the
// state that they had is given back. The optimizer must be of the same kind. After
// an error the old state is as it was.
func (o *Training) Load(r io.Reader, params []*Tensor) error {
	if o.rule == nil {
		return fmt.Errorf("load optimizer: make the optimizer with its New function, as NewAdam(1e-3)")
	}
	if err := o.load(r, params); err != nil {
		return fmt.Errorf("load the state of %s: %w", o.rule.name(), err)
	}
	return nil
}

func (o *Training) load(r io.Reader, params []*Tensor) error {
	f, err := safetensors.Read(r)
	if err != nil {
		return err
	}
	var meta stateMeta
	text, ok := f.Meta[stateKey]
	if !ok {
		return fmt.Errorf("the file holds no optimizer's state")
	}
	if err := json.Unmarshal([]byte(text), &meta); err != nil {
		return fmt.Errorf("metadata: %w", err)
	}
	switch {
	case meta.Version != stateVersion:
		return fmt.Errorf("the file is of version %d, this is %d", meta.Version, stateVersion)
	case meta.Rule != o.rule.name():
		return fmt.Errorf("the file is of %s", meta.Rule)
	case len(meta.Factors) > 0 && len(meta.Factors) != len(params):
		return fmt.Errorf("the file has factors of %d parameters, want %d", len(meta.Factors), len(params))
	case len(meta.Parameters) != len(params):
		return fmt.Errorf("the file has %d parameters, want %d", len(meta.Parameters), len(params))
	}
	if s := meta.Scale; s != nil {
		if err := (&LossScale{Initial: s.Value}).sound(); err != nil {
			return fmt.Errorf("the file's state: %w", err)
		}
	}
	slots, err := o.read(f, meta, params)
	if err != nil {
		for _, s := range slots {
			freeAll(s.tensors())
		}
		return err
	}
	o.replace(slots, params, meta)
	return nil
}

// read makes the slots of a file's tensors. It returns what it made with an error
// too.
func (o *Training) read(f safetensors.File, meta stateMeta, params []*Tensor) ([]*slot, error) {
	tensors := map[string]safetensors.Tensor{}
	for _, t := range f.Tensors {
		tensors[t.Name] = t
	}
	slots := make([]*slot, len(params))
	for i, p := range params {
		s := &slot{steps: meta.Parameters[i]}
		slots[i] = s
		if err := live(p); err != nil {
			return slots[:i], err
		}
		for k, at := range []**Tensor{&s.master, &s.s[0], &s.s[1], &s.s[2]} {
			if k > len(o.rule.stateNames()) {
				break
			}
			name := o.stateName(i, k)
			t, ok := tensors[name]
			if !ok {
				continue
			}
			delete(tensors, name)
			if t.DType != "F32" || !slices.Equal(t.Shape, p.shape) {
				return slots[:i+1], fmt.Errorf("%s is %s %s, parameter %d is %s", name, t.DType, dims(t.Shape), i, p)
			}
			if k == 0 && p.dtype == Float32 {
				return slots[:i+1], fmt.Errorf("%s is of a parameter in half precision, parameter %d is %s", name, i, p)
			}
			var err error
			if *at, err = p.store.dev.filled(Float32, mem.OptimizerState, p.shape, func(c *Tensor) error { return c.write(t.Data) }); err != nil {
				return slots[:i+1], err
			}
		}
	}
	for name := range tensors {
		return slots, fmt.Errorf("the file has %q, which is no state of these parameters", name)
	}
	return slots, nil
}

// replace takes over what was read.
func (o *Training) replace(slots []*slot, params []*Tensor, meta stateMeta) {
	_ = o.look() // of steps that are undone by this
	o.settle()
	o.late, o.line = nil, nil
	if o.state == nil {
		o.state = map[*Tensor]*slot{}
	}
	for i, p := range params {
		if old := o.state[p]; old != nil {
			freeAll(old.tensors())
		}
		o.state[p] = slots[i]
	}
	for i, f := range meta.Factors {
		o.SetFactor(params[i], f)
	}
	o.steps, o.skipped = meta.Steps, meta.Skipped
	if s := meta.Scale; s != nil {
		if o.Scale == nil {
			o.Scale = NewLossScale()
		}
		o.Scale.Value() // ends what another optimizer has in flight, which would undo this
		o.Scale.set(s.Value, s.Good)
	}
	if p, ok := o.Schedule.(*Plateau); ok && meta.Plateau != nil {
		p.started = false
		p.start()
		p.now, p.bad, p.rest = meta.Plateau.Now, meta.Plateau.Bad, meta.Plateau.Rest
		if meta.Plateau.Observed {
			p.best = meta.Plateau.Best
		}
	}
}

func freeAll(ts []*Tensor) {
	for _, t := range ts {
		_ = t.Free()
	}
}

// Move gives the state of parameter from to parameter to, which takes its place:
// one whose axes were shortened by Tensor.Select with the same keep, or one on
// another device. What was the state of from is given back. It does nothing where
// from has no state yet.
func (o *Training) Move(from, to *Tensor, keep ...[]int) error {
	if err := o.move(from, to, keep); err != nil {
		return fmt.Errorf("move optimizer state: %w", err)
	}
	return nil
}

func (o *Training) move(from, to *Tensor, keep [][]int) error {
	if err := o.look(); err != nil {
		return err
	}
	o.line = nil
	if from == nil {
		return fmt.Errorf("nil tensor")
	}
	if err := live(to); err != nil {
		return err
	}
	shape, err := selected(from.shape, keep)
	if err != nil {
		return err
	}
	if !slices.Equal(shape, to.shape) {
		return fmt.Errorf("%s keeps %s, the new parameter is %s", from, dims(shape), to)
	}
	if f, ok := o.factors[from]; ok {
		delete(o.factors, from)
		o.factors[to] = f
	}
	old := o.state[from]
	if old == nil {
		return nil
	}
	if from == to || o.state[to] != nil {
		return fmt.Errorf("%s has a state already", to)
	}
	fresh := &slot{steps: old.steps}
	targets := []**Tensor{&fresh.master, &fresh.s[0], &fresh.s[1], &fresh.s[2]}
	for k, t := range []*Tensor{old.master, old.s[0], old.s[1], old.s[2]} {
		if t == nil || k == 0 && to.dtype == Float32 {
			continue
		}
		if *targets[k], err = t.selectOn(to.store.dev, mem.OptimizerState, keep); err != nil {
			freeAll(fresh.tensors())
			return err
		}
	}
	delete(o.state, from)
	o.state[to] = fresh
	var errs []error
	for _, t := range old.tensors() {
		errs = append(errs, t.Free())
	}
	return errors.Join(errs...)
}

// Forget gives the state of parameters back that are not trained any more; a later
// step makes it anew.
func (o *Training) Forget(params ...*Tensor) error {
	errs := []error{o.look()}
	o.line = nil
	for _, p := range params {
		for _, t := range o.State(p) {
			errs = append(errs, t.Free())
		}
		delete(o.state, p)
	}
	return errors.Join(errs...)
}

// State lists the tensors of p's state: none before p's first step, and none where
// the optimizer keeps none.
func (o *Training) State(p *Tensor) []*Tensor {
	if s := o.state[p]; s != nil {
		return s.tensors()
	}
	return nil
}
