package balance

import (
	"cmp"
	"fmt"
	"html"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"attune/display"
)

// TrialState is how far a trial of a Sweep has come.
type TrialState string

// A trial waits, runs, and then is done, failed (its function returned an error or
// panicked), crashed (its process ended) or was killed (it took too long, or the cell
// was interrupted).
const (
	Waiting TrialState = "waiting"
	Running TrialState = "running"
	Done    TrialState = "done"
	Failed  TrialState = "failed"
	Crashed TrialState = "crashed"
	Killed  TrialState = "killed"
)

// Point is a score that a trial reported.
type Point struct {
	Step  int
	Score float64
}

// TrialResult is a row of a Sweep: one call of its function.
type TrialResult struct {
	Number, Rung, Steps int
	// Values are the parameters', in their order.
	Values []any
	State  TrialState
	Score  float64
	Error  string
	Curve  []Point
	Time   time.Duration
	// Memory is the most that the process held, in bytes.
	Memory int64
	// Output is the beginning and the end of what it printed.
	Output string
}

func (t *TrialResult) scored() bool { return t.State == Done }

// SweepResult is the trials of a Sweep, in the order they were begun.
type SweepResult struct {
	Params   []Param
	Maximise bool
	Trials   []TrialResult
}

// sort puts the better first; equal ones keep the order of their numbers, which does
// not depend on who finished first.
func (r *SweepResult) sort(trials []TrialResult) {
	slices.SortStableFunc(trials, func(a, b TrialResult) int {
		if r.Maximise {
			a, b = b, a
		}
		return cmp.Compare(a.Score, b.Score)
	})
}

// Best is the trial with the best score among those of the most steps, nil where none
// has one.
func (r *SweepResult) Best() *TrialResult {
	var done []TrialResult
	for _, t := range r.Trials {
		if t.scored() {
			done = append(done, t)
		}
	}
	if len(done) == 0 {
		return nil
	}
	most := slices.MaxFunc(done, func(a, b TrialResult) int { return cmp.Compare(a.Steps, b.Steps) }).Steps
	done = slices.DeleteFunc(done, func(t TrialResult) bool { return t.Steps < most })
	r.sort(done)
	return &done[0]
}

// rows is the table: a head, and a line for each trial.
func (r *SweepResult) rows() [][]string {
	head := []string{"trial", "steps"}
	for _, p := range r.Params {
		head = append(head, p.Name)
	}
	out := [][]string{append(head, "score", "time", "memory", "state")}
	best := r.Best()
	for _, t := range r.Trials {
		row := []string{fmt.Sprint(t.Number), fmt.Sprint(t.Steps)}
		for _, v := range t.Values {
			row = append(row, short(v))
		}
		score, took, memory, state := "", "", "", string(t.State)
		if t.scored() {
			score = short(t.Score)
		} else if n := len(t.Curve); n > 0 {
			score = short(t.Curve[n-1].Score) + "…"
		}
		if t.Time > 0 {
			took, memory = display.Duration(t.Time), fmt.Sprintf("%d MiB", t.Memory>>20)
		}
		if t.Error != "" {
			state += ": " + firstLine(t.Error)
		}
		if best != nil && t.scored() && t.Number == best.Number && t.Steps == best.Steps {
			state = "best"
		}
		out = append(out, append(row, score, took, memory, state))
	}
	return out
}

func short(v any) string {
	if x, ok := v.(float64); ok {
		return fmt.Sprintf("%.4g", x)
	}
	return fmt.Sprint(v)
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// String is the table of the trials.
func (r *SweepResult) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, row := range r.rows() {
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	_ = w.Flush() // a Builder takes everything
	return strings.TrimRight(b.String(), "\n")
}

// sweepTable is a result's table alone.
type sweepTable struct{ r *SweepResult }

func (s sweepTable) Bundle() display.Bundle {
	var b strings.Builder
	b.WriteString("<table>")
	for i, row := range s.r.rows() {
		cell := "td"
		if i == 0 {
			cell = "th"
		}
		b.WriteString("<tr>")
		for _, text := range row {
			fmt.Fprintf(&b, "<%s>%s</%s>", cell, html.EscapeString(text), cell)
		}
		b.WriteString("</tr>")
	}
	b.WriteString("</table>")
	return display.Bundle{Data: map[string]string{"text/plain": s.r.String(), "text/html": b.String()}}
}

// Bundle is the table and the plot.
func (r *SweepResult) Bundle() display.Bundle {
	series := r.series()
	if len(series) == 0 {
		return sweepTable{r}.Bundle()
	}
	p, err := display.Lines("Trials", "step", "score", series...)
	if err != nil {
		return sweepTable{r}.Bundle()
	}
	return display.Beside(sweepTable{r}, p)
}

// series is what the trials reported, a line each; where none did, their scores by
// number.
func (r *SweepResult) series() (out []display.Series) {
	scores := display.Series{Name: "score"}
	for _, t := range r.Trials {
		if t.scored() && !math.IsInf(t.Score, 0) {
			scores.X, scores.Y = append(scores.X, float64(t.Number)), append(scores.Y, t.Score)
		}
		if len(t.Curve) < 2 {
			continue
		}
		s := display.Series{}
		for _, p := range t.Curve {
			s.X, s.Y = append(s.X, float64(p.Step)), append(s.Y, p.Score)
		}
		out = append(out, s)
	}
	if len(out) == 0 && len(scores.X) > 1 {
		return []display.Series{scores}
	}
	return out
}

// show draws the trials as they stand.
func (s *sweep) show(last bool) {
	if s.live == nil {
		return
	}
	s.mu.Lock()
	now := &SweepResult{Params: s.result.Params, Maximise: s.result.Maximise, Trials: slices.Clone(s.result.Trials)}
	s.mu.Unlock()
	s.live.Update(now)
	if last {
		s.live.Flush()
	}
}
