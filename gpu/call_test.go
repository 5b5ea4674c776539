package gpu

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"attune/gpu/driver/fakecuda"
	"attune/gpu/mem"
)

// BenchmarkCall is what a call costs beside its work: on the CPU of one element, on
// CUDA behind a fake driver whose launches do nothing. "launch" is the binding's own
// launch of the same kernel on that driver, so the rest of "cuda" is package gpu's.
func BenchmarkCall(b *testing.B) {
	path, err := fakecuda.Build(b.TempDir(), func(_, text string) string { return only32(text) })
	if err != nil {
		b.Skip(err)
	}
	library, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	b.Setenv("FAKECUDA", "no_launch")
	for _, name := range []string{"cpu", "cuda"} {
		var dev *Device
		if name == "cpu" {
			dev, err = OpenCPU(1)
		} else {
			own := filepath.Join(b.TempDir(), "libcuda.so.1")
			if err = os.WriteFile(own, library, 0o755); err == nil {
				dev, err = newCUDA(own, 0)
			}
		}
		if err != nil {
			b.Fatal(err)
		}
		x, err := dev.Zeros(mem.Data, 1, 1, 1, 8)
		if err != nil {
			b.Fatal(err)
		}
		y, err := dev.Zeros(mem.Data, 1, 1, 1, 8)
		if err != nil {
			b.Fatal(err)
		}
		m, err := x.Reshape(1, 8)
		if err != nil {
			b.Fatal(err)
		}
		square, err := dev.Zeros(mem.Data, 8, 8)
		if err != nil {
			b.Fatal(err)
		}
		adam := NewAdam(1e-3)
		for what, call := range map[string]func() error{
			"relu":    func() error { return ReLU(y, x) },
			"matmul":  func() error { return MatMul(must2(y.Reshape(1, 8)), m, square, false) },
			"adam":    func() error { return adam.Step([]*Tensor{x}, []*Tensor{y}) },
			"attend":  func() error { return freed(Attention(x, y, y, AttentionOptions{})) },
			"nothing": func() error { return nil },
		} {
			b.Run(name+"/"+what, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if err := call(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		if c, ok := dev.back.(*cuda); ok {
			f, err := c.function("optim", "update_3", 0)
			if err != nil {
				b.Fatal(err)
			}
			args := make([]uint64, updateWords+slotWords*launchTensors)
			b.Run("cuda/launch", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if err := f.Launch(1, optimThreads, args); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		runtime.KeepAlive(dev)
	}
}

func must2(t *Tensor, _ error) *Tensor { return t }

func freed(r *AttentionResult, err error) error {
	if err != nil {
		return err
	}
	return r.Free()
}
