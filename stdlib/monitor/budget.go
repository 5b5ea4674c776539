package monitor

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// limits are the budgets, by measure: what each was, from when on.
type limits [numMeasures][]limit

type limit struct {
	from  time.Time
	value float64 // 0 for none
}

// now is the measure's budget of this moment, 0 for none.
func (l *limits) now(of Measure) float64 {
	if n := len(l[of]); n > 0 {
		return l[of][n-1].value
	}
	return 0
}

// set makes x the budget from now on.
func (l *limits) set(of Measure, at time.Time, x float64) {
	if x = max(x, 0); x == l.now(of) {
		return
	}
	if len(l[of]) == maxMarks { // a budget that follows something; the newest count
		l[of] = slices.Delete(l[of], 0, 1)
	}
	l[of] = append(l[of], limit{at, x})
}

// renew forgets what was before a time.
func (l *limits) renew(at time.Time) {
	for of := range l {
		x := l.now(Measure(of))
		l[of] = nil
		l.set(Measure(of), at, x)
	}
}

// any says whether a budget holds now.
func (l *limits) any() bool {
	for of := range l {
		if l.now(Measure(of)) > 0 {
			return true
		}
	}
	return false
}

// Budget draws a line at limit on the chart of the measure, and ahead of its values a
// band in which they will be if they go on as in the last minute. It watches and does
// not stop anything; When does what is to be done. Each measure has its own, and one that
// changes is a line with a step. A limit of 0 ends the line.
func (m *Monitor) Budget(of Measure, limit float64) {
	m.ensure()
	if of < 0 || of >= numMeasures {
		return
	}
	m.mu.Lock()
	m.limits.set(of, time.Now(), limit)
	m.mu.Unlock()
}

// Budgets are what the measure's budget was, in order, 0 for none.
func (m *Monitor) Budgets(of Measure) (values []float64) {
	if of < 0 || of >= numMeasures {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, l := range m.limits[of] {
		values = append(values, l.value)
	}
	return values
}

// Of the forecast: the stretch of time that it looks back on, how many samples it
// wants there, and how far it looks ahead as a share of what the chart shows.
const (
	lookBack  = time.Minute
	leastSeen = 8
	lookAhead = 0.2
)

// Forecast is a straight line through recent samples (least squares) and how far they
// lie around it.
type Forecast struct {
	Measure Measure
	// From is the newest sample's time, Value the line's value there, Slope its rise in a
	// second.
	From         time.Time
	Value, Slope float64
	// Deviation is the standard deviation of the samples around the line.
	Deviation float64

	n            float64
	centre, span float64 // of the samples' times: seconds before From, sum of squares
}

// Within is the band, two standard errors of a new value to either side, that time
// after the newest sample.
func (f Forecast) Within(ahead time.Duration) (lo, hi float64) {
	x := ahead.Seconds()
	mid := f.Value + f.Slope*x
	d := x - f.centre
	w := 2 * f.Deviation * math.Sqrt(1+1/f.n+d*d/max(f.span, 1e-9))
	return max(mid-w, 0), mid + w
}

// Reaches is when the line comes to a limit; false if it does not rise, or is there.
func (f Forecast) Reaches(limit float64) (time.Duration, bool) {
	if !(f.Slope > 0) || f.Value >= limit {
		return 0, false
	}
	s := (limit - f.Value) / f.Slope
	// A rise that the scatter around the line could be is none.
	if f.Slope*math.Sqrt(f.span) < 3*f.Deviation || s > 1e7 {
		return 0, false
	}
	return time.Duration(s * float64(time.Second)), true
}

// Forecast is the outlook of a measure; false where too few samples are there.
func (m *Monitor) Forecast(of Measure) (Forecast, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return forecast(m.history.samples, of)
}

func forecast(samples []Sample, of Measure) (Forecast, bool) {
	if len(samples) < leastSeen {
		return Forecast{}, false
	}
	f := Forecast{Measure: of, From: samples[len(samples)-1].At}
	var xs, ys []float64
	for i := len(samples) - 1; i >= 0; i-- {
		if f.From.Sub(samples[i].At) > lookBack && len(xs) >= leastSeen {
			break
		}
		xs, ys = append(xs, samples[i].At.Sub(f.From).Seconds()), append(ys, of.of(samples[i]))
	}
	n := float64(len(xs))
	var mx, my, sxx, sxy, rest float64
	for i := range xs {
		mx, my = mx+xs[i]/n, my+ys[i]/n
	}
	for i := range xs {
		sxx += (xs[i] - mx) * (xs[i] - mx)
		sxy += (xs[i] - mx) * (ys[i] - my)
	}
	if sxx == 0 {
		return Forecast{}, false
	}
	f.Slope = sxy / sxx
	f.Value = my - f.Slope*mx
	for i := range xs {
		e := ys[i] - f.Value - f.Slope*xs[i]
		rest += e * e
	}
	f.Deviation = math.Sqrt(rest / max(n-2, 1))
	f.n, f.centre, f.span = n, mx, sxx
	return f, true
}

// outlook says in words how a measure's budget stands and what its forecast is; empty
// where it has none. The caller holds mu.
func (m *Monitor) outlook(of Measure) string {
	limit := m.limits.now(of)
	if limit == 0 || len(m.history.samples) == 0 {
		return ""
	}
	said := fmt.Sprintf("budget of %s for %s", of.say(limit), of)
	now := of.of(m.history.samples[len(m.history.samples)-1])
	peak := of.of(m.peaks.most)
	if of == OwnMemory {
		peak = float64(m.peaks.exact.Total)
	}
	switch f, ok := forecast(m.history.samples, of); {
	case now > limit:
		return said + ": over it"
	case peak > limit && len(m.limits[of]) == 1: // else the peak may be an older budget's
		return said + ": was over it, by " + of.say(peak-limit)
	case !ok:
		return said + ": " + of.say(limit-now) + " left"
	default:
		if in, rises := f.Reaches(limit); rises {
			return said + ": reached in about " + duration(in) + " if it goes on as in the last minute"
		}
		return said + ": " + of.say(limit-now) + " left, and no steady rise"
	}
}
