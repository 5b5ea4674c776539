package gpu

import (
	"errors"
	"strings"
	"testing"

	"attune/gpu/mem"
)

func TestWrapSharesAndCounts(t *testing.T) {
	dev := must(OpenCPU(1))(t)
	data := []float32{1, 2, 3, 4, 5, 6}
	x := must(dev.Wrap(data, mem.Parameters, 2, 3))(t)
	s := dev.Memory()
	if s.ByCategory[mem.Parameters].Live != 24 || s.Reserved != 0 || s.Total.Reserved != 0 {
		t.Fatalf("wrapped memory is counted as %+v, reserved %d", s.ByCategory[mem.Parameters], s.Reserved)
	}
	g := must(dev.FromFloat32s([]float32{1, 1, 1, 1, 1, 1}, mem.Gradients, 2, 3))(t)
	if err := NewSGD(1).Step([]*Tensor{x}, []*Tensor{g}); err != nil || data[5] != 5 {
		t.Fatal("the step did not reach the slice:", data, err)
	}
	if err := errors.Join(x.Free(), g.Free(), dev.Trim()); err != nil || data[0] != 0 {
		t.Fatal(data, err)
	}
	if s := dev.Memory(); s.Total.Live != 0 || s.Reserved != 0 || s.Cached != 0 {
		t.Fatalf("after Free: %+v", s)
	}
	dev.SetCap(23)
	for want, err := range map[string]error{
		"cap 23":  second(dev.Wrap(data, mem.Parameters, 2, 3)),
		"want 7":  second(dev.Wrap(data, mem.Parameters, 7)),
		"want 6":  second(dev.Wrap(data[:5], mem.Parameters, -2, -3)),
		"not the": second(fakeDevice(t, nil).Wrap(data, mem.Parameters, 6)),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
}
