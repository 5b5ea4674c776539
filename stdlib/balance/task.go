package balance

import (
	"attune/gpu"
	"attune/stdlib/data"
	"attune/stdlib/nn"
)

// Task is what is trained, and how.
type Task struct {
	Net *nn.Net
	// Loss is the mean over b's examples, one number. It is also called on tapes of a
	// device of shapes, where all that it reads is zero, to count what it takes.
	Loss      func(t *nn.Tape, b *data.Batch) *nn.Value
	Optimizer gpu.Optimizer
	// Model, where there is one, is where a plan may cut.
	Model *nn.Sequential
	// Calibration, where there is one (see Calibrate), tells how long steps take;
	// without, what wants to know measures anew.
	Calibration *Calibration
}
