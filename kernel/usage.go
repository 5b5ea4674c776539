package kernel

import (
	"bufio"
	"bytes"
	"context"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"attune/kernel/jupyter"
)

// usage remembers the counters of the last question, of which the next one takes
// the difference.
type usage struct {
	mu         sync.Mutex
	when       time.Time
	self       time.Duration // processor time of this process
	busy, idle uint64        // of the whole machine, in ticks
}

func newUsage() *usage {
	u := &usage{when: time.Now(), self: selfTime()}
	u.busy, u.idle = hostTicks()
	return u
}

// usageRequest answers usage_request for this process and the runner's.
func (s *Server) usageRequest(context.Context, *request) (any, error) {
	host, _ := os.Hostname()
	kernel, machine := s.usage.percent()
	memory := residentSelf()
	for _, p := range s.runner.Processes() {
		memory += p.RSS
		kernel += 100 * p.CPU
	}
	return jupyter.UsageReply{
		Status: jupyter.OK, Hostname: host, PID: os.Getpid(),
		KernelCPU: kernel, KernelMemory: memory,
		CPUCount: runtime.NumCPU(), HostCPUPercent: machine,
		HostVirtualMemory: hostMemory(),
	}, nil
}

// percent is the load since the last question: of this process in percent of a
// core, of the machine in percent of all.
func (u *usage) percent() (self, host float64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	now, spent := time.Now(), selfTime()
	if wall := now.Sub(u.when); wall > 0 {
		self = 100 * float64(spent-u.self) / float64(wall)
	}
	busy, idle := hostTicks()
	if all := float64(busy-u.busy) + float64(idle-u.idle); all > 0 {
		host = 100 * float64(busy-u.busy) / all
	}
	u.when, u.self, u.busy, u.idle = now, spent, busy, idle
	return self, host
}

func selfTime() time.Duration {
	var ru syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &ru); err != nil {
		return 0
	}
	return time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
}

// hostTicks reads the first line of /proc/stat (proc(5)): user nice system idle
// iowait irq softirq steal. Elsewhere than on Linux it is zero.
func hostTicks() (busy, idle uint64) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0
	}
	line, _, _ := bytes.Cut(text, []byte{'\n'})
	for i, f := range strings.Fields(string(line)) {
		n, err := strconv.ParseUint(f, 10, 64)
		switch {
		case err != nil || i > 8:
		case i == 4 || i == 5:
			idle += n
		default:
			busy += n
		}
	}
	return busy, idle
}

// residentSelf is this process's resident set in bytes (proc(5), statm).
func residentSelf() uint64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	f := strings.Fields(string(text))
	if len(f) < 2 {
		return 0
	}
	pages, _ := strconv.ParseUint(f[1], 10, 64)
	return pages * uint64(os.Getpagesize())
}

// hostMemory reads /proc/meminfo (proc(5)).
func hostMemory() jupyter.VirtualMemory {
	var m jupyter.VirtualMemory
	f, err := os.Open("/proc/meminfo")
	if err != nil {
		return m
	}
	defer func() { _ = f.Close() }()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		name, rest, _ := strings.Cut(lines.Text(), ":")
		kib, _ := strconv.ParseUint(strings.TrimSpace(strings.TrimSuffix(rest, " kB")), 10, 64)
		switch name {
		case "MemTotal":
			m.Total = kib << 10
		case "MemAvailable":
			m.Available = kib << 10
		case "MemFree":
			m.Free = kib << 10
		}
	}
	m.Used = m.Total - m.Available
	if m.Total > 0 {
		m.Percent = 100 * float64(m.Used) / float64(m.Total)
	}
	return m
}
