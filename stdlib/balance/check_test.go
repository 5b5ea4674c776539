package balance

import (
	"errors"
	"os"
	"strings"
	"testing"

	"attune/display/displaytest"
	"attune/gpu/mem"
	"attune/stdlib/data"
	"attune/stdlib/monitor"
)

func TestCheckSetsAStepBesideWhatIsFree(t *testing.T) {
	r, dev := plain(t, 24, 200)
	m := monitor.New()
	was := monitor.Session()
	monitor.Use(m)
	defer monitor.Use(was)
	m.SetLimit(1 << 40)
	b, err := points{480, 24}.Batch([]int{0, 1, 2, 3, 4, 5, 6, 7})
	if err != nil {
		t.Fatal(err)
	}
	other, err := dev.Zeros(mem.Data, 1000)
	if err != nil {
		t.Fatal(err)
	}
	before := dev.Memory().Total
	v, err := Check(r.Task, b)
	if err != nil {
		t.Fatal(err)
	}
	if !v.Fits || v.Plan != nil || len(v.Bounds) < 2 || v.Estimate.Others != other.Bytes() || dev.Memory().Total != before {
		t.Errorf("verdict %+v", v)
	}
	for _, want := range []string{"it fits: a training step of 8 examples takes ", "the machine's memory", "the session's limit  1.0 TiB", "stay free"} {
		if !strings.Contains(strings.Join(strings.Fields(v.String()), " "), strings.Join(strings.Fields(want), " ")) {
			t.Errorf("no %q in\n%s", want, v)
		}
	}
	// A cap of a byte less than the peak is missed by that byte, and one of the peak holds.
	peak := max(v.Estimate.Peak, v.Estimate.FirstPeak)
	dev.SetCap(peak - 1)
	if v, err = Check(r.Task, b); err != nil || v.Fits || v.Bounds[0].Name != "the device's cap" || v.Bounds[0].Left() != -1 || v.Plan == nil && v.Refusal == nil {
		t.Errorf("a byte too little: %+v, %v", v, err)
	}
	dev.SetCap(peak)
	if v, err = Check(r.Task, b); err != nil || !v.Fits || v.Bounds[0].Left() != 0 {
		t.Errorf("to the byte: %+v, %v", v, err)
	}
	// The step that was said to fit does, and takes what was said.
	fit(t, r, &data.Loader{Data: points{8, 24}, Size: 8}, nil, 1)
	if got := dev.Memory().Total.Peak; got != v.Estimate.FirstPeak {
		t.Errorf("the step took %d, the check said %d", got, v.Estimate.FirstPeak)
	}
	if err := other.Free(); err != nil { // until here it is in use
		t.Error(err)
	}
}

// TestCheckOfATraining holds what a check says of a Fit against that Fit.
func TestCheckOfATraining(t *testing.T) {
	r, dev := plain(t, 24, 200)
	r.Budget = Budget{Bytes: between(t, 24, 200, 48)}
	train := loader(480, 24, 48)
	state, weights := train.State(), bits(t, r)
	v, err := r.Check(train, nil, 3)
	if err != nil {
		t.Fatal(err)
	}
	if v.Fits || v.Bounds[0].Name != "the budget" || v.Plan == nil || v.Plan.Peak > r.Budget.Bytes || v.Steps != 30 || v.Estimate.StepTime <= 0 {
		t.Fatalf("verdict %+v\n%s", v, v)
	}
	if train.State() != state || len(r.History) > 0 || len(r.Optimizer.Tensors()) > 0 || bits(t, r)[0] != weights[0] {
		t.Error("checking changed the training")
	}
	bundle := v.Bundle()
	if err := displaytest.Described(bundle); err != nil {
		t.Error(err)
	}
	for _, want := range []string{"it does not fit: ", " more than the budget leaves", "30 steps of about ", "Allocate would do it in what is free:", "passes"} {
		if !strings.Contains(v.String(), want) {
			t.Errorf("no %q in\n%s", want, v)
		}
	}
	if *drawTo != "" {
		if err := os.WriteFile(*drawTo+"/check.html", []byte(bundle.Data["text/html"]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	fit(t, r, train, nil, 1)
	if dev.Memory().Total.Peak > r.Budget.Bytes {
		t.Errorf("peak %d of %d", dev.Memory().Total.Peak, r.Budget.Bytes)
	}
	r.Plan = v.Plan
	if v, err = r.Check(train, nil, 3); err != nil || !v.Fits || v.Estimate.Passes < 2 {
		t.Errorf("with the plan: %+v, %v", v, err)
	}
	r.Budget = Budget{Bytes: 1000}
	v, err = r.Check(train, nil, 1)
	var infeasible *InfeasibleError
	if err != nil || v.Fits || !errors.As(v.Refusal, &infeasible) || !strings.Contains(v.String(), "no plan fits in") {
		t.Errorf("in 1000 bytes: %v, %v", v, err)
	}
	if _, err := r.Check(nil, nil, 1); err == nil {
		t.Error("nothing to learn from")
	}
}
