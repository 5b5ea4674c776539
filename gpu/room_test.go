package gpu

import (
	"math"
	"testing"

	"attune/gpu/mem"
)

func TestSumSquares(t *testing.T) {
	dev, err := OpenCPU(2)
	if err != nil {
		t.Fatal(err)
	}
	defer dev.Close()
	a, _ := dev.FromFloat32s([]float32{1, 2, 3, 4}, mem.Data, 2, 2)
	b, _ := dev.FromFloat32s([]float32{0.5}, mem.Data, 1)
	got, err := SumSquares(a, b)
	if err != nil || math.Abs(got-30.25) > 1e-9 {
		t.Errorf("got %g, %v", got, err)
	}
	turned, _ := a.Permute(1, 0)
	if _, err := SumSquares(b, turned); err == nil {
		t.Error("no error for a tensor that is not dense")
	}
	if _, _, known := dev.Room(); known {
		t.Error("the CPU has no driver to ask")
	}
}
