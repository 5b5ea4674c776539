package worker

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
	"unsafe" // ioctl(2) writes where a pointer says
)

// Client is a running worker as the front sees it.
type Client struct {
	conn   *Conn
	cmd    *exec.Cmd
	inMu   sync.Mutex
	stdin  *os.File // nil after EndInput
	pipes  [2]*pipe // stdout, stderr
	handle func(Event)
	closed chan struct{} // when the process is gone and its output has been read
	state  *os.ProcessState

	files []*os.File
	once  sync.Once
}

// spawner is a goroutine on a thread of its own that lives as long as the process:
// the kernel ends a child whose Pdeathsig is set when the *thread* that made it ends.
var spawner = sync.OnceValue(func() chan<- func() {
	work := make(chan func())
	go func() {
		runtime.LockOSThread()
		for f := range work {
			f()
		}
	}()
	return work
})

// Start starts the worker program. handle is called with each event, one after the
// other, on the goroutine that reads them: whom it wakes is one step from the pipe.
func Start(program string, env []string, handle func(Event)) (*Client, error) {
	c := &Client{handle: handle, closed: make(chan struct{})}
	ends := make([]*os.File, 0, 10)
	pair := func() (r, w *os.File, err error) {
		r, w, err = os.Pipe()
		if err == nil {
			ends = append(ends, r, w)
		}
		return r, w, err
	}
	var files [5][2]*os.File
	for i := range files {
		r, w, err := pair()
		if err != nil {
			for _, f := range ends {
				f.Close()
			}
			return nil, fmt.Errorf("start worker: %w", err)
		}
		files[i] = [2]*os.File{r, w}
	}
	in, out, errs, reqs, evs := files[0], files[1], files[2], files[3], files[4]
	c.cmd = exec.Command(program)
	c.cmd.Env = env
	c.cmd.Stdin, c.cmd.Stdout, c.cmd.Stderr = in[0], out[1], errs[1]
	c.cmd.ExtraFiles = []*os.File{reqs[0], evs[1]}
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	started := make(chan error)
	spawner() <- func() { started <- c.cmd.Start() }
	err := <-started
	for _, f := range []*os.File{in[0], out[1], errs[1], reqs[0], evs[1]} {
		f.Close()
	}
	if err != nil {
		for _, f := range []*os.File{in[1], out[0], errs[0], reqs[1], evs[0]} {
			f.Close()
		}
		return nil, fmt.Errorf("start worker: %w", err)
	}
	c.stdin = in[1]
	widen(out[0])
	widen(evs[0])
	c.pipes = [2]*pipe{newPipe(out[0]), newPipe(errs[0])}
	c.conn = NewConn(evs[0], reqs[1])
	c.files = []*os.File{reqs[1], evs[0]}
	go c.read()
	return c, nil
}

// eventlessTime is how long a worker may live on that sends no more events.
const eventlessTime = 10 * time.Second

// read passes events on until the worker is gone.
func (c *Client) read() {
	for {
		var ev Event
		if err := c.conn.Receive(&ev); err != nil {
			break
		}
		c.handle(ev)
	}
	// A worker without events is of no use. Mostly it is about to say what ended it,
	// for which the runtime may need a while; but a cell may also have closed the pipe.
	grace := time.AfterFunc(eventlessTime, c.Kill)
	_ = c.cmd.Wait()
	grace.Stop()
	c.state = c.cmd.ProcessState
	for _, p := range c.pipes {
		p.finish()
	}
	close(c.closed)
}

// Gone is closed when the worker is gone and all its events were handled.
func (c *Client) Gone() <-chan struct{} { return c.closed }

// Output is the channel that says when there is text to take with Take.
func (c *Client) Output() [2]<-chan struct{} {
	return [2]<-chan struct{}{c.pipes[0].ready, c.pipes[1].ready}
}

// Take returns the text that the worker wrote on stdout (0) or stderr (1) up to now.
func (c *Client) Take(stream int) []byte { return c.pipes[stream].take() }

// Send sends a request.
func (c *Client) Send(req Request) error { return c.conn.Send(req) }

// KeptStdin is the descriptor under which the worker keeps its standard input,
// whatever a cell does with descriptor 0.
const KeptStdin = 100

// OpenInput makes reads of the worker's standard input wait for Type again.
func (c *Client) OpenInput() error {
	c.inMu.Lock()
	defer c.inMu.Unlock()
	if c.stdin != nil {
		return nil
	}
	// A pipe can be opened again by way of the process that reads it.
	f, err := os.OpenFile(fmt.Sprintf("/proc/%d/fd/%d", c.PID(), KeptStdin), os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("open the input again: %w", err)
	}
	c.stdin = f
	return nil
}

// Type writes a line to the worker's standard input.
func (c *Client) Type(line string) error {
	c.inMu.Lock()
	defer c.inMu.Unlock()
	if c.stdin == nil {
		return errors.New("pass input on: the input has ended")
	}
	if _, err := io.WriteString(c.stdin, line); err != nil {
		return fmt.Errorf("pass input on: %w", err)
	}
	return nil
}

// Unread tells whether something that was typed has not been read yet.
func (c *Client) Unread() bool {
	c.inMu.Lock()
	defer c.inMu.Unlock()
	if c.stdin == nil {
		return false
	}
	conn, err := c.stdin.SyscallConn()
	if err != nil {
		return false
	}
	var n int32
	_ = conn.Control(func(fd uintptr) {
		_, _, _ = syscall.Syscall(syscall.SYS_IOCTL, fd, bytesUnread, uintptr(unsafe.Pointer(&n)))
	})
	return n > 0
}

// bytesUnread is FIONREAD of ioctl(2), which package syscall does not name.
const bytesUnread = 0x541b

// EndInput lets reads of the worker's standard input come to the end of the file,
// until OpenInput.
func (c *Client) EndInput() {
	c.inMu.Lock()
	defer c.inMu.Unlock()
	if c.stdin != nil {
		c.stdin.Close()
		c.stdin = nil
	}
}

// PID is the worker's process.
func (c *Client) PID() int { return c.cmd.Process.Pid }

// Exit describes how the process ended; it waits for that.
func (c *Client) Exit() string {
	<-c.closed
	if c.state == nil {
		return "the worker process is gone"
	}
	return c.state.String()
}

// Kill ends the worker and what it started.
func (c *Client) Kill() {
	if err := syscall.Kill(-c.PID(), syscall.SIGKILL); errors.Is(err, syscall.ESRCH) {
		_ = c.cmd.Process.Kill()
	}
}

// Close ends the worker and waits until it is gone.
func (c *Client) Close() {
	c.once.Do(func() {
		c.Kill()
		<-c.closed
		c.EndInput()
		for _, f := range c.files {
			f.Close()
		}
	})
}
