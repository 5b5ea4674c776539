package balance

import (
	"math"
	"syscall"
	"testing"
	"time"

	"attune/stdlib/balance"
	"attune/stdlib/data"
	"attune/stdlib/monitor"
	"attune/stdlib/nn"
)

// tenth is the step that the overhead of control is a share of: one at 10 Hz.
const tenth = 100 * time.Millisecond

// BenchmarkControl is what a step costs in Trainer.Fit, under a budget and with a
// monitor that samples, above what its own operations cost in a loop by hand: the least
// processor time of several rounds in turn, of 200 steps each.
func BenchmarkControl(b *testing.B) {
	t := task(b, func(net *nn.Net) []nn.Layer {
		return []nn.Layer{net.Linear("a", 256, 128), nn.ReLU(), net.Linear("b", 128, 10)}
	})
	x := batch(32*steps, 256)
	train := &data.Loader{Data: rows{x}, Size: 32, Ahead: -1}
	m := monitor.New(t.Net.Device())
	m.Start()
	defer m.Stop()
	r := &balance.Trainer{Task: t, Quiet: true, Budget: balance.Budget{Bytes: 64 << 20}}
	if err := r.Fit(train, nil, 1); err != nil { // the first use's costs
		b.Fatal(err)
	}
	hand, fit := math.Inf(1), math.Inf(1)
	for b.Loop() {
		for range 5 {
			hand = min(hand, byHand(b, t, train))
			fit = min(fit, byFit(b, r, train))
		}
	}
	over := fit - hand
	b.ReportMetric(over/1e3, "µs-a-step")
	b.ReportMetric(100*over/float64(tenth), "%-of-a-10Hz-step")
	b.ReportMetric(100*over/hand, "%-of-this-step")
}

const steps = 200

// byHand is nanoseconds a step of what Fit's steps compute.
func byHand(b *testing.B, t balance.Task, train *data.Loader) float64 {
	from, n := cpu(), 0
	for x, err := range train.Epoch() {
		if err == nil {
			_, err = t.Net.Step(t.Optimizer, func(tape *nn.Tape) *nn.Value { return t.Loss(tape, x) })
		}
		if err != nil {
			b.Fatal(err)
		}
		n++
	}
	return float64(cpu()-from) / float64(n)
}

// byFit is nanoseconds a step of Fit, but for what it does once.
func byFit(b *testing.B, r *balance.Trainer, train *data.Loader) float64 {
	var from, last time.Duration
	n := 0
	if err := r.Fit(train, nil, 1, func(e balance.Event) error {
		if e.Done != nil {
			return nil
		}
		if n++; n == 1 {
			from = cpu()
		}
		last = cpu()
		return nil
	}); err != nil {
		b.Fatal(err)
	}
	return float64(last-from) / float64(n-1)
}

// rows are a batch's examples as a data set.
type rows struct{ of *data.Batch }

func (r rows) Len() int { return r.of.Len() }

func (r rows) Batch(index []int) (*data.Batch, error) {
	x := r.of.Slice(index[0], index[len(index)-1]+1)
	x.First = 0
	return x, nil
}

// cpu is the processor time of this process so far.
func cpu() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
