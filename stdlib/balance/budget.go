package balance

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// ParseBudget reads a budget as one says it: "64 MB", "80 % of this GPU", "2 minutes",
// "1.5 GiB and 10 minutes for 500 steps", "20 ms a step". kB, MB, GB and TB are powers of
// 1000, KiB, MiB, GiB and TiB of 1024. "of" and what follows is left to the reader: a
// share is of the device that the task is on. A time without steps is one step's.
func ParseBudget(s string) (Budget, error) {
	var b Budget
	for _, part := range andOrComma.Split(strings.TrimSpace(s), -1) {
		if err := b.add(part); err != nil {
			return Budget{}, fmt.Errorf("read the budget %q: %w", s, err)
		}
	}
	return b, nil
}

var (
	andOrComma = regexp.MustCompile(`\s*(?:,|\band\b)\s*`)
	quantity   = regexp.MustCompile(`^([0-9]*\.?[0-9]+)\s*([a-zA-Zµ%]+)(?:\s+(of\s.*|an?\s+step|for\s+([0-9]+)\s+steps?))?$`)
)

// add takes in one quantity.
func (b *Budget) add(part string) error {
	m := quantity.FindStringSubmatch(part)
	if m == nil {
		return fmt.Errorf("%q is not a number with a unit: want, for example, \"64 MB\", \"80 %%\" or \"2 minutes for 500 steps\"", part)
	}
	n, err := strconv.ParseFloat(m[1], 64)
	if err != nil || n <= 0 || math.IsInf(n, 0) {
		return fmt.Errorf("%q: want more than 0", part)
	}
	if m[2] == "%" {
		if n > 100 {
			return fmt.Errorf("%q: there is no more than 100 %%", part)
		}
		return b.once(part, b.Bytes != 0 || b.Share != 0, m[4] != "" || isStep(m[3]), func() { b.Share = n / 100 })
	}
	if size, ok := byteUnit(m[2]); ok {
		if n *= size; n < 1 || n >= math.MaxInt64 {
			return fmt.Errorf("%q: no such size", part)
		}
		return b.once(part, b.Bytes != 0 || b.Share != 0, m[4] != "" || isStep(m[3]), func() { b.Bytes = int64(n) })
	}
	unit, ok := timeUnit(m[2])
	if !ok {
		return fmt.Errorf("%q: the unit %q is none of B, kB, MB, GB, TB, KiB, MiB, GiB, TiB, %%, ms, s, min, h", part, m[2])
	}
	if n *= unit.Seconds(); n < 1e-9 || n > math.MaxInt64/1e9 {
		return fmt.Errorf("%q: no such time", part)
	}
	steps := 1
	if m[4] != "" {
		if steps, err = strconv.Atoi(m[4]); err != nil || steps < 1 {
			return fmt.Errorf("%q: want at least one step", part)
		}
	}
	return b.once(part, b.Time != 0, strings.HasPrefix(m[3], "of"), func() { b.Time, b.Steps = duration(n), steps })
}

// isStep says whether what follows a quantity makes it one for each step.
func isStep(s string) bool { return strings.HasPrefix(s, "a") }

// once sets a part of the budget that was not set before.
func (b *Budget) once(part string, again, wrong bool, set func()) error {
	switch {
	case again:
		return fmt.Errorf("%q: that is said already", part)
	case wrong:
		return fmt.Errorf("%q: want \"of\" behind bytes or a share, \"for … steps\" or \"a step\" behind a time", part)
	}
	set()
	return nil
}

func byteUnit(s string) (float64, bool) {
	switch strings.ToLower(s) {
	case "b", "byte", "bytes":
		return 1, true
	}
	base, rest := 1000.0, strings.ToLower(s)
	if strings.HasSuffix(rest, "ib") {
		base, rest = 1024, rest[:len(rest)-2]+"b"
	}
	if len(rest) != 2 || rest[1] != 'b' {
		return 0, false
	}
	i := strings.IndexByte("kmgt", rest[0])
	return math.Pow(base, float64(i+1)), i >= 0
}

func timeUnit(s string) (time.Duration, bool) {
	switch strings.ToLower(s) {
	case "us", "µs":
		return time.Microsecond, true
	case "ms", "millisecond", "milliseconds":
		return time.Millisecond, true
	case "s", "sec", "second", "seconds":
		return time.Second, true
	case "min", "minute", "minutes":
		return time.Minute, true
	case "h", "hour", "hours":
		return time.Hour, true
	}
	return 0, false
}
