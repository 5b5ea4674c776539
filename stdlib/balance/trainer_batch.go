package balance

import (
	"fmt"
	"math"

	"attune/gpu"
	"attune/stdlib/balance/control"
	"attune/stdlib/data"
)

// following is what a training knows of how large its updates should be.
type following struct {
	// Size is the examples of an update now, 0 where the noise is not followed, and Since
	// how many steps ago it changed.
	Size, Since int
	// Times are the least seconds that a step of so many examples took, and Seen how many
	// steps there were.
	Times map[int]float64
	Seen  map[int]int
	// Hold is how many steps a size is kept at least, Changes how often it changed, and
	// Grown whether it was larger the last time.
	Hold, Changes int
	Grown         bool
}

// The batch follows the noise by doubling and halving, to followMost times the noise
// scale at most. It changes after followHold steps of one size at the earliest, twice as
// many with each change that takes the one before back, and where another size is
// followTurn times as large or as small as it is: more than half way to the next one, so
// that what made it grow does not make it shrink. The first steps of a size are not timed.
const (
	followHold = 16
	followTurn = 1.7
	followMost = 4
	timedFrom  = 3
	timedLeast = 8
)

// dividedNoise is how much larger the noise scale is for rules that divide each element of
// a gradient by its usual size, as Adam does: to them the many weak elements, which are
// mostly noise, weigh as much as the few strong ones that tr(Σ)/|G|² is made of. It is a
// measured figure: the batches of bench/batch lose half of each example at 2 to 4 times
// the noise scale.
const dividedNoise = 3

// divides tells such rules.
func divides(o gpu.Optimizer) bool {
	switch o.(type) {
	case *gpu.SGD, *gpu.LARS:
		return false
	}
	return true
}

// start is the size of the first updates.
func (r *Trainer) start(train *data.Loader) {
	f := &r.state.Following
	if r.MaxBatch < 1 || train.Data == nil {
		*f = following{}
		return
	}
	if f.Size == 0 {
		*f = following{Size: r.rateBatch(), Times: map[int]float64{}, Seen: map[int]int{}, Hold: followHold}
	}
	f.Size = r.bound(f.Size, train)
}

// bound keeps a size to what is allowed and to what there is.
func (r *Trainer) bound(size int, train *data.Loader) int {
	return max(1, min(max(size, r.MinBatch), r.MaxBatch, train.Data.Len()))
}

// rateBatch is the batch that the learning rate is for.
func (r *Trainer) rateBatch() int {
	switch {
	case r.RateBatch > 0 || r.MaxBatch < 1:
		return r.RateBatch
	case r.Plan != nil && r.Plan.Batch > 0:
		return r.Plan.Batch
	}
	return r.dealt
}

// noiseEvery is how often a batch that fits whole is split to measure the noise: often
// at first where it is followed.
func (r *Trainer) noiseEvery() int {
	switch {
	case r.watch.asIs:
		return 0
	case r.NoiseEvery > 0 || r.MaxBatch < 1:
		return r.NoiseEvery
	case r.noise.N < 16:
		return 3
	}
	return 8
}

// follows changes the size of the updates to come, after a step on b.
func (r *Trainer) follows(b *data.Batch, train *data.Loader) {
	f := &r.state.Following
	if f.Size == 0 {
		return
	}
	f.Since++
	if !r.watch.split {
		f.timed(b.Len(), r.watch.time.Seconds())
	}
	noise := r.noise.least(f.Size)
	if divides(r.Optimizer) {
		noise *= dividedNoise
	}
	was := f.Size
	cause := f.move(noise, func(size int) int { return r.bound(size, train) })
	if f.Size == was {
		return
	}
	a := Action{Step: r.state.Step + 1, What: fmt.Sprintf("%d examples an update in place of %d", f.Size, was), Cause: cause, TimeBefore: r.watch.time, PeakBefore: r.watch.last}
	if r.Rule != KeepRate && r.common() != nil {
		a.What += fmt.Sprintf(", rate %.3g", r.common().Rate()*r.Rule.Factor(r.rateBatch(), f.Size))
	}
	r.took(a)
	r.watch.pending, r.watch.usual, r.watch.batch = true, 0, f.Size
	if r.state.Parts > 1 { // as many examples at a time as before
		micro := control.Signal{Batch: was}.Micro(r.state.Parts)
		r.state.Parts = (f.Size + micro - 1) / micro
	}
}

// move changes the size where it is time to, and says why.
func (f *following) move(noise float64, bound func(int) int) (cause string) {
	if noise == 0 || f.Since < f.Hold {
		return ""
	}
	next, cause := f.next(noise, bound)
	if next == f.Size {
		return ""
	}
	if f.Changes > 1 && f.Grown != (next > f.Size) { // the first was to time a size
		f.Hold *= 2
	}
	f.Changes, f.Grown = f.Changes+1, next > f.Size
	f.Size, f.Since = next, 0
	return cause
}

// timed takes in what a step of so many examples took.
func (f *following) timed(size int, took float64) {
	f.Seen[size]++
	if f.Seen[size] <= timedFrom {
		return
	}
	if t, ok := f.Times[size]; !ok || took < t {
		f.Times[size] = took
	}
}

// next is the size to go on with, and why.
//
// A batch of B takes 1+N/B times the least possible number of steps, N the noise scale
// (McCandlish et al. 2018, eq. 2.10), and a step takes fixed + each·B seconds. Their
// product is least at B = sqrt(N·fixed/each): where examples cost nothing beside the
// step itself the batch may be larger than the noise, on a CPU it is smaller.
func (f *following) next(noise float64, bound func(int) int) (size int, cause string) {
	fixed, each, ok := f.costs()
	if !ok {
		if size = bound(2 * f.Size); size == f.Size {
			size = bound(f.Size / 2)
		}
		return size, "to learn what a step of another size takes"
	}
	best := min(math.Sqrt(noise*fixed/each), followMost*noise)
	ratio := best / float64(f.Size)
	if ratio < followTurn && ratio > 1/followTurn {
		return f.Size, ""
	}
	if size = bound(2 * f.Size); ratio < 1 {
		size = bound(f.Size / 2)
	}
	return size, fmt.Sprintf("noise scale %.0f examples; a step takes %s and %s an example: about %.0f are the least work", noise, seconds(fixed), seconds(each), best)
}

// costs are the seconds of a step and of each of its examples: the straight line that is
// nearest to what was timed, in shares of it.
func (f *following) costs() (fixed, each float64, ok bool) {
	var n, x, xx, y, xy float64
	least, most := math.MaxInt, 0
	for size, t := range f.Times {
		if f.Seen[size] < timedLeast {
			continue
		}
		least, most = min(least, size), max(most, size)
		w, s := 1/(t*t), float64(size)
		n, x, xx, y, xy = n+w, x+w*s, xx+w*s*s, y+w*t, xy+w*s*t
	}
	if most < 2*least || f.Seen[f.Size] < timedLeast {
		return 0, 0, false
	}
	each = (n*xy - x*y) / (n*xx - x*x)
	each = max(each, y/x/1000)
	return max(0, (y-each*x)/n), each, true
}

func seconds(s float64) string {
	if s < 1e-3 {
		return fmt.Sprintf("%.3g µs", s*1e6)
	}
	return fmt.Sprintf("%.3g ms", s*1e3)
}
