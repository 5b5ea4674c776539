package gpu

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"attune/gpu/driver"
	"attune/gpu/mem"
)

// TestAutoSaysWhy opens "auto" as a user does, by the loader's own search for the
// driver's library: each case in a process of its own, which finds the fake one.
func TestAutoSaysWhy(t *testing.T) {
	if os.Getenv("ATTUNE_TEST_AUTO") != "" {
		dev, err := Open("auto")
		if err != nil {
			t.Fatal(err)
		}
		fmt.Printf("opened %s because %q\n", dev.Name(), dev.Why())
		return
	}
	library := fakePath(t, nil)
	for inject, want := range map[string]string{
		"":           `opened cuda:0 because ""`,
		"no_device":  `opened cpu because "no CUDA device: `,
		"none":       "there are 0",
		"old_driver": "the NVIDIA driver is too old: it knows CUDA 9.2, 10.1 is needed",
		"nowhere":    "the NVIDIA driver's library is not there",
	} {
		dir := filepath.Dir(library)
		if inject == "nowhere" {
			if _, err := driver.Load(""); err == nil {
				continue // this machine has a driver of its own
			}
			dir = t.TempDir()
		}
		cmd := exec.Command(os.Args[0], "-test.v", "-test.run", "^TestAutoSaysWhy$")
		cmd.Env = append(os.Environ(), "ATTUNE_TEST_AUTO=1", "FAKECUDA="+inject, "LD_LIBRARY_PATH="+dir)
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("%s: want %s, got %v\n%s", inject, want, err, out)
		}
	}
}

// TestStickyErrorInAStep: the step that meets it says so, so does all that follows,
// and giving everything back is an error and no crash.
func TestStickyErrorInAStep(t *testing.T) {
	dev := fakeDevice(t, nil)
	p, g := must(dev.Zeros(mem.Parameters, 100))(t), must(dev.Zeros(mem.Gradients, 100))(t)
	adam := NewAdam(1)
	if err := adam.Step([]*Tensor{p}, []*Tensor{g}); err != nil {
		t.Fatal(err)
	}
	t.Setenv("FAKECUDA", "launch=719")
	if err := adam.Step([]*Tensor{p}, []*Tensor{g}); err != nil {
		t.Fatal("a launch reports its failure later:", err)
	}
	t.Setenv("FAKECUDA", "")
	adam.Clip = 1 // the norms are waited for
	var cause *driver.Error
	err := adam.Step([]*Tensor{p}, []*Tensor{g})
	if !errors.As(err, &cause) || !cause.Sticky() || !strings.Contains(err.Error(), "adam step: ") || !strings.Contains(err.Error(), "the device's context is lost") {
		t.Errorf("after a failed launch: %v", err)
	}
	if _, err := p.Float32s(); err == nil || !strings.Contains(err.Error(), "an earlier error ended the context") {
		t.Errorf("the context is lost, yet: %v", err)
	}
	if err := errors.Join(adam.Free(), p.Free(), g.Free()); err != nil {
		t.Errorf("tensors go back to the cache: %v", err)
	}
	if live := dev.Memory().Total.Live; live != 0 {
		t.Errorf("%d bytes are live", live)
	}
	if err := dev.Close(); err == nil || !strings.Contains(err.Error(), "close cuda:0: ") {
		t.Errorf("closed a lost context: %v", err)
	}
}

// TestStepOutOfMemory: the device has no room for the state.
func TestStepOutOfMemory(t *testing.T) {
	dev := fakeDevice(t, nil)
	p, g := must(dev.Zeros(mem.Parameters, 100))(t), must(dev.Zeros(mem.Gradients, 100))(t)
	t.Setenv("FAKECUDA", "oom")
	var oom *mem.OutOfMemoryError
	err := NewAdam(1).Step([]*Tensor{p}, []*Tensor{g})
	if !errors.As(err, &oom) || oom.Category != mem.OptimizerState || !strings.Contains(err.Error(), "held: parameters 400, gradients 400") {
		t.Errorf("out of memory: %v", err)
	}
}
