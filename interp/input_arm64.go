package interp

// readCall and pollCall are the numbers of the system calls read and epoll_pwait,
// idleCalls those of futex and nanosleep.
const (
	readCall = "63"
	pollCall = "22"
)

var idleCalls = []string{"98", "101"}
