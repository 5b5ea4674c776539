//go:build cgo

package host

/*
#include "host.h"

#define PICK(name, ...) (wide ? attune_##name##_avx512(__VA_ARGS__) : attune_##name##_avx2(__VA_ARGS__))

static void conv_pack(int wide, float *to, const float *w, int64_t m, int64_t count, int64_t inner, int64_t outer, int64_t row)
{ PICK(conv_pack, to, w, m, count, inner, outer, row); }
static void conv_strips(int wide, const attune_strips *g, int64_t channels, int64_t h0, int64_t rows, const float *x, float *to)
{ PICK(conv_strips, g, channels, h0, rows, x, to); }
static void conv(int wide, const attune_strips *g, const int32_t *offsets, int64_t m, int64_t channels, int64_t block, int64_t h0, int64_t rows,
	const float *a, const float *x, float *y, const float *bias, int fill, float *ws)
{ PICK(conv, g, offsets, m, channels, block, h0, rows, a, x, y, bias, fill, ws); }
static void conv_dots(int wide, const attune_strips *g, const int32_t *offsets, int64_t m, int64_t n, int64_t images, int64_t p, const float *a,
	int64_t apart, const float *strips, int64_t further, float *c, int64_t ldc)
{ PICK(conv_dots, g, offsets, m, n, images, p, a, apart, strips, further, c, ldc); }
static void conv_bias(int wide, int64_t n, int64_t channels, int64_t columns, int64_t lo, int64_t hi, float *db, const float *dy)
{ PICK(conv_bias, n, channels, columns, lo, hi, db, dy); }
static void max_pool(int wide, const attune_pool *p, int64_t planes, float *y, const float *x) { PICK(max_pool, p, planes, y, x); }
static void max_pool_grad(int wide, const attune_pool *p, int64_t planes, float *dx, const float *x, const float *dy) { PICK(max_pool_grad, p, planes, dx, x, dy); }
static void average_pool(int wide, const attune_pool *p, int64_t planes, float *y, const float *x) { PICK(average_pool, p, planes, y, x); }
static void average_pool_grad(int wide, const attune_pool *p, int64_t planes, float *dx, const float *dy) { PICK(average_pool_grad, p, planes, dx, dy); }
static void batch_norm(int wide, const attune_batch *b, int64_t lo, int64_t hi, float *y, float *mean, float *rstd, const float *x, const float *g,
	const float *bias, float *rm, float *rv)
{ PICK(batch_norm, b, lo, hi, y, mean, rstd, x, g, bias, rm, rv); }
static void batch_norm_grad(int wide, const attune_batch *b, int64_t lo, int64_t hi, float *dx, float *dg, float *db, const float *x, const float *dy,
	const float *g, const float *mean, const float *rstd)
{ PICK(batch_norm_grad, b, lo, hi, dx, dg, db, x, dy, g, mean, rstd); }

#cgo noescape conv_pack
#cgo nocallback conv_pack
#cgo noescape conv
#cgo nocallback conv
#cgo noescape conv_strips
#cgo nocallback conv_strips
#cgo noescape conv_dots
#cgo nocallback conv_dots
#cgo noescape conv_bias
#cgo nocallback conv_bias
#cgo noescape max_pool
#cgo nocallback max_pool
#cgo noescape max_pool_grad
#cgo nocallback max_pool_grad
#cgo noescape average_pool
#cgo nocallback average_pool
#cgo noescape average_pool_grad
#cgo nocallback average_pool_grad
#cgo noescape batch_norm
#cgo nocallback batch_norm
#cgo noescape batch_norm_grad
#cgo nocallback batch_norm_grad
*/
import "C"

func (s *strips) numbers() C.attune_strips {
	return C.attune_strips{sh: n(s.sh), sw: n(s.sw), kh: n(s.kh), kw: n(s.kw), th: n(s.th), tw: n(s.tw), mul: n(s.mul), div: n(s.div), off: n(s.off), step: n(s.step),
		phases: n(s.phases), high: n(s.high), plane: n(s.plane), rows: n(s.rows), first: n(s.first)}
}

func (p *Pool) numbers() C.attune_pool {
	return C.attune_pool{h: n(p.H), w: n(p.W), oh: n(p.OutH()), ow: n(p.OutW()), kernel: n(p.Kernel), stride: n(p.Stride), pad: n(p.Pad)}
}

func (b *BatchNorm) numbers() C.attune_batch {
	return C.attune_batch{n: n(b.N), c: n(b.C), inner: n(b.Inner), train: flag(b.Train), eps: C.float(b.Eps), momentum: C.float(b.Momentum)}
}

func (k vector) convPack(to, w []float32, s weights) {
	C.conv_pack(k.wide, f(to), f(w), n(s.m), n(s.count), n(s.inner), n(s.outer), n(s.row))
}

func (k vector) convStrips(s *strips, channels, h0, rows int, x, to []float32) {
	c := s.numbers()
	C.conv_strips(k.wide, &c, n(channels), n(h0), n(rows), f(x), f(to))
}

func (k vector) conv(s *strips, m, channels, block, h0, rows int, packed, x, y, bias []float32, fill bool, ws []float32) {
	c := s.numbers()
	C.conv(k.wide, &c, i32(s.offsets), n(m), n(channels), n(block), n(h0), n(rows), f(packed), f(x), f(y), f(bias), flag(fill), f(ws))
}

func (k vector) convDots(s *strips, m, taps, images, p int, a []float32, apart int, strips []float32, further int, c []float32, ldc int) {
	g := s.numbers()
	C.conv_dots(k.wide, &g, i32(s.offsets), n(m), n(taps), n(images), n(p), f(a), n(apart), f(strips), n(further), f(c), n(ldc))
}

func (k vector) convBias(count, channels, columns, lo, hi int, dBias, dy []float32) {
	C.conv_bias(k.wide, n(count), n(channels), n(columns), n(lo), n(hi), f(dBias), f(dy))
}

func (k vector) maxPool(p *Pool, planes int, y, x []float32) {
	c := p.numbers()
	C.max_pool(k.wide, &c, n(planes), f(y), f(x))
}

func (k vector) maxPoolGrad(p *Pool, planes int, dx, x, dy []float32) {
	c := p.numbers()
	C.max_pool_grad(k.wide, &c, n(planes), f(dx), f(x), f(dy))
}

func (k vector) averagePool(p *Pool, planes int, y, x []float32) {
	c := p.numbers()
	C.average_pool(k.wide, &c, n(planes), f(y), f(x))
}

func (k vector) averagePoolGrad(p *Pool, planes int, dx, dy []float32) {
	c := p.numbers()
	C.average_pool_grad(k.wide, &c, n(planes), f(dx), f(dy))
}

func (k vector) batchNorm(b *BatchNorm, lo, hi int, y, mean, rstd, x, gain, bias, runMean, runVar []float32) {
	c := b.numbers()
	C.batch_norm(k.wide, &c, n(lo), n(hi), f(y), f(mean), f(rstd), f(x), f(gain), f(bias), f(runMean), f(runVar))
}

func (k vector) batchNormGrad(b *BatchNorm, lo, hi int, dx, dGain, dBias, x, dy, gain, mean, rstd []float32) {
	c := b.numbers()
	C.batch_norm_grad(k.wide, &c, n(lo), n(hi), f(dx), f(dGain), f(dBias), f(x), f(dy), f(gain), f(mean), f(rstd))
}
