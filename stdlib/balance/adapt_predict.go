package balance

import (
	"errors"
	"fmt"

	"attune/display"
	"attune/gpu"
	"attune/stdlib/data"
	"attune/stdlib/nn"
)

// foresight takes a pass of a part of a batch on a device of shapes: what it counts
// there is what the real pass will count, to the byte.
type foresight struct {
	dev  *gpu.Device
	net  *nn.Net
	loss func(t *nn.Tape, b *data.Batch) *nn.Value
}

func (r *Trainer) foresee() (*foresight, error) {
	dev, err := gpu.OpenMeta(r.Net.Device())
	if err != nil {
		return nil, err
	}
	net, err := r.Net.Shadow(dev)
	if err != nil {
		return nil, errors.Join(err, dev.Close())
	}
	return &foresight{dev, net, r.Loss}, nil
}

// extra is the bytes that a pass of micro examples of b takes at its peak, on top of
// what is live before it. An error says that the loss cannot do without its numbers.
func (f *foresight) extra(b *data.Batch, micro int) (n int64, err error) {
	t := f.net.Tape()
	defer func() {
		err = errors.Join(err, t.Free())
		if v := recover(); v != nil {
			if display.Stopping() {
				panic(v)
			}
			err = fmt.Errorf("the loss panics without its numbers: %v", v)
		}
	}()
	f.dev.ResetPeak()
	live := f.dev.Memory().Total.Live
	part := b.Slice(0, min(micro, b.Len()))
	t.First = part.First
	v := f.loss(t, part)
	if err := t.BackwardScaled(v, 1); err != nil {
		return 0, err
	}
	return f.dev.Memory().Total.Peak - live, nil
}

// close gives the device of shapes up.
func (f *foresight) close() error { return errors.Join(f.net.Free(), f.dev.Close()) }
