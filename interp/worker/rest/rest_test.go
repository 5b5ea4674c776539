package rest

import (
	"runtime"
	"testing"
	"time"
)

// TestGivesBack makes garbage and rests.
func TestGivesBack(t *testing.T) {
	k := NewKeeper()
	k.Busy()
	for range 4 {
		garbage := make([]byte, 4*worth)
		for i := 0; i < len(garbage); i += 4096 {
			garbage[i] = 1
		}
	}
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	k.Idle()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if runtime.ReadMemStats(&now); now.Sys-now.HeapReleased+2*worth < before.Sys-before.HeapReleased {
			return
		}
	}
	t.Fatalf("%d bytes were held, and still %d", before.Sys-before.HeapReleased, now.Sys-now.HeapReleased)
}
