package balance

import (
	"fmt"
	"slices"

	"attune/stdlib/data"
	"attune/stdlib/nn"
)

// Transfer is what freezing all of a model but its head gives, for a step on one
// batch: what was learned elsewhere stays, and needs no gradient and no optimizer
// state. It frees no parameter; a pretrained model is as large as another.
type Transfer struct {
	// Freeze are the names of the parameters to freeze, for Net.Freeze or Plan.Freeze.
	Freeze []string
	// Trained and All are how many numbers learn with them frozen, and how many there
	// are.
	Trained, All int
	// Before and After are the peak of a step, in bytes.
	Before, After int64
}

// String is one line: what still learns, and the peak before and after.
func (t *Transfer) String() string {
	return fmt.Sprintf("%d of %d parameters learn; peak %s, %s with the rest frozen", t.Trained, t.All, bytesText(t.Before), bytesText(t.After))
}

// FreezeAllBut says what a step takes when only the parameters that head names learn,
// as patterns of Net.Freeze ("head", "block5.*"). Nothing is changed.
func FreezeAllBut(task Task, batch *data.Batch, head ...string) (*Transfer, error) {
	t, err := freezeAllBut(task, batch, head)
	if err != nil {
		return nil, fmt.Errorf("freeze all but %v: %w", head, err)
	}
	return t, nil
}

func freezeAllBut(task Task, batch *data.Batch, head []string) (*Transfer, error) {
	if task.Net == nil || task.Loss == nil || task.Optimizer == nil || batch == nil || batch.Len() == 0 {
		return nil, fmt.Errorf("want a Task of a Net, a Loss and an Optimizer, and a batch")
	}
	var learn []*nn.Param
	for _, pattern := range head {
		group := task.Net.Group(pattern)
		if len(group) == 0 {
			return nil, fmt.Errorf("%q: no parameter is called so, see Net.Params", pattern)
		}
		learn = append(learn, group...)
	}
	t := &Transfer{All: task.Net.Size()}
	for _, p := range task.Net.Params() {
		if slices.Contains(learn, p) {
			t.Trained += p.Value.Len()
		} else {
			t.Freeze = append(t.Freeze, p.Name)
		}
	}
	w := &taskWorld{task: task, batch: batch}
	if err := w.look(); err != nil {
		return nil, err
	}
	n := batch.Len()
	before, err := w.price(&Plan{Batch: n, Micro: n})
	if err != nil {
		return nil, err
	}
	after, err := w.price(&Plan{Batch: n, Micro: n, Freeze: t.Freeze})
	t.Before, t.After = before.Peak, after.Peak
	return t, err
}
