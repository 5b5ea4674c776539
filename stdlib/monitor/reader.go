package monitor

import (
	"bytes"
	"os"
	"path"
	"runtime/metrics"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// PSS is the mean of many pages and takes the kernel milliseconds to add up; it is
// read once in pssEach samples.
const pssEach = 10

// reader reads the process's and the machine's counters; it remembers the last of
// those that are only good as differences. What a system does not tell stays 0.
type reader struct {
	n          int
	pss        int64
	at         time.Time
	cpu        time.Duration // of the process, user and system
	busy, idle uint64        // of the machine, in ticks
	// hostTotal and limit are read once: the machine's memory and the cgroup's limit
	// on it, 0 for none.
	hostTotal, limit int64
}

func (r *reader) read() Sample {
	var s Sample
	if r.n == 0 {
		r.limit = cgroupLimit("/proc/self/cgroup", "/sys/fs/cgroup")
	}
	if r.n%pssEach == 0 {
		data, _ := os.ReadFile("/proc/self/smaps_rollup")
		r.pss = field(data, "Pss:")
	}
	r.n++
	s.PSS = r.pss
	data, _ := os.ReadFile("/proc/self/status")
	s.RSS = field(data, "VmRSS:")
	data, _ = os.ReadFile("/proc/meminfo")
	r.hostTotal = field(data, "MemTotal:")
	s.HostUsed = r.hostTotal - field(data, "MemAvailable:")
	s.GoHeap = goHeap()
	now := time.Now()
	cpu := processTime()
	busy, idle := hostTicks()
	if !r.at.IsZero() {
		if d := now.Sub(r.at); d > 0 {
			s.CPU = max(0, float64(cpu-r.cpu)/float64(d))
		}
		if all := busy + idle - r.busy - r.idle; all > 0 && busy >= r.busy {
			s.HostCPU = float64(busy-r.busy) / float64(all)
		}
	}
	r.at, r.cpu, r.busy, r.idle = now, cpu, busy, idle
	return s
}

// field is the number behind a name in one of /proc's lists, which are in KiB.
func field(data []byte, name string) int64 {
	i := bytes.Index(data, []byte(name))
	if i < 0 || i > 0 && data[i-1] != '\n' {
		return 0
	}
	words := strings.Fields(string(data[i+len(name) : min(len(data), i+len(name)+32)]))
	if len(words) == 0 {
		return 0
	}
	n, err := strconv.ParseInt(words[0], 10, 64)
	if err != nil {
		return 0
	}
	return n << 10
}

// goHeap reads one counter without stopping the program, as runtime.ReadMemStats would.
func goHeap() int64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(s)
	if s[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return int64(s[0].Value.Uint64())
}

func processTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// hostTicks is the machine's time so far (proc(5), /proc/stat): busy and idle,
// waiting for disks counted as idle.
func hostTicks() (busy, idle uint64) {
	data, _ := os.ReadFile("/proc/stat")
	line, _, _ := strings.Cut(string(data), "\n")
	words := strings.Fields(line)
	// user nice system idle iowait irq softirq steal; guest time is part of user.
	for i := 1; i < min(len(words), 9); i++ {
		n, err := strconv.ParseUint(words[i], 10, 64)
		if err != nil {
			return 0, 0
		}
		if i == 4 || i == 5 {
			idle += n
		} else {
			busy += n
		}
	}
	return busy, idle
}

// cgroupLimit is the least memory limit on the process's way up the tree of control
// groups, version 2 or 1; 0 for none. list is /proc/self/cgroup, root where the
// groups are mounted.
func cgroupLimit(list, root string) int64 {
	data, err := os.ReadFile(list)
	if err != nil {
		return 0
	}
	least := int64(0)
	for _, line := range strings.Split(string(data), "\n") {
		parts := strings.SplitN(line, ":", 3)
		if len(parts) != 3 {
			continue
		}
		base, file := "", ""
		switch {
		case parts[0] == "0" && parts[1] == "":
			base, file = root, "memory.max"
		case strings.Contains(","+parts[1]+",", ",memory,"):
			base, file = path.Join(root, "memory"), "memory.limit_in_bytes"
		default:
			continue
		}
		// In a container the path may be the host's; its root then still holds the limit.
		for dir := path.Clean("/" + parts[2]); ; dir = path.Dir(dir) {
			least = lower(least, readLimit(path.Join(base, dir, file)))
			if dir == "/" {
				break
			}
		}
	}
	return least
}

func lower(a, b int64) int64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// noLimit is what version 1 has for none: more than any machine holds.
const noLimit = 1 << 60

func readLimit(file string) int64 {
	data, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64)
	if err != nil || n <= 0 || n >= noLimit {
		return 0
	}
	return n
}
