package balance

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"

	"attune/gpu"
	"attune/gpu/safetensors"
)

// saveVersion is the version of the files that Save writes.
const saveVersion = 1

const saveKey = "attune.trainer"

// saved is what a checkpoint says beside its tensors, as JSON.
type saved struct {
	Version  int              `json:"version"`
	Seed     uint64           `json:"seed"`
	Rate     float64          `json:"rate"`
	State    progress         `json:"state"`
	Noise    noise            `json:"noise"`
	Plan     *Plan            `json:"plan,omitempty"` // what was followed
	Policy   string           `json:"policy"`
	Memory   json.RawMessage  `json:"memory,omitempty"`
	Batch    int              `json:"batch"`
	Last     int64            `json:"last"`
	Tried    map[string]tried `json:"tried,omitempty"`
	Log      []Action         `json:"log"`
	History  []Epoch          `json:"history"`
	Names    []string         `json:"names"`
	Infinite bool             `json:"infinite"` // Best is: JSON has no infinity
}

// Save writes the training's whole state to a safetensors file, which is complete or
// not there, whenever the power goes: weights, the best weights, the optimizer's
// state with its loss scale, where data and schedule stand, the policy's memory.
// Dropout masks come from the seed and the step, so there is no generator to save.
func (r *Trainer) Save(path string) error {
	if err := r.save(path); err != nil {
		return fmt.Errorf("save the training to %s: %w", path, err)
	}
	return nil
}

func (r *Trainer) save(path string) error {
	s := saved{Version: saveVersion, Seed: r.Seed, State: r.state, Noise: r.noise, Log: r.Log.Actions, History: slices.Clone(r.History)}
	if s.Infinite = math.IsInf(s.State.Best, 1); s.Infinite {
		s.State.Best = 0
	}
	for i := range s.History {
		s.History[i].Valid = finite(s.History[i].Valid)
	}
	if c := r.common(); c != nil {
		s.Rate = c.LR
	}
	if r.Plan != nil && r.Plan == r.followed {
		s.Plan = r.Plan
	}
	if r.watch != nil {
		s.Batch, s.Last, s.Tried = r.watch.batch, r.watch.last, r.watch.peaks.tried
	}
	if r.Policy != nil {
		s.Policy = r.Policy.Name()
		var err error
		if s.Memory, err = json.Marshal(r.Policy); err != nil {
			return err
		}
	}
	var f safetensors.File
	weights, err := r.weights()
	if err != nil {
		return err
	}
	for i, t := range r.tensors() {
		s.Names = append(s.Names, r.values()[i].Name)
		f.Tensors = append(f.Tensors, floats(fmt.Sprintf("weight.%d", i), weights[i], t.Shape()))
		if r.state.best != nil {
			f.Tensors = append(f.Tensors, floats(fmt.Sprintf("best.%d", i), r.state.best[i], t.Shape()))
		}
	}
	var opt bytes.Buffer
	params, _ := r.trained()
	if err := r.Optimizer.Save(&opt, params); err != nil {
		return err
	}
	f.Tensors = append(f.Tensors, safetensors.Tensor{Name: "optimizer", DType: "U8", Shape: []int{opt.Len()}, Data: opt.Bytes()})
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	f.Meta = map[string]string{saveKey: string(text)}
	return writeWhole(path, func(w io.Writer) error { return safetensors.Write(w, f) })
}

// finite is x, or -1 for a loss that is none, which JSON has no word for.
func finite(x float64) float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return -1
	}
	return x
}

func floats(name string, x []float32, shape []int) safetensors.Tensor {
	raw := make([]byte, 0, 4*len(x))
	for _, v := range x {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	return safetensors.Tensor{Name: name, DType: "F32", Shape: shape, Data: raw}
}

// writeWhole writes a file under another name and gives it its own once all of it is
// on the disk, so that a reader finds the old or the new one.
func writeWhole(path string, write func(io.Writer) error) error {
	part := path + ".part"
	f, err := os.Create(part)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	err = write(w)
	if err == nil {
		err = w.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(part))
	}
	if err := os.Rename(part, path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// Resume takes up the training that Checkpoint holds, for the next Fit to go on with;
// it says false, and changes nothing, where there is no such file yet. The model must
// have the parameters that the file's had, in their order; what a plan froze and pruned
// is frozen and pruned here too, and the plan is followed further.
func (r *Trainer) Resume() (bool, error) {
	f, err := os.Open(r.Checkpoint)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err == nil {
		err = errors.Join(r.load(bufio.NewReader(f)), f.Close())
	}
	if err != nil {
		return false, fmt.Errorf("resume the training of %s: %w", r.Checkpoint, err)
	}
	return true, nil
}

func (r *Trainer) load(from io.Reader) error {
	f, err := safetensors.Read(from)
	if err != nil {
		return err
	}
	var s saved
	if err := json.Unmarshal([]byte(f.Meta[saveKey]), &s); err != nil {
		return fmt.Errorf("the file holds no training: %w", err)
	}
	if s.Version != saveVersion {
		return fmt.Errorf("the file is of version %d, this is %d", s.Version, saveVersion)
	}
	tensors := map[string]safetensors.Tensor{}
	for _, t := range f.Tensors {
		tensors[t.Name] = t
	}
	if s.Plan != nil { // the shapes are those of the plan
		if err := errors.Join(second(s.Plan.freeze(r.Task)), second(s.Plan.prune(r.Task))); err != nil {
			return fmt.Errorf("follow its plan: %w", err)
		}
	}
	weights, err := read(tensors, "weight", r.tensors())
	if err != nil {
		return err
	}
	s.State.best = nil
	if _, ok := tensors["best.0"]; ok {
		if s.State.best, err = read(tensors, "best", r.tensors()); err != nil {
			return err
		}
	}
	params, _ := r.trained()
	if err := r.Optimizer.Load(bytes.NewReader(tensors["optimizer"].Data), params); err != nil {
		return err
	}
	if err := r.setWeights(weights); err != nil {
		return err
	}
	return r.take(s)
}

// take puts what a file says beside its tensors in place.
func (r *Trainer) take(s saved) error {
	if s.Infinite {
		s.State.Best = math.Inf(1)
	}
	for i := range s.History {
		if s.History[i].Valid < 0 {
			s.History[i].Valid = math.NaN()
		}
	}
	r.Seed, r.state, r.noise, r.Log.Actions, r.History = s.Seed, s.State, s.Noise, s.Log, s.History
	if c := r.common(); c != nil && s.Rate > 0 {
		c.LR = s.Rate
	}
	r.watch = newWatch(r.Net.Device(), r.Room)
	r.watch.batch, r.watch.last = s.Batch, s.Last
	if s.Tried != nil {
		r.watch.peaks.tried = s.Tried
	}
	if s.Plan != nil {
		r.Plan, r.followed = s.Plan, s.Plan
	}
	r.resumed = true
	r.policy()
	if s.Policy == r.Policy.Name() && s.Memory != nil {
		if err := json.Unmarshal(s.Memory, r.Policy); err != nil {
			return fmt.Errorf("the policy's memory: %w", err)
		}
	}
	return nil
}

// second is the error of two results.
func second[T any](_ T, err error) error { return err }

// read is the tensors called prefix.0, prefix.1, … as floats, of those shapes.
func read(from map[string]safetensors.Tensor, prefix string, like []*gpu.Tensor) ([][]float32, error) {
	out := make([][]float32, len(like))
	for i, t := range like {
		name := fmt.Sprintf("%s.%d", prefix, i)
		has, ok := from[name]
		if !ok || has.DType != "F32" || !slices.Equal(has.Shape, t.Shape()) {
			return nil, fmt.Errorf("%s is %s %v in the file, and the model has %s: is it the same model?", name, has.DType, has.Shape, t)
		}
		out[i] = make([]float32, len(has.Data)/4)
		for k := range out[i] {
			out[i][k] = math.Float32frombits(binary.LittleEndian.Uint32(has.Data[4*k:]))
		}
	}
	if _, more := from[fmt.Sprintf("%s.%d", prefix, len(like))]; more {
		return nil, fmt.Errorf("the file has more tensors than the model's %d", len(like))
	}
	return out, nil
}
