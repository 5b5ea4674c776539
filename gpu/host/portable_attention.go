package host

import "math"

// attentionSpace is one row of scores and one of dropout's factors.
func (portable) attentionSpace(tk, _ int) int { return 2 * tk }

func (portable) attention(h *head, ws []float32) {
	for i := h.q0; i < h.q1; i++ {
		out := h.out[i*h.ldo:][:h.d]
		clear(out)
		lo, hi := h.seen(i)
		p := ws[:hi-lo]
		h.lse[i] = h.softmax(i, lo, p)
		h.dropout(i, lo, p, ws[h.tk:])
		for j, w := range p {
			axpy(out, w, h.v[(lo+j)*h.ldv:])
		}
	}
}

func (portable) attentionWeights(h *head, w, _ []float32) {
	clear(w)
	for i := h.q0; i < h.q1; i++ {
		lo, hi := h.seen(i)
		for j := lo; j < hi && !math.IsInf(float64(h.lse[i]), -1); j++ {
			w[(i-h.q0)*h.tk+j] = exp(h.score(i, j) - h.lse[i])
		}
	}
}

// score is query i's score of key j.
func (h *head) score(i, j int) float32 {
	s := h.scale * dot(h.k[j*h.ldk:], h.q[i*h.ldq:][:h.d])
	if h.bias != nil {
		s += h.bias[i*h.ldb+j]
	}
	if h.slope != 0 {
		s -= h.slope * float32(math.Abs(float64(j-i-h.shift)))
	}
	return s
}

// softmax fills p with query i's weights of the keys from lo on and returns its
// logsumexp.
func (h *head) softmax(i, lo int, p []float32) float32 {
	top := float32(math.Inf(-1))
	for j := range p {
		p[j] = h.score(i, lo+j)
		top = max(top, p[j])
	}
	if math.IsInf(float64(top), -1) {
		clear(p)
		return top
	}
	var sum float32
	for j := range p {
		p[j] = exp(p[j] - top)
		sum += p[j]
	}
	for j := range p {
		p[j] /= sum
	}
	return top + float32(math.Log(float64(sum)))
}

// dropout multiplies x, query i's values of the keys from lo on, with the factors
// of a counter-based generator: eight keys a call, sixteen bits each.
func (h *head) dropout(i, lo int, x, factors []float32) {
	if h.drop == 0 {
		return
	}
	rest := 65536 / float32(65536-h.drop)
	var w [4]uint32
	for j := range x {
		if k := lo + j; j == 0 || k%8 == 0 {
			w = philox([4]uint32{uint32(k / 8), uint32(h.first + i), uint32(h.number), 0}, uint32(h.seed), uint32(h.seed>>32))
		}
		factors[j] = rest
		if k := lo + j; int(w[k%8/2]>>(k%2*16)&0xffff) < h.drop {
			factors[j] = 0
		}
		x[j] *= factors[j]
	}
}

// philox is Philox4x32-10 (Salmon et al. 2011).
func philox(c [4]uint32, k0, k1 uint32) [4]uint32 {
	for range 10 {
		p0, p1 := uint64(c[0])*0xD2511F53, uint64(c[2])*0xCD9E8D57
		c = [4]uint32{uint32(p1>>32) ^ c[1] ^ k0, uint32(p1), uint32(p0>>32) ^ c[3] ^ k1, uint32(p0)}
		k0 += 0x9E3779B9
		k1 += 0xBB67AE85
	}
	return c
}

func (portable) attentionGradSpace(keys, _ int) int { return 2 * keys }
func (portable) attentionGradWidth(d int) int       { return d }

func (portable) attentionGrad(h *head, ws []float32) {
	for i := range h.tq {
		q, dq, do := h.q[i*h.ldq:][:h.d], h.dQ[i*h.lddq:][:h.d], h.dOut[i*h.lddo:][:h.d]
		clear(dq)
		lo, hi := h.seen(i)
		lo, hi = max(lo, h.k0), min(hi, h.k1)
		if lo >= hi || math.IsInf(float64(h.lse[i]), -1) {
			continue
		}
		delta := dot(h.out[i*h.ldo:], do)
		ones, factors := ws[:hi-lo], ws[hi-lo:]
		for j := range ones {
			ones[j] = 1
		}
		h.dropout(i, lo, ones, factors)
		for j := lo; j < hi; j++ {
			k, m := h.k[j*h.ldk:][:h.d], ones[j-lo]
			p := exp(h.score(i, j) - h.lse[i])
			ds := h.scale * p * (m*dot(h.v[j*h.ldv:], do) - delta)
			axpy(h.gv[(j-h.k0)*h.d:][:h.d], m*p, do)
			axpy(h.gk[(j-h.k0)*h.d:][:h.d], ds, q)
			axpy(dq, ds, k)
		}
	}
}

// decode does one block of keys for query q0, as the C form does.
func (portable) decode(h *head, o, state, ws []float32) {
	lo, hi := h.seen(h.q0)
	lo, hi = max(lo, h.k0), min(hi, h.k1)
	top := state[0]
	for j := lo; j < hi; j++ {
		far := float32(math.Abs(float64(j - h.q0 - h.shift)))
		s := h.scale * dot(h.k[(j-h.k0)*h.ldk:], h.q[:h.d])
		if h.bias != nil {
			s += h.bias[j]
		}
		if h.slope != 0 {
			s -= h.slope * far
		}
		ws[j-lo] = s / math.Ln2
		top = max(top, ws[j-lo])
	}
	if lo >= hi || math.IsInf(float64(top), -1) {
		return
	}
	fix := float32(math.Exp2(float64(state[0] - top)))
	for d := range o {
		o[d] *= fix
	}
	sum := state[1] * fix
	for j := lo; j < hi; j++ {
		p := float32(math.Exp2(float64(ws[j-lo] - top)))
		sum += p
		axpy(o, p, h.v[(j-h.k0)*h.ldv:])
	}
	state[0], state[1] = top, sum
}
