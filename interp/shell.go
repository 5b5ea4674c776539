package interp

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"attune/interp/cell"
)

// streamWriter writes to one of a cell's streams.
type streamWriter struct {
	out cell.Sink
	to  cell.Stream
}

func (w streamWriter) Write(p []byte) (int, error) {
	w.out.Stream(w.to, p)
	return len(p), nil
}

// shell runs a command with its output live in the cell. It and its children end
// with an interrupt.
func (e *execution) shell(command string) *cell.Error {
	cmd := exec.CommandContext(e.ctx, "/bin/sh", "-c", strings.TrimSpace(command))
	cmd.Env = os.Environ()
	// Where os.Chdir has taken the cells; a folder that is gone or not readable is left.
	if dir, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", e.s.worker().client.PID())); err == nil {
		if info, err := os.Stat(dir); err == nil && info.IsDir() {
			cmd.Dir, cmd.Env = dir, append(cmd.Env, "PWD="+dir)
		}
	}
	cmd.Stdout, cmd.Stderr = streamWriter{e.out, cell.Stdout}, streamWriter{e.out, cell.Stderr}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	if e.interrupted() {
		if cmd.Process != nil { // whoever of the group did not heed the signal
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		}
		return e.stoppedError("the shell command was ended")
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		msg := fmt.Sprintf("the shell command ended with %s", exit.ProcessState)
		return &cell.Error{Name: "ShellError", Value: msg, Traceback: []string{red("ShellError: ") + msg}}
	}
	if err != nil {
		return &cell.Error{Name: "ShellError", Value: err.Error(), Traceback: []string{red("ShellError: ") + err.Error()}}
	}
	return nil
}
