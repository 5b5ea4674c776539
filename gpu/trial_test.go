package gpu

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"attune/gpu/driver"
	"attune/gpu/kernels"
	"attune/gpu/mem"
)

// Each kernel has a problem that runs it, and on which it agrees with the CPU.
func TestEveryKernelHasATrial(t *testing.T) {
	t.Setenv("FAKECUDA_SM", "90")
	dev := fakeDevice(t, nil)
	defer runtime.KeepAlive(dev)
	for _, i := range kernels.Images() {
		if n := len(kernels.Entries(must(kernels.PTX(i.Name))(t))); n == 0 {
			t.Errorf("%s has no kernels", i.Name)
		}
		if testing.Short() && i.Head > 32 {
			continue
		}
		for _, name := range kernels.Entries(must(kernels.PTX(i.Name))(t)) {
			p, ok := problemOf(name)
			if !ok {
				t.Errorf("%s of %s has no problem", name, i.Name)
				continue
			}
			worst, limit, err := p.try(dev.back.(*cuda))
			if err != nil || worst > limit {
				t.Errorf("%s: off by %g, %g is allowed: %v", name, worst, limit, err)
			}
		}
	}
	if _, ok := problemOf("attention_f64_32"); ok {
		t.Error("a kernel that nobody wrote has a problem")
	}
}

// trier opens devices of a fake driver, whose kernels are tried, and hears what users
// would be told.
type trier struct {
	t      *testing.T
	path   string
	record string

	mu   sync.Mutex
	told []string
}

func (x *trier) tell(account string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.told = append(x.told, account)
}

// session opens a device as a session of its own would.
func (x *trier) session() *Device {
	x.t.Helper()
	x.told = nil
	dev, err := tryingCUDA(x.path, 0, &trialRecord{path: x.record}, x.tell)
	if err != nil {
		x.t.Fatal(err)
	}
	return dev
}

// only32 leaves one head size, for the compiler's sake.
func only32(text string) string {
	return strings.ReplaceAll(text, "#define SIZE(n) 1", "#define SIZE(n) (n == 32)")
}

// brokenDriver has a wrong mask in the forward pass on tensor cores, a wrong sign in
// the gradient by keys and values there, a wrong step of SGD, and a decoding kernel
// that hangs at a barrier.
func brokenDriver(t *testing.T) string {
	return fakePath(t, func(name, text string) string {
		for _, m := range [][3]string{
			{"softmax.h", "c > hi", "c > hi + 1"},
			{"attention_grad_mma.cu", "y = w * (y * m - delta[c])", "y = -w * (y * m - delta[c])"},
			{"optim.cu", "if (KIND == SGD_PLAIN) step = rate * d", "if (KIND == SGD_PLAIN) step = 2 * rate * d"},
			{"attention_split.cu", "barrier(); // the slots' sums are there", "if (thread_x() % 32 == 0) barrier(); else shuffle_xor(1, 1);"},
		} {
			if name == m[0] && !strings.Contains(text, m[1]) {
				t.Fatalf("%q is not in %s", m[1], m[0])
			} else if name == m[0] {
				text = strings.ReplaceAll(text, m[1], m[2])
			}
		}
		return only32(text)
	})
}

// TestBrokenKernelsAreNotUsed: what a broken kernel would do, a slower one does or an
// error says; the user is told once, and later sessions know.
func TestBrokenKernelsAreNotUsed(t *testing.T) {
	t.Setenv("FAKECUDA_SM", "80")
	x := &trier{t: t, path: brokenDriver(t), record: filepath.Join(t.TempDir(), "cache", "kernels-tried")}
	for session := range 2 {
		dev := x.session()
		for range 2 {
			if !attentionForwardAgrees(t, dev, BFloat16) {
				t.Errorf("session %d: a broken kernel was used", session)
			}
		}
		p, g := must(dev.Zeros(mem.Parameters, 9))(t), must(dev.Zeros(mem.Gradients, 9))(t)
		for range 2 {
			err := NewSGD(1).Step([]*Tensor{p}, []*Tensor{g})
			if !errors.Is(err, ErrBrokenKernel) || !strings.Contains(err.Error(), "kernel update_0") || !strings.Contains(err.Error(), `gpu.Open("cpu")`) {
				t.Errorf("session %d: %v", session, err)
			}
		}
		var names []string
		for _, a := range x.told {
			names = append(names, strings.Fields(a)[2])
			if earlier := strings.Contains(a, "failed its trial in an earlier session, as "+x.record); earlier != (session == 1) {
				t.Errorf("session %d: %s", session, a)
			}
		}
		slices.Sort(names)
		if want := []string{"attention_grad_key_value_mma_bf16_32", "attention_mma_bf16_32", "update_0"}; !slices.Equal(names, want) {
			t.Errorf("session %d: told of %v, want %v", session, names, want)
		}
		if err := NewAdam(1).Step([]*Tensor{p}, []*Tensor{g}); err != nil { // is sound
			t.Error(err)
		}
		if live := dev.Memory().Total.Peak; live > 1<<20 {
			t.Errorf("trials count as %d bytes of the user's", live)
		}
		if session == 1 && dev.back.(*cuda).trials.count() != 0 {
			t.Error("the second session tried what was known")
		}
		if err := dev.Close(); err != nil {
			t.Error(err)
		}
	}
}

// attentionForwardAgrees compares causal attention and its gradients with the CPU's.
func attentionForwardAgrees(t *testing.T, dev *Device, dtype DType) bool {
	t.Helper()
	c := compare("", typeLimit(dtype), dev, must(Open("cpu"))(t), func(d *Device) ([]*Tensor, error) {
		return checkAttention(d, dtype, 70, 32, AttentionOptions{Causal: true})
	})
	if c.Err != nil {
		t.Fatal(c.Err)
	}
	return c.OK()
}

// TestKernelThatEndsTheContext: its trial costs the context, once; the next one does
// without it.
func TestKernelThatEndsTheContext(t *testing.T) {
	x := &trier{t: t, path: brokenDriver(t), record: filepath.Join(t.TempDir(), "kernels-tried")}
	decode := func(dev *Device) error {
		q, k := must(dev.Zeros(mem.Data, 1, 2, 1, 32))(t), must(dev.Zeros(mem.Data, 1, 1, 300, 32))(t)
		_, err := Attention(q, k, k, AttentionOptions{})
		return err
	}
	var cause *driver.Error
	if err := decode(x.session()); !errors.As(err, &cause) || !cause.Sticky() || len(x.told) != 1 || !strings.Contains(x.told[0], "attention_split_group_f32_32") {
		t.Fatalf("%v; told %q", err, x.told)
	}
	// A process of its own would have a driver of its own.
	data := must(os.ReadFile(x.path))(t)
	x.path = filepath.Join(t.TempDir(), "libcuda.so.1")
	if err := os.WriteFile(x.path, data, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := decode(x.session()); err != nil || len(x.told) != 1 {
		t.Errorf("%v; told %q", err, x.told)
	}
}

// TestTrialsThatCannotBeDone: for want of memory, which is no verdict; and what the
// driver's compiler refuses, which is none for another session.
func TestTrialsThatCannotBeDone(t *testing.T) {
	x := &trier{t: t, path: fakePath(t, nil), record: filepath.Join(t.TempDir(), "kernels-tried")}
	dev := x.session()
	a, b := must(dev.Zeros(mem.Data, 3, 4))(t), must(dev.Zeros(mem.Data, 4, 3))(t)
	t.Setenv("FAKECUDA", "oom")
	var oom *mem.OutOfMemoryError
	if err := Copy(must(a.Permute(1, 0))(t), b); !errors.As(err, &oom) || errors.Is(err, ErrBrokenKernel) {
		t.Errorf("out of memory: %v", err)
	}
	t.Setenv("FAKECUDA", "jit")
	p := must(dev.Zeros(mem.Parameters, 3))(t)
	if err := NewSGD(1).Step([]*Tensor{p}, []*Tensor{p}); !errors.Is(err, ErrBrokenKernel) || !strings.Contains(err.Error(), "fake ptxas: line 1") {
		t.Errorf("refused PTX: %v", err)
	}
	t.Setenv("FAKECUDA", "")
	if err := Copy(must(a.Permute(1, 0))(t), b); err != nil {
		t.Errorf("with memory again: %v", err)
	}
	p = must(x.session().Zeros(mem.Parameters, 3))(t)
	if err := NewSGD(1).Step([]*Tensor{p}, []*Tensor{p}); err != nil {
		t.Errorf("another session: %v", err)
	}
}

// TestTrialOnce: many goroutines, one trial.
func TestTrialOnce(t *testing.T) {
	x := &trier{t: t, path: fakePath(t, nil), record: filepath.Join(t.TempDir(), "kernels-tried")}
	dev := x.session()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			p, err := dev.Zeros(mem.Parameters, 100)
			if err == nil {
				err = NewAdam(1).Step([]*Tensor{p}, []*Tensor{p})
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := dev.back.(*cuda).trials.count(); n != 1 {
		t.Errorf("%d trials", n)
	}
}

// TestRecordThatCannotBeUsed: the file's folder is a file, the file is a folder, or
// full of something else.
func TestRecordThatCannotBeUsed(t *testing.T) {
	dir := t.TempDir()
	file, folder, big, torn := filepath.Join(dir, "file"), filepath.Join(dir, "folder"), filepath.Join(dir, "big"), filepath.Join(dir, "torn")
	if err := errors.Join(os.WriteFile(file, nil, 0o644), os.Mkdir(folder, 0o755), os.WriteFile(big, make([]byte, recordLimit+1), 0o644),
		os.WriteFile(torn, []byte("0123"), 0o644)); err != nil {
		t.Fatal(err)
	}
	for path, lasts := range map[string]bool{"": false, filepath.Join(file, "below"): false, folder: false, big: true, torn: true} {
		r := &trialRecord{path: path}
		if _, known := r.verdict("a"); known {
			t.Errorf("%s: knows what nobody said", path)
		}
		r.add("a", "a", true)
		r.add("b", "b", false)
		r.add("b", "b", true)
		for i, r := range []*trialRecord{r, {path: path}} {
			sound, known := r.verdict("a")
			broken, knownB := r.verdict("b")
			if remembers := sound && known && knownB && !broken; remembers != (lasts || i == 0) {
				t.Errorf("%s: a %v %v, b %v %v", path, sound, known, broken, knownB)
			}
		}
	}
}

// FuzzRecord: a damaged file may forget, and gives no verdict that nobody reached.
func FuzzRecord(f *testing.F) {
	r := &trialRecord{path: filepath.Join(f.TempDir(), "record")}
	r.add("a", "a", true)
	data, err := os.ReadFile(r.path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte("\n\n zz \x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		seen := decodeRecord(data)
		if seen[verdictDigest("a", false)] || seen[verdictDigest("b", true)] {
			t.Error("a verdict from nowhere")
		}
		if len(seen) > len(data)/64 {
			t.Error("more digests than fit")
		}
	})
}

// The gradients by a bias and by slopes have the same bits each time, whatever order blocks
// and threads come in.
func TestScoreGradientsAreTheSameEachTime(t *testing.T) {
	t.Setenv("FAKECUDA_SM", "80")
	dev := fakeDevice(t, nil)
	c := dev.back.(*cuda)
	c.launched = map[string]int{}
	r := &trialRun{dev: dev, cpu: must(Open("cpu"))(t)}
	for _, bias := range []bool{true, false} {
		var first []float32
		for range 3 {
			all, err := r.scores("bf16", "32", bias)
			got := must(readAll(all, err))(t)
			if first == nil {
				first = got
			}
			for i, x := range got {
				if math.Float32bits(x) != math.Float32bits(first[i]) {
					t.Fatalf("element %d is %g, was %g", i, x, first[i])
				}
			}
		}
	}
	for _, name := range []string{"attention_bias_grad_mma_bf16_32", "attention_slopes_grad_mma_bf16_32"} {
		if c.launched[name] == 0 {
			t.Errorf("%s was not launched", name)
		}
	}
}
