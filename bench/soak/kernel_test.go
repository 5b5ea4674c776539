package soak

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"attune/interp"
	"attune/kernel"
	"attune/kernel/jupyter"
	"attune/kernel/kerneltest"
	"attune/kernel/socket"
)

const patience = time.Minute

// front is a kernel in this process, with the worker in another, and its one client.
type front struct {
	t    *testing.T
	s    *interp.Session
	c    *kerneltest.Client
	info jupyter.ConnectionInfo
}

// TestKernelSoak sends cells that compile nothing through the messaging protocol, ten
// thousand with -full, and around them everything else that a front end does: nothing
// of it may stay behind.
func TestKernelSoak(t *testing.T) {
	k := openFront(t)
	cells, warm := 1000, 500
	if *full {
		cells = 10_000
	}
	k.run("import (\"attune/display\"; \"fmt\")\nx := 0\nvar _, _ = fmt.Println, display.Show")
	for i := range warm / 5 {
		k.round(i)
	}
	before := k.holds()
	for i := range (cells - warm) / 5 {
		k.round(i)
	}
	after := k.holds()
	t.Logf("%d cells: %+v, then %+v", cells, before, after)
	for _, c := range []struct {
		what        string
		was, is, by int64
	}{
		{"goroutines", before.goroutines, after.goroutines, 5},
		{"descriptors of the front", before.files, after.files, 5},
		{"descriptors of the worker", before.workerFiles, after.workerFiles, 5},
		{"threads of the worker", before.threads, after.threads, 10},
		// The history and the texts of cells are kept: some hundred bytes each.
		{"MiB of the front", before.heap, after.heap, 2 + int64(cells)/1000},
		{"MiB of the worker", before.worker, after.worker, 32},
	} {
		if c.is > c.was+c.by {
			t.Errorf("%s: %d became %d", c.what, c.was, c.is)
		}
	}
}

func openFront(t *testing.T) *front {
	t.Helper()
	at, err := filepath.Abs("../../.build")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(at, "lib", "stamp.json")); err != nil {
		t.Skip("the packages for cells are not built: run ./install.sh test")
	}
	s, err := interp.Open(interp.Options{
		Lib: filepath.Join(at, "lib"), Worker: filepath.Join(at, "bin", "attune-worker"), Cache: t.TempDir(),
	})
	if err != nil {
		t.Fatal(err)
	}
	server, err := kernel.New(jupyter.ConnectionInfo{Transport: "tcp", IP: "127.0.0.1", Key: "k", SignatureScheme: "hmac-sha256"},
		s, kernel.Options{Log: io.Discard, History: filepath.Join(t.TempDir(), "history.jsonl")})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx) }()
	t.Cleanup(func() { cancel(); <-served })
	k := &front{t: t, s: s, info: server.Connection()}
	if k.c, err = kerneltest.Dial(k.info); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = k.c.Close() })
	if err := k.c.Ready(patience); err != nil {
		t.Fatal(err)
	}
	return k
}

// run runs a cell in the main shell and returns its status.
func (k *front) run(code string) string { return k.runIn("", code) }

func (k *front) runIn(subshell, code string) string {
	return k.ask(k.c.Shell, jupyter.Outgoing{Type: "execute_request", Subshell: subshell, Content: jupyter.ExecuteRequest{
		Code: code, StoreHistory: true,
	}}).Status
}

type reply struct {
	Status   string
	Subshell string `json:"subshell_id"`
}

// ask sends a request and waits for its reply and idle.
func (k *front) ask(on *socket.Client, o jupyter.Outgoing) (r reply) {
	k.t.Helper()
	id, err := k.c.SendMessage(on, o)
	if err != nil {
		k.t.Fatal(err)
	}
	for idle := false; !idle; {
		m, err := k.c.Recv(k.c.IOPub, patience)
		if err != nil {
			k.t.Fatal(err)
		}
		idle = m.Parent.MsgID == id && m.Header.MsgType == "status" && bytes.Contains(m.Content, []byte("idle"))
	}
	for {
		m, err := k.c.Recv(on, patience)
		if err != nil {
			k.t.Fatal(err)
		}
		if m.Parent.MsgID == id {
			if err := json.Unmarshal(m.Content, &r); err != nil {
				k.t.Fatal(err)
			}
			return r
		}
	}
}

// round is five cells, and every twentieth time a subshell, a client that comes and
// goes, a completion and a look at the history.
func (k *front) round(i int) {
	k.t.Helper()
	for _, c := range []struct{ code, want string }{
		{"x = x + 1", "ok"}, {"x", "ok"}, {`fmt.Println("x is", x)`, "ok"}, {"display.Show(x)", "ok"}, {"nowhere", "error"},
	} {
		if got := k.run(c.code); got != c.want {
			k.t.Fatalf("%s: %s", c.code, got)
		}
	}
	if i%20 != 0 {
		return
	}
	made := k.ask(k.c.Control, jupyter.Outgoing{Type: "create_subshell_request"})
	if got := k.runIn(made.Subshell, "x"); got != "ok" {
		k.t.Fatal("in a subshell:", got)
	}
	k.ask(k.c.Control, jupyter.Outgoing{Type: "delete_subshell_request", Content: jupyter.SubshellRequest{SubshellID: made.Subshell}})
	k.ask(k.c.Shell, jupyter.Outgoing{Type: "complete_request", Content: jupyter.CompleteRequest{Code: "fmt.Pri"}})
	ten := 10
	k.ask(k.c.Shell, jupyter.Outgoing{Type: "history_request", Content: jupyter.HistoryRequest{HistAccessType: "tail", N: &ten}})
	guest, err := kerneltest.Dial(k.info)
	if err != nil {
		k.t.Fatal(err)
	}
	if err := guest.Ready(patience); err != nil {
		k.t.Fatal(err)
	}
	if err := guest.Close(); err != nil {
		k.t.Fatal(err)
	}
}

// holdings are what a kernel has, MiB where it is memory.
type holdings struct{ goroutines, files, workerFiles, threads, heap, worker int64 }

// holds waits until what comes and goes has gone, and counts.
func (k *front) holds() holdings {
	k.t.Helper()
	time.Sleep(2 * time.Second)
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	pid := k.s.Processes()[0].PID
	return holdings{
		goroutines: int64(runtime.NumGoroutine()), files: int64(descriptors(k.t)),
		workerFiles: k.entries(fmt.Sprintf("/proc/%d/fd", pid)), threads: k.entries(fmt.Sprintf("/proc/%d/task", pid)),
		heap: int64(m.HeapAlloc >> 20), worker: int64(resident(k.t, pid)) >> 20,
	}
}

func (k *front) entries(dir string) int64 {
	k.t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		k.t.Fatal(err)
	}
	return int64(len(list))
}
