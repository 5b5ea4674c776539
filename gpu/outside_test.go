package gpu

import (
	"fmt"
	"testing"

	"attune/gpu/mem"
)

// TestOutsideIsSeenAtEachGrowth: others take memory and give it back between two
// samples of whoever samples, but not between two growths.
func TestOutsideIsSeenAtEachGrowth(t *testing.T) {
	dev := fakeDevice(t, nil)
	others := func(n int) { t.Setenv("FAKECUDA", fmt.Sprintf("outside=%d", n)) }
	o, known := dev.Outside()
	if !known || o != (Outside{Looks: 1}) {
		t.Fatalf("%+v, %v", o, known)
	}
	var held []*Tensor
	for i, n := range []int{100, 5000, 300} {
		others(n)
		held = append(held, must(dev.Zeros(mem.Data, 100*(i+1)))(t))
	}
	if o, _ = dev.Outside(); o != (Outside{Now: 300, Most: 5000, Looks: 4}) {
		t.Errorf("%+v", o)
	}
	others(9000)
	for _, x := range held { // what is freed stays the allocator's, and what it has it need not take
		if err := x.Free(); err != nil {
			t.Fatal(err)
		}
	}
	must(dev.Zeros(mem.Data, 100))(t)
	if o, _ = dev.Outside(); o.Looks != 4 {
		t.Errorf("looked though nothing grew: %+v", o)
	}
	others(0)
	beside, err := dev.Aside()
	if err != nil {
		t.Fatal(err)
	}
	must(beside.Zeros(mem.Data, 5000))(t)
	if o, _ = dev.Outside(); o.Now != 0 || o.Looks != 5 {
		t.Errorf("the memory of a device beside is not outside: %+v", o)
	}
	if err := beside.Close(); err != nil {
		t.Fatal(err)
	}
	others(70)
	x := must(dev.Zeros(mem.Data, 8))(t)
	if o, _ = dev.Outside(); o.Now != 70 {
		t.Errorf("after the device beside is closed: %+v", o)
	}
	if err := ReLU(x, x); err != nil { // loads a file of kernels
		t.Fatal(err)
	}
	if after, _ := dev.Outside(); after.Looks != o.Looks+1 {
		t.Errorf("not looked when kernels were loaded: %+v, then %+v", o, after)
	}
	if err := dev.Synchronize(); err != nil || dev.Threads() != 1 {
		t.Error(err, dev.Threads())
	}
	shapes, err := OpenMeta(dev)
	if err != nil {
		t.Fatal(err)
	}
	host := must(OpenCPU(2))(t)
	for _, d := range []*Device{shapes, host} {
		if _, known := d.Outside(); known {
			t.Errorf("%s has no driver to ask", d)
		}
	}
	if err := host.Synchronize(); err != nil || host.Threads() != 2 || must(OpenMeta(host))(t).Threads() != 2 {
		t.Error(err)
	}
}
