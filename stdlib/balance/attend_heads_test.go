package balance

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"attune/gpu"
	"attune/stdlib/nn"
)

// finder is a model of two blocks that learns where in a sequence the largest
// number stands, and batches to judge it by.
type finder struct {
	net    *nn.Net
	sites  []Site
	blocks []*nn.Block
	losses Losses
	adam   *gpu.Adam
}

func newFinder(t *testing.T, steps int) *finder {
	t.Helper()
	const batch, tokens, d, heads = 32, 6, 24, 4
	net := nn.NewNet(openCPU(t), 1)
	embed, place := net.Linear("embed", 1, d), net.Position("place", tokens, d)
	f := &finder{net: net, adam: gpu.NewAdam(3e-3)}
	for _, name := range []string{"one", "two"} {
		b := net.Block(name, d, heads, 2*d)
		f.blocks = append(f.blocks, b)
		f.sites = append(f.sites, HeadsOf(name, b.Attention))
	}
	head := net.Linear("head", tokens*d, tokens)
	rng := rand.New(rand.NewPCG(1, 1))
	deal := func() func(t *nn.Tape) *nn.Value {
		var x []float32
		for range batch * tokens {
			x = append(x, rng.Float32())
		}
		labels := nn.Argmax(x, tokens)
		return func(t *nn.Tape) *nn.Value {
			h := place.Apply(t, embed.Apply(t, t.Input(x, batch, tokens, 1)))
			for _, b := range f.blocks {
				h = b.Apply(t, h)
			}
			return t.CrossEntropy(head.Apply(t, t.Reshape(h, batch, tokens*d)), labels)
		}
	}
	for range steps {
		if _, err := net.Step(f.adam, deal()); err != nil {
			t.Fatal(err)
		}
	}
	for range 4 {
		f.losses = append(f.losses, deal())
	}
	return f
}

// TestAttendMeasuresHeads: the report's losses are those of models that are really
// pruned, the model is as before, and the gradient score is the derivative of the
// loss by a head's strength.
func TestAttendMeasuresHeads(t *testing.T) {
	f := newFinder(t, 150)
	before, err := f.losses.mean(f.net)
	if err != nil {
		t.Fatal(err)
	}
	rep, err := Attend(f.net, f.losses, 1, 0, f.sites...)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("\n%s", rep)
	if after, _ := f.losses.mean(f.net); after != before || rep.Loss != before {
		t.Fatalf("loss %v before, %v after, %v in the report", before, after, rep.Loss)
	}
	var names []string
	for _, s := range rep.Scores {
		names = append(names, s.Name)
	}
	if want := []string{"size", "gradient", "focus", "confidence", "ablation"}; !slices.Equal(names, want) {
		t.Fatalf("scores %v, want %v", names, want)
	}
	// One head faded by a thousandth, one loss: the score of that loss alone.
	one, err := weightScores(f.net, f.losses[:1], f.sites)
	if err != nil {
		t.Fatal(err)
	}
	p := f.blocks[1].Attention.Out.W
	old, _ := p.Value.Float32s()
	var side [2]float64
	const h = 5e-2
	for k, factor := range []float32{1 + h, 1 - h} {
		faded := slices.Clone(old)
		for i := range faded[:6*24] { // head 0 of the second block
			faded[i] *= factor
		}
		if err := p.Value.CopyFrom(faded); err != nil {
			t.Fatal(err)
		}
		side[k], _ = f.losses[:1].mean(f.net)
	}
	if err := p.Value.CopyFrom(old); err != nil {
		t.Fatal(err)
	}
	if want, got := math.Abs(side[0]-side[1])/(2*h), one[1].Values[4]; math.Abs(got-want) > 0.03*want+1e-4 {
		t.Errorf("gradient score %v, differences give %v", got, want)
	}
	keep := Spread(f.sites, []int{1, 4, 6})
	silenced, err := lossWithout(f.net, f.losses, f.sites, []int{1, 4, 6})
	if err != nil {
		t.Fatal(err)
	}
	for i := range f.sites {
		if err := f.sites[i].Prune(f.adam, keep[i]); err != nil {
			t.Fatal(err)
		}
	}
	pruned, err := f.losses.mean(f.net)
	if err != nil || math.Abs(pruned-silenced) > 1e-5 {
		t.Errorf("pruned %v, silenced %v: %v", pruned, silenced, err)
	}
	if err := errors.Join(f.net.Free(), f.adam.Free()); err != nil {
		t.Fatal(err)
	}
}

// TestAttendComputesInTheNetsPrecision: whatever of a model is looked at is computed as
// the net computes, its copies in half are given back, and gradients that float16 could
// not hold are of a scaled loss.
func TestAttendComputesInTheNetsPrecision(t *testing.T) {
	for _, precision := range []gpu.DType{gpu.Float32, gpu.BFloat16, gpu.Float16} {
		f := newFinder(t, 40)
		exact, err := weightScores(f.net, f.losses, f.sites)
		if err != nil {
			t.Fatal(err)
		}
		f.net.Precision = precision
		live := f.net.Device().Memory().Total.Live
		seen := map[gpu.DType]int{}
		losses := make(Losses, len(f.losses))
		for i, loss := range f.losses {
			losses[i] = func(t *nn.Tape) *nn.Value { seen[t.Precision()]++; return t.Scale(loss(t), 1e-4) }
		}
		if _, err := Attend(f.net, losses, 1, 0, f.sites...); err != nil {
			t.Fatal(err)
		}
		if len(seen) != 1 || seen[precision] == 0 {
			t.Errorf("a net in %s was computed in %v", precision, seen)
		}
		if now := f.net.Device().Memory().Total.Live; now != live {
			t.Errorf("%s: %d bytes are left", precision, now-live)
		}
		got, err := weightScores(f.net, losses, f.sites)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range exact[1].Values {
			if x := got[1].Values[i] * 1e4; !(math.Abs(x-want) <= 0.1*want+0.01) {
				t.Errorf("%s: the gradient of head %d is %g, in f32 %g", precision, i, x, want)
			}
		}
	}
}
