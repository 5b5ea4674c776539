package serve

import (
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// memoryEnv sets what the worker may hold, in bytes or as 512MiB, 8GiB; 0 is no limit.
const memoryEnv = "ATTUNE_MEMORY"

// limitMemory ends the process, with words that the front turns into the cell's
// error, when it holds more than it may: before the machine's own out-of-memory
// killer picks a victim. The collector's own soft limit (debug.SetMemoryLimit) is
// left alone: near it a program that holds on to its memory runs at a crawl for
// minutes instead of ending.
func limitMemory(stderr io.Writer) error {
	limit, err := memoryLimit()
	if limit <= 0 {
		return err
	}
	go func() {
		page := int64(os.Getpagesize())
		for {
			nap(50 * time.Millisecond)
			if held := residentPages() * page; held > limit {
				fmt.Fprintf(stderr, "fatal error: out of memory: the session held %d MiB and may hold %d MiB (%s sets it)\n",
					held>>20, limit>>20, memoryEnv)
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			}
		}
	}()
	return err
}

// nap is time.Sleep without one of Go's timers: that none is pending, and all threads
// wait, tells the front that the cells' goroutines wait for one another.
func nap(d time.Duration) {
	ts := syscall.NsecToTimespec(d.Nanoseconds())
	_ = syscall.Nanosleep(&ts, nil) // a signal may cut it short
}

// memoryLimit is what the environment says, or four fifths of what the machine or
// the control group has, which also holds where the environment makes no sense.
func memoryLimit() (int64, error) {
	text := os.Getenv(memoryEnv)
	if text == "" {
		return usualLimit(), nil
	}
	limit, err := parseBytes(text)
	if err != nil {
		limit = usualLimit()
		err = fmt.Errorf("%w; the usual limit holds: %d MiB", err, limit>>20)
	}
	return limit, err
}

func usualLimit() int64 {
	total := cgroupLimit()
	if machine := machineMemory(); total <= 0 || machine < total {
		total = machine
	}
	return total / 5 * 4
}

func parseBytes(whole string) (int64, error) {
	text, unit := whole, int64(1)
	for suffix, n := range map[string]int64{"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30} {
		if rest, ok := strings.CutSuffix(text, suffix); ok {
			text, unit = rest, n
			break
		}
	}
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil || n < 0 || n > math.MaxInt64/unit {
		return 0, fmt.Errorf("%s is %q; it takes bytes, or a number with KiB, MiB or GiB", memoryEnv, whole)
	}
	return n * unit, nil
}

func residentPages() int64 {
	data, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	if fields := strings.Fields(string(data)); len(fields) > 1 {
		n, _ := strconv.ParseInt(fields[1], 10, 64)
		return n
	}
	return 0
}

func machineMemory() int64 {
	var info syscall.Sysinfo_t
	if syscall.Sysinfo(&info) != nil {
		return 0
	}
	return int64(info.Totalram) * int64(info.Unit)
}

// cgroupLimit reads the limit of control groups, version 2 then 1; 0 is none.
func cgroupLimit() int64 {
	for _, file := range []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		data, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		if n, err := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64); err == nil {
			return n
		}
	}
	return 0
}

// spare is a handful of descriptors that are kept for the time when a cell has
// used up all others: the next cell, which may close them, must still be opened.
type spare []*os.File

func (s *spare) hold() {
	for len(*s) < 8 {
		f, err := os.Open(os.DevNull)
		if err != nil {
			return
		}
		*s = append(*s, f)
	}
}

func (s *spare) release() {
	for _, f := range *s {
		f.Close()
	}
	*s = nil
}
