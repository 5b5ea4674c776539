package kernel_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"attune/kernel"
	"attune/kernel/jupyter"
	"attune/kernel/kerneltest"
	"attune/kernel/socket"
)

// TestMillionLinesBesideBadSubscribers prints a million lines to one client that
// reads, one that reads slowly, one that has stopped and one that is killed. The first
// gets every line and idle; new clients connect and are answered meanwhile; and the
// process stays small.
func TestMillionLinesBesideBadSubscribers(t *testing.T) {
	s, c := start(t, kernel.Options{})
	c.Schemas = nil // a million lines are read as fast as can be
	info := s.Connection()
	subscriber := func() *socket.Client {
		sub, err := socket.Dial(socket.Subscriber, info.Endpoint(info.IOPubPort), "")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = sub.Close() })
		if err := sub.Subscribe(""); err != nil {
			t.Fatal(err)
		}
		if _, err := sub.Recv(patience); err != nil {
			t.Fatal(err)
		}
		return sub
	}
	subscriber() // stopped: it never reads again
	slow, killed := subscriber(), subscriber()
	over := make(chan struct{})
	go func() {
		for {
			if _, err := slow.Recv(patience); err != nil {
				return
			}
			select {
			case <-over:
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
	}()
	go func() {
		_, _ = killed.Recv(patience)
		_ = killed.Close()
	}()
	most := make(chan int64)
	go func() { most <- watchMemory(over) }()
	visits := make(chan error, 1)
	go func() { visits <- visit(info, over) }()
	const lines = 1_000_000
	if n := strings.Count(streamText(t, run(t, c, fmt.Sprint("print ", lines))), "\n"); n != lines {
		t.Errorf("%d lines", n)
	}
	close(over)
	if err := <-visits; err != nil {
		t.Error("a new client:", err)
	}
	if held := <-most; held > 200<<20 && !raceDetector {
		t.Errorf("the process held %d MiB", held>>20)
	}
}

// visit connects one client after the other, each of which asks and is answered.
func visit(info jupyter.ConnectionInfo, over chan struct{}) error {
	for {
		c, err := kerneltest.Dial(info)
		if err != nil {
			return err
		}
		if _, err := c.Send(c.Shell, "kernel_info_request", nil); err != nil {
			return err
		}
		if _, err := c.Recv(c.Shell, patience); err != nil {
			return err
		}
		if err := c.Close(); err != nil {
			return err
		}
		select {
		case <-over:
			return nil
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// watchMemory is the most that the process held until over, in bytes.
func watchMemory(over chan struct{}) int64 {
	most := int64(0)
	for {
		var size, resident int64
		if text, err := os.ReadFile("/proc/self/statm"); err == nil {
			if _, err := fmt.Sscan(string(text), &size, &resident); err == nil {
				most = max(most, resident*int64(os.Getpagesize()))
			}
		}
		select {
		case <-over:
			return most
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// TestHostileMessages sends messages of every bad kind, a thousand of each, beside good
// ones: all are counted, the log stays short, and the kernel answers.
func TestHostileMessages(t *testing.T) {
	log := new(bytes.Buffer)
	s, c := start(t, kernel.Options{Log: log})
	stranger, err := jupyter.NewSession("wrong", "stranger")
	if err != nil {
		t.Fatal(err)
	}
	encode := func(from *jupyter.Session) [][]byte {
		frames, err := from.Encode(jupyter.Outgoing{Type: "kernel_info_request"})
		if err != nil {
			t.Fatal(err)
		}
		return frames
	}
	// with changes one of a message's parts and signs it again.
	with := func(part int, text string) [][]byte {
		frames := encode(c.Session)
		frames[part] = []byte(text)
		mac := hmac.New(sha256.New, []byte("secret"))
		for _, f := range frames[2:6] {
			mac.Write(f)
		}
		frames[1] = []byte(hex.EncodeToString(mac.Sum(nil)))
		return frames
	}
	good := encode(c.Session)
	bad := [][][]byte{
		encode(stranger), good[:3], {[]byte("nonsense")}, {[]byte("<IDS|MSG>")},
		with(5, `{"code":"`+"\xff"+`"}`), with(5, strings.Repeat(`{"a":`, 20_000)+"1"+strings.Repeat("}", 20_000)), with(5, "{"),
		with(2, `{"msg_id":"x","msg_type":"kernel_info_request","version":"6.0"}`), with(2, strings.Repeat("[", 10)),
	}
	const each = 1000
	for range each {
		for _, frames := range append(bad, good) { // replayed, but for the first
			if err := c.Shell.Send(frames); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i := range 2 {
		if i == 1 { // what was sent before is dealt with when this is answered
			if _, err := c.Send(c.Shell, "kernel_info_request", nil); err != nil {
				t.Fatal(err)
			}
		}
		if m, err := c.Recv(c.Shell, patience); err != nil || m.Header.MsgType != "kernel_info_reply" {
			t.Fatal(m, err)
		}
	}
	if n, want := s.Dropped(), uint64(each*(len(bad)+1)-1); n != want {
		t.Errorf("%d messages were counted as dropped, want %d", n, want)
	}
	if n := bytes.Count(log.Bytes(), []byte{'\n'}); n == 0 || n > 2*int(patience/time.Second) {
		t.Errorf("%d lines in the log", n)
	}
}
