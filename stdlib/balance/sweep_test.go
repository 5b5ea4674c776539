package balance

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestSweepDraws(t *testing.T) {
	space := []Param{Choice("act", "relu", "tanh"), LogUniform("lr", 1e-4, 1e-1), Whole("width", 3, 5), Uniform("drop", 0, 0.5)}
	o := SweepOptions{Trials: 3000, Seed: 4}
	if err := o.complete(); err != nil {
		t.Fatal(err)
	}
	got, err := o.draw(space)
	if err != nil || len(got) != 3000 {
		t.Fatal(len(got), err)
	}
	low, widths := 0, map[int]int{}
	for _, v := range got {
		lr, drop := v[1].(float64), v[3].(float64)
		if lr < 1e-4 || lr > 1e-1 || drop < 0 || drop > 0.5 {
			t.Fatal("out of range:", v)
		}
		if lr < math.Sqrt(1e-4*1e-1) {
			low++
		}
		widths[v[2].(int)]++
	}
	// Half are below the middle magnitude: 1500, with a deviation of 27.
	if low < 1365 || low > 1635 || len(widths) != 3 || widths[3] < 850 || widths[5] < 850 {
		t.Errorf("%d of 3000 in the lower magnitudes, widths %v", low, widths)
	}
	o.Trials = 10
	if few, _ := o.draw(space); !reflect.DeepEqual(few, got[:10]) {
		t.Error("the first trials depend on how many there are")
	}
	o.Method = Grid
	all, err := o.draw([]Param{Choice("a", 1, 2), Choice("b", "x", "y")})
	if err != nil || fmt.Sprint(all) != "[[1 x] [1 y] [2 x] [2 y]]" {
		t.Error(all, err)
	}
	for want, p := range map[string]Param{
		"a grid needs a Choice":   Uniform("x", 0, 1),
		"has no name":             Choice("", 1),
		"goes from 2 to 1":        Uniform("x", 2, 1),
		"magnitudes begin above":  LogUniform("x", 0, 1),
		"goes from NaN":           Uniform("x", math.NaN(), 1),
		"more than 10000 combina": Choice("x", make([]int, 10_001)...),
	} {
		if _, err := o.draw([]Param{p}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: got %v, want one that says %q", p.Name, err, want)
		}
	}
	if err := (&SweepOptions{Method: "bayes"}).complete(); err == nil {
		t.Error("an unknown method was taken")
	}
}

func TestSweepRungs(t *testing.T) {
	for _, c := range []struct {
		method              Method
		trials, steps, keep int
		want                []int
	}{
		{Random, 27, 9, 3, []int{9}},
		{Halving, 27, 9, 3, []int{1, 3, 9}},
		{Halving, 4, 100, 2, []int{25, 50, 100}},
		{Halving, 2, 100, 3, []int{100}},
	} {
		o := SweepOptions{Method: c.method, Steps: c.steps, Keep: c.keep}
		if got := o.rungs(c.trials); !slices.Equal(got, c.want) {
			t.Errorf("%+v: rungs %v", c, got)
		}
	}
	s := &sweep{o: SweepOptions{Keep: 3}, result: &SweepResult{}}
	configs := [][]any{{0}, {1}, {2}, {3}}
	for i, score := range []float64{4, 1, 3, 0} {
		state := Done
		if i == 3 {
			state = Crashed
		}
		s.result.Trials = append(s.result.Trials, TrialResult{Number: i, Score: score, State: state, Steps: 1, Values: configs[i]})
	}
	if got := s.best(configs, 0); fmt.Sprint(got) != "[[] [1] [] []]" {
		t.Error("on goes", got)
	}
	s.result.Maximise = true
	if b := s.result.Best(); b.Number != 0 {
		t.Error("the highest is of trial", b.Number)
	}
}

func TestSweepResultIsATable(t *testing.T) {
	r := &SweepResult{Params: []Param{LogUniform("lr", 1e-4, 1)}, Trials: []TrialResult{
		{Number: 0, Steps: 2, Values: []any{0.0123456}, State: Done, Score: 0.5, Time: time.Second, Memory: 64 << 20},
		{Number: 1, Steps: 2, Values: []any{0.1}, State: Crashed, Error: "signal: killed\nmore", Curve: []Point{{1, 2}, {2, 1}}},
	}}
	got := r.String()
	for _, want := range []string{"trial  steps  lr       score  time", "0      2      0.01235  0.5 ", "64 MiB", "best", "crashed: signal: killed"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "more") || !strings.Contains(r.Bundle().Data["text/html"], "<th>lr</th>") {
		t.Error(got)
	}
	// Without a session there is no process to be had.
	_, err := Sweep(func(*Trial) (float64, error) { return 0, nil }, nil, SweepOptions{Quiet: true})
	if err == nil || !strings.Contains(err.Error(), "no session") {
		t.Error(err)
	}
}
