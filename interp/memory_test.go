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

// TestBarBelowCells has the monitor's line below a cell that runs for a while, and none
// below a short one or when it is off.
func TestBarBelowCells(t *testing.T) {
	s := open(t)
	if got := transcript(s, 1, "%monitor"); !strings.Contains(got, "want %monitor on or %monitor off") {
		t.Errorf("without a word:\n%s", got)
	}
	const long = "import \"time\"\ntime.Sleep(1500 * time.Millisecond)"
	got := transcript(s, 2, "%monitor on\n"+long)
	if strings.Count(got, "display: ") != 1 || !strings.Contains(got, "display: In[2], ") || !strings.Contains(got, "In[2] ran 1.") || !strings.Contains(got, " · RSS peak ") {
		t.Errorf("a long cell:\n%s", got)
	}
	if got := transcript(s, 3, "x := 1\nx"); got != "= 1\n" {
		t.Errorf("a short cell:\n%s", got)
	}
	if got := transcript(s, 4, "%monitor off\n"+long); got != "" {
		t.Errorf("off:\n%s", got)
	}
}
