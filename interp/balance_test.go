package interp_test

import (
	"strings"
	"testing"
)

// TestInterruptedTrainingGoesOn stops a training that would take minutes, and lets it
// go on in the next cell with nothing lost.
func TestInterruptedTrainingGoesOn(t *testing.T) {
	s := open(t)
	mustRun(t, s, 1, `import ("attune/gpu"; "attune/stdlib/balance"; "attune/stdlib/data"; "attune/stdlib/nn"; "errors"; "fmt"; "os")`)
	mustRun(t, s, 2, `type rows struct{}
func (rows) Len() int { return 64 }
func (rows) Batch(index []int) (*data.Batch, error) {
	b := &data.Batch{Shape: []int{len(index), 4}}
	for _, i := range index {
		b.X = append(b.X, float32(i%2), 1, 2, float32(i%3))
		b.Labels = append(b.Labels, i%2)
	}
	return b, nil
}
dev, _ := gpu.Default()
net := nn.NewNet(dev, 1)
out := net.Linear("out", 4, 2)
train := &data.Loader{Data: rows{}, Size: 16}
seen, once, said := 0, false, error(nil)
trainer := &balance.Trainer{Quiet: true, Task: balance.Task{Net: net, Optimizer: gpu.NewAdam(0.01), Loss: func(t *nn.Tape, b *data.Batch) *nn.Value {
	return t.CrossEntropy(out.Apply(t, t.Input(b.X, b.Shape...)), b.Labels)
}}}
count := func(e balance.Event) error {
	if e.Done == nil { seen += e.Batch.Len() }
	if !once && e.Step > 3 { once = true; os.Stdout.WriteString("begun") }
	if e.Done != nil && seen > 100 && trainer.Steps() > 1<<30 { return balance.ErrStop }
	return nil
}`)
	r := begin(t, s, 3, "said = trainer.Fit(train, nil, 1<<40, count)")
	if text := r.mustStop(t, s); strings.Contains(text, "let go") {
		t.Error(text)
	}
	mustAnswer(t, s, 4, "trainer.Steps() > 3 && seen <= 16*trainer.Steps() && seen >= 16*(trainer.Steps()-1)", "= true\n")
	mustAnswer(t, s, 5, `before, dealt := trainer.Steps(), 0
said = trainer.Fit(train, nil, 1, func(e balance.Event) error { if e.Done == nil { dealt++ }; if dealt == 5 { return balance.ErrStop }; return nil })
fmt.Println(said == nil, dealt, trainer.Steps()-before, errors.Is(said, balance.ErrInterrupted))`, "true 5 5 false\n")
}

// TestCheckMagic asks what a training takes, by the line that would run it and by its
// task and a batch, and then that nothing ran.
func TestCheckMagic(t *testing.T) {
	s := open(t)
	mustRun(t, s, 1, `import ("attune/gpu"; "attune/stdlib/data"; "attune/stdlib/nn")`)
	mustRun(t, s, 2, `type rows struct{}
func (rows) Len() int { return 64 }
func (rows) Batch(index []int) (*data.Batch, error) {
	return &data.Batch{Shape: []int{len(index), 4}, X: make([]float32, 4*len(index)), Labels: make([]int, len(index))}, nil
}
dev, _ := gpu.Default()
net := nn.NewNet(dev, 1)
out := net.Linear("out", 4, 2)
train := &data.Loader{Data: rows{}, Size: 16}
batch, _ := rows{}.Batch(make([]int, 16))
task := balance.Task{Net: net, Optimizer: gpu.NewAdam(0.01), Loss: func(t *nn.Tape, b *data.Batch) *nn.Value {
	return t.CrossEntropy(out.Apply(t, t.Input(b.X, b.Shape...)), b.Labels)
}}
trainer := &balance.Trainer{Quiet: true, Task: task, Budget: balance.Budget{Bytes: 100}}`)
	for i, c := range []struct{ code, want string }{
		{"%check task, batch", "it fits: a training step of 16 examples takes "},
		{"%check err := trainer.Fit(train, nil, 3)", "it does not fit: a training step of 16 examples takes "},
		{"%check\nif err := trainer.Fit(train, nil, 3); err != nil {\n\tpanic(err)\n}", "more than the budget leaves"},
		{"%check trainer.Fit(nil, nil, 3)", "check a training: want data to learn from"},
		{"%check", "%check: want Go code"},
		{"%check x := 1", "%check: want one line that calls Fit"},
	} {
		if got := transcript(s, 3+i, c.code); !strings.Contains(got, c.want) {
			t.Errorf("%s:\n%s", c.code, got)
		}
	}
	mustAnswer(t, s, 20, "trainer.Steps() == 0 && len(trainer.History) == 0", "= true\n")
}
