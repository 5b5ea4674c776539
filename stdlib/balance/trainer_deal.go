package balance

import (
	"iter"
	"slices"

	"attune/stdlib/data"
)

// update is what one step learns from, and where the data stand before and after it.
type update struct {
	batch         *data.Batch
	before, after data.State
	// skip is how many of the examples that the loader deals from after on were learned
	// already, was those from before on.
	was, skip int
	// batches is the number of the loader's batches that end with it.
	batches int
}

// updates deals what is left of an epoch as steps want it: the loader's batches as they
// come, or so many examples as size says at that moment, of one batch or of several. Of
// the first batch so many are left out as the state of the training says.
func (r *Trainer) updates(train *data.Loader, size func() int) iter.Seq2[update, error] {
	return func(yield func(update, error) bool) {
		d := dealer{used: r.state.Skip}
		for b, err := range train.Epoch() {
			if err != nil {
				yield(update{}, err)
				return
			}
			d.add(b, train.State())
			for d.ready(size()) {
				if !yield(d.take(size()), nil) {
					return
				}
			}
		}
		for len(d.held) > 0 {
			if !yield(d.take(size()), nil) {
				return
			}
		}
	}
}

// dealer holds the loader's batches until their examples are learned.
type dealer struct {
	held []dealtBatch
	used int // examples of the first that were taken
}

type dealtBatch struct {
	*data.Batch
	before, after data.State
}

// add takes a batch in that was dealt; at is where the loader stands now.
func (d *dealer) add(b *data.Batch, at data.State) {
	before := at
	before.Batch--
	d.held = append(d.held, dealtBatch{b, before, at})
	d.drop()
}

// drop lets go of batches that were learned to their end, and counts them.
func (d *dealer) drop() (n int) {
	for len(d.held) > 0 && d.used >= d.held[0].Len() {
		d.used -= d.held[0].Len()
		d.held = d.held[1:]
		n++
	}
	return n
}

// alike is how many batches from the first on can be put together, and how many
// examples of them are left.
func (d *dealer) alike() (batches, examples int) {
	for _, b := range d.held {
		first := d.held[0]
		if len(b.Shape) != len(first.Shape) || len(b.Shape) > 0 && !slices.Equal(b.Shape[1:], first.Shape[1:]) {
			break
		}
		batches, examples = batches+1, examples+b.Len()
	}
	return batches, examples - d.used
}

// ready says whether an update of so many examples can be taken; 0 is a whole batch.
func (d *dealer) ready(size int) bool {
	batches, examples := d.alike()
	return batches > 0 && (size == 0 || examples >= size || batches < len(d.held))
}

// take is the next update of so many examples, or of what there is of one shape.
func (d *dealer) take(size int) update {
	_, most := d.alike()
	if size == 0 {
		most, size = d.held[0].Len()-d.used, d.held[0].Len()-d.used
	}
	size = min(size, most)
	u := update{before: d.held[0].before, was: d.used, after: d.held[len(d.held)-1].after}
	u.batch = d.join(size)
	d.used += size
	u.batches = d.drop()
	if len(d.held) > 0 {
		u.after, u.skip = d.held[0].before, d.used
	}
	return u
}

// join is the next so many examples as one batch: a part of one, or a copy of several.
func (d *dealer) join(size int) *data.Batch {
	first := d.held[0]
	if d.used == 0 && size == first.Len() {
		return first.Batch
	}
	var parts []*data.Batch
	for i, from, left := 0, d.used, size; left > 0; i, from = i+1, 0 {
		b := d.held[i].Slice(from, min(d.held[i].Len(), from+left))
		b.First = 0
		parts, left = append(parts, b), left-b.Len()
	}
	if len(parts) == 1 {
		return parts[0]
	}
	out := &data.Batch{Shape: slices.Clone(first.Shape)}
	if len(out.Shape) > 0 {
		out.Shape[0] = size
	}
	out.X = joined(parts, func(b *data.Batch) []float32 { return b.X })
	out.Tokens = joined(parts, func(b *data.Batch) []int32 { return b.Tokens })
	out.Labels = joined(parts, func(b *data.Batch) []int { return b.Labels })
	out.Targets = joined(parts, func(b *data.Batch) []float32 { return b.Targets })
	return out
}

// joined is what the parts have, in one slice; nil where they have nothing.
func joined[T any](parts []*data.Batch, of func(*data.Batch) []T) []T {
	var all [][]T
	for _, p := range parts {
		all = append(all, of(p))
	}
	return slices.Concat(all...)
}

// size is the examples of an update now: 0 for the loader's batch as it comes.
func (r *Trainer) size(train *data.Loader) int {
	if r.state.Following.Size > 0 {
		return r.state.Following.Size
	}
	if r.Plan == nil || r.Plan.Batch < 1 || train.Data == nil {
		return 0
	}
	return min(r.Plan.Batch, train.Data.Len())
}
