package interp_test

import (
	"strings"
	"testing"
)

const sweepCells = `import (
	"errors"; "fmt"; "os"; "syscall"; "time"
	"attune/stdlib/balance"
)
type point struct{ X, Y float64 }
func (p point) cost() float64 { return (p.X-base)*(p.X-base) + p.Y }
base, names, big := 3.0, []string{"a", "b"}, map[string]int{"a": 1}`

const sweepTrain = `func train(t *balance.Trial) (float64, error) {
	x := t.Float("x")
	t.Report(1, x+10)
	t.Report(2, x+5)
	switch t.Text("how") {
	case "panic":
		var p *point
		return p.X, nil
	case "aside":
		go func() { panic("in a goroutine") }()
		time.Sleep(time.Minute)
	case "kill":
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		time.Sleep(time.Minute)
	case "memory":
		var hold [][]byte
		for {
			b := make([]byte, 8<<20)
			for i := range b { b[i] = 1 }
			hold = append(hold, b)
			time.Sleep(2*time.Millisecond)
		}
	case "exit":
		os.Exit(7)
	case "deep":
		var f func(int) int
		f = func(n int) int { return f(n+1) + 1 }
		return float64(f(0)), nil
	case "slow":
		time.Sleep(time.Minute)
	case "error":
		return 0, errors.New("the loss is not finite")
	case "notebook":
		return float64(big["a"]), nil
	case "unknown":
		return t.Float("y"), nil
	}
	fmt.Println("said", names[1])
	return point{x, 0.5}.cost(), nil
}`

// TestSweepSurvives has trials end in each way there is: each is a row that says how,
// and the session keeps its values.
func TestSweepSurvives(t *testing.T) {
	s := open(t)
	for i, code := range []string{sweepCells, sweepTrain} {
		if got := transcript(s, i+1, code); got != "" {
			t.Fatalf("cell %d:\n%s", i+1, got)
		}
	}
	got := transcript(s, 3, `space := []balance.Param{
	balance.Choice("how", "well", "panic", "aside", "kill", "memory", "exit", "deep", "slow", "error", "notebook", "unknown"),
	balance.Choice("x", 4.0),
}
r, err := balance.Sweep(train, space, balance.SweepOptions{Method: balance.Grid, Memory: 600 << 20, Parallel: 2, Timeout: 12*time.Second, Quiet: true})
for _, row := range r.Trials { fmt.Printf("%v: %s, %s, score %v, %d reports\n", row.Values[0], row.State, row.Error, row.Score, len(row.Curve)) }
fmt.Println(err, r.Best().Number, r.Trials[0].Output, big)`)
	for _, want := range []string{
		"well: done, , score 1.5, 2 reports",
		"panic: failed, panic: runtime error: invalid memory address or nil pointer dereference, score 0, 2 reports",
		"aside: crashed, panic: in a goroutine",
		"kill: crashed, signal: killed, score 0, 2 reports",
		"memory: crashed, fatal error: out of memory: ",
		"exit: crashed, exit status 7",
		"deep: crashed, ",
		"slow: killed, it took longer than 12s",
		"error: failed, the loss is not finite",
		"notebook: failed, it uses the notebook's variable big (map[string]int), which another process cannot be given: make it in the function",
		"unknown: failed, the space has no parameter \"y\"",
		"<nil> 0 said b\n map[a:1]",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

// TestSweepMethods has the same trials at random whatever runs beside, the best of
// them go on to more steps, and live output with a table and a plot.
func TestSweepMethods(t *testing.T) {
	s := open(t)
	transcript(s, 1, sweepCells)
	transcript(s, 2, `func bowl(t *balance.Trial) (float64, error) {
	for i := range t.Steps { t.Report(i+1, 1/float64(i+1)) }
	d := t.Float("lr") - 0.01
	return d*d + 1/float64(t.Steps), nil
}
space := []balance.Param{balance.LogUniform("lr", 1e-3, 1e-1), balance.Whole("width", 8, 64)}`)
	got := transcript(s, 3, `a, err := balance.Sweep(bowl, space, balance.SweepOptions{Method: balance.Halving, Trials: 6, Steps: 3, Seed: 1, Quiet: true})
b, err2 := balance.Sweep(bowl, space, balance.SweepOptions{Method: balance.Halving, Trials: 6, Steps: 3, Seed: 1, Parallel: 3, Quiet: true})
same := len(a.Trials) == len(b.Trials)
for i := range a.Trials { same = same && fmt.Sprint(a.Trials[i].Values, a.Trials[i].Score) == fmt.Sprint(b.Trials[i].Values, b.Trials[i].Score) }
fmt.Println(same, err, err2, len(a.Trials), a.Trials[0].Steps, a.Best().Steps)`)
	if got != "true <nil> <nil> 8 1 3\n" {
		t.Errorf("halving: %s", got)
	}
	got = transcript(s, 4, `shown, _ := balance.Sweep(bowl, space, balance.SweepOptions{Trials: 2, Steps: 3, Seed: 1}); shown.Best().Number`)
	if !strings.Contains(got, "trial  steps  lr") || !strings.Contains(got, "best") {
		t.Errorf("shown:\n%s", got)
	}
	got = transcript(s, 5, `_, err3 := balance.Sweep(func(*balance.Trial) (float64, error) { return 0, nil }, nil, balance.SweepOptions{}); fmt.Println(err3)`)
	if !strings.Contains(got, "declares by name") {
		t.Errorf("a function literal: %s", got)
	}
}

// TestSweepStops interrupts a sweep: its processes end, and what it has is kept.
func TestSweepStops(t *testing.T) {
	s := open(t)
	transcript(s, 1, sweepCells)
	transcript(s, 2, sweepTrain+"\nvar r *balance.SweepResult\nvar err error")
	r := begin(t, s, 3, `fmt.Println("begun"); r, err = balance.Sweep(train, []balance.Param{balance.Choice("how", "slow"), balance.Choice("x", 1.0)}, balance.SweepOptions{Quiet: true, Trials: 3}); fmt.Println("kept")`)
	if said := r.mustStop(t, s); strings.Contains(said, "let go") {
		t.Error(said)
	}
}
