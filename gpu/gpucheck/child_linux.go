package main

import (
	"os/exec"
	"syscall"
)

// dieWithUs has the kernel end cmd when this process ends, however that comes. What cmd
// starts is of its group.
func dieWithUs(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}

// endGroup kills cmd and what it started.
func endGroup(cmd *exec.Cmd) {
	if cmd.Process != nil {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}
}
