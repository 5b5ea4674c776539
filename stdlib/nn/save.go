package nn

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"

	"attune/gpu"
	"attune/gpu/safetensors"
)

// Save writes all parameters and buffers to w in the safetensors format: F32 tensors of
// their names and shapes. PyTorch and NumPy read them by their safetensors packages. A
// Linear's w is (in, out), PyTorch's is its transpose.
func (n *Net) Save(w io.Writer) error {
	if n.err != nil {
		return n.err
	}
	var f safetensors.File
	for _, p := range n.saved() {
		values, err := p.Value.Float32s()
		if err != nil {
			return fmt.Errorf("save %s: %w", p.Name, err)
		}
		f.Tensors = append(f.Tensors, safetensors.Tensor{Name: p.Name, DType: "F32", Shape: p.Value.Shape(), Data: floatBytes(values)})
	}
	if err := safetensors.Write(w, f); err != nil {
		return fmt.Errorf("save the net: %w", err)
	}
	return nil
}

// SaveFile is Save to a file of that name. An old file stays whole until the new one is.
func (n *Net) SaveFile(name string) error {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+"-*")
	if err != nil {
		return fmt.Errorf("save the net: %w", err)
	}
	err = n.Save(f)
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// Load reads parameters and buffers that Save, or another program, wrote: each by its
// name, F32, and of the shape that it has here. What else the file holds is passed over.
// With patterns, see Freeze, only what they name is read: the trunk of a model, say,
// whose head is new. After an error nothing has changed.
func (n *Net) Load(r io.Reader, patterns ...string) error {
	if n.err != nil {
		return n.err
	}
	f, err := safetensors.Read(r)
	if err != nil {
		return fmt.Errorf("load the net: %w", err)
	}
	var into []*gpu.Tensor
	var from [][]float32
	for _, pattern := range patterns {
		if !slices.ContainsFunc(n.saved(), func(p *Param) bool { return fits(pattern, p.Name) }) {
			return fmt.Errorf("load the net: no parameter is called %q, see Net.Params", pattern)
		}
	}
	for _, p := range n.saved() {
		if len(patterns) > 0 && !slices.ContainsFunc(patterns, func(s string) bool { return fits(s, p.Name) }) {
			continue
		}
		i := slices.IndexFunc(f.Tensors, func(x safetensors.Tensor) bool { return x.Name == p.Name })
		if i < 0 {
			return fmt.Errorf("load the net: the file has no tensor %s; name those that it has to Load, as in Load(file, \"conv*\")", p.Name)
		}
		x := f.Tensors[i]
		if x.DType != "F32" || !slices.Equal(x.Shape, p.Value.Shape()) {
			return fmt.Errorf("load the net: %s is %s %s in the file and F32 %s here", p.Name, x.DType, shapeText(x.Shape), dims(p.Value))
		}
		into, from = append(into, p.Value), append(from, floats(x.Data))
	}
	if err := n.Release(); err != nil {
		return fmt.Errorf("load the net: %w", err)
	}
	for i, x := range into {
		if err := x.CopyFrom(from[i]); err != nil {
			return fmt.Errorf("load the net: %w", err)
		}
	}
	return nil
}

// LoadFile is Load from a file of that name.
func (n *Net) LoadFile(name string, patterns ...string) error {
	f, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("load the net: %w", err)
	}
	return errors.Join(n.Load(f, patterns...), f.Close())
}

// saved is what a file holds of a net, in order.
func (n *Net) saved() []*Param { return slices.Concat(n.params, n.buffers) }

func floatBytes(values []float32) []byte {
	out := make([]byte, 0, 4*len(values))
	for _, x := range values {
		out = binary.LittleEndian.AppendUint32(out, math.Float32bits(x))
	}
	return out
}

func floats(data []byte) []float32 {
	out := make([]float32, len(data)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
	}
	return out
}
