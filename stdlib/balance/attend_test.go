package balance

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// softmaxed is random weights whose rows sum to 1.
func softmaxed(r *rand.Rand, batch, heads, tokens int) Weights {
	w := Weights{Batch: batch, Heads: heads, Tokens: tokens}
	for range batch * heads * tokens {
		row, sum := make([]float32, tokens), float32(0)
		for j := range row {
			row[j] = float32(math.Exp(2 * r.NormFloat64()))
			sum += row[j]
		}
		for _, x := range row {
			w.W = append(w.W, x/sum)
		}
	}
	return w
}

func TestScoresOfWeights(t *testing.T) {
	even, sharp := []float32{.5, .5, .5, .5}, []float32{1, 0, 1, 0}
	w := Weights{Batch: 1, Heads: 2, Tokens: 2, W: append(slices.Clone(even), sharp...)}
	if got := w.Received()[0]; got[0] != 0.75 || got[1] != 0.25 {
		t.Errorf("received %v", got)
	}
	if got := w.Entropy(); math.Abs(got[0]-1) > 1e-9 || got[1] != 0 {
		t.Errorf("entropy %v", got)
	}
	if got := w.Confidence(); got[0] != 0.5 || got[1] != 1 {
		t.Errorf("confidence %v", got)
	}
}

// TestRolloutIsTheProductOfLayers compares with the paper's formula written out:
// the product of 0.5 mean(W) + 0.5 I over layers.
func TestRolloutIsTheProductOfLayers(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	const n = 5
	layers := []Weights{softmaxed(r, 2, 3, n), softmaxed(r, 2, 1, n), softmaxed(r, 2, 4, n)}
	for b := range 2 {
		var product [n][n]float64
		for i := range n {
			product[i][i] = 1
		}
		for _, w := range layers {
			var next [n][n]float64
			for i := range n {
				for j := range n {
					for k := range n {
						a := 0.0
						for h := range w.Heads {
							a += float64(w.row(b, h, i)[k]) / float64(w.Heads)
						}
						if i == k {
							a++
						}
						next[i][j] += a / 2 * product[k][j]
					}
				}
			}
			product = next
		}
		for at := -1; at < n; at++ {
			got, err := Rollout(layers, at)
			if err != nil {
				t.Fatal(err)
			}
			sum := 0.0
			for j := range n {
				want := 0.0
				for i := range n {
					if at < 0 {
						want += product[i][j] / n
					} else if i == at {
						want = product[i][j]
					}
				}
				sum += got[b][j]
				if math.Abs(got[b][j]-want) > 1e-9 {
					t.Fatalf("example %d, to %d: token %d got %v want %v", b, at, j, got[b][j], want)
				}
			}
			if math.Abs(sum-1) > 1e-5 {
				t.Fatalf("sums to %v", sum)
			}
		}
	}
	if _, err := Rollout([]Weights{layers[0], softmaxed(r, 2, 1, n+1)}, -1); err == nil || !strings.Contains(err.Error(), "layer 1") {
		t.Errorf("two sizes: %v", err)
	}
}

// TestTrialTellsScoresFromChance: of parts whose worth is known, a score that knows
// it is trusted, one that has it backwards is not, and one drawn at random is no
// better than chance over many trials.
func TestTrialTellsScoresFromChance(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	lucky := 0
	const rounds = 200
	for round := range rounds {
		worth, names := make([]float64, 16), make([]string, 16)
		for i := range worth {
			worth[i] = r.ExpFloat64()
		}
		loss := func(of pick) (float64, error) {
			sum := 1.0
			for _, i := range of(0, 0) {
				sum += worth[i]
			}
			return sum, nil
		}
		known, backward, blind := Score{Name: "known"}, Score{Name: "backward"}, Score{Name: "blind"}
		for _, w := range worth {
			known.Values = append(known.Values, w*w)
			backward.Values = append(backward.Values, -w)
			blind.Values = append(blind.Values, r.Float64())
		}
		rep, err := trial("head", names, []Score{known, backward, blind}, 8, uint64(round), loss)
		if err != nil {
			t.Fatal(err)
		}
		if s := rep.Scores; !s[0].Trusted() || s[0].Rank != 1 || s[1].Trusted() || s[1].Rank != -1 || rep.Trusted() == nil {
			t.Fatalf("round %d:\n%s", round, rep)
		}
		if rep.Scores[2].Trusted() {
			lucky++
		}
	}
	if lucky > rounds/8 {
		t.Errorf("a score drawn at random is trusted in %d of %d", lucky, rounds)
	}
}

func TestTrialErrors(t *testing.T) {
	names := []string{"a", "b"}
	broken := errors.New("broken")
	if _, err := trial("head", names, nil, 2, 1, nil); err == nil {
		t.Error("all out: no error")
	}
	_, err := trial("head", names, nil, 1, 1, func(of pick) (float64, error) {
		if len(of(0, 0)) > 0 {
			return 0, broken
		}
		return 0, nil
	})
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "without some heads") {
		t.Errorf("got %v", err)
	}
	ok := func(pick) (float64, error) { return 0, nil }
	if _, err := trial("head", names, []Score{{Name: "short", Values: []float64{1}}}, 1, 1, ok); err == nil || !strings.Contains(err.Error(), "short has 1 values for 2 heads") {
		t.Errorf("got %v", err)
	}
}

func TestReportIsTwoTables(t *testing.T) {
	rep, err := trial("head", []string{"one", "two", "three", "four"}, []Score{{Name: "entropy", Values: []float64{1, 2, 3, 4}}}, 2, 1, func(of pick) (float64, error) {
		sum := 0.5
		for _, i := range of(0, 0) {
			sum += float64(i)
		}
		return sum, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `4 heads, loss 0.5000 with all
head   loss without  entropy
four        +3.0000   4.0000
three       +2.0000   3.0000
two         +1.0000   2.0000
one         +0.0000   1.0000

without the lowest 2 of 4 (random choices: +1.0000 to +5.0000)
score        loss  beats random in  rank correlation  trusted
entropy   +1.0000             85 %              1.00       no
ablation  +1.0000             85 %              1.00       no`
	if got := rep.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
