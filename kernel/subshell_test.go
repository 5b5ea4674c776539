package kernel_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"attune/kernel"
	"attune/kernel/jupyter"
	"attune/kernel/kerneltest"
	"attune/kernel/socket"
)

// request sends a request and reads its reply into a pointer.
func request(t *testing.T, c *kerneltest.Client, on *socket.Client, o jupyter.Outgoing, reply any) {
	t.Helper()
	id, err := c.SendMessage(on, o)
	if err != nil {
		t.Fatal(err)
	}
	answer(t, c, on, id, reply)
}

// answer reads the reply to request id, which is the next to come.
func answer(t *testing.T, c *kerneltest.Client, on *socket.Client, id string, reply any) {
	t.Helper()
	m, err := c.Recv(on, patience)
	if err != nil {
		t.Fatal(err)
	}
	if m.Parent.MsgID != id {
		t.Fatalf("%s answers another request: %s", m.Header.MsgType, m.Content)
	}
	if err := json.Unmarshal(m.Content, reply); err != nil {
		t.Fatal(err)
	}
}

func subshell(t *testing.T, c *kerneltest.Client) string {
	t.Helper()
	var made jupyter.CreateSubshellReply
	request(t, c, c.Control, jupyter.Outgoing{Type: "create_subshell_request"}, &made)
	if made.Status != "ok" || made.SubshellID == "" {
		t.Fatalf("%+v", made)
	}
	return made.SubshellID
}

func executeIn(id, code string) jupyter.Outgoing {
	return jupyter.Outgoing{Type: "execute_request", Subshell: id, Content: jupyter.ExecuteRequest{
		Code: code, StoreHistory: true, StopOnError: true,
	}}
}

type outcome struct {
	Status, Evalue string
	Count          int `json:"execution_count"`
}

// start sends a cell that goes on, and waits until it runs.
func startCell(t *testing.T, c *kerneltest.Client, o jupyter.Outgoing) string {
	t.Helper()
	id, err := c.SendMessage(c.Shell, o)
	if err != nil {
		t.Fatal(err)
	}
	for {
		m, err := c.Recv(c.IOPub, patience)
		if err != nil {
			t.Fatal(err)
		}
		if m.Header.MsgType == "execute_input" && m.Parent.MsgID == id {
			return id
		}
	}
}

// TestSubshellRunsBesideACell runs cells while another loops in the main shell, and
// stops that one in the end.
func TestSubshellRunsBesideACell(t *testing.T) {
	_, c := start(t, kernel.Options{})
	beside := subshell(t, c)
	loop := startCell(t, c, executeIn("", "loop"))
	for n := 2; n < 5; n++ {
		var got outcome
		request(t, c, c.Shell, executeIn(beside, "say beside"), &got)
		if got.Status != "ok" || got.Count != n {
			t.Fatalf("%+v, count should be %d", got, n)
		}
	}
	request(t, c, c.Control, jupyter.Outgoing{Type: "interrupt_request"}, new(outcome))
	var stopped outcome
	if answer(t, c, c.Shell, loop, &stopped); stopped.Status != "error" || stopped.Count != 1 {
		t.Fatalf("%+v", stopped)
	}
}

// TestBusyAndIdleNameTheSubshell looks at the parents of what a subshell's cell sends.
func TestBusyAndIdleNameTheSubshell(t *testing.T) {
	_, c := start(t, kernel.Options{})
	beside := subshell(t, c)
	if _, err := c.SendMessage(c.Shell, executeIn(beside, "say x")); err != nil {
		t.Fatal(err)
	}
	for seen := ""; !strings.HasSuffix(seen, "idle"); {
		m, err := c.Recv(c.IOPub, patience)
		if err != nil {
			t.Fatal(err)
		}
		if m.Parent.MsgType != "execute_request" {
			continue
		}
		if m.Parent.SubshellID != beside {
			t.Fatalf("%s: parent %+v", m.Header.MsgType, m.Parent)
		}
		if seen = m.Header.MsgType; bytes.Contains(m.Content, []byte("idle")) {
			seen = "idle"
		}
	}
}

func TestListAndDeleteSubshells(t *testing.T) {
	_, c := start(t, kernel.Options{})
	one, two := subshell(t, c), subshell(t, c)
	list := func(want ...string) {
		t.Helper()
		var got jupyter.ListSubshellReply
		request(t, c, c.Control, jupyter.Outgoing{Type: "list_subshell_request"}, &got)
		if !reflect.DeepEqual(got.SubshellID, append([]string{}, want...)) {
			t.Fatalf("%v, want %v", got.SubshellID, want)
		}
	}
	list(one, two)
	// What runs there comes to its end, what waits is aborted.
	running := startCell(t, c, executeIn(one, "loop"))
	waiting, err := c.SendMessage(c.Shell, executeIn(one, "say never"))
	if err != nil {
		t.Fatal(err)
	}
	request(t, c, c.Shell, jupyter.Outgoing{Type: "kernel_info_request"}, new(outcome)) // both are in the queue
	remove := jupyter.Outgoing{Type: "delete_subshell_request", Content: jupyter.SubshellRequest{SubshellID: one}}
	var done outcome
	if request(t, c, c.Control, remove, &done); done.Status != "ok" {
		t.Fatalf("%+v", done)
	}
	list(two)
	if answer(t, c, c.Shell, waiting, &done); done.Status != "aborted" {
		t.Fatalf("%+v", done)
	}
	request(t, c, c.Control, jupyter.Outgoing{Type: "interrupt_request"}, new(outcome))
	answer(t, c, c.Shell, running, &done)
	for name, o := range map[string]jupyter.Outgoing{"run in": executeIn(one, "say never"), "delete": remove} {
		on := c.Shell
		if name == "delete" {
			on = c.Control
		}
		if request(t, c, on, o, &done); done.Status != "error" || !strings.Contains(done.Evalue, one) {
			t.Errorf("%s what is gone: %+v", name, done)
		}
	}
}

// TestErrorStopsItsOwnShell lets a cell fail in a subshell while others wait in both.
func TestErrorStopsItsOwnShell(t *testing.T) {
	_, c := start(t, kernel.Options{})
	beside := subshell(t, c)
	startCell(t, c, executeIn("", "sleep 300"))
	if _, err := c.SendMessage(c.Shell, executeIn("", "say on")); err != nil {
		t.Fatal(err)
	}
	if _, err := c.SendMessage(c.Shell, executeIn(beside, "sleep 50\nerror E x")); err != nil {
		t.Fatal(err)
	}
	if _, err := c.SendMessage(c.Shell, executeIn(beside, "say skipped")); err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for range 4 {
		m, err := c.Recv(c.Shell, patience)
		if err != nil {
			t.Fatal(err)
		}
		var o outcome
		if err := json.Unmarshal(m.Content, &o); err != nil {
			t.Fatal(err)
		}
		got[o.Status]++
	}
	if want := map[string]int{"ok": 2, "error": 1, "aborted": 1}; !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestOvertaken sends a cell before another fails, and lets it arrive afterwards; one
// that is sent after the failure runs.
func TestOvertaken(t *testing.T) {
	_, c := start(t, kernel.Options{})
	late, err := c.Session.Encode(executeIn("", "say late"))
	if err != nil {
		t.Fatal(err)
	}
	var got outcome
	if request(t, c, c.Shell, executeIn("", "error E x"), &got); got.Status != "error" {
		t.Fatalf("%+v", got)
	}
	if err := c.Shell.Send(late); err != nil {
		t.Fatal(err)
	}
	m, err := c.Recv(c.Shell, patience)
	if err != nil || !bytes.Contains(m.Content, []byte(`"aborted"`)) {
		t.Fatalf("%s, %v", m.Content, err)
	}
	if request(t, c, c.Shell, executeIn("", "say on"), &got); got.Status != "ok" {
		t.Fatalf("%+v", got)
	}
}

// TestTooManySubshells asks for one more than there may be.
func TestTooManySubshells(t *testing.T) {
	_, c := start(t, kernel.Options{})
	for range 64 {
		subshell(t, c)
	}
	var got outcome
	if request(t, c, c.Control, jupyter.Outgoing{Type: "create_subshell_request"}, &got); got.Status != "error" {
		t.Fatalf("%+v", got)
	}
}

// TestCommBuffers sends a comm message with bytes there and back while a cell runs.
func TestCommBuffers(t *testing.T) {
	_, c := start(t, kernel.Options{})
	startCell(t, c, executeIn("", "loop"))
	open := jupyter.CommContent{CommID: "c", TargetName: "echo"}
	if _, err := c.Send(c.Shell, "comm_open", open); err != nil {
		t.Fatal(err)
	}
	sent := jupyter.Outgoing{
		Type: "comm_msg", Content: jupyter.CommContent{CommID: "c", Data: json.RawMessage(`{"n":1}`)},
		Metadata: json.RawMessage(`{"m":2}`), Buffers: [][]byte{{0, 1, 2}, {}},
	}
	id, err := c.SendMessage(c.Shell, sent)
	if err != nil {
		t.Fatal(err)
	}
	for {
		m, err := c.Recv(c.IOPub, patience)
		if err != nil {
			t.Fatal(err)
		}
		if m.Header.MsgType != "comm_msg" {
			continue
		}
		if m.Parent.MsgID != id || string(m.Content) != `{"comm_id":"c","data":{"n":1}}` || string(m.Metadata) != `{"m":2}` ||
			len(m.Buffers) != 2 || !bytes.Equal(m.Buffers[0], []byte{0, 1, 2}) {
			t.Fatalf("%+v %s", m.Parent, m.Content)
		}
		return
	}
}
