package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"attune/gpu/kernels"
)

// row is one thing that was checked or measured, as it goes from a section's process to
// the one that writes the report.
type row struct {
	Name string `json:"name"`
	// Group is what rows are summed up by, in sections that show only what fails.
	Group string `json:"group,omitempty"`
	// Kernels ran. Form is that of the newest, or of the one on trial.
	Kernels []string `json:"kernels,omitempty"`
	Form    string   `json:"form,omitempty"`
	// Median and Least are of the runs, in ns of the device's clock.
	Median time.Duration `json:"median,omitempty"`
	Least  time.Duration `json:"least,omitempty"`
	// FLOP and Bytes are what a run computes and must at least move; 0 for what says
	// nothing.
	FLOP  float64 `json:"flop,omitempty"`
	Bytes float64 `json:"bytes,omitempty"`
	// Error is relative to 1 + |value|, Limit what is allowed.
	Error float64 `json:"error,omitempty"`
	Limit float64 `json:"limit,omitempty"`
	// Figure is in place of rates, with its Goal in words and whether it is met.
	Figure string `json:"figure,omitempty"`
	Goal   string `json:"goal,omitempty"`
	Met    *bool  `json:"met,omitempty"`
	// Rival is what PyTorch is asked to do in the same minute.
	Rival *rivalCase `json:"rival,omitempty"`
	// Peak is the name under which this row's rate is what others are measured by.
	Peak string `json:"peak,omitempty"`
	// Fail is why there is no figure, or what is wrong with it.
	Fail string `json:"fail,omitempty"`
	// Skip says that the row is another's.
	Skip bool `json:"skip,omitempty"`
	// Lost says that the device's context ended.
	Lost bool `json:"lost,omitempty"`

	// beside are PyTorch's times by backend, in seconds.
	beside    map[string]float64
	besideErr string
}

// rivalCase is what PyTorch is to measure, and what attune's speed is held to.
type rivalCase struct {
	What     string `json:"what"`
	B        int    `json:",omitempty"`
	H        int    `json:",omitempty"`
	KV       int    `json:",omitempty"`
	T        int    `json:",omitempty"`
	D        int    `json:",omitempty"`
	M        int    `json:",omitempty"`
	N        int    `json:",omitempty"`
	K        int    `json:",omitempty"`
	Causal   bool   `json:",omitempty"`
	Backward bool   `json:",omitempty"`
	DType    string `json:"dtype,omitempty"`
	// Goals are shares of a backend's speed; "best" is that of the fastest, "copy" that of
	// the device's copy.
	Goals map[string]float64 `json:"goals,omitempty"`
}

func (r *row) tflops() float64 { return rate(r.FLOP, r.Median) / 1e12 }
func (r *row) gbs() float64    { return rate(r.Bytes, r.Median) / 1e9 }

func rate(n float64, t time.Duration) float64 {
	if t <= 0 {
		return 0
	}
	return n / t.Seconds()
}

// forms tells each kernel's architecture, in the compiler's words.
func forms() (map[string]string, error) {
	out := map[string]string{}
	for _, i := range kernels.Images() {
		text, err := kernels.PTX(i.Name)
		if err != nil {
			return nil, err
		}
		for _, name := range kernels.Entries(text) {
			out[name] = i.Target()
		}
	}
	return out, nil
}

// newest is the newest form of the kernels; "" for none.
func newest(forms map[string]string, names []string) string {
	form := ""
	for _, k := range names {
		form = max(form, forms[k])
	}
	return form
}

// by says who did the work, without repeating what the form says.
func (r *row) by() string {
	if len(r.Kernels) == 0 {
		return r.Form
	}
	names := slices.Clone(r.Kernels)
	if len(names) > 3 {
		names = append(names[:2], fmt.Sprintf("%d more", len(names)-2))
	}
	return strings.TrimSpace(strings.Join(names, ", ") + " " + r.Form)
}

func met(b bool) *bool { return &b }
