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

// The machine's counters are read once in hostEach samples, PSS once in pssEach: it is
// the mean of many pages and takes the kernel milliseconds to add up.
const (
	hostEach = 10
	pssEach  = 50
)

// leastShare is the shortest time over which a share of it is taken.
const leastShare = 25 * time.Millisecond

// reader reads the process's and the machine's counters; it remembers the last of
// those that are only good as differences. What a system does not tell stays 0.
type reader struct {
	n          int
	pss        int64
	at         time.Time
	cpu        time.Duration // of the process, user and system
	cores      float64       // that were busy in the last stretch
	busy, idle uint64        // of the machine, in ticks
	host       Sample        // its fields of the machine, of the last reading
	traffic    traffic
	// limit is the cgroup's limit on memory, 0 for none, of limitFile; read once.
	limit     int64
	limitFile string
}

func (r *reader) read() Sample {
	if r.n == 0 {
		r.limit, r.limitFile = cgroupLimit("/proc/self/cgroup", "/sys/fs/cgroup")
	}
	if r.n%pssEach == 0 {
		data, _ := os.ReadFile("/proc/self/smaps_rollup")
		r.pss = field(data, "Pss:")
	}
	now := time.Now()
	if r.n%hostEach == 0 {
		r.readHost(now)
	}
	r.n++
	s := r.host
	s.PSS = r.pss
	s.RSS = residentSet()
	s.GoHeap = goHeap()
	// Over a few milliseconds, as between two samples at a cell's end, a share would be
	// that of the sampling itself.
	if d := now.Sub(r.at); d >= leastShare {
		cpu := processTime()
		if !r.at.IsZero() {
			r.cores = max(0, float64(cpu-r.cpu)/float64(d))
		}
		r.at, r.cpu = now, cpu
	}
	s.CPU = r.cores
	return s
}

// readHost reads what is the machine's and not the process's.
func (r *reader) readHost(now time.Time) {
	data, _ := os.ReadFile("/proc/meminfo")
	r.host.HostTotal = field(data, "MemTotal:")
	r.host.HostUsed = r.host.HostTotal - field(data, "MemAvailable:")
	r.host.GroupLimit, r.host.GroupUsed = r.limit, groupUsed(r.limitFile)
	busy, idle := hostTicks()
	if all := busy + idle - r.busy - r.idle; r.busy > 0 && all > 0 && busy >= r.busy {
		r.host.HostCPU = float64(busy-r.busy) / float64(all)
	}
	r.busy, r.idle = busy, idle
	r.traffic = r.traffic.next(now)
	r.host.DiskRead, r.host.DiskWrite = r.traffic.readRate, r.traffic.writeRate
	r.host.NetIn, r.host.NetOut = r.traffic.in, r.traffic.out
}

// residentSet is the second number of /proc/self/statm, in pages; that file costs the
// kernel a tenth of what status does.
func residentSet() int64 {
	data, _ := os.ReadFile("/proc/self/statm")
	words := strings.Fields(string(data))
	if len(words) < 2 {
		return 0
	}
	n, err := strconv.ParseInt(words[1], 10, 64)
	if err != nil {
		return 0
	}
	return n * int64(os.Getpagesize())
}

// field is the number behind a name in one of /proc's lists of KiB, in bytes.
func field(data []byte, name string) int64 { return number(data, name) << 10 }

// number is the number behind a name in one of /proc's lists.
func number(data []byte, name string) int64 {
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
	return n
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
// groups are mounted. where is the limit's file.
func cgroupLimit(list, root string) (least int64, where string) {
	data, err := os.ReadFile(list)
	if err != nil {
		return 0, ""
	}
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
			name := path.Join(base, dir, file)
			if n := readLimit(name); n != 0 && (least == 0 || n < least) {
				least, where = n, name
			}
			if dir == "/" {
				break
			}
		}
	}
	return least, where
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
