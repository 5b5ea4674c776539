package monitor

import "os"

// Room is one thing that bounds this process's memory, in bytes: all that there is, what
// this process has of it, and what is free. The rest others have.
type Room struct {
	Name           string
	All, Own, Free int64
}

// Others is what neither this process has nor is free.
func (r Room) Others() int64 { return max(0, r.All-r.Own-r.Free) }

// HostRooms is what bounds the process's memory on the host: the machine's memory, the
// control group with the least limit, and what the session may hold; nil where the system
// does not tell. It takes some tens of microseconds.
func HostRooms() (rooms []Room) {
	data, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return nil
	}
	own := residentSet()
	add := func(name string, all, free int64) {
		rooms = append(rooms, Room{name, all, own, max(free, 0)})
	}
	add("the machine's memory", field(data, "MemTotal:"), field(data, "MemAvailable:"))
	if limit, file := cgroupLimit("/proc/self/cgroup", "/sys/fs/cgroup"); limit > 0 {
		add("the control group's limit", limit, limit-groupUsed(file))
	}
	if limit := Session().Limit(); limit > 0 {
		add("the session's limit", limit, limit-own)
	}
	return rooms
}

// HostRoom is the memory in bytes that this process could still get, by the tightest of
// HostRooms, and the most that it could have had; both 0 where the system does not tell.
func HostRoom() (free, total int64) {
	for i, r := range HostRooms() {
		if i == 0 {
			free, total = r.Free, r.All
		}
		free, total = min(free, r.Free), min(total, r.All)
	}
	return free, total
}

// SetLimit tells the monitor how many bytes the process may hold before it is ended, 0
// for any. The worker calls it.
func (m *Monitor) SetLimit(bytes int64) { m.memoryLimit.Store(bytes) }

// Limit is what SetLimit told, 0 for none.
func (m *Monitor) Limit() int64 { return m.memoryLimit.Load() }

// GPUs asks NVML now, whether the monitor runs or not: the devices, the processes that
// have memory on them, and why there is nothing to tell.
func (m *Monitor) GPUs() (gpus []GPU, processes []Process, why string) {
	r, _ := m.link.read()
	return r.gpus, r.byUse(), r.why
}
