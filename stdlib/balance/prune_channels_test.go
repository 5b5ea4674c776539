package balance

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"attune/gpu"
	"attune/stdlib/nn"
)

// TestPruningChannels: of a convolutional net, channels that another convolution or a
// Linear reads free what is said and leave the output as silencing them did.
func TestPruningChannels(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 22))
	for round := range 24 {
		dev := openCPU(t)
		net := nn.NewNet(dev, r.Uint64())
		a, b := 2+r.IntN(4), 2+r.IntN(4)
		one, two := net.Conv2D("one", 1, a, 3), net.Conv2D("two", a, b, 3)
		norm := net.BatchNorm("norm", a)
		x := make([]float32, 3*12*12)
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
		model := net.Sequential("model", one, norm, nn.ReLU(), nn.MaxPool2D(2), two, nn.ReLU(), nn.Flatten())
		// 12 - 2 = 10, halved 5, - 2 = 3: nine places a channel.
		head := net.Linear("flat", b*9, 3)
		forward := func(t *nn.Tape) *nn.Value { return head.Apply(t, model.Apply(t, t.Input(x, 3, 1, 12, 12))) }
		adam := gpu.NewAdam(1e-3)
		step := func() {
			if _, err := net.Step(adam, func(t *nn.Tape) *nn.Value { return t.CrossEntropy(forward(t), []int{0, 1, 2}) }); err != nil {
				t.Fatal(err)
			}
		}
		step()
		site, err := ChannelsOf("one", one, norm, two)
		if round%2 == 0 {
			site, err = ChannelsOf("two", two, nil, head)
		}
		if err != nil {
			t.Fatal(err)
		}
		keep := someOf(r, site.Of)
		back, err := site.silence(others(site.Of, keep))
		if err != nil {
			t.Fatal(err)
		}
		want, err := net.Eval(forward)
		says, ferr := site.Frees(adam, keep)
		if err = errors.Join(err, ferr, back()); err != nil {
			t.Fatal(err)
		}
		before := dev.Memory().Total.Live
		if err := site.Prune(adam, keep); err != nil {
			t.Fatal(err)
		}
		if freed := before - dev.Memory().Total.Live; freed != says {
			t.Fatalf("round %d: freed %d bytes, said %d", round, freed, says)
		}
		got, err := net.Eval(forward)
		for i := range want {
			if err != nil || math.Abs(float64(got[i]-want[i])) > 1e-5*(1+math.Abs(float64(want[i]))) {
				t.Fatalf("round %d: got %v, silenced %v: %v", round, got, want, err)
			}
		}
		step()
	}
}
