// Package search owns the choice of a plan as plain arithmetic: which parts of a
// chain of layers to compute twice, and in how many passes to go through a batch,
// so that the peak stays within a budget at the least time. It knows no tensors:
// what a candidate takes is a function handed in. It imports the standard library
// only.
package search

import (
	"math"
	"slices"
)

// Layer is what one link of a chain takes at one size of micro-batch.
type Layer struct {
	// Out is the bytes of the output, which the next layer reads.
	Out int64
	// Inside is the bytes kept between forward and backward besides the output.
	Inside int64
	// Work is the bytes needed on top while the layer runs forward or backward:
	// gradients of its output and input, workspace.
	Work int64
	// Time is the seconds of the forward pass.
	Time float64
}

// Chain is layers one after the other, at one size of micro-batch.
type Chain struct {
	// Base is the bytes there whatever the cuts: parameters, gradients, optimizer
	// state, the input.
	Base   int64
	Layers []Layer
}

// Segment is the layers From..To-1. Recomputed, only its output outlives the
// forward pass, and the backward pass computes it once more; otherwise all stays.
type Segment struct {
	From, To  int
	Recompute bool
}

// held is the bytes that layer l keeps where it is not recomputed.
func (c Chain) held(l int) int64 { return c.Layers[l].Inside + c.Layers[l].Out }

// after is the bytes that a segment leaves stored behind it.
func (c Chain) after(s Segment) int64 {
	if s.Recompute {
		return c.Layers[s.To-1].Out
	}
	sum := int64(0)
	for l := s.From; l < s.To; l++ {
		sum += c.held(l)
	}
	return sum
}

// inside is the peak within a segment, above what is stored before it. While a
// segment is computed again the gradient of its output waits.
func (c Chain) inside(s Segment) int64 {
	sum, peak := int64(0), int64(0)
	for l := s.From; l < s.To; l++ {
		sum += c.held(l)
		at := sum + c.Layers[l].Work
		if s.Recompute && l < s.To-1 {
			at += c.Layers[s.To-1].Out
		}
		peak = max(peak, at)
	}
	return peak
}

// Peak is the bytes at the worst moment of a step cut that way, and Again the
// seconds spent computing a second time. The segments must cover the chain.
//
// The backward pass goes from the last segment to the first and gives up what is
// behind it, so segment s sees what the segments before it stored and no more.
func (c Chain) Peak(segs []Segment) (peak int64, again float64) {
	stored := c.Base
	peak = stored
	for _, s := range segs {
		peak = max(peak, stored+c.inside(s))
		stored += c.after(s)
		if s.Recompute {
			again += c.time(s)
		}
	}
	return peak, again
}

func (c Chain) time(s Segment) float64 {
	sum := 0.0
	for l := s.From; l < s.To; l++ {
		sum += c.Layers[l].Time
	}
	return sum
}

// Plain is the segments of a chain in which nothing is computed twice.
func (c Chain) Plain() []Segment {
	if len(c.Layers) == 0 {
		return nil
	}
	return []Segment{{To: len(c.Layers)}}
}

// state is a way to have come to a boundary between layers: the bytes stored, the
// seconds to spend again, and the state and segment it came by.
type state struct {
	stored int64
	again  float64
	from   *state
	seg    Segment
}

// frontier bounds the states kept at one boundary. Chains of some thirty layers
// stay below it, and what Cut finds is then the optimum; above it the states that
// lie closest to a neighbour go.
const frontier = 400

// Cut finds the segments whose peak is at most budget and that spend the least
// time computing again; ok is false where there are none. With tail, only one run
// of layers at the end may stay stored: all before it is recomputed segments.
//
// It is dynamic programming over the boundaries between layers. Two ways to come
// to the same boundary differ in bytes stored and seconds spent, and one that is
// worse in both can never end better, so the others are all that need be kept
// (after Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost", who
// choose by a rule of thumb).
func (c Chain) Cut(budget int64, tail bool) (segs []Segment, again float64, ok bool) {
	n := len(c.Layers)
	if n == 0 || c.Base > budget {
		return nil, 0, n == 0 && c.Base <= budget
	}
	at := make([][]*state, n+1)
	at[0] = []*state{{stored: c.Base}}
	for i := range n {
		at[i] = thin(at[i])
		for j := i + 1; j <= n; j++ {
			for _, recompute := range []bool{false, true} {
				if !recompute && (tail && j < n || !tail && j > i+1) {
					continue // a stored run is made of single layers
				}
				s := Segment{From: i, To: j, Recompute: recompute}
				peak, after, again := c.inside(s), c.after(s), 0.0
				if recompute {
					again = c.time(s)
				}
				for _, from := range at[i] {
					if from.stored+peak <= budget {
						at[j] = append(at[j], &state{from.stored + after, from.again + again, from, s})
					}
				}
			}
		}
	}
	var best *state
	for _, s := range at[n] {
		if best == nil || s.again < best.again || s.again == best.again && s.stored < best.stored {
			best = s
		}
	}
	if best == nil {
		return nil, 0, false
	}
	return merge(best), best.again, true
}

// thin leaves the states that no other beats in both bytes and time.
func thin(all []*state) []*state {
	slices.SortFunc(all, func(a, b *state) int {
		switch {
		case a.stored < b.stored || a.stored == b.stored && a.again < b.again:
			return -1
		case a.stored == b.stored && a.again == b.again:
			return 0
		}
		return 1
	})
	kept, least := all[:0], math.Inf(1)
	for _, s := range all {
		if s.again < least {
			least = s.again
			kept = append(kept, s)
		}
	}
	if len(kept) <= frontier {
		return kept
	}
	// The cheapest in bytes and the cheapest in time stay.
	few := make([]*state, frontier)
	for i := range few {
		few[i] = kept[i*(len(kept)-1)/(frontier-1)]
	}
	return few
}

// merge lists the segments on the way to end, with neighbours that are stored
// made one.
func merge(end *state) []Segment {
	var segs []Segment
	for s := end; s.from != nil; s = s.from {
		segs = append(segs, s.seg)
	}
	slices.Reverse(segs)
	out := segs[:0]
	for _, s := range segs {
		if k := len(out); k > 0 && !s.Recompute && !out[k-1].Recompute {
			out[k-1].To = s.To
			continue
		}
		out = append(out, s)
	}
	return out
}

// Least is the segments with the smallest peak, and that peak: the smallest budget
// for which Cut finds any.
func (c Chain) Least(tail bool) ([]Segment, int64) {
	best := c.Plain()
	high, _ := c.Peak(best)
	for low := c.Base; low < high; {
		mid := low + (high-low)/2
		segs, _, ok := c.Cut(mid, tail)
		if !ok {
			low = mid + 1
			continue
		}
		best = segs
		high, _ = c.Peak(segs)
	}
	return best, high
}
