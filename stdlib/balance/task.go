package balance

import (
	"attune/gpu"
	"attune/stdlib/data"
	"attune/stdlib/nn"
)

// Task is what is trained, and how.
type Task struct {
	Net *nn.Net
	// Loss is the mean over b's examples, one number. It must put on the tape all that
	// it allocates.
	Loss      func(t *nn.Tape, b *data.Batch) *nn.Value
	Optimizer gpu.Optimizer
}
