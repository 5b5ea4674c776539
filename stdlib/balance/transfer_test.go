package balance

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// TestFreezeAllButIsTrue: the peaks that it says are those of real steps.
func TestFreezeAllButIsTrue(t *testing.T) {
	r := rand.New(rand.NewPCG(19, 20))
	for range 8 {
		task, b := realTask(t, r)
		says, err := FreezeAllBut(task, b, "head")
		if err != nil {
			t.Fatal(err)
		}
		whole := &Plan{Batch: b.Len(), Micro: b.Len()}
		if peak := trainFor(t, task, b, whole, 2); peak != says.Before {
			t.Errorf("said %d bytes, took %d", says.Before, peak)
		}
		if err := task.Optimizer.Free(); err != nil {
			t.Fatal(err)
		}
		whole.Freeze = says.Freeze
		if err := whole.Apply(task); err != nil {
			t.Fatal(err)
		}
		if peak := trainFor(t, task, b, whole, 2); peak != says.After || says.After >= says.Before {
			t.Errorf("frozen: said %d bytes, took %d", says.After, peak)
		}
		if _, err := FreezeAllBut(task, b, "nothing"); err == nil || !strings.Contains(err.Error(), `"nothing": no parameter`) {
			t.Error(err)
		}
	}
}
