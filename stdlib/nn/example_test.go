package nn_test

import (
	"fmt"
	"math/rand/v2"

	"attune/gpu"
	"attune/stdlib/nn"
)

// A net that attends learns where in a sequence the largest number stands.
func ExampleNet_Step() {
	dev, err := gpu.Open("cpu")
	if err != nil {
		fmt.Println(err)
		return
	}
	const batch, tokens, d = 64, 6, 16
	net := nn.NewNet(dev, 1)
	embed, place := net.Linear("embed", 1, d), net.Position("place", tokens, d)
	block, head := net.Block("block", d, 2, 2*d), net.Linear("head", tokens*d, tokens)
	model := func(t *nn.Tape, x []float32) *nn.Value {
		h := place.Apply(t, embed.Apply(t, t.Input(x, batch, tokens, 1)))
		return head.Apply(t, t.Reshape(block.Apply(t, h), batch, tokens*d))
	}
	rng := rand.New(rand.NewPCG(1, 1))
	deal := func() (x []float32, labels []int) {
		for range batch * tokens {
			x = append(x, rng.Float32())
		}
		return x, nn.Argmax(x, tokens)
	}
	adam := gpu.NewAdam(3e-3)
	for range 400 {
		x, labels := deal()
		if _, err := net.Step(adam, func(t *nn.Tape) *nn.Value { return t.CrossEntropy(model(t, x), labels) }); err != nil {
			fmt.Println(err)
			return
		}
	}
	x, labels := deal()
	scores, err := net.Eval(func(t *nn.Tape) *nn.Value { return model(t, x) })
	right := 0
	for i, guess := range nn.Argmax(scores, tokens) {
		if guess == labels[i] {
			right++
		}
	}
	fmt.Println(right > batch*8/10, err)
	// Output: true <nil>
}
