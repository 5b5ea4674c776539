package kernel

import (
	"context"
	"errors"
	"os"
	"strconv"
	"syscall"
	"time"
)

// ParentFromEnv is the process that started the kernel as jupyter_client names it
// in JPY_PARENT_PID, 0 where it does not.
func ParentFromEnv() int {
	pid, err := strconv.Atoi(os.Getenv("JPY_PARENT_PID"))
	if err != nil || pid <= 1 {
		return 0
	}
	return pid
}

// watchParent ends the server when the parent has gone. A process that is not
// seen at the start (another pid namespace) is not watched.
func (s *Server) watchParent(ctx context.Context) {
	pid := s.opt.ParentPID
	if !alive(pid) {
		return
	}
	direct := os.Getppid() == pid // then even a reused pid shows
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if !alive(pid) || direct && os.Getppid() != pid {
			s.stopping.Do(func() { close(s.stop) })
			return
		}
	}
}

func alive(pid int) bool {
	return !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)
}
