package balance

import (
	"testing"
	"time"
)

func TestPlanIsATable(t *testing.T) {
	p := &Plan{Batch: 64, Micro: 22, Cuts: []int{2}, Peak: 50 << 20, Budget: 64 << 20, Time: 123456 * time.Microsecond, Why: []Decision{
		{Action: "compute layers 0-1 again in the backward pass", Cause: "their activations need not be kept", Before: 100 << 20, After: 70 << 20, Slower: 1.2},
		{Action: "3 passes of 22", Cause: "the gradients add up to the same", Before: 70 << 20, After: 50 << 20},
	}}
	want := `plan: peak 50.0 MiB of 64.0 MiB, 123 ms a step, 64 examples in 3 passes of up to 22
what                                           why                                 peak before     after  step time
compute layers 0-1 again in the backward pass  their activations need not be kept    100.0 MiB  70.0 MiB     x 1.20
3 passes of 22                                 the gradients add up to the same       70.0 MiB  50.0 MiB          ?`
	if got := p.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got, want := (&Plan{Batch: 8, Peak: 100}).String(), "plan: peak 100 B, 8 examples at once\nnothing needs to change"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
