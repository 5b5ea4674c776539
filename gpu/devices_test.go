package gpu

import (
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"

	"attune/gpu/mem"
)

func TestDevicesAreListedUntilNobodyHoldsThem(t *testing.T) {
	devices(t, func(t *testing.T, dev *Device) {
		if !slices.Contains(Devices(), dev) {
			t.Fatal("an open device is not listed")
		}
		// Another device of the same kind, held by a tensor alone.
		x, shut := func() (*Tensor, *closing) {
			other := must(OpenCPU(1))(t)
			if strings.HasPrefix(dev.name, "cuda") {
				other = fakeDevice(t, nil)
			}
			return must(other.Zeros(mem.Data, 1000))(t), other.shut
		}()
		reclaim()
		if shut.closed() {
			t.Fatal("a device was closed that a tensor lives on")
		}
		if err := must(x.store.dev.Zeros(mem.Data, 1))(t).Free(); err != nil { // that the collector has not seen idle
			t.Fatal(err)
		}
		runtime.KeepAlive(x)
		reclaim() // an allocation that has none left does it once
		if live := shut.memory.Snapshot().Total.Live; !shut.closed() || live != 0 {
			t.Fatalf("a device that nobody reaches is open: %v, %d bytes live", !shut.closed(), live)
		}
		if err := errors.Join(dev.Close(), dev.Close()); err != nil {
			t.Fatal(err)
		}
		if slices.Contains(Devices(), dev) {
			t.Fatal("a closed device is listed")
		}
	})
}

func TestOutOfMemorySaysWhoHoldsWhat(t *testing.T) {
	devices(t, func(t *testing.T, dev *Device) {
		dev.SetCap(1 << 16)
		a := must(dev.Zeros(mem.Parameters, 10000))(t)
		b := must(dev.ZerosOf(BFloat16, mem.Activations, 3, 1000))(t)
		_, err := dev.Zeros(mem.Gradients, 10000)
		var oom *mem.OutOfMemoryError
		if !errors.As(err, &oom) || oom.Want != 40000 || oom.ByCategory[mem.Parameters] != 40000 || oom.ByCategory[mem.Activations] != 6000 {
			t.Fatalf("%+v", err)
		}
		for _, want := range []string{
			"make f32 tensor (10000)", "wanted 40000 bytes for gradients, 46000 live", "cap 65536",
			"held: parameters 40000, activations 6000; largest blocks: 40000 of parameters, 6000 of activations",
		} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q does not say %q", err, want)
			}
		}
		for i, x := range []*Tensor{a, b} {
			if got := dev.Holdings()[i].ID; got != x.Storage() {
				t.Errorf("holding %d is block %d, want %d", i, got, x.Storage())
			}
		}
	})
}

// The collector may find a device and its tensors at once, and runs their cleanups
// in any order: the device's may come first.
func TestDeviceMayEndBeforeItsTensors(t *testing.T) {
	devices(t, func(t *testing.T, dev *Device) {
		x, y := must(dev.Zeros(mem.Data, 1000))(t), must(dev.Zeros(mem.Data, 1000))(t)
		if err := errors.Join(dev.Close(), x.store.block.Free(), x.Free()); err != nil {
			t.Fatal(err)
		}
		if live := dev.Memory(); live.Total.Live != 0 || live.Reserved != 0 {
			t.Errorf("a closed device holds %+v", live)
		}
		if err := Add(y, y); err == nil || !strings.Contains(err.Error(), "used after its device was closed") {
			t.Error("a tensor of a closed device:", err)
		}
		if _, err := y.Float32s(); err == nil || !strings.Contains(err.Error(), "used after its device was closed") {
			t.Error("reading a tensor of a closed device:", err)
		}
		if _, err := dev.Zeros(mem.Data, 1); !errors.Is(err, mem.ErrClosed) {
			t.Error("a tensor made on a closed device:", err)
		}
	})
}
