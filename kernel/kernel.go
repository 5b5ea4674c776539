// Package kernel is the front of a Jupyter kernel: it answers every request of
// the messaging protocol, queues cells, keeps the execution count and the
// history, and puts what a cell sends out on iopub in order. It runs no code
// itself: cells go to a cell.Runner. It may import kernel/jupyter, kernel/socket,
// interp/cell and display/mime, and nothing else of attune.
package kernel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/user"
	"sync"
	"time"

	"attune/interp/cell"
	"attune/kernel/jupyter"
	"attune/kernel/socket"
)

// Options are the parts of a Server that have a sensible default.
type Options struct {
	// Version is the kernel's, GoVersion the language's, as kernel_info names them.
	Version, GoVersion string
	// Banner greets in consoles.
	Banner string
	// HelpLinks stand in the front end's help menu.
	HelpLinks []jupyter.HelpLink
	// Log takes lines about dropped messages and broken peers (os.Stderr).
	Log io.Writer
	// ParentPID is the process whose end ends the kernel; 0 is none.
	// See ParentFromEnv.
	ParentPID int
	// FirstSubscriber is how long the first cell waits for somebody who listens
	// on iopub (1 s).
	FirstSubscriber time.Duration
	// History is the file that keeps the inputs of all sessions; without one only this
	// session's are known.
	History string
	// Busy and Idle, where they are set, are told when a cell begins and ends, each as
	// often as the other.
	Busy, Idle func()
	// Transport bounds what peers may take.
	Transport socket.Options
}

// Server is one kernel on its five sockets.
type Server struct {
	info    jupyter.ConnectionInfo
	opt     Options
	runner  cell.Runner
	session *jupyter.Session
	log     *logger

	shell, control, stdin socket.Socket
	iopub                 *socket.XPub
	heartbeat             *socket.Echo

	handlers  map[string]handler
	shells    *shells
	commQueue *queue
	comms     comms
	history   *history
	asker     *asker
	usage     *usage
	heard     sync.Once
	side      chan struct{} // one token for each request answered beside the loop

	countMu sync.Mutex
	count   int // of the newest cell

	stop     chan struct{} // closed by a shutdown request
	stopping sync.Once
}

// New opens the sockets that info names. A port of 0 takes any free one;
// Connection tells which. The runner is the server's from now on: Serve closes it.
func New(info jupyter.ConnectionInfo, runner cell.Runner, opt Options) (*Server, error) {
	if err := info.Check(); err != nil {
		return nil, fmt.Errorf("check connection: %w", err)
	}
	if opt.Log == nil {
		opt.Log = os.Stderr
	}
	if opt.FirstSubscriber <= 0 {
		opt.FirstSubscriber = time.Second
	}
	if opt.Busy == nil {
		opt.Busy = func() {}
	}
	if opt.Idle == nil {
		opt.Idle = func() {}
	}
	session, err := jupyter.NewSession(info.Key, username())
	if err != nil {
		return nil, err
	}
	s := &Server{
		info: info, opt: opt, runner: runner, session: session,
		log: newLogger(opt.Log), shells: newShells(), commQueue: newQueue(),
		comms: comms{open: make(map[string]string)},
		usage: newUsage(), side: make(chan struct{}, maxSide), stop: make(chan struct{}),
	}
	s.asker = newAsker(s)
	s.history = newHistory(opt.History, func(err error) { s.log.note("history", err) })
	s.handlers = s.table()
	if s.opt.Transport.Report == nil {
		s.opt.Transport.Report = func(err error) { s.log.note("transport", err) }
	}
	if err := s.listen(); err != nil {
		s.closeSockets()
		s.history.close()
		return nil, err
	}
	return s, nil
}

func username() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "kernel"
}

// listen opens the five sockets and notes the ports they got.
func (s *Server) listen() error {
	opt := s.opt.Transport
	for _, r := range []struct {
		to   *socket.Socket
		port *int
	}{
		{&s.shell, &s.info.ShellPort}, {&s.control, &s.info.ControlPort}, {&s.stdin, &s.info.StdinPort},
	} {
		sock, err := socket.ListenRouter(s.info.Endpoint(*r.port), opt)
		if err != nil {
			return err
		}
		*r.to = sock
		*r.port = portOf(sock.Addr(), *r.port)
	}
	var err error
	if s.iopub, err = socket.ListenXPub(s.info.Endpoint(s.info.IOPubPort), opt, s.welcome); err != nil {
		return err
	}
	s.info.IOPubPort = portOf(s.iopub.Addr(), s.info.IOPubPort)
	if s.heartbeat, err = socket.ListenEcho(s.info.Endpoint(s.info.HBPort), opt); err != nil {
		return err
	}
	s.info.HBPort = portOf(s.heartbeat.Addr(), s.info.HBPort)
	return nil
}

func portOf(addr net.Addr, otherwise int) int {
	if tcp, ok := addr.(*net.TCPAddr); ok {
		return tcp.Port
	}
	return otherwise
}

// Connection is the connection with the ports that are really open.
func (s *Server) Connection() jupyter.ConnectionInfo { return s.info }

// Dropped counts the messages that were refused: wrong signature, malformed, or
// seen before.
func (s *Server) Dropped() uint64 { return s.log.dropped.Load() }

// Interrupt stops the running cell, as an interrupt_request does. It is there
// for a process that gets SIGINT.
func (s *Server) Interrupt() {
	s.asker.interrupt()
	s.runner.Interrupt()
}

// Serve answers requests until a shutdown request came, the parent process is
// gone or ctx ends. It then lets the last replies leave, closes the runner and
// returns. Call it once.
func (s *Server) Serve(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var loops sync.WaitGroup
	loops.Go(func() { s.receive(ctx, s.shell, "shell") })
	loops.Go(func() { s.receive(ctx, s.control, "control") })
	loops.Go(func() { s.receiveInput() })
	loops.Go(func() { s.executeAll(ctx, s.shells.find("")) })
	loops.Go(func() { s.handleComms(ctx) })
	if s.opt.ParentPID > 0 {
		loops.Go(func() { s.watchParent(ctx) })
	}
	s.announce("starting")
	select {
	case <-ctx.Done():
	case <-s.stop:
	}
	cancel()
	closed := make(chan error, 1)
	go func() { closed <- s.closeRunner() }()
	s.closeSockets()
	s.shells.close()
	s.commQueue.close()
	err := <-closed
	ended := make(chan struct{})
	go func() { loops.Wait(); close(ended) }()
	select {
	case <-ended:
		s.history.close()
	case <-time.After(time.Second): // a runner that is stuck must not keep the process
	}
	s.log.flush()
	return err
}

// closeTime is how long the runner may take to close; a front end gives the whole
// process about five seconds.
const closeTime = 3 * time.Second

func (s *Server) closeRunner() error {
	closed := make(chan error, 1)
	go func() { closed <- s.runner.Close() }()
	select {
	case err := <-closed:
		if err != nil {
			return fmt.Errorf("close runner: %w", err)
		}
		return nil
	case <-time.After(closeTime):
		return errors.New("close runner: it did not end in time")
	}
}

// closeSockets lets queued messages leave, on all sockets at once.
func (s *Server) closeSockets() {
	var all sync.WaitGroup
	for _, c := range []socket.Socket{s.shell, s.control, s.stdin} {
		if c != nil {
			all.Go(func() { _ = c.Close() })
		}
	}
	if s.iopub != nil {
		all.Go(func() { _ = s.iopub.Close() })
	}
	if s.heartbeat != nil {
		all.Go(func() { _ = s.heartbeat.Close() })
	}
	all.Wait()
}
