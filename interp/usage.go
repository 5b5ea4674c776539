package interp

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"attune/interp/cell"
)

// usage remembers the last reading, from which the share of a core follows.
type usage struct {
	mu    sync.Mutex
	pid   int
	ticks float64
	at    time.Time
}

// Processes implements cell.Runner: the worker is the one process of the session.
func (s *Session) Processes() []cell.Process {
	h := s.worker()
	if h.isGone() {
		return nil
	}
	p := cell.Process{PID: h.client.PID()}
	p.RSS = residentBytes(p.PID)
	p.CPU = s.usage.share(p.PID)
	return []cell.Process{p}
}

// residentBytes reads the resident set from /proc/PID/statm.
func residentBytes(pid int) uint64 {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(data))
	if len(fields) < 2 {
		return 0
	}
	n, _ := strconv.ParseUint(fields[1], 10, 64)
	return n * uint64(os.Getpagesize())
}

// ticksPerSecond is USER_HZ, which Linux fixes at 100 for what /proc shows.
const ticksPerSecond = 100

func (u *usage) share(pid int) float64 {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// The name in brackets may hold anything; utime and stime are fields 14 and 15.
	rest := string(data)[strings.LastIndexByte(string(data), ')')+1:]
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.ParseFloat(fields[11], 64)
	system, _ := strconv.ParseFloat(fields[12], 64)
	u.mu.Lock()
	defer u.mu.Unlock()
	now, ticks := time.Now(), user+system
	share := 0.0
	if u.pid == pid && now.After(u.at) {
		share = (ticks - u.ticks) / ticksPerSecond / now.Sub(u.at).Seconds()
	}
	u.pid, u.ticks, u.at = pid, ticks, now
	return share
}
