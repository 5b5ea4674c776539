package kernel_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"attune/kernel"
	"attune/kernel/jupyter"
	"attune/kernel/kerneltest"
	"attune/kernel/socket"
)

// run executes a cell and returns what came on iopub from busy to idle.
func run(t *testing.T, c *kerneltest.Client, code string) []*jupyter.Message {
	t.Helper()
	id, err := c.Send(c.Shell, "execute_request", jupyter.ExecuteRequest{Code: code, StoreHistory: true, StopOnError: true})
	if err != nil {
		t.Fatal(err)
	}
	var got []*jupyter.Message
	for {
		m, err := c.Recv(c.IOPub, patience)
		if err != nil {
			t.Fatal(err)
		}
		if m.Parent.MsgID != id {
			continue
		}
		got = append(got, m)
		if m.Header.MsgType == "status" && bytes.Contains(m.Content, []byte("idle")) {
			break
		}
	}
	if m, err := c.Recv(c.Shell, patience); err != nil || m.Parent.MsgID != id {
		t.Fatal("reply:", m, err)
	}
	return got
}

func streamText(t *testing.T, messages []*jupyter.Message) string {
	t.Helper()
	var all strings.Builder
	for _, m := range messages {
		if m.Header.MsgType != "stream" {
			continue
		}
		var s struct{ Text string }
		if err := json.Unmarshal(m.Content, &s); err != nil {
			t.Fatal(err)
		}
		all.WriteString(s.Text)
	}
	return all.String()
}

func TestPrintsAreCoalescedAndWhole(t *testing.T) {
	_, c := start(t, kernel.Options{})
	got := run(t, c, "print 10000")
	if n := strings.Count(streamText(t, got), "\n"); n != 10_000 {
		t.Errorf("%d lines", n)
	}
	if len(got) > 200 {
		t.Errorf("%d messages for 10,000 lines", len(got))
	}
}

func TestBigOutput(t *testing.T) {
	_, c := start(t, kernel.Options{})
	if n := len(streamText(t, run(t, c, "write 20971520"))); n != 20<<20 {
		t.Errorf("%d bytes of text", n)
	}
	for _, m := range run(t, c, "png 20971520") {
		if m.Header.MsgType == "display_data" && len(m.Content) < 20<<20 {
			t.Errorf("%d bytes of picture", len(m.Content))
		}
	}
}

// TestShutdownReplyIsNeverLost is row 9 of the transport's defects, with a cell
// that still runs.
func TestShutdownReplyIsNeverLost(t *testing.T) {
	for range 20 {
		s, err := kernel.New(jupyter.ConnectionInfo{Transport: "tcp", IP: "127.0.0.1"},
			kerneltest.NewRunner(), kernel.Options{Log: io.Discard})
		if err != nil {
			t.Fatal(err)
		}
		served := make(chan error, 1)
		go func() { served <- s.Serve(context.Background()) }()
		c, err := kerneltest.Dial(s.Connection())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Send(c.Shell, "execute_request", jupyter.ExecuteRequest{Code: "loop"}); err != nil {
			t.Fatal(err)
		}
		id, err := c.Send(c.Control, "shutdown_request", jupyter.ShutdownRequest{})
		if err != nil {
			t.Fatal(err)
		}
		if m, err := c.Recv(c.Control, patience); err != nil || m.Parent.MsgID != id {
			t.Fatal(m, err)
		}
		if err := <-served; err != nil {
			t.Fatal(err)
		}
		_ = c.Close()
	}
}

func TestHeartbeat(t *testing.T) {
	s, _ := start(t, kernel.Options{})
	info := s.Connection()
	hb, err := socket.Dial(socket.Req, info.Endpoint(info.HBPort), "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = hb.Close() }()
	if err := hb.Send([][]byte{{}, []byte("ping")}); err != nil {
		t.Fatal(err)
	}
	if m, err := hb.Recv(patience); err != nil || len(m) != 2 || string(m[1]) != "ping" {
		t.Fatalf("%q, %v", m, err)
	}
}

// TestFirstCellWaitsForSubscriber sends a cell before anybody listens.
func TestFirstCellWaitsForSubscriber(t *testing.T) {
	s, err := kernel.New(jupyter.ConnectionInfo{Transport: "tcp", IP: "127.0.0.1"},
		kerneltest.NewRunner(), kernel.Options{Log: io.Discard, FirstSubscriber: patience})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx) }()
	defer func() { cancel(); <-served }()
	info := s.Connection()
	session, err := jupyter.NewSession("", "t")
	if err != nil {
		t.Fatal(err)
	}
	shell, err := socket.Dial(socket.Dealer, info.Endpoint(info.ShellPort), "me")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = shell.Close() }()
	for _, kind := range []string{"execute_request", "kernel_info_request"} {
		frames, err := session.Encode(jupyter.Outgoing{Type: kind, Content: jupyter.ExecuteRequest{Code: "say early"}})
		if err != nil {
			t.Fatal(err)
		}
		if err := shell.Send(frames); err != nil {
			t.Fatal(err)
		}
	}
	// The answer to the second says that the first is in the queue.
	if _, err := shell.Recv(patience); err != nil {
		t.Fatal(err)
	}
	sub, err := socket.Dial(socket.Subscriber, info.Endpoint(info.IOPubPort), "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sub.Close() }()
	if err := sub.Subscribe("stream"); err != nil {
		t.Fatal(err)
	}
	for {
		m, err := sub.Recv(patience)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(bytes.Join(m, nil)), `"text":"early\n"`) {
			return
		}
	}
}

func TestUsage(t *testing.T) {
	_, c := start(t, kernel.Options{})
	if _, err := c.Send(c.Control, "usage_request", nil); err != nil {
		t.Fatal(err)
	}
	m, err := c.Recv(c.Control, patience)
	if err != nil {
		t.Fatal(err)
	}
	var u jupyter.UsageReply
	if err := json.Unmarshal(m.Content, &u); err != nil {
		t.Fatal(err)
	}
	if u.PID != os.Getpid() || u.KernelMemory < 1<<20 || u.CPUCount < 1 || u.HostVirtualMemory.Total < u.KernelMemory {
		t.Errorf("%s", m.Content)
	}
}

func TestReplayedRequestIsDropped(t *testing.T) {
	s, c := start(t, kernel.Options{})
	frames, err := c.Session.Encode(jupyter.Outgoing{Type: "kernel_info_request"})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := c.Shell.Send(frames); err != nil {
			t.Fatal(err)
		}
	}
	// The first is answered; once a later cell is, the second was looked at too.
	if _, err := c.Recv(c.Shell, patience); err != nil {
		t.Fatal(err)
	}
	run(t, c, "")
	if s.Dropped() != 1 {
		t.Errorf("%d dropped", s.Dropped())
	}
}

func TestPortInUse(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	port := ln.Addr().(*net.TCPAddr).Port
	_, err = kernel.New(jupyter.ConnectionInfo{Transport: "tcp", IP: "127.0.0.1", HBPort: port},
		kerneltest.NewRunner(), kernel.Options{Log: io.Discard})
	if err == nil || !strings.Contains(err.Error(), fmt.Sprint(port)) {
		t.Fatal(err)
	}
}

func TestIPCTransport(t *testing.T) {
	info := jupyter.ConnectionInfo{
		Transport: "ipc", IP: filepath.Join(t.TempDir(), "k"),
		ShellPort: 1, IOPubPort: 2, StdinPort: 3, ControlPort: 4, HBPort: 5,
	}
	s, err := kernel.New(info, kerneltest.NewRunner(), kernel.Options{Log: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx) }()
	defer func() { cancel(); <-served }()
	c, err := kerneltest.Dial(s.Connection())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if text := streamText(t, run(t, c, "say hi")); text != "hi\n" {
		t.Errorf("%q", text)
	}
}

// TestEndsWithItsParent starts a process, names it as the parent, and ends it.
func TestEndsWithItsParent(t *testing.T) {
	parent := exec.Command("sleep", "1000")
	if err := parent.Start(); err != nil {
		t.Skip("no sleep command:", err)
	}
	s, err := kernel.New(jupyter.ConnectionInfo{Transport: "tcp", IP: "127.0.0.1"},
		kerneltest.NewRunner(), kernel.Options{Log: io.Discard, ParentPID: parent.Process.Pid})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx) }()
	c, err := kerneltest.Dial(s.Connection())
	if err != nil {
		t.Fatal(err)
	}
	run(t, c, "")
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_, _ = parent.Process.Wait()
	if err := <-served; err != nil {
		t.Fatal(err)
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		t.Fatal("the server outlived its parent")
	}
}
