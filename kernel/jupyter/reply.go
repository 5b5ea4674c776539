package jupyter

import (
	"encoding/json"

	"attune/display/mime"
)

// OK is the status of a reply that succeeded.
const OK = "ok"

// Failure is a reply of status "error", or "aborted" with the rest empty.
type Failure struct {
	Status         string   `json:"status"`
	Ename          string   `json:"ename,omitempty"`
	Evalue         string   `json:"evalue,omitempty"`
	Traceback      []string `json:"traceback"`
	ExecutionCount *int     `json:"execution_count,omitempty"`
	// UserExpressions and Payload are there in replies to execute_request.
	UserExpressions *Expressions `json:"user_expressions,omitempty"`
	Payload         *[]Page      `json:"payload,omitempty"`
}

// Fail is a reply of status "error".
func Fail(ename, evalue string) Failure {
	return Failure{Status: "error", Ename: ename, Evalue: evalue, Traceback: []string{ename + ": " + evalue}}
}

// Expressions holds what each user expression came to.
type Expressions map[string]Expression

// Expression is one of them: a bundle, or with status "error" a failure.
type Expression struct {
	Bundle mime.Bundle
	Err    *Failure
}

// MarshalJSON writes the form that the spec gives for its status.
func (e Expression) MarshalJSON() ([]byte, error) {
	if e.Err != nil {
		return json.Marshal(e.Err)
	}
	b := appendBundle([]byte(`{"status":"ok",`), e.Bundle)
	return append(b, '}'), nil
}

// Page is a payload that opens the front end's pager.
type Page struct{ Bundle mime.Bundle }

// MarshalJSON writes the payload {"source": "page", "data": ..., "start": 0}.
func (p Page) MarshalJSON() ([]byte, error) {
	b := appendBundle([]byte(`{"source":"page","start":0,`), p.Bundle)
	return append(b, '}'), nil
}

// ExecuteReply is the reply to a cell that ran without error.
type ExecuteReply struct {
	Status          string      `json:"status"`
	ExecutionCount  int         `json:"execution_count"`
	UserExpressions Expressions `json:"user_expressions"`
	Payload         []Page      `json:"payload"`
}

// ExecuteMetadata says when a cell began; JupyterLab shows how long it took.
type ExecuteMetadata struct {
	Started string `json:"started"`
	Status  string `json:"status"`
}

// KernelInfoReply says what this kernel is.
type KernelInfoReply struct {
	Status                string       `json:"status"`
	ProtocolVersion       string       `json:"protocol_version"`
	Implementation        string       `json:"implementation"`
	ImplementationVersion string       `json:"implementation_version"`
	LanguageInfo          LanguageInfo `json:"language_info"`
	Banner                string       `json:"banner"`
	HelpLinks             []HelpLink   `json:"help_links"`
	SupportedFeatures     []string     `json:"supported_features"`
	Debugger              bool         `json:"debugger"`
}

// LanguageInfo describes the language to front ends.
type LanguageInfo struct {
	Name           string `json:"name"`
	Version        string `json:"version"`
	Mimetype       string `json:"mimetype"`
	FileExtension  string `json:"file_extension"`
	PygmentsLexer  string `json:"pygments_lexer"`
	CodemirrorMode string `json:"codemirror_mode"`
	NBConvert      string `json:"nbconvert_exporter"`
}

// HelpLink is a line of the front end's help menu.
type HelpLink struct {
	Text string `json:"text"`
	URL  string `json:"url"`
}

// CompleteReply lists matches for the code points from CursorStart to CursorEnd.
type CompleteReply struct {
	Status      string           `json:"status"`
	Matches     []string         `json:"matches"`
	CursorStart int              `json:"cursor_start"`
	CursorEnd   int              `json:"cursor_end"`
	Metadata    CompleteMetadata `json:"metadata"`
}

// CompleteMetadata carries the matches' kinds under the key JupyterLab reads.
type CompleteMetadata struct {
	Types []TypedMatch `json:"_jupyter_types_experimental,omitempty"`
}

// TypedMatch is a match with its kind and signature.
type TypedMatch struct {
	Start     int    `json:"start"`
	End       int    `json:"end"`
	Text      string `json:"text"`
	Type      string `json:"type"`
	Signature string `json:"signature,omitempty"`
}

// InspectReply shows what was found.
type InspectReply struct {
	Found  bool
	Bundle mime.Bundle
}

// MarshalJSON writes the spec's form.
func (r InspectReply) MarshalJSON() ([]byte, error) {
	b := []byte(`{"status":"ok","found":false,`)
	if r.Found {
		b = []byte(`{"status":"ok","found":true,`)
	}
	return append(appendBundle(b, r.Bundle), '}'), nil
}

// IsCompleteReply has Status "complete", "incomplete", "invalid" or "unknown".
type IsCompleteReply struct {
	Status string `json:"status"`
	Indent string `json:"indent"`
}

// HistoryReply holds entries of three: session, line, and input or a pair of
// input and output.
type HistoryReply struct {
	Status  string         `json:"status"`
	History []HistoryEntry `json:"history"`
}

// HistoryEntry is one earlier input. With Pair its output stands beside it, null
// where there was none.
type HistoryEntry struct {
	Session, Line int
	Input         string
	Output        *string
	Pair          bool
}

// MarshalJSON writes the tuple.
func (h HistoryEntry) MarshalJSON() ([]byte, error) {
	b := appendInt([]byte{'['}, h.Session)
	b = append(appendInt(append(b, ','), h.Line), ',')
	if !h.Pair {
		return append(appendString(b, h.Input), ']'), nil
	}
	b = append(appendString(append(b, '['), h.Input), ',')
	if h.Output == nil {
		return append(b, "null]]"...), nil
	}
	return append(appendString(b, *h.Output), "]]"...), nil
}

// CommInfoReply lists the open comms by identity.
type CommInfoReply struct {
	Status string              `json:"status"`
	Comms  map[string]CommInfo `json:"comms"`
}

// CommInfo names a comm's target.
type CommInfo struct {
	TargetName string `json:"target_name"`
}

// CreateSubshellReply names the new subshell (JEP 91).
type CreateSubshellReply struct {
	Status     string `json:"status"`
	SubshellID string `json:"subshell_id"`
}

// ListSubshellReply lists the subshells (JEP 91).
type ListSubshellReply struct {
	Status     string   `json:"status"`
	SubshellID []string `json:"subshell_id"`
}

// Done is a reply that says no more than that it succeeded.
type Done struct {
	Status string `json:"status"`
}

// ShutdownReply confirms the end.
type ShutdownReply struct {
	Status  string `json:"status"`
	Restart bool   `json:"restart"`
}

// UsageReply answers usage_request: bytes, and percent of one core for
// KernelCPU, of the machine for HostCPUPercent.
type UsageReply struct {
	Status            string        `json:"status"`
	Hostname          string        `json:"hostname"`
	PID               int           `json:"pid"`
	KernelCPU         float64       `json:"kernel_cpu"`
	KernelMemory      uint64        `json:"kernel_memory"`
	CPUCount          int           `json:"cpu_count"`
	HostCPUPercent    float64       `json:"host_cpu_percent"`
	HostVirtualMemory VirtualMemory `json:"host_virtual_memory"`
}

// VirtualMemory is the machine's memory in bytes; Percent is what is used of it.
type VirtualMemory struct {
	Total     uint64  `json:"total"`
	Available uint64  `json:"available"`
	Percent   float64 `json:"percent"`
	Used      uint64  `json:"used"`
	Free      uint64  `json:"free"`
}

// DebugReply is a failed response of the Debug Adapter Protocol that is a failed
// reply of the messaging protocol too.
type DebugReply struct {
	Failure
	Type       string `json:"type"`
	RequestSeq int    `json:"request_seq"`
	Success    bool   `json:"success"`
	Command    string `json:"command"`
	Message    string `json:"message"`
}
