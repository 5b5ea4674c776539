package kernel_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"attune/kernel"
	"attune/kernel/jupyter"
	"attune/kernel/kerneltest"
	"attune/kernel/socket"
)

var update = flag.Bool("update", false, "write what came as what is expected")

// patience is how long a test waits for what must come; it is no measurement.
const patience = 20 * time.Second

// TestConversations plays each archive of testdata: its file "do" says what the
// client does, its files iopub, shell, control and stdin hold what came there,
// one message a line behind the number of the request that it answers. Lines of
// "do":
//
//	CHANNEL TYPE JSON      send a request, wait for its reply and idle
//	& CHANNEL TYPE JSON    send it and go on
//	await CHANNEL TYPE N [TEXT]
//	                       wait for a message that answers request N, with TEXT
//	input TEXT             answer the next input_request
//	forge CHANNEL          send a message with a wrong signature
//	dropped N              the server has refused N messages
//	wait                   wait for all replies and idles
//	unordered              record by request: two are answered at one time
func TestConversations(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no conversations", err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".txtar"), func(t *testing.T) { converse(t, f) })
	}
}

// start runs a server on free ports for the length of a test.
func start(t testing.TB, opt kernel.Options) (*kernel.Server, *kerneltest.Client) {
	t.Helper()
	opt.Version, opt.GoVersion, opt.Banner = "1", "1.26", "hello"
	if opt.Log == nil {
		opt.Log = io.Discard
	}
	s, err := kernel.New(jupyter.ConnectionInfo{
		Transport: "tcp", IP: "127.0.0.1", Key: "secret", SignatureScheme: "hmac-sha256",
	}, kerneltest.NewRunner(), opt)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Error("serve:", err)
		}
	})
	c, err := kerneltest.Dial(s.Connection())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if c.Schemas, err = kerneltest.ReadSchemas(); err != nil {
		t.Fatal(err)
	}
	return s, c
}

type line struct {
	request int
	kind    string
	content string
}

// player sends what the script says and records what comes.
type player struct {
	t      *testing.T
	server *kernel.Server
	client *kerneltest.Client
	conns  map[string]*socket.Client

	mu      sync.Mutex
	came    *sync.Cond
	numbers map[string]int // request by msg_id
	kinds   []string       // type of each request, from 1
	got     map[string][]line
	answers int // input_requests answered
	sorted  bool
}

func converse(t *testing.T, file string) {
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	p := &player{t: t, numbers: make(map[string]int), kinds: []string{""}, got: make(map[string][]line)}
	p.came = sync.NewCond(&p.mu)
	p.server, p.client = start(t, kernel.Options{})
	p.conns = map[string]*socket.Client{
		"iopub": p.client.IOPub, "shell": p.client.Shell, "control": p.client.Control, "stdin": p.client.Stdin,
	}
	for name, conn := range p.conns {
		go p.record(name, conn)
	}
	p.await(func() bool { return len(p.got["iopub"]) > 0 }, "iopub_welcome")
	for _, f := range archive.Files {
		if f.Name == "do" {
			for do := range strings.Lines(string(f.Data)) {
				p.do(strings.TrimSpace(do))
			}
		}
	}
	p.compare(file, archive)
}

func (p *player) record(channel string, conn *socket.Client) {
	for {
		m, err := p.client.Recv(conn, 0)
		if m == nil {
			return
		}
		if err != nil {
			p.t.Error(err)
		}
		p.mu.Lock()
		l := line{p.numbers[m.Parent.MsgID], m.Header.MsgType, string(m.Content)}
		// Whether "starting" is heard depends on who comes first.
		if !strings.Contains(l.content, `"starting"`) {
			p.got[channel] = append(p.got[channel], l)
		}
		p.came.Broadcast()
		p.mu.Unlock()
	}
}

func (p *player) do(text string) {
	p.t.Helper()
	verb, rest, _ := strings.Cut(text, " ")
	switch verb {
	case "", "#":
	case "&":
		p.send(rest)
	case "await":
		var channel, kind, with string
		var n int
		if got, err := fmt.Sscan(rest, &channel, &kind, &n, &with); got < 3 {
			p.t.Fatalf("%s: %v", text, err)
		}
		p.await(func() bool { return p.seen(channel, kind, n, with) }, text)
	case "input":
		p.answers++
		p.await(func() bool { return p.count("stdin", "input_request") >= p.answers }, text)
		if _, err := p.client.Send(p.client.Stdin, "input_reply", jupyter.InputReply{Value: rest}); err != nil {
			p.t.Fatal(err)
		}
	case "forge":
		frames, err := p.client.Session.Encode(jupyter.Outgoing{Type: "kernel_info_request"})
		if err == nil {
			frames[1] = []byte(strings.Repeat("0", 64))
			err = p.conns[rest].Send(frames)
		}
		if err != nil {
			p.t.Fatal(err)
		}
	case "dropped":
		for end := time.Now().Add(patience); fmt.Sprint(p.server.Dropped()) != rest; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				p.t.Fatalf("%d messages were dropped, not %s", p.server.Dropped(), rest)
			}
		}
	case "unordered":
		p.sorted = true
	case "wait":
		for n := 1; n < len(p.kinds); n++ {
			p.finish(n)
		}
	default:
		p.finish(p.send(text))
	}
}

func (p *player) send(text string) int {
	p.t.Helper()
	channel, rest, _ := strings.Cut(text, " ")
	kind, content, _ := strings.Cut(rest, " ")
	conn := p.conns[channel]
	if conn == nil {
		p.t.Fatalf("no channel %q in %q", channel, text)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	id, err := p.client.Send(conn, kind, json.RawMessage(content))
	if err != nil {
		p.t.Fatal(err)
	}
	p.kinds = append(p.kinds, kind)
	p.numbers[id] = len(p.kinds) - 1
	return len(p.kinds) - 1
}

// finish waits for a request's reply, where it gets one, and idle.
func (p *player) finish(n int) {
	p.t.Helper()
	kind := strings.TrimSuffix(p.kinds[n], "_request")
	p.await(func() bool {
		replied := kind == p.kinds[n] || p.seen("shell", kind+"_reply", n, "") || p.seen("control", kind+"_reply", n, "")
		return replied && p.seen("iopub", "status", n, "idle")
	}, fmt.Sprintf("reply and idle of request %d", n))
}

func (p *player) seen(channel, kind string, n int, with string) bool {
	for _, l := range p.got[channel] {
		if l.kind == kind && l.request == n && strings.Contains(l.content, with) {
			return true
		}
	}
	return false
}

func (p *player) count(channel, kind string) int {
	n := 0
	for _, l := range p.got[channel] {
		if l.kind == kind {
			n++
		}
	}
	return n
}

func (p *player) await(ok func() bool, what string) {
	p.t.Helper()
	timer := time.AfterFunc(patience, p.came.Broadcast)
	defer timer.Stop()
	end := time.Now().Add(patience)
	p.mu.Lock()
	defer p.mu.Unlock()
	for !ok() {
		if time.Now().After(end) {
			p.t.Fatalf("never came: %s; so far %v", what, p.got)
		}
		p.came.Wait()
	}
}

func (p *player) compare(file string, archive *txtar.Archive) {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	got := &txtar.Archive{Comment: archive.Comment}
	for _, f := range archive.Files {
		if f.Name == "do" {
			got.Files = append(got.Files, f)
		}
	}
	for _, channel := range []string{"iopub", "shell", "control", "stdin"} {
		if p.sorted {
			slices.SortStableFunc(p.got[channel], func(a, b line) int { return a.request - b.request })
		}
		var b strings.Builder
		for _, l := range p.got[channel] {
			fmt.Fprintf(&b, "%d %s %s\n", l.request, l.kind, l.content)
		}
		if b.Len() > 0 {
			got.Files = append(got.Files, txtar.File{Name: channel, Data: []byte(b.String())})
		}
	}
	text := txtar.Format(got)
	if *update {
		if err := os.WriteFile(file, text, 0o644); err != nil {
			p.t.Fatal(err)
		}
		return
	}
	if want := txtar.Format(archive); string(text) != string(want) {
		p.t.Errorf("came:\n%s\nexpected:\n%s", text, want)
	}
}
