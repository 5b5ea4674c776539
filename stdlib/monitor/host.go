package monitor

import (
	"os"
	"path"
	"strconv"
	"strings"
	"time"
)

// traffic is bytes that crossed since the machine's start, and as differences the
// rates: of all disks and of all networks but the loopback.
type traffic struct {
	at                           time.Time
	diskRead, diskWritten        uint64
	netIn, netOut                uint64
	readRate, writeRate, in, out float64 // bytes a second
}

// next is the newest reading, with rates since the last one.
func (t traffic) next(now time.Time) traffic {
	n := traffic{at: now}
	disks, _ := os.ReadFile("/proc/diskstats")
	n.diskRead, n.diskWritten = diskBytes(string(disks), wholeDisk)
	nets, _ := os.ReadFile("/proc/net/dev")
	n.netIn, n.netOut = netBytes(string(nets))
	if d := now.Sub(t.at).Seconds(); !t.at.IsZero() && d > 0 {
		// A device that was taken away makes a counter fall; that is no rate.
		per := func(a, b uint64) float64 {
			if b < a {
				return 0
			}
			return float64(b-a) / d
		}
		n.readRate, n.writeRate = per(t.diskRead, n.diskRead), per(t.diskWritten, n.diskWritten)
		n.in, n.out = per(t.netIn, n.netIn), per(t.netOut, n.netOut)
	}
	return n
}

// sector is the unit of /proc/diskstats, whatever the disk's own is
// (Documentation/admin-guide/iostats.rst of Linux).
const sector = 512

// diskBytes sums what whole disks read and wrote: partitions and what is stacked upon
// disks would count twice.
func diskBytes(stats string, whole func(name string) bool) (read, written uint64) {
	for line := range strings.Lines(stats) {
		f := strings.Fields(line)
		if len(f) < 10 || !whole(f[2]) {
			continue
		}
		r, err1 := strconv.ParseUint(f[5], 10, 64)
		w, err2 := strconv.ParseUint(f[9], 10, 64)
		if err1 == nil && err2 == nil {
			read, written = read+r*sector, written+w*sector
		}
	}
	return read, written
}

// wholeDisk tells by sysfs, where each disk has a folder and hardware behind it.
func wholeDisk(name string) bool {
	_, err := os.Stat(path.Join("/sys/block", name, "device"))
	return err == nil
}

// netBytes sums what the network devices received and sent (proc_net(5)).
func netBytes(dev string) (in, out uint64) {
	for line := range strings.Lines(dev) {
		name, rest, ok := strings.Cut(line, ":")
		f := strings.Fields(rest)
		if !ok || strings.TrimSpace(name) == "lo" || len(f) < 9 {
			continue
		}
		r, err1 := strconv.ParseUint(f[0], 10, 64)
		s, err2 := strconv.ParseUint(f[8], 10, 64)
		if err1 == nil && err2 == nil {
			in, out = in+r, out+s
		}
	}
	return in, out
}

// groupUsed is the memory that the control group with the least limit has in use, of
// the file beside that limit; 0 where there is no limit.
func groupUsed(limitFile string) int64 {
	if limitFile == "" {
		return 0
	}
	name := "memory.current"
	if path.Base(limitFile) == "memory.limit_in_bytes" {
		name = "memory.usage_in_bytes"
	}
	return readLimit(path.Join(path.Dir(limitFile), name))
}
