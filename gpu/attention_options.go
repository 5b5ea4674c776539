package gpu

import (
	"fmt"
	"math"
	"slices"

	"attune/gpu/host"
)

// AttentionOptions changes how Attention works; the zero value is plain attention.
// A query's place is its key of the same token: query i stands at key i + Tk - Tq,
// so that the last query stands at the last key.
type AttentionOptions struct {
	// Scale multiplies the scores; 0 stands for 1/sqrt(D).
	Scale float64
	// Uniform makes all scores equal before bias and masks, as a scale of 0 would.
	Uniform bool
	// Causal hides the keys after a query's place.
	Causal bool
	// Window hides the keys Window or more away from a query's place; 0 hides none.
	Window int
	// KeyLengths (B) hides the keys from that index on, as padding does.
	KeyLengths []int
	// AtEnd says that the last query stands at key KeyLengths[b]-1, not at the last
	// of all: how a batch of different lengths is decoded.
	AtEnd bool
	// CuSeqlensQ and CuSeqlensK (N+1) pack N sequences into one batch element:
	// sequence n is queries CuSeqlensQ[n] … CuSeqlensQ[n+1]-1 and the keys likewise.
	// Sequences do not see each other. Where CuSeqlensK is nil it is CuSeqlensQ.
	CuSeqlensQ, CuSeqlensK []int
	// Bias (B, H, Tq, Tk) float32 is added to the scaled scores; its first three axes
	// may be 1, for all. -Inf hides a key. Of packed sequences, B is their number and
	// Tq and Tk are those of the longest.
	Bias *Tensor
	// ALiBi (H) subtracts ALiBi[h] times the distance between a query's place and a
	// key (Press et al. 2022); see ALiBiSlopes.
	ALiBi []float32
	// Dropout is the share of weights to take away, in [0, 1), in steps of 1/65536;
	// those left are scaled up.
	Dropout float64
	// Seed chooses the weights that dropout takes: the same seed, the same weights, on
	// every device and in Backward.
	Seed uint64
	// First is the number of batch element 0 in a whole batch of which this is a part:
	// dropout then takes the weights that it would take in the whole.
	First int
}

// ALiBiSlopes are the paper's slopes for a number of heads (Press et al. 2022,
// section 3): 2^(-8/n), 2^(-16/n), … for n a power of two, and those of the next
// powers of two between for other numbers. There are none for fewer heads than one.
func ALiBiSlopes(heads int) []float32 {
	if heads < 1 {
		return nil
	}
	n := 1
	for 2*n <= heads {
		n *= 2
	}
	out := make([]float32, heads)
	for h := range out {
		x := -8 * float64(h+1) / float64(n)
		if h >= n {
			x = -4 * float64(2*(h-n)+1) / float64(n)
		}
		out[h] = float32(math.Exp2(x))
	}
	return out
}

// apply checks the options against a's shapes and sets them.
func (o *AttentionOptions) apply(a *attention) error {
	a.scale = defaultScale(a.d)
	if o.Scale != 0 {
		a.scale = float32(o.Scale)
	}
	if o.Uniform {
		a.scale = 0
	}
	a.left, a.right = host.Unlimited, host.Unlimited
	if o.Window < 0 {
		return fmt.Errorf("window %d: want at least 0, which hides nothing", o.Window)
	}
	if o.Window > 0 {
		a.left, a.right = o.Window-1, o.Window-1
	}
	if o.Causal {
		a.right = 0
	}
	if !(o.Dropout >= 0 && o.Dropout < 1) {
		return fmt.Errorf("dropout %g: want at least 0 and less than 1", o.Dropout)
	}
	if o.First < 0 {
		return fmt.Errorf("first element %d: want at least 0", o.First)
	}
	a.drop, a.seed, a.first = min(65535, int(math.Round(o.Dropout*65536))), o.Seed, o.First
	if o.ALiBi != nil && len(o.ALiBi) != a.h {
		return fmt.Errorf("%d ALiBi slopes for %d heads: want one for each; ALiBiSlopes(%d) makes them", len(o.ALiBi), a.h, a.h)
	}
	a.slopes = slices.Clone(o.ALiBi)
	if err := o.lengths(a); err != nil {
		return err
	}
	return o.addBias(a)
}

// lengths sets the sequences.
func (o *AttentionOptions) lengths(a *attention) error {
	switch {
	case o.CuSeqlensQ != nil || o.CuSeqlensK != nil:
		if o.KeyLengths != nil || o.AtEnd {
			return fmt.Errorf("packed sequences and key lengths at once: CuSeqlensQ and CuSeqlensK, or KeyLengths and AtEnd")
		}
		return o.pack(a)
	case o.KeyLengths == nil && o.AtEnd:
		return fmt.Errorf("AtEnd without KeyLengths, which say where the ends are")
	case o.KeyLengths == nil:
		return nil
	case len(o.KeyLengths) != a.b:
		return fmt.Errorf("%s for a batch of %d: want one for each", plural(len(o.KeyLengths), "key length", "key lengths"), a.b)
	}
	for _, n := range o.KeyLengths {
		if n < 0 || n > a.tk {
			return fmt.Errorf("key length %d of %d keys: want 0 to %d", n, a.tk, a.tk)
		}
		s := host.Seq{Tq: a.tq, Tk: n, Shift: a.tk - a.tq}
		if o.AtEnd {
			s.Shift = n - a.tq
		}
		a.seqs = append(a.seqs, s)
	}
	return nil
}

func (o *AttentionOptions) pack(a *attention) error {
	q, k := o.CuSeqlensQ, o.CuSeqlensK
	if k == nil {
		k = q
	}
	if q == nil {
		return fmt.Errorf("CuSeqlensK without CuSeqlensQ")
	}
	if len(q) < 2 || len(k) != len(q) || a.b != 1 {
		return fmt.Errorf("CuSeqlensQ of %d and CuSeqlensK of %d ends for a batch of %d: want N+1 each, of N sequences, for a batch of 1", len(q), len(k), a.b)
	}
	for _, x := range []struct {
		name string
		cu   []int
		n    int
	}{{"CuSeqlensQ", q, a.tq}, {"CuSeqlensK", k, a.tk}} {
		if x.cu[0] < 0 || !slices.IsSorted(x.cu) || x.cu[len(x.cu)-1] > x.n {
			return fmt.Errorf("%s %v: want it to rise, from 0 or more to at most %d, the tokens that there are", x.name, x.cu, x.n)
		}
	}
	a.packed, a.b, a.tq, a.tk = true, len(q)-1, 0, 0
	for i := range a.b {
		s := host.Seq{Q0: q[i], Tq: q[i+1] - q[i], K0: k[i], Tk: k[i+1] - k[i]}
		s.Shift = s.Tk - s.Tq
		a.tq, a.tk = max(a.tq, s.Tq), max(a.tk, s.Tk)
		a.seqs = append(a.seqs, s)
	}
	return nil
}

func (o *AttentionOptions) addBias(a *attention) error {
	t := o.Bias
	if t == nil {
		return nil
	}
	if err := live(a.q, t); err != nil {
		return fmt.Errorf("bias: %w", err)
	}
	want := []int{a.b, a.h, a.tq, a.tk}
	ok := t.dtype == Float32 && len(t.shape) == 4 && t.shape[3] == a.tk && (a.tk == 1 || t.strides[3] == 1)
	for i := 0; ok && i < 3; i++ {
		ok = t.shape[i] == 1 || t.shape[i] == want[i]
	}
	if !ok {
		return fmt.Errorf("bias %s with strides %s: want f32 %s, the first three may be 1, the last stride is 1", t, dims(t.strides), dims(want))
	}
	a.bias = t
	return nil
}
