package gpu

import (
	"fmt"
	"math"

	"attune/gpu/host"
	"attune/gpu/mem"
)

// cpu is the backend over gpu/host.
type cpu struct{ engine *host.Engine }

func openCPU(why string, threads int) (*Device, error) {
	return newCPU(host.Best(), why, threads)
}

func newCPU(isa host.ISA, why string, threads int) (*Device, error) {
	dev, err := unlistedCPU(isa, why, threads)
	if err != nil {
		return nil, err
	}
	return register(dev), nil
}

// unlistedCPU is a CPU device that is not one of Devices.
func unlistedCPU(isa host.ISA, why string, threads int) (*Device, error) {
	memory := mem.New("cpu", mem.Heap{}, reclaim)
	engine, err := host.New(isa, threads, workspaceOf(memory))
	if err != nil {
		return nil, err
	}
	detail := fmt.Sprintf("%s, %d threads", engine.ISA(), engine.Threads())
	if why != "" {
		detail += "; " + why
	}
	d := newDevice("cpu", detail, memory, cpu{engine})
	d.why = why
	return d, nil
}

// workspaceOf lends workspace that is counted.
func workspaceOf(memory *mem.Allocator) host.Scratch {
	return func(n int) ([]float32, func(), error) {
		b, err := memory.Alloc(4*int64(n), mem.Workspace)
		if err != nil {
			return nil, nil, err
		}
		return host.As[float32](b.Bytes()), func() { _ = b.Return() }, nil
	}
}

func (c cpu) upload(dst *Tensor, src []byte) error {
	copy(dst.raw(), src)
	return nil
}

func (c cpu) download(dst []byte, src *Tensor) error {
	copy(dst, src.raw())
	return nil
}

func (c cpu) clear(t *Tensor) error {
	clear(t.raw()[:t.Len()*t.dtype.Size()])
	return nil
}

func (c cpu) copy(dst, src *Tensor) error { return c.engine.Copy(view(dst), view(src)) }

// view is a tensor as the engine takes it.
func view(t *Tensor) host.View {
	return host.View{Data: t.raw(), DType: host.DType(t.dtype), Shape: t.shape, Strides: t.strides}
}

func (c cpu) close() error { return nil }

// dense is a dense tensor's values.
func dense(t *Tensor) []float32 {
	if t == nil {
		return nil
	}
	return t.values()[:t.Len()]
}

func (c cpu) update(k host.Kind, f host.Factors, us []update) ([][2]float64, error) {
	list := make([]host.Update, len(us))
	for i, u := range us {
		h := host.Update{X: dense(u.x), G: denseRaw(u.g), GType: host.DType(u.g.dtype), Rate: u.rate}
		if u.half != nil {
			h.Half, h.HalfType = denseRaw(u.half), host.DType(u.half.dtype)
		}
		for j := range k.States() {
			h.S[j] = dense(u.s[j])
		}
		list[i] = h
	}
	return c.engine.Update(k, f, list)
}

func (c cpu) updateLayers(k host.Kind, f host.Factors, t host.Trust, us []update) error {
	var norms [][2]float64
	var err error
	if k == host.LARS {
		norms, err = c.squaresOf(us, float64(f.Scale))
	} else {
		norms, err = c.update(host.LAMBMoments, f, us)
	}
	if err != nil {
		return err
	}
	for i, n := range norms {
		us[i].rate = float32(t.Ratio(math.Sqrt(n[0]), math.Sqrt(n[1])))
	}
	_, err = c.update(k, f, us)
	return err
}

// squaresOf are the sums of the squares of the parameters and of the scaled
// gradients.
func (c cpu) squaresOf(us []update, scale float64) ([][2]float64, error) {
	var list []*Tensor
	for _, u := range us {
		list = append(list, u.x, u.g)
	}
	sums, err := c.sumSquares(list)
	if err != nil {
		return nil, err
	}
	out := make([][2]float64, len(us))
	for i := range out {
		out[i] = [2]float64{sums[2*i], sums[2*i+1] * scale * scale}
	}
	return out, nil
}

func (c cpu) sumSquares(ts []*Tensor) ([]float64, error) {
	list := make([]host.Floats, len(ts))
	for i, t := range ts {
		list[i] = host.Floats{Data: denseRaw(t), DType: host.DType(t.dtype)}
	}
	return c.engine.SumSquares(list)
}

// denseRaw is a dense tensor's memory.
func denseRaw(t *Tensor) []byte { return t.raw()[:t.Len()*t.dtype.Size()] }
