package worker

import (
	"os"
	"testing"
)

// TestTakeIsWhole writes more than is read ahead, so that the rest waits in the
// operating system's pipe, and takes once.
func TestTakeIsWhole(t *testing.T) {
	for _, more := range []int{0, 1, 32 << 10, 300 << 10, 600 << 10} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		widen(r)
		p := newPipe(r)
		n, err := w.Write(make([]byte, maxHeld+more))
		if err != nil {
			t.Fatal(err)
		}
		if got := len(p.take()); got != n {
			t.Errorf("%d bytes were written, %d taken", n, got)
		}
		w.Close()
		p.finish()
	}
}
