package jupyter

import (
	"encoding/json"
	"fmt"
)

// ExecuteRequest asks to run a cell.
type ExecuteRequest struct {
	Code            string            `json:"code"`
	Silent          bool              `json:"silent"`
	StoreHistory    bool              `json:"store_history"`
	UserExpressions map[string]string `json:"user_expressions"`
	AllowStdin      bool              `json:"allow_stdin"`
	StopOnError     bool              `json:"stop_on_error"`
}

// ParseExecute reads an execute_request with the defaults of the spec.
func ParseExecute(content []byte) (ExecuteRequest, error) {
	r := ExecuteRequest{StoreHistory: true, StopOnError: true}
	err := Parse(content, &r)
	if r.Silent {
		r.StoreHistory = false
	}
	return r, err
}

// Parse reads a content into one of the request structs.
func Parse(content []byte, into any) error {
	if err := json.Unmarshal(content, into); err != nil {
		return fmt.Errorf("parse request: %w", err)
	}
	return nil
}

// CompleteRequest asks what could stand at the cursor, in code points; without
// CursorPos that is the code's end.
type CompleteRequest struct {
	Code      string `json:"code"`
	CursorPos *int   `json:"cursor_pos"`
}

// InspectRequest asks about what is at the cursor; DetailLevel is 0 or 1.
type InspectRequest struct {
	Code        string `json:"code"`
	CursorPos   *int   `json:"cursor_pos"`
	DetailLevel int    `json:"detail_level"`
}

// IsCompleteRequest asks whether code is ready to run.
type IsCompleteRequest struct {
	Code string `json:"code"`
}

// HistoryRequest asks for earlier inputs: HistAccessType is "tail" (N), "range"
// (Session, Start, Stop) or "search" (Pattern, N, Unique).
type HistoryRequest struct {
	Output         bool   `json:"output"`
	Raw            bool   `json:"raw"`
	HistAccessType string `json:"hist_access_type"`
	Session        int    `json:"session"`
	Start          int    `json:"start"`
	Stop           *int   `json:"stop"`
	N              *int   `json:"n"`
	Pattern        string `json:"pattern"`
	Unique         bool   `json:"unique"`
}

// CommInfoRequest asks for the open comms, all or those of one target.
type CommInfoRequest struct {
	TargetName string `json:"target_name"`
}

// CommContent is the content of comm_open, comm_msg and comm_close, either way;
// TargetName is there in the first alone. Nil Data is an empty object.
type CommContent struct {
	CommID     string          `json:"comm_id"`
	TargetName string          `json:"target_name,omitempty"`
	Data       json.RawMessage `json:"data"`
}

// MarshalJSON writes nil Data as an object.
func (c CommContent) MarshalJSON() ([]byte, error) {
	type plain CommContent
	if c.Data == nil {
		c.Data = json.RawMessage("{}")
	}
	return json.Marshal(plain(c))
}

// SubshellRequest names a subshell (JEP 91).
type SubshellRequest struct {
	SubshellID string `json:"subshell_id"`
}

// ShutdownRequest ends the kernel; its reply repeats Restart.
type ShutdownRequest struct {
	Restart bool `json:"restart"`
}

// InputRequest asks the user for a line.
type InputRequest struct {
	Prompt   string `json:"prompt"`
	Password bool   `json:"password"`
}

// InputReply is the line.
type InputReply struct {
	Value string `json:"value"`
}

// DebugRequest is a request of the Debug Adapter Protocol.
type DebugRequest struct {
	Seq     int    `json:"seq"`
	Type    string `json:"type"`
	Command string `json:"command"`
}
