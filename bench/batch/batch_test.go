// Package batch measures how long a training takes to a target accuracy when its batch
// follows the gradient noise scale, beside the best of eight fixed batches in
// hindsight. It owns nothing and imports gpu, stdlib/balance, stdlib/data and stdlib/nn.
package batch

import (
	"errors"
	"flag"
	"fmt"
	"math"
	"syscall"
	"testing"
	"time"

	"attune/gpu"
	"attune/stdlib/balance"
	"attune/stdlib/data"
	"attune/stdlib/nn"
)

var seeds = flag.Int("seeds", 5, "trainings of each batch; the ratio is of their mean times")

// task is what is learned, and to what accuracy.
type task struct {
	name          string
	train, test   data.Dataset
	width, hidden int
	target        float64
	rate          float64
	every         int // examples between two looks at the accuracy
}

func tasks(b *testing.B) []task {
	b.Helper()
	digits, err := data.Digits()
	var missing *data.NotFoundError
	if errors.As(err, &missing) {
		b.Skip(err)
	}
	if err != nil {
		b.Fatal(err)
	}
	train, test := data.Split(digits, 0.75, 1)
	clothes, held, err := data.FashionMNIST()
	if err != nil {
		b.Skip(err)
	}
	index := make([]int, 2000)
	for i := range index {
		index[i] = i
	}
	return []task{
		{"digits", train, test, 64, 128, 0.97, 4e-3, 500},
		{"fashion", clothes, &data.Subset{Data: held, Index: index}, 784, 64, 0.865, 2e-3, 2000},
	}
}

// size 0 is the batch that follows the noise.
func (k task) run(b *testing.B, size int, seed uint64) (seconds float64, log balance.Log) {
	b.Helper()
	dev, err := gpu.OpenCPU(1)
	if err != nil {
		b.Fatal(err)
	}
	defer dev.Close()
	net := nn.NewNet(dev, seed)
	model := net.Sequential("model", net.Linear("up", k.width, k.hidden), nn.ReLU(), net.Linear("down", k.hidden, 10))
	scores := func(t *nn.Tape, x *data.Batch) *nn.Value {
		return model.Apply(t, t.Flatten(t.Input(x.X, x.Shape...)))
	}
	r := &balance.Trainer{Quiet: true, Seed: seed, RateBatch: 32, Rule: balance.SquareRoot, Room: func() (int64, int64) { return 0, 0 }, Task: balance.Task{
		Net: net, Optimizer: gpu.NewAdam(k.rate), Loss: func(t *nn.Tape, x *data.Batch) *nn.Value {
			return t.CrossEntropy(scores(t, x), x.Labels)
		},
	}}
	train := &data.Loader{Data: k.train, Size: max(size, 1), Shuffle: true, Seed: seed, Ahead: -1}
	if size == 0 {
		train.Size, r.MinBatch, r.MaxBatch = 1024, 8, 1024
	}
	index := make([]int, k.test.Len())
	for i := range index {
		index[i] = i
	}
	test, err := k.test.Batch(index)
	if err != nil {
		b.Fatal(err)
	}
	spent, seen := time.Duration(0), 0
	from := cpu()
	err = r.Fit(train, nil, 1000, func(e balance.Event) error {
		if e.Done != nil {
			return nil
		}
		if seen += e.Batch.Len(); seen < k.every {
			return nil
		}
		seen -= k.every
		spent += cpu() - from
		defer func() { from = cpu() }()
		out, err := net.Eval(func(t *nn.Tape) *nn.Value { return scores(t, test) })
		right := 0
		for i, c := range nn.Argmax(out, 10) {
			if c == test.Labels[i] {
				right++
			}
		}
		if float64(right) >= k.target*float64(test.Len()) {
			return balance.ErrStop
		}
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return spent.Seconds(), r.Log
}

// cpu is the processor time of this process so far.
func cpu() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkTimeToAccuracy prints the mean processor time of each batch.
func BenchmarkTimeToAccuracy(b *testing.B) {
	for _, k := range tasks(b) {
		b.Run(k.name, func(b *testing.B) {
			sizes := []int{8, 16, 32, 64, 128, 256, 512, 1024, 0}
			for b.Loop() {
				mean := map[int]float64{}
				for seed := range uint64(*seeds) {
					for _, size := range sizes {
						s, log := k.run(b, size, seed)
						mean[size] += s / float64(*seeds)
						if size == 0 && testing.Verbose() {
							fmt.Println(log)
						}
					}
				}
				best := math.Inf(1)
				for _, size := range sizes[:len(sizes)-1] {
					best = min(best, mean[size])
				}
				for _, size := range sizes {
					fmt.Printf("%s, batch %d: %.3f s, %.2f of the best\n", k.name, size, mean[size], mean[size]/best)
				}
				b.ReportMetric(mean[0]/best, "of-the-best-fixed-batch")
			}
		})
	}
}
