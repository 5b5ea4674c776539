package monitor

import (
	"os"
	"time"
)

// Inflow is what this process had taken in and used up since it began, to be
// subtracted from a later one.
type Inflow struct {
	// Files is the bytes that were read from files, pipes and sockets, Disk those of them
	// that came from a disk and not from the system's memory (proc_pid_io(5)).
	Files, Disk int64
	// Network is the bytes that the machine received from all networks but the loopback,
	// whoever asked for them.
	Network int64
	// Processor is the time of all the process's threads.
	Processor time.Duration
}

// ReadInflow reads it, in some tens of microseconds; what the system does not tell is 0.
func ReadInflow() Inflow {
	own, _ := os.ReadFile("/proc/self/io")
	nets, _ := os.ReadFile("/proc/net/dev")
	in, _ := netBytes(string(nets))
	return Inflow{Files: number(own, "rchar:"), Disk: number(own, "read_bytes:"), Network: int64(in), Processor: processTime()}
}

// Sub is what came in between an earlier reading and this one.
func (i Inflow) Sub(earlier Inflow) Inflow {
	return Inflow{
		Files: i.Files - earlier.Files, Disk: i.Disk - earlier.Disk,
		Network: i.Network - earlier.Network, Processor: i.Processor - earlier.Processor,
	}
}
