package interp_test

import (
	"context"
	"strings"
	"testing"

	"attune/interp/cell"
)

// TestInterruptLeaksNothing interrupts a cell in the middle of training steps and
// asks for what it held.
func TestInterruptLeaksNothing(t *testing.T) {
	s := open(t)
	transcript(s, 1, "import (\"fmt\"; \"attune/gpu\"; \"attune/gpu/mem\")\ndev, err := gpu.OpenCPU(1)\nkept, _ := dev.Zeros(mem.Parameters, 25)")
	r := record()
	done := make(chan cell.Result)
	go func() {
		done <- s.Execute(context.Background(), cell.Request{Count: 2, Code: `fmt.Println("begun")
func() {
	adam := gpu.NewAdam(1)
	for {
		p, _ := dev.Zeros(mem.Activations, 1000)
		if err := adam.Step([]*gpu.Tensor{p}, []*gpu.Tensor{p}); err != nil {
			panic(err)
		}
	}
}()`}, r)
	}()
	r.ready(t)
	s.Interrupt()
	if res := <-done; res.Err == nil || res.Err.Name != "Interrupted" {
		t.Fatalf("got %v, want an interruption", res.Err)
	}
	got := transcript(s, 3, "%gpu free")
	if !strings.Contains(got, "cpu: 100 bytes in 1 blocks") || !strings.Contains(got, "parameters                100  kept\n") {
		t.Fatalf("after the interrupt:\n%s", got)
	}
}
