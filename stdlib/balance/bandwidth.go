package balance

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"attune/stdlib/data"
	"attune/stdlib/monitor"
	"attune/stdlib/nn"
)

// twice names the layers of a model that its cuts have computed twice.
func twice(m *nn.Sequential, cuts []int) map[string]bool {
	out := map[string]bool{}
	if m != nil && len(cuts) > 0 {
		for i := range cuts[len(cuts)-1] {
			out[m.Name+"/"+m.LayerName(i)] = true
		}
	}
	return out
}

// within says whether an operation lies in one of those layers.
func within(op nn.Op, layers map[string]bool) bool {
	parts := strings.SplitN(op.Scope, "/", 3)
	return len(parts) > 1 && layers[parts[0]+"/"+parts[1]]
}

// moves is the bytes that a pass of the rehearsal's operations must at least read and
// write if nothing stays in a cache from one operation to the next: forward each takes
// its inputs and parameters and makes its result; backward it takes these again with the
// result's gradient, and makes those of the inputs and adds to those of the parameters.
func (r *rehearsal) moves() int64 {
	of := r.shadows()
	var layers map[string]bool
	if m := r.task.Model; m != nil {
		layers = twice(m, m.Cuts)
	}
	total := int64(0)
	learns := make([]bool, len(r.ops))
	result := func(op nn.Op) int64 {
		n := int64(op.DType.Size())
		for _, s := range op.Shape {
			n *= int64(s)
		}
		return n
	}
	for i, op := range r.ops {
		in, back := int64(0), int64(0)
		for _, k := range op.Inputs {
			in += result(r.ops[k])
			if learns[k] {
				learns[i] = true
				back += result(r.ops[k])
			}
		}
		for _, p := range op.Params {
			if q := of[p]; q != nil {
				p = q
			}
			n := p.Value.Bytes()
			if op.Kind == "embedding" { // only the rows that are named
				n = min(n, op.Bytes)
			}
			in += n
			if p.Grad != nil {
				learns[i] = true
				back += 2 * n
			}
		}
		if op.Bytes == 0 { // another view of the same bytes
			continue
		}
		forward := in + op.Bytes
		total += forward
		if r.learns && learns[i] {
			total += in + result(op) + back
			if within(op, layers) {
				total += forward
			}
		}
	}
	return total
}

// updates is the bytes that the end of a step reads and writes: gradients cleared and
// read, parameters and the optimizer's state read and written.
func (r *rehearsal) updates() int64 {
	if r.opt == nil {
		return 0
	}
	total := int64(0)
	for _, p := range r.net.Params() {
		if p.Grad != nil {
			total += 2*p.Grad.Bytes() + 2*p.Value.Bytes()
		}
	}
	for _, t := range r.opt.Tensors() {
		total += 2 * t.Bytes()
	}
	return total
}

// Bandwidth is how many bytes a second the step must at least move through the device's
// memory, 0 where its time is not known. See Moved; the device's own best is Copy.
func (e *Estimate) Bandwidth() float64 {
	if e.StepTime <= 0 {
		return 0
	}
	return float64(e.Moved) / e.StepTime.Seconds()
}

// pace says in a table and in words how fast bytes move, nothing where no time is known.
func (e *Estimate) pace() say {
	if e.StepTime <= 0 && e.Loading == nil {
		return nil
	}
	rows := [][]string{{"bandwidth", "a step", "a second", "possible"}}
	row := func(name string, bytes int64, possible string) {
		rate := "?"
		if e.StepTime > 0 {
			rate = rateText(float64(bytes) / e.StepTime.Seconds())
		}
		rows = append(rows, []string{name, bytesText(bytes), rate, possible})
	}
	possible := "?"
	if e.Copy > 0 {
		possible = rateText(e.Copy) + " in a copy"
	}
	row("memory, at least", e.Moved, possible)
	if l := e.Loading; l != nil {
		per := func(bytes int64) string { return rateText(float64(bytes)/l.Time.Seconds()) + " by the loader" }
		row("batches to the device", l.Bytes, per(l.Bytes))
		for _, s := range []struct {
			name  string
			bytes int64
		}{{"read from files", l.Files}, {"of these from a disk", l.Disk}, {"received by the machine", l.Network}} {
			if s.bytes > 0 {
				row(s.name, s.bytes, per(s.bytes))
			}
		}
	}
	out := say{{}, {rows: rows, left: 1}}
	if e.StepTime > 0 {
		text := "a step takes about " + timeText(e.StepTime)
		if e.Copy > 0 && e.Bandwidth() > 0.7*e.Copy {
			text += ", near what the memory gives: only fewer bytes would make it much faster"
		}
		out = append(out, passage{text: text})
	}
	if e.Loading != nil {
		out = append(out, passage{text: e.Loading.verdict(e.StepTime)})
	}
	return out
}

// verdict says whether a step of that length waits for its data.
func (l *Loading) verdict(step time.Duration) string {
	says := "making a batch takes " + timeText(l.Time)
	switch {
	case step <= 0:
		return says + "; evaluate with Timed to know whether a step waits for it"
	case !l.Ahead:
		return fmt.Sprintf("%s and is not done ahead, so a step takes %s with it; let Loader.Ahead be 0 or more", says, timeText(l.Step))
	case l.Time > step:
		return fmt.Sprintf("%s, so loading is the bottleneck: a step takes %s", says, timeText(l.Step))
	case l.Step > step:
		return fmt.Sprintf("%s and shares the processors with the step, which takes %s with it", says, timeText(l.Step))
	}
	return says + " and is done meanwhile: loading keeps up"
}

// rateText writes bytes a second in decimal units, as bandwidths are sold: "12.3 GB/s".
func rateText(rate float64) string {
	unit := "B/s"
	for _, u := range []string{"kB/s", "MB/s", "GB/s", "TB/s"} {
		if rate < 1000 {
			break
		}
		rate, unit = rate/1000, u
	}
	return fmt.Sprintf("%.3g %s", rate, unit)
}

// Loading is what it takes to make the batches of a Loader.
type Loading struct {
	// Bytes of a batch go to the device. Time is what making one takes, Processor the
	// processor's time in that.
	Bytes           int64
	Time, Processor time.Duration
	// Files is the bytes of a batch that the process read from files and pipes, Disk
	// those of them that came from a disk and not from the system's memory, and Network
	// those that the machine received meanwhile, whoever asked for them.
	Files, Disk, Network int64
	// Ahead says that batches are made while the device computes.
	Ahead bool
	// Step is how long a step takes with its loading.
	Step time.Duration
}

// Feed measures how fast the loader makes batches, by making a few of them beside it,
// and says in Loading and in the table whether a step will wait for its data. The
// loader stays where it is; no loop over its batches may run.
func (e *Estimate) Feed(loader *data.Loader) error {
	l, err := measureLoading(loader)
	if err != nil {
		return fmt.Errorf("measure the loader: %w", err)
	}
	l.join(e.StepTime, e.threads)
	e.Loading = l
	return nil
}

// loadingTime is about how long loading is measured, loadingBatches the most batches.
const (
	loadingTime    = 300 * time.Millisecond
	loadingBatches = 50
)

// measureLoading makes batches that the loader would deal an epoch later.
func measureLoading(l *data.Loader) (*Loading, error) {
	beside := &data.Loader{Data: l.Data, Size: l.Size, DropLast: l.DropLast, Shuffle: l.Shuffle, Seed: l.Seed, Augment: l.Augment, Ahead: -1}
	at := l.State()
	at.Epoch, at.Batch = at.Epoch+1, 0
	if err := beside.Restore(at); err != nil {
		return nil, err
	}
	out := &Loading{Ahead: l.Ahead >= 0}
	begin, from, n := time.Now(), monitor.ReadInflow(), int64(0)
	for b, err := range beside.Epoch() {
		if err != nil {
			return nil, err
		}
		out.Bytes += 4 * int64(len(b.X)+len(b.Tokens)+len(b.Labels)+len(b.Targets))
		if n++; n >= loadingBatches || n > 1 && time.Since(begin) > loadingTime {
			break
		}
	}
	if n == 0 {
		return nil, errors.New("it has no batches")
	}
	took, in := time.Since(begin), monitor.ReadInflow().Sub(from)
	out.Bytes /= n
	out.Time, out.Processor = took/time.Duration(n), in.Processor/time.Duration(n)
	out.Files, out.Disk, out.Network = in.Files/n, in.Disk/n, in.Network/n
	return out, nil
}

// join says how long a step takes with loading: together with it where it is made
// ahead, but not faster than the processors can do both; else one after the other.
func (l *Loading) join(step time.Duration, threads int) {
	if !l.Ahead {
		l.Step = step + l.Time
		return
	}
	both := (step*time.Duration(threads) + l.Processor) / time.Duration(max(1, runtime.NumCPU(), threads))
	l.Step = max(step, l.Time, both)
}
