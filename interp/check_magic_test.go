package interp

import (
	"strings"
	"testing"
)

func TestCheckedCode(t *testing.T) {
	for code, want := range map[string]string{
		"trainer.Fit(train, nil, 3)":                                "trainer.Check(train, nil, 3)",
		"       err := trainer.Fit(train,\n\tvalid, 3, watch)":      "              trainer.Check(train,\n\tvalid, 3, watch)",
		"\nif err := r.Fit(a, b, 3); err != nil {\n\tpanic(err)\n}": "\n          r.Check(a, b, 3)",
		"err = a.b.Fit(Fit(x), y, 1)":                               "      a.b.Check(Fit(x), y, 1)",
		"task, batch":                                               "balance.Check(task, batch)",
		"\ntask, must(all.Batch(index)), balance.Timed;":            "balance.Check(task, must(all.Batch(index)), balance.Timed)",
	} {
		if got, err := checked(code); err != nil || got != want {
			t.Errorf("%q becomes %q, %v; want %q", code, got, err, want)
		}
	}
	for _, code := range []string{"x := 1\nr.Fit(a, nil, 1)", "Fit(a)", "task", "for {", "r.Fit"} {
		if got, err := checked(code); err == nil || !strings.Contains(err.Value, "calls Fit") {
			t.Errorf("%q becomes %q, %v", code, got, err)
		}
	}
}
