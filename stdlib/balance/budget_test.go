package balance

import (
	"strings"
	"testing"
	"time"
)

func TestParseBudget(t *testing.T) {
	for s, want := range map[string]Budget{
		"64 MB":              {Bytes: 64e6},
		"64MiB":              {Bytes: 64 << 20},
		"1.5 GiB":            {Bytes: 3 << 29},
		"1000 bytes":         {Bytes: 1000},
		"80 %":               {Share: 0.8},
		"80 % of this GPU":   {Share: 0.8},
		"2 minutes":          {Time: 2 * time.Minute, Steps: 1},
		"20 ms a step":       {Time: 20 * time.Millisecond, Steps: 1},
		"1 h for 5000 steps": {Time: time.Hour, Steps: 5000},
		" 64 MB, 2 min":      {Bytes: 64e6, Time: 2 * time.Minute, Steps: 1},
		"80 % of this GPU and 2 minutes for 500 steps": {Share: 0.8, Time: 2 * time.Minute, Steps: 500},
	} {
		if got, err := ParseBudget(s); err != nil || got != want {
			t.Errorf("%q: %+v, %v", s, got, err)
		}
	}
	for s, want := range map[string]string{
		"":                  "not a number with a unit",
		"64":                "not a number with a unit",
		"-3 MB":             "not a number with a unit",
		"0 MB":              "more than 0",
		"64 parsecs":        `the unit "parsecs"`,
		"120 %":             "100 %",
		"64 MB and 80 %":    "said already",
		"1 min, 2 min":      "said already",
		"64 MB a step":      `want "of" behind bytes`,
		"2 min of this GPU": `behind a time`,
		"2 min for 0 steps": "at least one step",
		"99999999999999 TB": "no such size",
		"64 MB and":         "not a number with a unit",
	} {
		if got, err := ParseBudget(s); err == nil || !strings.Contains(err.Error(), want) || got != (Budget{}) {
			t.Errorf("%q: %+v, %v; want %q", s, got, err, want)
		}
	}
}

// FuzzParseBudget: what is read is a budget that can be kept to.
func FuzzParseBudget(f *testing.F) {
	f.Add("80 % of this GPU and 2 minutes for 500 steps")
	f.Add("1e9 GB")
	f.Fuzz(func(t *testing.T, s string) {
		b, err := ParseBudget(s)
		if err == nil && (b.Bytes < 0 || b.Share < 0 || b.Share > 1 || b.Time < 0 || b.Bytes == 0 && b.Share == 0 && b.Time == 0) {
			t.Errorf("%q: %+v", s, b)
		}
	})
}
