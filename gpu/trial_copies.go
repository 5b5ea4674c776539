package gpu

import "attune/gpu/mem"

// copyProblem copies a tensor's elements from lo to hi of its last axis, with the axes in
// another order. The target begins at an odd address, or is dense.
type copyProblem struct {
	shape  []int
	lo, hi int
	order  []int
	odd    bool
}

// copyProblems are rows with gaps and at odd addresses, of which no four values lie as
// they should; four at once, and what is left; rows of four within greater ones.
func copyProblems() []copyProblem {
	return []copyProblem{
		{[]int{9, 21, 11}, 1, 10, []int{0, 1, 2}, true},
		{[]int{7, 43, 17}, 0, 17, []int{0, 1, 2}, false},
		{[]int{200, 48}, 8, 36, []int{0, 1}, false},
	}
}

// turnProblems are many small matrices, one of whole tiles and of parts, one of few columns and
// one of few rows.
func turnProblems() []copyProblem {
	return []copyProblem{
		{[]int{9, 21, 11}, 1, 10, []int{1, 2, 0}, true},
		{[]int{120, 251}, 1, 251, []int{1, 0}, true},
		{[]int{600, 4}, 1, 4, []int{1, 0}, true},
		{[]int{3, 330}, 0, 330, []int{1, 0}, true},
	}
}

// copies gives the targets, with what lies around them.
func (r *trialRun) copies(problems []copyProblem, from, to DType) ([]*Tensor, error) {
	var all []*Tensor
	for _, p := range problems {
		src, err := r.numbers(from, p.shape...)
		if err != nil {
			return all, err
		}
		all = append(all, src)
		view, err := src.span(len(p.shape)-1, p.lo, p.hi).Permute(p.order...)
		if err != nil {
			return all, err
		}
		shape := view.Shape()
		last := len(shape) - 1
		shape[0]++
		if p.odd {
			shape[last]++
		}
		dst, err := r.dev.ZerosOf(to, mem.Workspace, shape...)
		if err != nil {
			return all, err
		}
		all = append(all, dst)
		if err := Copy(dst.span(0, 0, view.shape[0]).span(last, shape[last]-view.shape[last], shape[last]), view); err != nil {
			return all, err
		}
	}
	return all, nil
}

// numbers are values of any type; of integers some that floats round.
func (r *trialRun) numbers(dtype DType, shape ...int) (*Tensor, error) {
	if dtype != Int32 {
		return checkTensor(r.dev, dtype, 1, shape...)
	}
	values := make([]int32, product(shape))
	for i := range values {
		values[i] = int32(i*2654435761) >> (i % 32)
		if i%9 == 0 { // between two of bfloat16's, by one above the middle
			values[i] = 1<<30 | 1<<22 | 1
		}
	}
	return r.dev.FromInt32s(values, mem.Workspace, shape...)
}

func product(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}
