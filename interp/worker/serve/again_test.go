package serve

import (
	"strconv"
	"testing"
)

// TestAgain keeps the latest cells, hands each out to one run at a time, and none that
// was made before all were dropped.
func TestAgain(t *testing.T) {
	var a again
	take := func(cell string, want bool) *readied {
		t.Helper()
		r, found := a.take([]byte(cell))
		if found != want || r.packed != cell {
			t.Errorf("cell %s: found %v, %q", cell, found, r.packed)
		}
		return r
	}
	x := take("x", false)
	a.keep(x)
	if take("x", true) != x {
		t.Error("another cell was kept")
	}
	a.keep(take("x", false)) // the first one runs
	a.drop()
	a.keep(x)
	take("x", false)
	for i := range maxAgain + 1 {
		a.keep(take(strconv.Itoa(i), false))
	}
	take("0", false)
	take("1", true)
	if len(a.kept) != maxAgain-1 {
		t.Errorf("%d cells are kept", len(a.kept))
	}
}
