package interp

// readCall and pollCall are the numbers of the system calls read and epoll_pwait,
// idleCalls those of futex and nanosleep.
const (
	readCall = "0"
	pollCall = "281"
)

var idleCalls = []string{"202", "35"}
