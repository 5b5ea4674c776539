package balance

import (
	"errors"
	"math/rand/v2"
	"testing"

	"attune/gpu"
	"attune/stdlib/nn"
)

// TestAttendTokensFindsTheLoud: in sequences of which three tokens are marked and
// alone say the class, the attention they are given tells them from the others; half
// of the tokens can go. The gradient cannot: the loss is so small that its slopes are
// noise. What a layer costs is what the model without it costs.
func TestAttendTokensFindsTheLoud(t *testing.T) {
	const batch, tokens, d, classes = 32, 10, 16, 3
	net := nn.NewNet(openCPU(t), 1)
	embed, place := net.Linear("embed", classes+1, d), net.Position("place", tokens, d)
	blocks := []*nn.Block{net.Block("one", d, 2, 2*d), net.Block("two", d, 2, 2*d)}
	head := net.Linear("head", d, classes)
	rng := rand.New(rand.NewPCG(1, 1))
	deal := func() TokenLoss {
		x, labels := make([]float32, batch*tokens*(classes+1)), make([]int, batch)
		for b := range labels {
			labels[b] = rng.IntN(classes)
			at := rng.Perm(tokens)
			for k, i := range at {
				token := x[(b*tokens+i)*(classes+1):][:classes+1]
				token[rng.IntN(classes)] = 1
				if k < 3 {
					clear(token)
					token[labels[b]], token[classes] = 1, 1
				}
			}
		}
		return TokenLoss{
			Embed: func(t *nn.Tape) *nn.Value {
				return place.Apply(t, embed.Apply(t, t.Input(x, batch, tokens, classes+1)))
			},
			Loss: func(t *nn.Tape, h *nn.Value) *nn.Value {
				for _, b := range blocks {
					h = b.Apply(t, h)
				}
				return t.CrossEntropy(head.Apply(t, t.MeanTokens(h)), labels)
			},
		}
	}
	adam := gpu.NewAdam(3e-3)
	for range 200 {
		l := deal()
		if _, err := net.Step(adam, func(t *nn.Tape) *nn.Value { return l.Loss(t, l.Embed(t)) }); err != nil {
			t.Fatal(err)
		}
	}
	losses := []TokenLoss{deal(), deal()}
	live := net.Device().Memory().Total.Live
	rep, err := AttendTokens(net, losses, false, nil, 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("\n%s", rep)
	if best := rep.Trusted(); best == nil || best.Name == "ablation" || best.Cost > rep.Loss+0.5 {
		t.Errorf("no score of an example's own tokens is trusted")
	}
	if now := net.Device().Memory().Total.Live; now != live {
		t.Errorf("%d bytes more live than before", now-live)
	}
	layers, err := Attend(net, Losses{func(t *nn.Tape) *nn.Value { return losses[0].Loss(t, losses[0].Embed(t)) }}, 1, 1, LayerOf("one", blocks[0]), LayerOf("two", blocks[1]))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("\n%s", layers)
	skipped, err := net.Eval(func(t *nn.Tape) *nn.Value {
		all := blocks
		blocks = all[1:]
		defer func() { blocks = all }()
		return losses[0].Loss(t, losses[0].Embed(t))
	})
	if want := layers.Loss + layers.Without[0]; err != nil || abs(float64(skipped[0])-want) > 1e-5 {
		t.Errorf("without block one %v, silenced it is %v: %v", skipped, want, err)
	}
	if err := errors.Join(net.Free(), adam.Free()); err != nil {
		t.Fatal(err)
	}
}

func abs(x float64) float64 { return max(x, -x) }
