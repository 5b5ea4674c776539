package data

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// drill is n pictures of 2 by 3 whose first byte is their index.
func drill(n int) *Pictures {
	p := &Pictures{Bytes: make([]uint8, n*6), Labels: make([]int, n), Channels: 1, Height: 2, Width: 3}
	for i := range n {
		p.Labels[i] = i
		for j := range 6 {
			p.Bytes[i*6+j] = uint8(i*6 + j)
		}
	}
	return p
}

// take deals up to most batches of what is left of the epoch (all: -1).
func take(t *testing.T, l *Loader, most int) (out []*Batch) {
	t.Helper()
	for b, err := range l.Epoch() {
		if err != nil {
			t.Fatal(err)
		}
		if out = append(out, b); len(out) == most {
			break
		}
	}
	return out
}

func same(a, b []*Batch) bool {
	return slices.EqualFunc(a, b, func(a, b *Batch) bool {
		return slices.Equal(a.X, b.X) && slices.Equal(a.Labels, b.Labels) && slices.Equal(a.Shape, b.Shape)
	})
}

func TestLoaderDealsEachOnce(t *testing.T) {
	for _, ahead := range []int{-1, 0, 1, 5} {
		l := &Loader{Data: drill(10), Size: 4, Shuffle: true, Seed: 7, Ahead: ahead}
		var orders [][]int
		for range 3 {
			var labels, sizes []int
			for _, b := range take(t, l, -1) {
				labels, sizes = append(labels, b.Labels...), append(sizes, b.Len())
				if int(b.X[0]*255+0.5) != b.Labels[0]*6 {
					t.Fatal("a picture is parted from its label")
				}
			}
			orders = append(orders, slices.Clone(labels))
			slices.Sort(labels)
			if !slices.Equal(labels, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}) || !slices.Equal(sizes, []int{4, 4, 2}) {
				t.Fatalf("ahead %d: dealt %v in %v", ahead, labels, sizes)
			}
		}
		if slices.Equal(orders[0], orders[1]) {
			t.Error("two epochs in one order:", orders[0])
		}
		if s := l.State(); s.Epoch != 3 || s.Batch != 0 {
			t.Errorf("after 3 epochs the state is %+v", s)
		}
	}
	plain := &Loader{Data: drill(10), Size: 4, DropLast: true}
	if got := take(t, plain, -1); len(got) != 2 || plain.Batches() != 2 || !slices.Equal(got[0].Labels, []int{0, 1, 2, 3}) {
		t.Errorf("in order, without the last: %d batches", len(got))
	}
}

// Left anywhere and restored in another loader, what follows is the same to the bit.
func TestLoaderResumes(t *testing.T) {
	fresh := func(ahead int) *Loader {
		return &Loader{Data: drill(23), Size: 4, Shuffle: true, Seed: 3, Ahead: ahead, Augment: []Augment{Flip(), Shift(1)}}
	}
	whole := fresh(0)
	all := slices.Concat(take(t, whole, -1), take(t, whole, -1))
	for cut := 1; cut < len(all); cut++ {
		a := fresh(3)
		got := take(t, a, min(cut, 6))
		if cut > 6 {
			got = append(got, take(t, a, -1)...) // the rest of a finished epoch is nothing, then it goes on
			got = append(got, take(t, a, cut-6)...)
		}
		text, err := json.Marshal(a.State())
		if err != nil {
			t.Fatal(err)
		}
		var s State
		if err := json.Unmarshal(text, &s); err != nil {
			t.Fatal(err)
		}
		b := fresh(-1)
		if err := b.Restore(s); err != nil {
			t.Fatal(err)
		}
		for len(got) < len(all) {
			got = append(got, take(t, b, -1)...)
		}
		if !same(got[:len(all)], all) {
			t.Fatalf("left after %d batches (%s), it goes on otherwise", cut, text)
		}
	}
	for want, s := range map[string]State{
		"not one of 6 batches":   {Batch: 7, Seed: 3, Examples: 23, Size: 4},
		"with seed 4":            {Seed: 4, Examples: 23, Size: 4},
		"is of 9 examples":       {Seed: 3, Examples: 9, Size: 4},
		"batch 0 of epoch -1 is": {Epoch: -1, Seed: 3, Examples: 23, Size: 4},
	} {
		if err := fresh(0).Restore(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: got %v, want one that says %q", s, err, want)
		}
	}
}

// broken fails as it is told, at its third batch.
type broken struct {
	*Pictures
	calls atomic.Int32
	how   func() (*Batch, error)
}

func (b *broken) Batch(index []int) (*Batch, error) {
	if b.calls.Add(1) == 3 {
		return b.how()
	}
	return b.Pictures.Batch(index)
}

func TestLoaderFails(t *testing.T) {
	gone := errors.New("the disk is gone")
	for want, how := range map[string]func() (*Batch, error){
		"the disk is gone":  func() (*Batch, error) { return nil, gone },
		"index out of rang": func() (*Batch, error) { var x []int; return nil, errors.New(string(rune(x[2]))) },
		"not one example":   func() (*Batch, error) { return nil, nil },
		"share":             func() (*Batch, error) { return &Batch{Shape: []int{2}, Labels: []int{1}}, nil },
	} {
		for _, ahead := range []int{-1, 2} {
			l := &Loader{Data: &broken{Pictures: drill(12), how: how}, Size: 2, Ahead: ahead}
			n, failed := 0, error(nil)
			for b, err := range l.Epoch() {
				if err != nil {
					failed = err
					continue // nothing may follow
				}
				n += b.Len()
			}
			if failed == nil || !strings.Contains(failed.Error(), want) || !strings.Contains(failed.Error(), "batch 2 of epoch 0") || n != 4 {
				t.Errorf("ahead %d: after %d examples %v, want one that says %q", ahead, n, failed, want)
			}
			if s := l.State(); s.Batch != 2 {
				t.Errorf("the loader stands at %+v, not at the batch that failed", s)
			}
		}
	}
	for _, err := range (&Loader{}).Epoch() {
		if err == nil || !strings.Contains(err.Error(), "no Data") {
			t.Error("without data:", err)
		}
	}
	l := &Loader{Data: drill(4)}
	for range l.Epoch() {
		for _, err := range l.Epoch() {
			if err == nil || !strings.Contains(err.Error(), "deals one already") {
				t.Error("a loop in its own loop:", err)
			}
		}
	}
}

// A loop that is left, also by a panic, leaves nothing running.
func TestLoaderStops(t *testing.T) {
	before := runtime.NumGoroutine()
	l := &Loader{Data: drill(100), Size: 1, Ahead: 4}
	for range 20 {
		take(t, l, 1)
	}
	func() {
		defer func() { _ = recover() }()
		for range l.Epoch() {
			panic("in the body")
		}
	}()
	take(t, l, 1) // it deals again
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), before)
}

func TestSplitAndSubset(t *testing.T) {
	train, test := Split(drill(10), 0.8, 5)
	if train.Len() != 8 || test.Len() != 2 {
		t.Fatalf("split into %d and %d", train.Len(), test.Len())
	}
	all := append(slices.Clone(train.Index), test.Index...)
	slices.Sort(all)
	if !slices.Equal(all, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}) {
		t.Error("dealt", all)
	}
	b, err := test.Batch([]int{1, 0})
	if err != nil || !slices.Equal(b.Labels, []int{test.Index[1], test.Index[0]}) {
		t.Errorf("got %v, %v", b, err)
	}
	if _, err := test.Batch([]int{2}); err == nil {
		t.Error("an example that is not there was given")
	}
}

func TestAugment(t *testing.T) {
	x := func() []float32 { return []float32{1, 2, 3, 4, 5, 6} }
	shape := []int{1, 2, 3}
	flipped := 0
	for seed := range uint64(200) {
		got := x()
		Flip()(rand.New(rand.NewPCG(seed, 0)), got, shape)
		if slices.Equal(got, []float32{3, 2, 1, 6, 5, 4}) {
			flipped++
		} else if !slices.Equal(got, x()) {
			t.Fatal("flipped into", got)
		}
	}
	if flipped < 70 || flipped > 130 {
		t.Errorf("%d of 200 were flipped", flipped)
	}
	seen := map[string]bool{}
	for seed := range uint64(300) {
		got := x()
		rng := rand.New(rand.NewPCG(seed, 0))
		dy, dx := rng.IntN(3)-1, rng.IntN(3)-1
		Shift(1)(rand.New(rand.NewPCG(seed, 0)), got, shape)
		for y := range 2 {
			for c := range 3 {
				want := float32(0)
				if y-dy >= 0 && y-dy < 2 && c-dx >= 0 && c-dx < 3 {
					want = x()[(y-dy)*3+c-dx]
				}
				if got[y*3+c] != want {
					t.Fatalf("moved by %d, %d: %v", dy, dx, got)
				}
			}
		}
		seen[string(rune('1'+dy))+string(rune('1'+dx))] = true
	}
	if len(seen) != 9 {
		t.Error("of 9 moves were seen", len(seen))
	}
	got := x()
	Normalise([]float32{1, 4}, []float32{2, 0.5})(nil, got, []int{2, 3})
	if !slices.Equal(got, []float32{0, 0.5, 1, 0, 2, 4}) {
		t.Error("normalised to", got)
	}
	Normalise([]float32{1}, []float32{1})(nil, got, []int{2, 3})
	if !slices.Equal(got, []float32{-1, -0.5, 0, -1, 1, 3}) {
		t.Error("normalised to", got)
	}
	Shift(9)(rand.New(rand.NewPCG(1, 0)), got, shape) // further than the picture is wide
}
