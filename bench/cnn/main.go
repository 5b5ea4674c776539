// Command cnn times the step of a small convolutional network for bench/cnn.py: two
// times convolution by 3, ReLU and max pooling by 2, a dense layer, cross-entropy,
// gradients and Adam, for a batch of 32 images (3, 32, 32). It reads "attune" or
// "gorgonia" a line and answers the best time of some steps in seconds, and the loss of the
// first and the last. The first argument is the number of threads; with one, times are the
// process's processor time, which other work on the machine does not lengthen. It imports
// gpu, and gorgonia as a peer.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"attune/gpu"
	"attune/gpu/mem"
)

const (
	batch, side, classes = 32, 32, 10
	narrow, broad        = 16, 32 // channels
	flat                 = broad * side / 4 * side / 4
)

func main() {
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, "cnn:", err)
		os.Exit(1)
	}
}

func serve() error {
	threads := 1
	if len(os.Args) > 1 {
		n, err := strconv.Atoi(os.Args[1])
		if err != nil {
			return fmt.Errorf("threads: %w", err)
		}
		threads = n
	}
	runtime.GOMAXPROCS(threads)
	ours, err := newNetwork(threads)
	if err != nil {
		return err
	}
	peer, err := newPeer()
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		step := ours.step
		if lines.Text() == "gorgonia" {
			step = peer.step
		}
		seconds, first, last, err := best(step, threads)
		if err != nil {
			return err
		}
		fmt.Println(seconds, first, last)
	}
	return lines.Err()
}

// best runs steps for half a second.
func best(step func() (loss float32, err error), threads int) (seconds float64, first, last float32, err error) {
	begin := time.Now()
	clock := func() float64 { return time.Since(begin).Seconds() }
	if threads == 1 {
		clock = cpuTime
	}
	seconds = math.Inf(1)
	for n := 0; n < 3 || time.Since(begin) < time.Second/2; n++ {
		start := clock()
		if last, err = step(); err != nil {
			return 0, 0, 0, err
		}
		seconds = min(seconds, clock()-start)
		if n == 0 {
			first = last
		}
	}
	return seconds, first, last, nil
}

// cpuTime is the processor time of this process, in seconds.
func cpuTime() float64 {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return math.NaN()
	}
	return float64(r.Utime.Nano()+r.Stime.Nano()) / 1e9
}

// images are the batch and its labels, the same for all.
func images() (x []float32, labels []int32) {
	rng := rand.New(rand.NewPCG(1, 2))
	x, labels = make([]float32, batch*3*side*side), make([]int32, batch)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	for i := range labels {
		labels[i] = int32(i % classes)
	}
	return x, labels
}

// network is the model over gpu's functions, its tensors made once.
type network struct {
	dev                                *gpu.Device
	x, labels                          *gpu.Tensor
	params, grads                      []*gpu.Tensor
	y1, p1, y2, p2, logits             *gpu.Tensor
	dy1, dp1, dy2, dp2, dz1, dz2, dOut *gpu.Tensor
	loss, lse                          *gpu.Tensor
	adam                               *gpu.Adam
	err                                error
}

func (n *network) empty(cat mem.Category, shape ...int) *gpu.Tensor {
	t, err := n.dev.Zeros(cat, shape...)
	n.err = errors.Join(n.err, err)
	return t
}

func newNetwork(threads int) (*network, error) {
	dev, err := gpu.OpenCPU(threads)
	if err != nil {
		return nil, err
	}
	n := &network{dev: dev}
	values, labels := images()
	if n.x, err = dev.FromFloat32s(values, mem.Data, batch, 3, side, side); err != nil {
		return nil, err
	}
	if n.labels, err = dev.FromInt32s(labels, mem.Data, batch); err != nil {
		return nil, err
	}
	rng := rand.New(rand.NewPCG(3, 4))
	for _, s := range [][]int{{narrow, 3, 3, 3}, {narrow}, {broad, narrow, 3, 3}, {broad}, {flat, classes}, {classes}} {
		p := n.empty(mem.Parameters, s...)
		values := make([]float32, p.Len())
		for i := range values {
			values[i] = float32(0.05 * rng.NormFloat64())
		}
		n.err = errors.Join(n.err, p.CopyFrom(values))
		n.params, n.grads = append(n.params, p), append(n.grads, n.empty(mem.Gradients, s...))
	}
	half, quarter := side/2, side/4
	for _, t := range []struct {
		to    []**gpu.Tensor
		shape []int
	}{
		{[]**gpu.Tensor{&n.y1, &n.dy1, &n.dz1}, []int{batch, narrow, side, side}}, {[]**gpu.Tensor{&n.p1, &n.dp1}, []int{batch, narrow, half, half}},
		{[]**gpu.Tensor{&n.y2, &n.dy2, &n.dz2}, []int{batch, broad, half, half}}, {[]**gpu.Tensor{&n.p2, &n.dp2}, []int{batch, broad, quarter, quarter}},
		{[]**gpu.Tensor{&n.logits, &n.dOut}, []int{batch, classes}}, {[]**gpu.Tensor{&n.loss, &n.lse}, []int{batch}},
	} {
		for _, to := range t.to {
			*to = n.empty(mem.Activations, t.shape...)
		}
	}
	n.adam = gpu.NewAdam(0.001)
	return n, n.err
}

// step is one of training.
func (n *network) step() (float32, error) {
	w, g, conv, pool := n.params, n.grads, gpu.ConvOptions{Padding: 1}, gpu.PoolOptions{Kernel: 2}
	view := func(t *gpu.Tensor, shape ...int) *gpu.Tensor {
		v, err := t.Reshape(shape...)
		n.err = errors.Join(n.err, err)
		return v
	}
	turned := func(t *gpu.Tensor) *gpu.Tensor {
		v, err := t.Permute(1, 0)
		n.err = errors.Join(n.err, err)
		return v
	}
	for _, t := range append([]*gpu.Tensor{n.dy1, n.dz1, n.dp1, n.dy2, n.dz2, n.dp2, n.dOut}, g...) {
		n.err = errors.Join(n.err, t.Clear())
	}
	p2, dp2 := view(n.p2, batch, flat), view(n.dp2, batch, flat)
	if n.err != nil {
		return 0, n.err
	}
	err := errors.Join(
		gpu.Conv2D(n.y1, n.x, w[0], w[1], conv), gpu.ReLU(n.y1, n.y1), gpu.MaxPool2D(n.p1, n.y1, pool),
		gpu.Conv2D(n.y2, n.p1, w[2], w[3], conv), gpu.ReLU(n.y2, n.y2), gpu.MaxPool2D(n.p2, n.y2, pool),
		gpu.MatMulBias(n.logits, p2, w[4], w[5]), gpu.CrossEntropy(n.loss, n.lse, n.logits, n.labels),

		gpu.CrossEntropyGrad(n.dOut, n.logits, n.labels, n.lse, nil, 1.0/batch),
		gpu.SumRows(g[5], n.dOut, 1), gpu.MatMul(g[4], turned(p2), n.dOut, true), gpu.MatMul(dp2, n.dOut, turned(w[4]), true),
		gpu.MaxPool2DGrad(n.dy2, n.y2, n.dp2, pool), gpu.ReLUGrad(n.dz2, n.y2, n.dy2), gpu.Conv2DGrad(n.dp1, g[2], g[3], n.p1, w[2], n.dz2, conv),
		gpu.MaxPool2DGrad(n.dy1, n.y1, n.dp1, pool), gpu.ReLUGrad(n.dz1, n.y1, n.dy1), gpu.Conv2DGrad(nil, g[0], g[1], n.x, w[0], n.dz1, conv),
		n.err, n.adam.Step(w, g))
	if err != nil {
		return 0, err
	}
	losses, err := n.loss.Float32s()
	var sum float32
	for _, l := range losses {
		sum += l / batch
	}
	return sum, err
}
