package balance

import (
	"math"
	"math/rand/v2"
	"testing"

	"attune/gpu"
	"attune/stdlib/balance/control"
	"attune/stdlib/data"
	"attune/stdlib/nn"
)

// TestTrainerHoldsUnderDisturbances: over 10,000 steps of a real Fit on a device of
// shapes, whose budget steps, ramps, swings or trembles, no step fails or lies above its
// budget, the number of parts turns back at most once a disturbance, and not at all once
// it has come to rest where the budget only trembles.
func TestTrainerHoldsUnderDisturbances(t *testing.T) {
	const width, hidden, size = 24, 200, 48
	steps := 10000
	if testing.Short() {
		steps = 2000
	}
	least, most := float64(peakAt(t, width, hidden, size, 1)), float64(peakAt(t, width, hidden, size, size))
	at := func(share float64) int64 { return int64(least + share*(most-least)) }
	rng := rand.New(rand.NewPCG(6, 6))
	for _, d := range []struct {
		name         string
		disturbances int
		budget       func(step int) int64
	}{
		{"constant", 0, func(int) int64 { return at(0.5) }},
		{"step down", 1, func(i int) int64 { return at(1.2 - 0.9*float64(i*2/steps)) }},
		{"step up", 1, func(i int) int64 { return at(0.3 + 0.9*float64(i*2/steps)) }},
		{"ramp down", 1, func(i int) int64 { return at(1.2 - float64(i)/float64(steps)) }},
		{"ramp up", 1, func(i int) int64 { return at(0.2 + float64(i)/float64(steps)) }},
		{"sine", steps / 500, func(i int) int64 { return at(0.7 + 0.5*math.Sin(2*math.Pi*float64(i)/1000)) }},
		{"noise", 0, func(int) int64 { return at(0.6 + 0.05*(2*rng.Float64()-1)) }},
	} {
		dev := must(gpu.OpenMeta(openCPU(t)))(t)
		net := nn.NewNet(dev, 1)
		up, down := net.Linear("up", width, hidden), net.Linear("down", hidden, 3)
		r := &Trainer{Quiet: true, Room: func() (int64, int64) { return 0, 0 }, Task: Task{
			Net: net, Optimizer: gpu.NewAdam(1e-2),
			Loss: func(t *nn.Tape, b *data.Batch) *nn.Value {
				return t.CrossEntropy(down.Apply(t, t.ReLU(up.Apply(t, t.Input(b.X, b.Shape...)))), b.Labels)
			},
		}}
		limit := d.budget(0)
		r.SetBudget(Budget{Bytes: limit})
		var parts []int
		over := 0
		fit(t, r, loader(10*size, width, size), nil, steps/10, func(e Event) error {
			if e.Done != nil {
				return nil
			}
			if dev.Memory().Total.Peak > limit {
				over++
			}
			parts = append(parts, r.state.Parts)
			limit = d.budget(e.Step)
			r.SetBudget(Budget{Bytes: limit})
			return nil
		})
		replays := 0
		for _, a := range r.Log.Actions {
			if a.What == "replay the step, cut finer" {
				replays++
			}
		}
		turns, late := control.Reversals(parts), control.Reversals(parts[200:])
		if over > 0 || replays > 0 || len(parts) != steps || turns > max(1, d.disturbances) || d.disturbances == 0 && late > 0 {
			t.Errorf("%s: %d of %d steps over the budget, %d failed, %d turned back, %d of them late", d.name, over, len(parts), replays, turns, late)
		}
		_ = dev.Close()
	}
}
