package balance

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"attune/display"
	"attune/display/mime"
	"attune/gpu"
	"attune/stdlib/monitor"
)

// Action is one thing that a training did about its memory, its plan or its end.
type Action struct {
	// Step is the step that it was taken for, from 1.
	Step        int
	What, Cause string
	// From and To are the parts that a batch was and is cut into, Micro the examples
	// of the largest part.
	From, To, Micro int
	// Budget is what the step could have, in bytes; Predicted the peak that was
	// expected, Peak what it came to, and PeakBefore that of the step before.
	Budget, Predicted, Peak, PeakBefore int64
	// Frees is what a change that gives memory back for good was expected to give, in
	// bytes, and Freed what it gave.
	Frees, Freed int64
	// TimeBefore and Time are those of the steps before and after.
	TimeBefore, Time time.Duration
}

// Log is what a training did, in order. It shows as a table.
type Log struct{ Actions []Action }

func (l *Log) add(a Action) { l.Actions = append(l.Actions, a) }

// effect completes the newest action.
func (l *Log) effect(peak int64, took time.Duration) {
	if n := len(l.Actions); n > 0 {
		l.Actions[n-1].Peak, l.Actions[n-1].Time = peak, took
	}
}

// String is a table: a row says when, what, why, and the peak and step time before
// and after.
func (l Log) String() string { return l.say().String() }

// Bundle is the table as a front end shows it.
func (l Log) Bundle() mime.Bundle { return l.say().Bundle() }

func (l Log) say() say {
	if len(l.Actions) == 0 {
		return say{{text: "nothing had to be adapted"}}
	}
	rows := [][]string{{"what, and why", "step", "parts", "budget", "peak", "predicted", "step time"}}
	for _, a := range l.Actions {
		cause := a.Cause
		if a.Freed > 0 {
			cause += fmt.Sprintf("; %s given back, %s expected", bytesText(a.Freed), bytesText(a.Frees))
		}
		rows = append(rows, []string{
			a.What + ": " + cause, fmt.Sprint(a.Step), a.parts(), orDash(a.Budget), became(orDash(a.PeakBefore), orDash(a.Peak)), orDash(a.Predicted),
			became(timeOrDash(a.TimeBefore), timeOrDash(a.Time)),
		})
	}
	return say{{rows: rows, left: 1}}
}

// Epochs are those of a training, in order. They show as a table.
type Epochs []Epoch

// String is a table: a row says what came of an epoch.
func (e Epochs) String() string { return e.say().String() }

// Bundle is the table as a front end shows it.
func (e Epochs) Bundle() mime.Bundle { return e.say().Bundle() }

func (e Epochs) say() say {
	if len(e) == 0 {
		return say{{text: "no epoch was done yet"}}
	}
	rows := [][]string{{"epoch", "steps", "loss", "validation", "at a time", "peak", "noise", "time"}}
	for _, x := range e {
		valid, noise := "-", "-"
		if x.Valid == x.Valid {
			valid = fmt.Sprintf("%.4g", x.Valid)
		}
		if x.Noise > 0 {
			noise = fmt.Sprintf("%.0f examples", x.Noise)
		}
		rows = append(rows, []string{
			fmt.Sprint(x.Epoch), fmt.Sprint(x.Steps), fmt.Sprintf("%.4g", x.Loss), valid, fmt.Sprint(x.Micro), orDash(x.Peak), noise, timeOrDash(x.Time),
		})
	}
	return say{{rows: rows}}
}

// became writes what was and what is, in one unit where both have it.
func became(before, after string) string {
	if before == "-" {
		return after
	}
	n, unit, _ := strings.Cut(before, " ")
	if _, other, _ := strings.Cut(after, " "); other == unit {
		before = n
	}
	return before + " → " + after
}

func (a Action) parts() string {
	if a.To == 0 {
		return "-"
	}
	return fmt.Sprintf("%d → %d of %d", a.From, a.To, a.Micro)
}

func orDash(n int64) string {
	if n <= 0 || n > 1<<60 {
		return "-"
	}
	return bytesText(n)
}

func timeOrDash(d time.Duration) string {
	if d <= 0 {
		return "-"
	}
	return timeText(d)
}

// panel is what a running Fit shows: a bar, the curve of the losses, its actions.
type panel struct {
	quiet  bool
	bar    *display.Bar
	curves *display.Curves
	said   int // actions that the last Fits showed
	limit  int64
}

// open shows where a Fit stands; the monitor watches what it trains on.
func (p *panel) open(quiet bool, dev *gpu.Device, steps int) {
	p.quiet = quiet
	if quiet {
		return
	}
	p.bar = display.NewBar("training", steps)
	if display.InCell() && p.curves == nil {
		p.curves = display.NewCurves("Loss", "step", "loss")
	}
	if !dev.Meta() {
		monitor.Watch(dev)
	}
	monitor.Mark("training")
}

func (p *panel) step(r *Trainer, loss float64, batches int) {
	if p.quiet {
		return
	}
	p.bar.Note("epoch %d, loss %.4g, %d at a time", r.state.Epoch+1, loss, r.Micro(r.watch.batch))
	p.bar.Add(batches)
	if p.curves != nil {
		p.curves.AddAt("training", float64(r.state.Step), loss)
	}
}

func (p *panel) epoch(e Epoch, step int) {
	if p.quiet {
		return
	}
	monitor.MarkAs(monitor.Epochs, fmt.Sprintf("epoch %d", e.Epoch))
	if p.curves != nil && e.Valid == e.Valid {
		p.curves.AddAt("validation", float64(step), e.Valid)
	}
}

// action puts what was done on the monitor's time axis.
func (p *panel) action(a Action) {
	if p.quiet {
		return
	}
	name := a.What
	if a.To > 0 {
		name += ": " + strings.ReplaceAll(a.parts(), "→", "to")
	}
	monitor.MarkAs(monitor.Actions, name)
}

// budget makes the limit of the coming step the monitor's line.
func (p *panel) budget(limit int64) {
	if !p.quiet && limit != p.limit {
		p.limit = limit
		monitor.Budget(monitor.OwnMemory, float64(limit))
	}
}

func (p *panel) close(l *Log, err error) {
	if p.quiet {
		return
	}
	if err != nil && !errors.Is(err, ErrInterrupted) {
		p.bar.Note("%v", err)
	}
	p.bar.Done()
	p.budget(0)
	if n := len(l.Actions); n > p.said {
		display.Show(Log{l.Actions[p.said:]})
		p.said = n
	}
}
