package balance

import (
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"attune/display"
	"attune/display/mime"
)

// What is shown as a table in a page is one, with nothing of the text lost, and what a
// layer is called is text.
func TestSaysATable(t *testing.T) {
	plan := &Plan{Peak: 1 << 20, Why: []Decision{{Action: "freeze <head>", Cause: "the smallest change", Before: 2 << 20, After: 1 << 20}}}
	log := Log{Actions: []Action{{Step: 3, What: "cut the batch", Cause: "a smaller budget & a neighbour", From: 1, To: 2, Micro: 8}}}
	report := &Report{Names: []string{"block1"}, Part: "layer", Without: []float64{0.5}, Random: []float64{0.1}, Cut: 1,
		Scores: []Tested{{Score: Score{Name: "size", Values: []float64{1}}}, {Score: Score{Name: "random"}}}}
	for want, v := range map[string]interface {
		String() string
		Bundle() mime.Bundle
	}{"freeze &lt;head&gt;": plan, "a smaller budget &amp; a neighbour": log, "block1": report} {
		b := display.Render(v)
		page := b.Data[mime.HTML]
		if !strings.Contains(page, "<table") || !strings.Contains(page, want) || strings.Contains(page, "<head>") {
			t.Errorf("%T as a page: %s", v, page)
		}
		if b.Data[mime.Text] != v.String() {
			t.Errorf("%T as text: %q", v, b.Data[mime.Text])
		}
	}
	epochs := Epochs{{Epoch: 1, Steps: 40, Loss: 1.23456, Valid: math.NaN(), Micro: 8, Peak: 5 << 20, Time: 12345 * time.Microsecond},
		{Epoch: 2, Steps: 40, Loss: 0.5, Valid: 0.75, Micro: 16, Peak: 3 << 30, Noise: 128, Time: 2 * time.Second}}
	for _, got := range []string{epochs.String(), display.Render((&Trainer{History: epochs}).History).Data[mime.HTML]} {
		for _, want := range []string{"1.235", "5.0 MiB", "12.3 ms", "3.0 GiB", "128 examples", "2 s", "0.75", "-"} {
			if !strings.Contains(got, want) || strings.Contains(got, "NaN") || strings.Contains(got, "5242880") {
				t.Errorf("a history lacks %q: %s", want, got)
			}
		}
	}
	for v, want := range map[any]string{&Log{}: "nothing had to be adapted", new(Log): "nothing had to be adapted", new(Epochs): "no epoch was done yet"} {
		b := display.Render(reflect.ValueOf(v).Elem().Interface())
		if !strings.Contains(b.Data[mime.HTML], want) || !strings.Contains(b.Data[mime.Text], want) {
			t.Errorf("an empty %T: %q", v, b.Data)
		}
	}
}

func TestSaysMillions(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 98304: "0.0983", 99_700_000: "99.7", 1_136_400_000: "1136"} {
		if got := millions(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}
