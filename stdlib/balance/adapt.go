package balance

import (
	"fmt"
	"math"
	"slices"
	"time"

	"attune/gpu"
	"attune/stdlib/balance/control"
	"attune/stdlib/data"
)

// lookEvery is how often the system or the driver is asked what memory others left.
const lookEvery = 100 * time.Millisecond

// watch is the monitor module: it looks at the allocator and at what neighbours left
// before each step, and measures each step.
type watch struct {
	dev  *gpu.Device
	room func() (free, total int64)
	// had is the device's cap before Fit, batch the size of whole batches.
	had   int64
	batch int

	asked       time.Time
	free, total int64
	// budget is that of the coming step and limit the part of it that was set, 0 for
	// none; live what was in use before it, predicted its peak.
	budget, limit, live, predicted int64
	// last, time and peak are the peak and time of the last step, and the epoch's peak.
	last, peak int64
	time       time.Duration
	usual      time.Duration // a step's time of late, at these parts
	usualParts int
	slow       int
	lost       time.Duration // by them
	pending    bool          // the newest action waits for its effect
	split      bool          // the step is cut in two to measure the noise
	asIs       bool          // no step is
	peaks      peaks
}

func newWatch(dev *gpu.Device, room func() (free, total int64)) *watch {
	if room == nil {
		room = func() (int64, int64) { return roomOf(dev) }
	}
	return &watch{dev: dev, room: room, peaks: peaks{known: map[string]int64{}, tried: map[string]tried{}}}
}

// look is what the policy gets to know before a step. It makes the budget the
// device's cap.
func (w *watch) look(b Budget, batch *data.Batch) control.Signal {
	if now := time.Now(); now.Sub(w.asked) >= lookEvery {
		w.asked = now
		w.free, w.total = w.room()
	}
	shot := w.dev.Memory()
	w.live = shot.Total.Live
	limit := w.had
	if own := b.Bytes; own > 0 || b.Share > 0 {
		if own == 0 {
			own = int64(b.Share * float64(w.total))
		}
		if own > 0 && (limit == 0 || own < limit) {
			limit = own
		}
	}
	if shot.Cap != limit {
		w.dev.SetCap(limit)
	}
	w.budget, w.limit = limit, limit
	if w.total > 0 {
		// What others left is ours, and so is what the allocator holds in reserve.
		if left := w.live + shot.Cached + w.free; w.budget == 0 || left < w.budget {
			w.budget = left
		}
	}
	if w.budget == 0 {
		w.budget = math.MaxInt64 / 4
	}
	return control.Signal{
		Batch: batch.Len(), Budget: w.budget, Used: w.last,
		Peak: func(micro int) int64 { return w.live + w.peaks.of(batch, micro) },
	}
}

// done measures a step that was done.
func (w *watch) done(r *Trainer, b *data.Batch, took time.Duration) {
	w.last, w.time = w.dev.Memory().Total.Peak, took
	w.peak = max(w.peak, w.last)
	parts := min(r.state.Parts, b.Len())
	w.peaks.stepped()
	w.peaks.saw(b, control.Signal{Batch: b.Len()}.Micro(parts), w.last-w.live)
	if w.pending {
		w.pending = false
		r.Log.effect(w.last, took)
	}
	w.pace(r, parts, took)
}

// failed remembers what did not fit.
func (w *watch) failed(b *data.Batch, parts int) {
	w.peaks.refused(b, control.Signal{Batch: b.Len()}.Micro(parts), w.budget-w.live)
}

// Steps slowFactor times as long as usual, slowSteps in a row and until slowCost is lost
// by them, are a slow device: short steps are held up by whatever else runs.
const (
	slowFactor = 3
	slowSteps  = 5
	slowCost   = time.Second
)

// pace tells a device that became slow. Nothing can be done about it but to say so:
// fewer parts would not fit, and more are slower still.
func (w *watch) pace(r *Trainer, parts int, took time.Duration) {
	if w.usual == 0 || parts != w.usualParts {
		w.usual, w.usualParts, w.slow, w.lost = took, parts, 0, 0
		return
	}
	if took <= slowFactor*w.usual {
		w.slow, w.lost = 0, 0
		w.usual += (took - w.usual) / 16
		return
	}
	w.lost += took - w.usual
	if w.slow++; w.slow >= slowSteps && w.lost >= slowCost {
		a := Action{Step: r.state.Step + 1, What: "note a slow device", From: parts, To: parts, Micro: control.Signal{Batch: w.batch}.Micro(parts),
			Cause: fmt.Sprintf("%d steps took over %d times the usual %s", w.slow, slowFactor, timeText(w.usual)), TimeBefore: w.usual, Time: took}
		r.took(a)
		w.usual, w.slow, w.lost = took, 0, 0
	}
}

// peaks knows what a step takes on top of what is in use before it, by the shape of
// an example and the number of examples at a time.
type peaks struct {
	// rehearsal knows the exact figure; nil where there is none, and then what was
	// measured has to do.
	rehearsal *rehearsal
	known     map[string]int64
	tried     map[string]tried
}

// tried is what was measured of one shape of examples.
type tried struct {
	Micro []int // ascending
	Extra []int64
	// Floor is more than what was refused for Least examples at a time.
	Least int
	Floor int64
}

// shapeOf is the shape of a batch's examples; ragged lengths show in it.
func shapeOf(b *data.Batch) string {
	if len(b.Shape) == 0 {
		return ""
	}
	return fmt.Sprint(b.Shape[1:])
}

// of is the prediction for micro examples of b at a time.
func (p *peaks) of(b *data.Batch, micro int) int64 {
	shape := shapeOf(b)
	key := fmt.Sprint(shape, micro)
	if n, ok := p.known[key]; ok {
		return n
	}
	if p.rehearsal != nil {
		if n, err := p.rehearsal.extra(b, micro); err == nil {
			p.known[key] = n
			return n
		}
		p.rehearsal = nil
	}
	return p.tried[shape].guess(micro)
}

// guess goes in a straight line through the two measurements next to micro.
func (t tried) guess(micro int) int64 {
	out := int64(0)
	switch n := len(t.Micro); {
	case n == 1:
		out = t.Extra[0] * int64(micro) / int64(t.Micro[0])
	case n > 1:
		i, _ := slices.BinarySearch(t.Micro, micro)
		i = min(max(i, 1), n-1)
		slope := float64(t.Extra[i]-t.Extra[i-1]) / float64(t.Micro[i]-t.Micro[i-1])
		out = t.Extra[i] + int64(slope*float64(micro-t.Micro[i]))
	}
	if t.Least > 0 && micro >= t.Least {
		out = max(out, t.Floor)
	}
	return max(out, 0)
}

// saw takes a measurement in.
func (p *peaks) saw(b *data.Batch, micro int, extra int64) {
	shape := shapeOf(b)
	if p.rehearsal != nil {
		return
	}
	t := p.tried[shape]
	i, ok := slices.BinarySearch(t.Micro, micro)
	if !ok {
		t.Micro, t.Extra = slices.Insert(t.Micro, i, micro), slices.Insert(t.Extra, i, extra)
	}
	// The first step also makes the optimizer's state, a later one not.
	t.Extra[i] = extra
	if micro >= t.Least && extra < t.Floor {
		t.Least, t.Floor = 0, 0
	}
	p.tried[shape] = t
}

// refused takes in that micro examples at a time need more than so many bytes.
func (p *peaks) refused(b *data.Batch, micro int, bytes int64) {
	shape := shapeOf(b)
	t := p.tried[shape]
	if t.Least == 0 || micro < t.Least {
		t.Least, t.Floor = micro, bytes+1
	}
	p.tried[shape] = t
}
