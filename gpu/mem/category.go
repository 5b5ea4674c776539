package mem

// Category says what a block of memory is for. The balancer predicts bytes by
// category, so every allocation names one.
type Category uint8

// The categories, in the order in which reports list them.
const (
	// Parameters are what a model learns.
	Parameters Category = iota
	// Gradients are those of the loss by parameters and by what lies between.
	Gradients
	// OptimizerState is what an optimizer keeps for each parameter from step to step.
	OptimizerState
	// Activations are what a forward pass makes, and keeps for the backward pass.
	Activations
	// Workspace is what a call needs while it runs.
	Workspace
	// Data are inputs and labels.
	Data
	// NumCategories is the number of categories, not one of them.
	NumCategories
)

// Categories lists all categories in report order.
func Categories() []Category {
	return []Category{Parameters, Gradients, OptimizerState, Activations, Workspace, Data}
}

// String is the category's name as reports show it: "optimizer state".
func (c Category) String() string {
	switch c {
	case Parameters:
		return "parameters"
	case Gradients:
		return "gradients"
	case OptimizerState:
		return "optimizer state"
	case Activations:
		return "activations"
	case Workspace:
		return "workspace"
	case Data:
		return "data"
	}
	return "unknown"
}
