package host

import (
	"fmt"
	"math"
)

// Where few queries meet many keys, as when a model writes one token after the
// other, keys are cut into splits of splitKeys, each done in blocks of blockKeys
// for all queries of a key head, and the splits are merged (flash decoding, Dao et
// al. 2023).
const (
	fewQueries = 8
	splitKeys  = 512
	blockKeys  = 64
)

func (a *Attention) few() bool { return a.Tq <= fewQueries && a.Drop == 0 }

// A split leaves for each query D sums of values, its top score and its sum.
func (e *Engine) decode(a *Attention) error {
	group := a.H / a.Kv
	rows, splits := group*a.Tq, max(1, (a.Tk+splitKeys-1)/splitKeys)
	size := rows * (a.D + 2)
	parts, release, err := e.workspace(a.B * a.Kv * splits * size)
	if err != nil {
		return fmt.Errorf("compute attention: %w", err)
	}
	defer release()
	space := blockKeys
	if a.Q.DType != F32 {
		space += (2*blockKeys + rows) * a.D
	}
	err = e.tasks(a.B*a.Kv*splits, a.work(4)*2, space, func(i int, ws []float32) {
		b, kv := i/splits/a.Kv, i/splits%a.Kv
		e.decodeSplit(a, b, kv, i%splits*splitKeys, parts[i*size:(i+1)*size], ws)
	})
	if err == nil {
		err = e.tasks(a.B*a.H, a.B*a.H*a.Tq*splits*a.D, a.D, func(i int, ws []float32) {
			b, h := i/a.H, i%a.H
			for r := range a.Seqs[b].Tq {
				e.merge(a, b, h, r, splits, parts[(b*a.Kv+h/group)*splits*size:], size, ws)
			}
		})
	}
	if err != nil {
		return fmt.Errorf("compute attention: %w", err)
	}
	return nil
}

// decodeSplit does keys from k0 on for all queries of a key head. part is (rows, D),
// then (rows, 2) for top and sum.
func (e *Engine) decodeSplit(a *Attention, b, kv, k0 int, part, ws []float32) {
	group, s := a.H/a.Kv, a.Seqs[b]
	rows := group * a.Tq
	state := part[rows*a.D:]
	clear(part)
	for r := range rows {
		state[2*r] = float32(math.Inf(-1))
	}
	tmp, ws := ws[:blockKeys], ws[blockKeys:]
	var queries []float32
	if a.Q.DType != F32 {
		queries, ws = ws[:rows*a.D], ws[rows*a.D:]
		for g := range group {
			e.widenRows(a.Q, b, kv*group+g, s.Q0, s.Tq, a.D, queries[g*a.Tq*a.D:])
		}
	}
	for end := min(s.Tk, k0+splitKeys); k0 < end; k0 += blockKeys {
		k1 := min(end, k0+blockKeys)
		for r := range rows {
			x := a.head(b, kv*group+r/a.Tq)
			x.q0, x.k0, x.k1 = r%a.Tq, k0, k1
			if x.q0 >= s.Tq {
				continue
			}
			if x.bias != nil {
				x.bias = x.bias[x.q0*x.ldb:]
			}
			if queries == nil {
				x.q, x.k, x.v = x.q[x.q0*x.ldq:], x.k[k0*x.ldk:], x.v[k0*x.ldv:]
			} else {
				rest := ws
				if r == 0 {
					_, rest = e.widenRows(a.K, b, kv, s.K0+k0, k1-k0, a.D, rest)
					e.widenRows(a.V, b, kv, s.K0+k0, k1-k0, a.D, rest)
				}
				x.q, x.k, x.v = queries[r*a.D:], ws, ws[(k1-k0)*a.D:]
				x.ldq, x.ldk, x.ldv = a.D, a.D, a.D
			}
			e.run.decode(&x, part[r*a.D:][:a.D], state[2*r:][:2], tmp)
		}
	}
}

// merge joins the splits of query r of head h: parts is the key head's first.
func (e *Engine) merge(a *Attention, b, h, r, splits int, parts []float32, size int, out []float32) {
	group, s := a.H/a.Kv, a.Seqs[b]
	row := h%group*a.Tq + r
	top := math.Inf(-1)
	states := group * a.Tq * a.D
	for p := range splits {
		// Written so that NaN comes through.
		if x := float64(parts[p*size+states+2*row]); !(x <= top) {
			top = x
		}
	}
	clear(out)
	sum := 0.0
	for p := range splits {
		x := float64(parts[p*size+states+2*row])
		if math.IsInf(x, -1) {
			continue
		}
		f := math.Exp2(x - top)
		sum += f * float64(parts[p*size+states+2*row+1])
		axpy(out, float32(f), parts[p*size+row*a.D:])
	}
	lse := math.Inf(-1)
	if sum != 0 {
		lse = math.Ln2 * (top + math.Log2(sum))
		for d := range out {
			out[d] /= float32(sum)
		}
	}
	a.LSE[b*a.LSEBatch+h*a.LSEHead+s.Q0+r] = float32(lse)
	e.store(a.Out, b, h, s.Q0+r, a.D, out)
}
