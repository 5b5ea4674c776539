package gpu

import (
	"errors"
	"testing"

	"attune/gpu/mem"
)

// A device of shapes counts every layer's memory, workspace with it, as the device does
// that it is like, for all element types.
func TestMetaCountsLayers(t *testing.T) {
	run := func(dev *Device, check layerCheck) (events []mem.Event) {
		t.Helper()
		cancel := dev.Subscribe(func(e mem.Event) { events = append(events, e) })
		defer cancel()
		all, err := check.run(dev)
		for _, x := range all {
			err = errors.Join(err, x.Free())
		}
		if err != nil {
			t.Fatalf("%s on %s: %v", check.name, dev, err)
		}
		return events
	}
	for _, real := range []*Device{must(OpenCPU(1))(t), must(OpenCPU(3))(t), fakeDevice(t, nil)} {
		shapes := must(OpenMeta(real))(t)
		for _, dtype := range []DType{Float32, Float16, BFloat16} {
			for _, check := range layerChecks(dtype) {
				want, got := run(real, check), run(shapes, check)
				if len(want) != len(got) {
					t.Fatalf("%s on %s: %d events, %d on shapes", check.name, real, len(want), len(got))
				}
				for i, w := range want {
					if g := got[i]; w.Kind != g.Kind || w.Category != g.Category || w.Bytes != g.Bytes || w.Live != g.Live {
						t.Fatalf("%s on %s: event %d is %v, %v on shapes", check.name, real, i, w, g)
					}
				}
			}
		}
	}
}
