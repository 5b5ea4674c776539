package gpu

import "fmt"

// Room is the memory in bytes that a CUDA device has free and in all, whoever holds
// the rest: the driver's own figure. It is not known (false) of other devices, and
// not where the driver does not tell.
func (d *Device) Room() (free, total int64, known bool) {
	c, ok := d.back.(*cuda)
	if !ok {
		return 0, 0, false
	}
	free, total, err := c.ctx.MemInfo()
	return free, total, err == nil
}

// Threads is how many threads of this process work on a call: those of the CPU device,
// and one, which hands the work over, of a CUDA device.
func (d *Device) Threads() int {
	switch b := d.back.(type) {
	case cpu:
		return b.engine.Threads()
	case meta:
		return b.engine.Threads()
	}
	return 1
}

// Synchronize waits until the device has done all that it was asked to, and returns what
// went wrong in it. The CPU never lags behind its callers.
func (d *Device) Synchronize() error {
	c, ok := d.back.(*cuda)
	if !ok {
		return nil
	}
	if err := c.ctx.Synchronize(); err != nil {
		return fmt.Errorf("wait for %s: %w", d.name, err)
	}
	return nil
}

// SumSquares is the sum of the squares of all elements of the tensors, which are
// floating point, dense and of one device.
func SumSquares(ts ...*Tensor) (float64, error) {
	if len(ts) == 0 {
		return 0, nil
	}
	for i, t := range ts {
		err := live(ts[0], t)
		if err == nil && (!t.dtype.Float() || !t.Dense()) {
			err = fmt.Errorf("%s with strides %s: want f32, f16 or bf16, dense", t, dims(t.strides))
		}
		if err != nil {
			return 0, fmt.Errorf("sum squares of tensor %d: %w", i, err)
		}
	}
	defer keep(ts...)
	sums, err := ts[0].store.dev.back.sumSquares(ts)
	if err != nil {
		return 0, fmt.Errorf("sum squares: %w", err)
	}
	total := 0.0
	for _, s := range sums {
		total += s
	}
	return total, nil
}

// Common is what the optimizer shares with all others, for code that has it as an
// Optimizer and sets its learning rate or reads its loss scale.
func (o *Training) Common() *Training { return o }
