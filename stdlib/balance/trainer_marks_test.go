package balance

import (
	"slices"
	"strings"
	"testing"

	"attune/display"
	"attune/display/mime"
	"attune/stdlib/data"
	"attune/stdlib/monitor"
)

// nowhere is a display.Out that takes everything.
type nowhere struct{}

func (nowhere) Display(mime.Bundle, string, bool) error { return nil }
func (nowhere) Clear(bool) error                        { return nil }

// TestEveryActionIsMarked has each action of a log on the monitor's time axis, the
// epochs beside them, and the budget as a line that follows it, over what the trained
// device holds, which nobody told the monitor of.
func TestEveryActionIsMarked(t *testing.T) {
	display.SetOut(nowhere{})
	defer display.SetOut(nil)
	r, dev := plain(t, 24, 200)
	m := monitor.New()
	monitor.Use(m)
	defer monitor.Use(monitor.New())
	defer m.Stop()
	r.Quiet, r.Patience = false, 1
	budget := between(t, 24, 200, 48)
	train, valid := loader(480, 24, 48), &data.Loader{Data: turned{points{30, 24}}, Size: 30}
	fit(t, r, train, valid, 50, func(e Event) error {
		if e.Step == 5 {
			r.SetBudget(Budget{Bytes: budget})
		}
		return nil
	})
	if len(r.Log.Actions) < 3 {
		t.Fatalf("the run does too little:\n%s", r.Log)
	}
	watched, live := false, dev.Memory().Total.Live
	var marked, epochs []string
	for _, at := range m.Moments() {
		switch at.Kind {
		case monitor.Actions:
			marked = append(marked, at.Name)
		case monitor.Epochs:
			epochs = append(epochs, at.Name)
		}
	}
	if len(marked) != len(r.Log.Actions) || len(epochs) != len(r.History) {
		t.Fatalf("marks %q, epochs %q of the log\n%s", marked, epochs, r.Log)
	}
	for i, a := range r.Log.Actions {
		if !strings.HasPrefix(marked[i], a.What) {
			t.Errorf("action %d is %q, marked as %q", i, a.What, marked[i])
		}
	}
	if !slices.ContainsFunc(marked, func(s string) bool { return strings.HasPrefix(s, "cut the batch finer: 1 to ") }) {
		t.Errorf("marks %q", marked)
	}
	said := m.Bundle().Data[mime.Text]
	if !strings.Contains(said, "stop early at ") || strings.Contains(said, "budget of") {
		t.Errorf("the chart says %s", said)
	}
	for _, row := range m.Summary().Rows {
		watched = watched || row.Name == "attune's own, all" && row.Peak >= float64(live)
	}
	if !watched {
		t.Errorf("of %d bytes the monitor says %s", live, m.Summary().Bundle().Data[mime.Text])
	}
	if got := m.Budgets(monitor.OwnMemory); len(got) != 2 || got[0] != float64(budget) || got[1] != 0 {
		t.Errorf("the budget's line is %v, want %d and then none", got, budget)
	}
}
