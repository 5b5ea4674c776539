// Package tokens measures what dropping or merging tokens costs a small vision
// transformer in accuracy, on the test pictures of Fashion-MNIST over seeds, and
// what it saves. It owns nothing and imports gpu, stdlib/nn and stdlib/data.
package tokens

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"attune/gpu"
	"attune/stdlib/data"
	"attune/stdlib/nn"
)

// The model: pictures of 28x28 in patches of 4x4, so 49 tokens.
const (
	side, patch = 28, 4
	tokens      = (side / patch) * (side / patch)
	width       = 48
	heads       = 4
	depth       = 4
	classes     = 10
	batch       = 64
)

type model struct {
	net    *nn.Net
	embed  *nn.Linear
	place  *nn.Position
	blocks []*nn.ReducedBlock
	norm   *nn.LayerNorm
	head   *nn.Linear
}

func newModel(dev *gpu.Device, seed uint64) *model {
	net := nn.NewNet(dev, seed)
	m := &model{net: net, embed: net.Linear("embed", patch*patch, width), place: net.Position("place", tokens, width)}
	for i := range depth {
		m.blocks = append(m.blocks, &nn.ReducedBlock{Block: net.Block(fmt.Sprint("block", i), width, heads, 2*width)})
	}
	m.norm, m.head = net.LayerNorm("norm", width), net.Linear("head", width, classes)
	return m
}

func (m *model) logits(t *nn.Tape, x []float32) *nn.Value {
	h := m.place.Apply(t, m.embed.Apply(t, t.Input(x, len(x)/(side*side), tokens, patch*patch)))
	for _, b := range m.blocks {
		h = b.Apply(t, h)
	}
	return m.head.Apply(t, t.MeanMerged(m.norm.Apply(t, h)))
}

// set makes every block but the last lose drop tokens.
func (m *model) set(how nn.Reduction, drop int) {
	for i, b := range m.blocks {
		b.How, b.Drop = how, drop
		if i == len(m.blocks)-1 {
			b.Drop = 0
		}
	}
}

// flops is the operations of the blocks for one picture.
func (m *model) flops() int64 {
	sum, n := int64(0), tokens
	for _, b := range m.blocks {
		sum += b.FLOPs(n)
		n = b.Left(n)
	}
	return sum
}

// patches lays a picture out patch by patch, about mean 0 and deviation 1.
func patches(p *data.Pictures) []float32 {
	out := make([]float32, 0, p.Len()*side*side)
	for i := range p.Len() {
		one := p.One(i)
		for y := 0; y < side; y += patch {
			for x := 0; x < side; x += patch {
				for dy := range patch {
					for dx := range patch {
						out = append(out, (float32(one[(y+dy)*side+x+dx])/255-0.286)/0.353)
					}
				}
			}
		}
	}
	return out
}

func (m *model) train(b *testing.B, x []float32, labels []int, steps int, rate float64, rng *rand.Rand) {
	adam := gpu.NewAdamW(rate, 0.02)
	adam.Schedule = gpu.Cosine{Steps: steps, Floor: 0.02}
	done := 0
	for done < steps {
		for _, index := range nn.Batches(rng, len(labels), batch) {
			if done == steps {
				break
			}
			in, want := nn.Gather(x, side*side, index), nn.Gather(labels, 1, index)
			if _, err := m.net.Step(adam, func(t *nn.Tape) *nn.Value { return t.CrossEntropy(m.logits(t, in), want) }); err != nil {
				b.Fatal(err)
			}
			done++
		}
	}
	if err := adam.Free(); err != nil {
		b.Fatal(err)
	}
}

// accuracy is the share of right answers in percent, and the seconds it took.
func (m *model) accuracy(b *testing.B, x []float32, labels []int) (float64, float64) {
	const part = 500
	right, start := 0, time.Now()
	for lo := 0; lo < len(labels); lo += part {
		hi := min(lo+part, len(labels))
		scores, err := m.net.Eval(func(t *nn.Tape) *nn.Value { return m.logits(t, x[lo*side*side:hi*side*side]) })
		if err != nil {
			b.Fatal(err)
		}
		for i, guess := range nn.Argmax(scores, classes) {
			if guess == labels[lo+i] {
				right++
			}
		}
	}
	return 100 * float64(right) / float64(len(labels)), time.Since(start).Seconds()
}

func setting(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return otherwise
}

// BenchmarkTokens trains on each seed, all tokens at every step, then drops and merges
// tokens with nothing learnt of it, and after some more steps. ATTUNE_SEEDS and ATTUNE_STEPS make it shorter.
func BenchmarkTokens(b *testing.B) {
	train, test, err := data.FashionMNIST()
	if err != nil {
		b.Skip(err)
	}
	dev, err := gpu.Open("cpu")
	if err != nil {
		b.Fatal(err)
	}
	x, tx := patches(train), patches(test)
	seeds, steps := setting("ATTUNE_SEEDS", 5), setting("ATTUNE_STEPS", 2*len(train.Labels)/batch)
	sums := map[string][]float64{}
	for seed := range seeds {
		m := newModel(dev, uint64(seed+1))
		m.train(b, x, train.Labels, steps, 2e-3, rand.New(rand.NewPCG(uint64(seed), 1)))
		full := m.flops()
		whole, took := m.accuracy(b, tx, test.Labels)
		fmt.Printf("seed %d: all tokens %.2f %% in %.1f s\n", seed+1, whole, took)
		for _, how := range []nn.Reduction{nn.PruneTokens, nn.MergeTokens} {
			drop := 0
			for m.set(how, drop); m.flops() > full*7/10; m.set(how, drop) {
				drop++
			}
			acc, fast := m.accuracy(b, tx, test.Labels)
			report(sums, fmt.Sprintf("%s %d a block", how, drop), acc-whole, 1-float64(m.flops())/float64(full), fast/took)
		}
		// Some more steps at a tenth of the rate, with all tokens and with fewer, from the
		// same weights and on the same batches.
		start := m.weights(b)
		more := func() { m.train(b, x, train.Labels, steps/6, 4e-4, rand.New(rand.NewPCG(uint64(seed), 2))) }
		m.set(nn.PruneTokens, 0)
		more()
		again, took := m.accuracy(b, tx, test.Labels)
		fmt.Printf("  all tokens, %d more steps: %.2f %%\n", steps/6, again)
		for _, how := range []nn.Reduction{nn.PruneTokens, nn.MergeTokens} {
			m.restore(b, start)
			drop := 0
			for m.set(how, drop); m.flops() > full*7/10; m.set(how, drop) {
				drop++
			}
			more()
			acc, fast := m.accuracy(b, tx, test.Labels)
			report(sums, fmt.Sprintf("%s %d a block, as many more steps", how, drop), acc-again, 1-float64(m.flops())/float64(full), fast/took)
		}
		if err := m.net.Free(); err != nil {
			b.Fatal(err)
		}
	}
	for name, d := range sums {
		mean, dev := 0.0, 0.0
		for _, x := range d {
			mean += x / float64(len(d))
		}
		for _, x := range d {
			dev += (x - mean) * (x - mean) / math.Max(1, float64(len(d)-1))
		}
		fmt.Printf("%s: %+.2f points on average, deviation %.2f, worst %+.2f\n", name, mean, math.Sqrt(dev), worst(d))
	}
}

// weights copies the parameters out, and restore puts them back.
func (m *model) weights(b *testing.B) (all [][]float32) {
	for _, p := range m.net.Params() {
		v, err := p.Value.Float32s()
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, v)
	}
	return all
}

func (m *model) restore(b *testing.B, all [][]float32) {
	for i, p := range m.net.Params() {
		if err := p.Value.CopyFrom(all[i]); err != nil {
			b.Fatal(err)
		}
	}
}

func worst(d []float64) float64 {
	w := d[0]
	for _, x := range d {
		w = math.Min(w, x)
	}
	return w
}

func report(sums map[string][]float64, name string, points, saved, time float64) {
	sums[name] = append(sums[name], points)
	fmt.Printf("  %s: %+.2f points, %.1f %% fewer operations, x %.2f time\n", name, points, 100*saved, time)
}
