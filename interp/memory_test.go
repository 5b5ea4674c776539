package interp_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"attune/gpu/driver/fakecuda"
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
	if !strings.Contains(got, "cpu: 100 bytes in 1 block, ") || !strings.Contains(got, "parameters                100  kept\n") {
		t.Fatalf("after the interrupt:\n%s", got)
	}
}

// TestInterruptedCallHoldsUntilItEnds interrupts attention, which runs on in the background:
// %gpu says so while it holds memory, and it all comes back.
func TestInterruptedCallHoldsUntilItEnds(t *testing.T) {
	s := open(t)
	transcript(s, 1, `import ("fmt"; "attune/gpu"; "attune/gpu/mem")
dev, err := gpu.OpenCPU(1)
q, err := dev.Zeros(mem.Data, 1, 2, 16384, 128)
func attend() (*gpu.AttentionResult, error) { fmt.Println("begun"); return gpu.Attention(q, q, q, gpu.AttentionOptions{}) }`)
	r := record()
	done := make(chan cell.Result)
	go func() {
		done <- s.Execute(context.Background(), cell.Request{Count: 2, Code: "r, err := attend()"}, r)
	}()
	r.ready(t)
	s.Interrupt()
	if res := <-done; res.Err == nil || res.Err.Name != "Interrupted" {
		t.Fatalf("got %v, want an interruption", res.Err)
	}
	const runs = "a call that an interrupt left behind still runs; what it holds comes back when it ends\n"
	got := transcript(s, 3, "%gpu free")
	if !strings.Contains(got, runs) {
		t.Errorf("right after the interrupt:\n%s", got)
	}
	for n := 4; strings.Contains(got, runs) && n < 600; n++ {
		time.Sleep(100 * time.Millisecond)
		got = transcript(s, n, "%gpu free")
	}
	if !strings.Contains(got, "cpu: 16777216 bytes (16.0 MiB) in 1 block, ") || strings.Contains(got, runs) {
		t.Errorf("in the end:\n%s", got)
	}
}

// TestDevicesOfOneName tells two CPUs apart by their variables.
func TestDevicesOfOneName(t *testing.T) {
	s := open(t)
	transcript(s, 1, "import (\"attune/gpu\"; \"attune/gpu/mem\")\na, err := gpu.OpenCPU(1)\nb, err := gpu.OpenCPU(1)\nx, err := b.Zeros(mem.Data, 1)")
	if got := transcript(s, 2, "%gpu"); !strings.Contains(got, "cpu (a): 0 bytes in 0 blocks") || !strings.Contains(got, "cpu (b): 4 bytes in 1 block, ") {
		t.Error(got)
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

// TestLostGPU has a kernel fail on the (fake) device: the error says what to do, %gpu
// too, and a fresh worker has the device, the functions, and what %restore makes anew.
func TestLostGPU(t *testing.T) {
	dir := t.TempDir()
	if _, err := fakecuda.Build(dir, nil); errors.Is(err, fakecuda.ErrNoCompiler) {
		t.Skip("cannot build the fake driver:", err)
	} else if err != nil {
		t.Fatal(err)
	}
	s := openWith(t, append(os.Environ(), "LD_LIBRARY_PATH="+dir, "XDG_CACHE_HOME="+t.TempDir()))
	transcript(s, 1, "import (\"fmt\"; \"os\"; \"attune/gpu\"; \"attune/gpu/mem\")\nfunc half(x float32) float32 { return x / 2 }")
	transcript(s, 2, `dev, err := gpu.Open("cuda:0")
w, _ := dev.FromFloat32s([]float32{8, 6}, mem.Parameters, 2)
g, _ := dev.Zeros(mem.Gradients, 2)`)
	const step = `adam := gpu.NewAdam(1)
fmt.Println(adam.Step([]*gpu.Tensor{w}, []*gpu.Tensor{g}))
values, err := w.Float32s()
fmt.Println(len(values), err)`
	if got := transcript(s, 3, step); !strings.HasPrefix(got, "<nil>\n2 <nil>\n") {
		t.Fatalf("a step:\n%s", got)
	}
	const lost = "CUDA_ERROR_ILLEGAL_ADDRESS (700): said by the fake driver; the device's context is lost, and what it held: a fresh process is needed (in a notebook: %gpu restart)"
	got := transcript(s, 4, "os.Setenv(\"FAKECUDA\", \"launch=700\")\n"+step)
	if !strings.Contains(got, "\n0 copy tensor to 2 float32 values: copy from the device (8 bytes): "+lost) {
		t.Errorf("a failed step:\n%s", got)
	}
	got = transcript(s, 5, "os.Setenv(\"FAKECUDA\", \"\")\n_, err = gpu.Open(\"cuda:0\")\nfmt.Println(err)")
	if !strings.Contains(got, "open device cuda:0: an earlier error ended this process's context on it: ") {
		t.Errorf("opened again:\n%s", got)
	}
	if got = transcript(s, 6, "%gpu"); !strings.Contains(got, "  lost: copy from the device") || !strings.Contains(got, "parameters                  8  w") {
		t.Errorf("%%gpu:\n%s", got)
	}
	got = transcript(s, 7, "%gpu restart")
	if !strings.Contains(got, "a fresh one; functions and types are kept, these variables are gone: ") || !strings.Contains(got, "%restore") {
		t.Errorf("%%gpu restart:\n%s", got)
	}
	transcript(s, 8, "%restore dev w")
	if got = transcript(s, 9, "values, err := w.Float32s()\nfmt.Println(half(values[0]), err)"); got != "4 <nil>\n" {
		t.Errorf("after %%restore:\n%s", got)
	}
	if got = transcript(s, 10, "%gpu all"); !strings.Contains(got, "want %gpu, %gpu free or %gpu restart") {
		t.Errorf("%%gpu all:\n%s", got)
	}
}
