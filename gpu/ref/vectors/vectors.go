// Package vectors owns what PyTorch's optimizers and schedules did on a fixed
// sequence of gradients, for tests: torch.json, recorded by record.py. It imports
// the standard library only.
package vectors

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"math"
)

//go:embed torch.json
var text []byte

// Vectors is the record.
type Vectors struct {
	// Torch is PyTorch's version, Steps the number of steps of every optimizer.
	Torch      string
	Steps      int
	Optimizers []Optimizer
	// Cosine, Warmup and Plateau are learning rates step by step, Losses what the
	// plateau's scheduler saw.
	Cosine, Warmup, Plateau, Losses []float64
}

// Optimizer holds the parameters after the last step, one slice a tensor, computed
// in float64, and how far PyTorch's own float32 is off, relative to the norm of all.
type Optimizer struct {
	Name       string
	Float64    [][]float64
	Float32Off float64 `json:"float32_off"`
}

// Load reads the record.
func Load() (Vectors, error) {
	var v Vectors
	if err := json.Unmarshal(text, &v); err != nil {
		return v, fmt.Errorf("read the record of PyTorch: %w", err)
	}
	return v, nil
}

// Shapes are the parameters' shapes.
func Shapes() [][]int { return [][]int{{4, 12}, {16}} }

// Sequence makes the numbers that record.py calls sequence.
type Sequence struct{ state uint64 }

// NewSequence begins with the first.
func NewSequence() *Sequence { return &Sequence{1} }

func (s *Sequence) next() float64 {
	s.state = s.state*6364136223846793005 + 1442695040888963407
	return float64(s.state>>40)/(1<<23) - 1
}

// Parameters are the parameters before the first step; call it first.
func (s *Sequence) Parameters() [][]float64 { return s.values(2, 0) }

// Gradients are the gradients of step t, from 0; call it in order.
func (s *Sequence) Gradients(t int) [][]float64 { return s.values(1, math.Sin(float64(t)/100)/4) }

func (s *Sequence) values(scale, shift float64) [][]float64 {
	var out [][]float64
	for _, shape := range Shapes() {
		n := 1
		for _, d := range shape {
			n *= d
		}
		x := make([]float64, n)
		for i := range x {
			x[i] = scale*s.next() + shift
		}
		out = append(out, x)
	}
	return out
}
