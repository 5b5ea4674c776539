// Command transformer times training steps of a character transformer for
// bench/transformer.py: 6 blocks of width 128 with 4 heads over 16 sequences of 128
// characters, Adam. It goes over gpu's primitives with no tape between. Each line read is
// a number of steps; the answer is the best CPU time and the best wall time of a step, in
// seconds, and the last loss. "profile" in place of a number writes the best time of
// each kind of call as well.
//
// The first argument is the number of threads; a second, nn, asks for the step through
// stdlib/nn, and precision for a table of it in f32, f16 and bf16. It imports gpu and
// stdlib/nn.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"sort"
	"strconv"
	"syscall"
	"time"

	"attune/gpu"
	"attune/gpu/mem"
)

const (
	blocks, width, heads, length, batch, classes = 6, 128, 4, 128, 16, 96
	tokens                                       = batch * length
)

func main() {
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, "transformer:", err)
		os.Exit(1)
	}
}

func serve() error {
	threads, err := strconv.Atoi(os.Args[1])
	if err != nil {
		return fmt.Errorf("threads: %w", err)
	}
	if len(os.Args) > 2 && os.Args[2] == "precision" {
		return precisions(threads, 20)
	}
	dev, err := gpu.OpenCPU(threads)
	if err != nil {
		return err
	}
	m := newModel(dev)
	step := m.step
	if len(os.Args) > 2 && os.Args[2] == "nn" {
		step = newTape(dev).step
	}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		n, err := strconv.Atoi(lines.Text())
		if err != nil {
			m.took = &shares{best: map[string]time.Duration{}}
			n = 20
		}
		cpu, wall, loss := math.Inf(1), math.Inf(1), float32(0)
		for range n {
			m.took = m.took.next()
			before, start := cpuTime(), time.Now()
			if loss, err = step(); err != nil {
				return err
			}
			cpu, wall = min(cpu, (cpuTime()-before).Seconds()), min(wall, time.Since(start).Seconds())
		}
		m.took.next().print()
		m.took = nil
		fmt.Println(cpu, wall, loss)
	}
	return nil
}

func cpuTime() time.Duration {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// value is a tensor and its gradient.
type value struct{ x, d *gpu.Tensor }

// model is the parameters and the step under way; the first error sticks.
type model struct {
	dev    *gpu.Device
	rng    *rand.Rand
	params []value
	adam   gpu.Optimizer
	ids    *gpu.Tensor
	labels *gpu.Tensor

	table, pos, head, headBias value
	norm                       [2]value
	layer                      [blocks]layer

	err  error
	made []*gpu.Tensor
	back []func()
	took *shares
}

type layer struct {
	norm1, norm2           [2]value
	qkv, out, up, down     value
	qkvB, outB, upB, downB value
}

func newModel(dev *gpu.Device) *model {
	m := &model{dev: dev, rng: rand.New(rand.NewPCG(1, 2)), adam: gpu.NewAdam(1e-3)}
	m.table, m.pos = m.param(0.02, classes, width), m.param(0.02, length, width)
	for i := range m.layer {
		m.layer[i] = layer{
			norm1: m.normParams(), norm2: m.normParams(),
			qkv: m.param(0.02, width, 3*width), out: m.param(0.02, width, width), up: m.param(0.02, width, 4*width), down: m.param(0.02, 4*width, width),
			qkvB: m.param(0, 3*width), outB: m.param(0, width), upB: m.param(0, 4*width), downB: m.param(0, width),
		}
	}
	m.norm, m.head, m.headBias = m.normParams(), m.param(0.02, width, classes), m.param(0, classes)
	ids, labels := make([]int32, tokens), make([]int32, tokens)
	for i := range ids {
		ids[i] = int32(m.rng.IntN(classes))
		labels[i] = (ids[i] + 1) % classes
	}
	m.ids, m.labels = m.keep(dev.FromInt32s(ids, mem.Data, batch, length)), m.keep(dev.FromInt32s(labels, mem.Data, batch, length))
	m.made = nil
	return m
}

func (m *model) keep(t *gpu.Tensor, err error) *gpu.Tensor {
	m.err = errors.Join(m.err, err)
	m.made = append(m.made, t)
	return t
}

func (m *model) param(scale float64, shape ...int) value {
	p := value{m.keep(m.dev.Zeros(mem.Parameters, shape...)), m.keep(m.dev.Zeros(mem.Gradients, shape...))}
	values := make([]float32, p.x.Len())
	for i := range values {
		values[i] = float32(m.rng.NormFloat64() * scale)
	}
	m.err = errors.Join(m.err, p.x.CopyFrom(values))
	m.params = append(m.params, p)
	return p
}

func (m *model) normParams() [2]value {
	gain := m.param(0, width)
	m.err = errors.Join(m.err, gpu.Fill(gain.x, 1))
	return [2]value{gain, m.param(0, width)}
}

// do runs one primitive and counts its time as of that kind.
func (m *model) do(kind string, f func() error) {
	if m.err != nil {
		return
	}
	start := time.Now()
	m.err = f()
	if m.took != nil {
		m.took.now[kind] += time.Since(start)
	}
}

// shares are the times of the kinds of calls in a step: this one's and the best.
type shares struct{ now, best map[string]time.Duration }

// next begins the next step; nil stays nil.
func (s *shares) next() *shares {
	if s == nil {
		return nil
	}
	for k, d := range s.now {
		if b, ok := s.best[k]; !ok || d < b {
			s.best[k] = d
		}
	}
	s.now = map[string]time.Duration{}
	return s
}

func (s *shares) print() {
	if s == nil {
		return
	}
	var kinds []string
	for k := range s.best {
		kinds = append(kinds, k)
	}
	sort.Slice(kinds, func(i, j int) bool { return s.best[kinds[i]] > s.best[kinds[j]] })
	for _, k := range kinds {
		fmt.Fprintf(os.Stderr, "%-24s %6.2f ms\n", k, s.best[k].Seconds()*1e3)
	}
}

// fresh is a value of the step, its gradient zero.
func (m *model) fresh(shape ...int) value {
	var v value
	m.do("make", func() (err error) { v.x, err = m.dev.Empty(gpu.Float32, mem.Activations, shape...); return err })
	m.do("make zeros", func() (err error) { v.d, err = m.dev.Zeros(mem.Gradients, shape...); return err })
	m.made = append(m.made, v.x, v.d)
	return v
}

func view(t *gpu.Tensor, shape ...int) *gpu.Tensor {
	v, err := t.Reshape(shape...)
	if err != nil {
		return nil
	}
	return v
}

func turned(t *gpu.Tensor) *gpu.Tensor {
	v, err := t.Permute(1, 0)
	if err != nil {
		return nil
	}
	return v
}
