package kerneltest

import (
	"encoding/json"
	"strings"
	"testing"

	"attune/kernel/jupyter"
)

// TestSchemas gives each rule a message that breaks it.
func TestSchemas(t *testing.T) {
	s, err := ReadSchemas()
	if err != nil {
		t.Fatal(err)
	}
	const good = `{"msg_id":"a","session":"s","username":"u","date":"2026-01-02T03:04:05.000006Z","msg_type":"X","version":"5.5"}`
	for _, c := range []struct{ channel, kind, content, want string }{
		{"iopub", "status", `{"execution_state":"busy"}`, ""},
		{"iopub", "status", `{"execution_state":"asleep"}`, "not =busy"},
		{"iopub", "status", `{}`, "execution_state is missing"},
		{"iopub", "status", `{"execution_state":"busy","more":1}`, "more is not in the protocol"},
		{"iopub", "dance", `{}`, "no place on iopub"},
		{"reply", "status", `{"execution_state":"busy"}`, "no place on reply"},
		{"iopub", "execute_input", `{"code":"","execution_count":1.5}`, "not int"},
		{"iopub", "display_data", `{"data":{},"metadata":{},"transient":{}}`, "no text/plain"},
		{"iopub", "display_data", `{"data":{"text/plain":"x","image/png":3},"metadata":{},"transient":{}}`, "[image/png]"},
		{"iopub", "display_data", `{"data":{"text/plain":"x","application/json":3},"metadata":{},"transient":{}}`, ""},
		{"iopub", "update_display_data", `{"data":{"text/plain":"x"},"metadata":{},"transient":{}}`, "display_id is missing"},
		{"iopub", "error", `{"ename":"","evalue":"","traceback":[3]}`, "[0] is 3"},
		{"reply", "history_reply", `{"status":"ok","history":[[1,2,"x"],[1,2,["x",null]]]}`, ""},
		{"reply", "history_reply", `{"status":"ok","history":[[1,2]]}`, "no list of 3"},
		{"reply", "comm_info_reply", `{"status":"ok","comms":{"a":{}}}`, "target_name is missing"},
		{"reply", "interrupt_reply", `{"status":"error","ename":"","evalue":"","traceback":[]}`, ""},
		{"stdin", "input_request", `{"prompt":"","password":"no"}`, "not bool"},
	} {
		m := &jupyter.Message{RawHeader: json.RawMessage(good), Content: json.RawMessage(c.content), Header: jupyter.Header{MsgType: c.kind}}
		err := s.Check(c.channel, m)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s %s: %v, want %q", c.kind, c.content, err, c.want)
		}
		m.RawHeader = json.RawMessage(strings.Replace(good, "5.5", "5.4", 1))
		if s.Check(c.channel, m) == nil {
			t.Errorf("%s with a wrong header is accepted", c.kind)
		}
	}
}
