package worker

import (
	"os"
	"sync"
	"syscall"
	"time"
)

// maxHeld bounds what is read ahead of the taker: beyond it the worker's writes
// block, as they would on a slow terminal.
const maxHeld = 4 << 20

// pipe reads a stream of the worker into memory. Whoever takes gets all that was
// written before, because reading and taking empty the operating system's pipe
// under one lock.
type pipe struct {
	file  *os.File
	conn  syscall.RawConn
	ready chan struct{} // holds a token when there is text
	over  chan struct{} // closed at the end of the stream

	mu   sync.Mutex
	room *sync.Cond
	held []byte
	end  bool // the stream ended
	gone bool // nobody waits for room any more
	buf  [256 << 10]byte
}

func newPipe(f *os.File) *pipe {
	p := &pipe{file: f, ready: make(chan struct{}, 1), over: make(chan struct{})}
	p.room = sync.NewCond(&p.mu)
	p.conn, _ = f.SyscallConn() // fails for a nil file only
	go p.read()
	return p
}

func (p *pipe) read() {
	defer close(p.over)
	defer p.file.Close()
	for {
		err := p.conn.Read(func(fd uintptr) bool {
			p.mu.Lock()
			defer p.mu.Unlock()
			return p.drain(fd) || p.end
		})
		// First tell, then wait for room: only who was told makes any.
		select {
		case p.ready <- struct{}{}:
		default:
		}
		p.mu.Lock()
		stop := err != nil || p.end
		for len(p.held) >= maxHeld && !p.gone && !stop {
			p.room.Wait()
		}
		p.mu.Unlock()
		if stop {
			return
		}
	}
}

// drain moves what the operating system holds to p.held and tells whether there
// was any. The caller holds the lock.
func (p *pipe) drain(fd uintptr) (any bool) {
	for len(p.held) < maxHeld || p.gone {
		n, err := syscall.Read(int(fd), p.buf[:])
		switch {
		case n > 0:
			p.held = append(p.held, p.buf[:n]...)
			any = true
			if n == len(p.buf) {
				continue
			}
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN:
			return any
		default:
			p.end = true
			return any
		}
	}
	return any
}

// take returns all text that the worker has written up to now.
func (p *pipe) take() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []byte
	// What the operating system holds may not fit beside what was read ahead: then it
	// takes a second turn, and no more, as it holds less than fits in one.
	for range 2 {
		if !p.end {
			_ = p.conn.Control(func(fd uintptr) { p.drain(fd) }) // fails once the file is closed
		}
		full := len(p.held) >= maxHeld
		if out == nil {
			out = p.held
		} else {
			out = append(out, p.held...)
		}
		p.held = nil
		if !full {
			break
		}
	}
	p.room.Signal()
	return out
}

// finish waits a moment for the last text of a process that is gone. A child of
// the user's may hold the pipe open for longer; it is not waited for.
func (p *pipe) finish() {
	p.mu.Lock()
	p.gone = true
	p.room.Signal()
	p.mu.Unlock()
	select {
	case <-p.over:
	case <-time.After(200 * time.Millisecond):
	}
}

// widen lets the operating system hold more of a stream, so that a big print needs
// fewer turns between the two processes. Where that is not allowed it stays as it is.
func widen(f *os.File) {
	conn, err := f.SyscallConn()
	if err != nil {
		return
	}
	_ = conn.Control(func(fd uintptr) {
		_, _, _ = syscall.Syscall(syscall.SYS_FCNTL, fd, setPipeSize, 1<<20)
	})
}

// setPipeSize is F_SETPIPE_SZ of fcntl(2), which package syscall does not name.
const setPipeSize = 1031
