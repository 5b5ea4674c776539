// Package balance owns training under a budget: what a step of a model will take
// (Evaluate), which of its parts matter (Attend), a plan that fits (Allocate), and
// the training that keeps to it (Trainer). It imports gpu, display, stdlib/nn,
// stdlib/data, stdlib/monitor and what lies under stdlib/balance.
package balance

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"attune/display/mime"
	"attune/gpu"
)

// Plan is how a step is to be done so that it fits. The zero value of each field
// leaves that as it is: Plan{} is the step that the model's own code asks for.
type Plan struct {
	// Batch is the examples of an update, 0 for the batch as it comes. Micro is how
	// many go through the model at a time, 0 for all; their gradients are added, so
	// Batch/Micro passes, rounded up, make one update.
	Batch, Micro int
	// Cuts are the stored boundaries of Task.Model: cut k stands before layer k, and
	// what lies between two is computed again in the backward pass. nil: the model's own.
	Cuts []int
	// Precision is what the net is to compute in, see nn.Net.Precision: gpu.Float16 or
	// gpu.BFloat16. gpu.Float32, the zero value, leaves it as it is.
	Precision gpu.DType
	// Freeze are patterns of parameter names that are not trained.
	Freeze []string
	// Prune are parts of layers to take out.
	Prune []Prune
	// LRScale is what to multiply the learning rate with, 0 for 1.
	LRScale float64
	// Why are the decisions that made the plan, in order.
	Why []Decision

	// Peak and Time are what is predicted of a step: bytes, and 0 where the time is
	// not known. Budget is the bytes that Peak may have, 0 for any.
	Peak, Budget int64
	Time         time.Duration
}

// Prune names parts of a layer to keep: of its attention heads, of the neurons
// between two Linears, or of a convolution's output channels.
type Prune struct {
	Layer string
	Part  Part
	Keep  []int
}

// Part is what Prune takes out of a layer.
type Part uint8

// The parts.
const (
	Heads Part = iota
	Neurons
	Channels
	Layers
)

// String is the part's name in the plural.
func (p Part) String() string {
	if p <= Layers {
		return [...]string{"heads", "neurons", "channels", "layers"}[p]
	}
	return fmt.Sprintf("part %d", p)
}

// one is the part's name in the singular.
func (p Part) one() string { return strings.TrimSuffix(p.String(), "s") }

// Decision is one change of a plan, or of a run that keeps to it.
type Decision struct {
	// Action and Cause are sentences without a full stop.
	Action, Cause string
	// Before and After are the predicted peak without and with it, in bytes.
	Before, After int64
	// Slower is the step's time with it, in times without it: 1.3 is 30 % more; 0
	// where it is not known.
	Slower float64
}

// Accumulation is the number of passes for an update over a batch of that size.
func (p *Plan) Accumulation(batch int) int {
	if p.Micro < 1 || p.Micro >= batch {
		return 1
	}
	return (batch + p.Micro - 1) / p.Micro
}

// String is a table: a line says what the plan comes to, and a row for each
// decision what, why, the peak before and after, and the cost in time.
func (p *Plan) String() string { return p.say().String() }

// Bundle is the table as a front end shows it.
func (p *Plan) Bundle() mime.Bundle { return p.say().Bundle() }

func (p *Plan) say() say {
	head := "plan: peak " + bytesText(p.Peak)
	if p.Budget > 0 {
		head += " of " + bytesText(p.Budget)
	}
	if p.Time > 0 {
		head += fmt.Sprintf(", %s a step", timeText(p.Time))
	}
	if n := p.Accumulation(p.Batch); n > 1 {
		head += fmt.Sprintf(", %d examples in %d passes of up to %d", p.Batch, n, p.Micro)
	} else if p.Batch > 0 {
		head += fmt.Sprintf(", %d examples at once", p.Batch)
	}
	if len(p.Why) == 0 {
		return say{{text: head}, {text: "nothing needs to change"}}
	}
	rows := [][]string{{"what", "why", "peak before", "after", "step time"}}
	for _, d := range p.Why {
		slower := "?"
		if d.Slower > 0 {
			slower = fmt.Sprintf("x %.2f", d.Slower)
		}
		rows = append(rows, []string{d.Action, d.Cause, bytesText(d.Before), bytesText(d.After), slower})
	}
	return say{{text: head}, {rows: rows, left: 2}}
}

// bytesText writes bytes in the unit that leaves at most four digits before the
// point: "64.0 MiB".
func bytesText(n int64) string {
	f, unit := float64(n), "B"
	for _, u := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if f < 1024 && f > -1024 {
			break
		}
		f, unit = f/1024, u
	}
	if unit == "B" {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", f, unit)
}

// timeText writes a time with three digits: "123 ms".
func timeText(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%.3g ms", d.Seconds()*1e3)
	}
	return fmt.Sprintf("%.3g s", d.Seconds())
}

// columns sets rows as a table of plain text, the first columns to the left and
// the others to the right.
func columns(rows [][]string, left int) string {
	var width []int
	for _, r := range rows {
		for i, s := range r {
			if i == len(width) {
				width = append(width, 0)
			}
			width[i] = max(width[i], utf8.RuneCountInString(s))
		}
	}
	var b strings.Builder
	for k, r := range rows {
		line := ""
		for i, s := range r {
			pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(s))
			if i < left {
				line += s + pad
			} else {
				line += pad + s
			}
			line += "  "
		}
		if k > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(strings.TrimRight(line, " "))
	}
	return b.String()
}
