package jupyter

import "attune/display/mime"

// Status is the kernel's state on iopub: "busy", "idle" or "starting".
type Status struct{ ExecutionState string }

func (s Status) appendJSON(b []byte) []byte {
	return append(appendString(append(b, `{"execution_state":`...), s.ExecutionState), '}')
}

// Stream is text of stdout or stderr.
type Stream struct {
	Name string
	Text []byte
}

func (s Stream) sizeHint() int { return len(s.Text) + len(s.Text)/16 + 64 }

func (s Stream) appendJSON(b []byte) []byte {
	b = appendString(append(b, `{"name":`...), s.Name)
	b = appendString(append(b, `,"text":`...), s.Text)
	return append(b, '}')
}

// ExecuteInput repeats the code that runs now.
type ExecuteInput struct {
	Code           string
	ExecutionCount int
}

func (e ExecuteInput) sizeHint() int { return len(e.Code) + len(e.Code)/16 + 64 }

func (e ExecuteInput) appendJSON(b []byte) []byte {
	b = appendString(append(b, `{"code":`...), e.Code)
	b = appendInt(append(b, `,"execution_count":`...), e.ExecutionCount)
	return append(b, '}')
}

// DisplayData is display_data or update_display_data; DisplayID may be empty.
type DisplayData struct {
	Bundle    mime.Bundle
	DisplayID string
}

func (d DisplayData) sizeHint() int { return bundleHint(d.Bundle) + len(d.DisplayID) }

func (d DisplayData) appendJSON(b []byte) []byte {
	b = appendBundle(append(b, '{'), d.Bundle)
	b = append(b, `,"transient":{`...)
	if d.DisplayID != "" {
		b = appendString(append(b, `"display_id":`...), d.DisplayID)
	}
	return append(b, `}}`...)
}

// ExecuteResult is the value of a cell.
type ExecuteResult struct {
	Bundle         mime.Bundle
	ExecutionCount int
}

func (e ExecuteResult) sizeHint() int { return bundleHint(e.Bundle) }

func (e ExecuteResult) appendJSON(b []byte) []byte {
	b = appendInt(append(b, `{"execution_count":`...), e.ExecutionCount)
	return append(appendBundle(append(b, ','), e.Bundle), '}')
}

// ClearOutput removes a cell's output; with Wait, when the next output comes.
type ClearOutput struct {
	Wait bool `json:"wait"`
}

// ErrorContent is the error message on iopub.
type ErrorContent struct {
	Ename     string   `json:"ename"`
	Evalue    string   `json:"evalue"`
	Traceback []string `json:"traceback"`
}

// Welcome tells a new subscriber that it is heard (JEP 65).
type Welcome struct {
	Subscription string `json:"subscription"`
}
