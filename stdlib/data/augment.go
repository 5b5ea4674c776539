package data

import (
	"math/rand/v2"
	"slices"
)

// Augment changes one example in place: x of the given shape, (channels, height,
// width) of a picture. Chance comes from rng alone, so that a run can be repeated.
type Augment func(rng *rand.Rand, x []float32, shape []int)

// planes calls f for each (height, width) plane of an example, whose last two sizes
// they are; examples of fewer are left alone.
func planes(x []float32, shape []int, f func(plane []float32, h, w int)) {
	if len(shape) < 2 {
		return
	}
	h, w := shape[len(shape)-2], shape[len(shape)-1]
	if h*w == 0 {
		return
	}
	for plane := range slices.Chunk(x, h*w) {
		f(plane, h, w)
	}
}

// Flip mirrors every second picture, left to right.
func Flip() Augment {
	return func(rng *rand.Rand, x []float32, shape []int) {
		if rng.IntN(2) == 0 {
			return
		}
		planes(x, shape, func(plane []float32, _, w int) {
			for row := range slices.Chunk(plane, w) {
				slices.Reverse(row)
			}
		})
	}
}

// Shift moves a picture by up to so many pixels in each direction and fills with
// zeros: what is elsewhere called padding by that many and cropping at random.
func Shift(most int) Augment {
	return func(rng *rand.Rand, x []float32, shape []int) {
		if most < 1 {
			return
		}
		dy, dx := rng.IntN(2*most+1)-most, rng.IntN(2*most+1)-most
		planes(x, shape, func(plane []float32, h, w int) {
			from := slices.Clone(plane)
			clear(plane)
			for y := max(0, dy); y < min(h, h+dy); y++ {
				if lo, hi := max(0, dx), min(w, w+dx); lo < hi {
					copy(plane[y*w+lo:y*w+hi], from[(y-dy)*w+lo-dx:])
				}
			}
		})
	}
}

// Normalise takes a channel's mean off its numbers and divides them by its standard
// deviation: one of each per channel (the example's first size), or one for all.
func Normalise(mean, deviation []float32) Augment {
	return func(_ *rand.Rand, x []float32, shape []int) {
		if len(shape) == 0 || len(mean) == 0 || len(x) == 0 {
			return
		}
		channels := 1
		if len(mean) > 1 {
			channels = shape[0]
		}
		c := 0
		for plane := range slices.Chunk(x, len(x)/channels) {
			m, s := mean[c], deviation[c]
			for i := range plane {
				plane[i] = (plane[i] - m) / s
			}
			c++
		}
	}
}
