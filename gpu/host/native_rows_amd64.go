//go:build cgo

package host

/*
#include "host.h"

#define PICK(name, ...) (wide ? attune_##name##_avx512(__VA_ARGS__) : attune_##name##_avx2(__VA_ARGS__))

static void each(int wide, int op, int64_t n, float *y, const float *a, const float *b, float s) { PICK(each, op, n, y, a, b, s); }
static void add_bias(int wide, int64_t rows, int64_t n, float *y, const float *x, const float *b) { PICK(add_bias, rows, n, y, x, b); }
static void sum_rows(int wide, int64_t rows, int64_t n, int64_t j0, int64_t j1, float *s, const float *x, float scale)
{ PICK(sum_rows, rows, n, j0, j1, s, x, scale); }
static float sum(int wide, int64_t n, const float *x) { return PICK(sum, n, x); }
static void norm(int wide, int64_t rows, int64_t n, float *y, float *mean, float *rstd, const float *x, const float *g, const float *b, float eps)
{ PICK(norm, rows, n, y, mean, rstd, x, g, b, eps); }
static void norm_grad(int wide, int64_t rows, int64_t n, float *dx, const float *x, const float *dy, const float *g, const float *mean, const float *rstd)
{ PICK(norm_grad, rows, n, dx, x, dy, g, mean, rstd); }
static void norm_params(int wide, int64_t rows, int64_t n, int64_t j0, int64_t j1, float *dg, float *db, const float *x, const float *dy, const float *mean, const float *rstd)
{ PICK(norm_params, rows, n, j0, j1, dg, db, x, dy, mean, rstd); }
static void softmax(int wide, int64_t rows, int64_t n, float *y, const float *x, int log) { PICK(softmax, rows, n, y, x, log); }
static void softmax_grad(int wide, int64_t rows, int64_t n, float *dx, const float *y, const float *dy, int log)
{ PICK(softmax_grad, rows, n, dx, y, dy, log); }
static void cross_entropy(int wide, int64_t rows, int64_t n, float *loss, float *lse, const float *x, const int32_t *labels, const float *targets)
{ PICK(cross_entropy, rows, n, loss, lse, x, labels, targets); }
static void cross_entropy_grad(int wide, int64_t rows, int64_t n, float *dx, const float *x, const int32_t *labels, const float *targets,
	const float *lse, const float *dl, int64_t count, float scale)
{ PICK(cross_entropy_grad, rows, n, dx, x, labels, targets, lse, dl, count, scale); }
static void loss(int wide, int kind, int64_t rows, int64_t n, float *l, const float *x, const float *t, float delta)
{ PICK(loss, kind, rows, n, l, x, t, delta); }
static void loss_grad(int wide, int kind, int64_t rows, int64_t n, float *dx, const float *x, const float *t, const float *dl, int64_t count,
	float scale, float delta)
{ PICK(loss_grad, kind, rows, n, dx, x, t, dl, count, scale, delta); }
static void scatter(int wide, int64_t count, int64_t vocabulary, int64_t n, int64_t j0, int64_t j1, float *table, const float *y, const int32_t *ids)
{ PICK(scatter, count, vocabulary, n, j0, j1, table, y, ids); }
static void drop_values(int wide, int64_t n, float *y, const float *x, int add, uint32_t drop, float rest, uint32_t seed0, uint32_t seed1,
	uint32_t op, uint32_t example, uint32_t high, uint64_t at)
{ PICK(drop_values, n, y, x, add, drop, rest, seed0, seed1, op, example, high, at); }

#cgo noescape each
#cgo nocallback each
#cgo noescape add_bias
#cgo nocallback add_bias
#cgo noescape sum_rows
#cgo nocallback sum_rows
#cgo noescape sum
#cgo nocallback sum
#cgo noescape norm
#cgo nocallback norm
#cgo noescape norm_grad
#cgo nocallback norm_grad
#cgo noescape norm_params
#cgo nocallback norm_params
#cgo noescape softmax
#cgo nocallback softmax
#cgo noescape softmax_grad
#cgo nocallback softmax_grad
#cgo noescape cross_entropy
#cgo nocallback cross_entropy
#cgo noescape cross_entropy_grad
#cgo nocallback cross_entropy_grad
#cgo noescape loss
#cgo nocallback loss
#cgo noescape loss_grad
#cgo nocallback loss_grad
#cgo noescape scatter
#cgo nocallback scatter
#cgo noescape drop_values
#cgo nocallback drop_values
*/
import "C"

import "unsafe"

func i32(x []int32) *C.int32_t { return (*C.int32_t)(unsafe.Pointer(unsafe.SliceData(x))) }

func (k vector) each(op Op, y, a, b []float32, s float32) {
	C.each(k.wide, C.int(op), n(len(y)), f(y), f(a), f(b), C.float(s))
}

func (k vector) addBias(rows, cols int, y, x, b []float32) {
	C.add_bias(k.wide, n(rows), n(cols), f(y), f(x), f(b))
}

func (k vector) sumRows(rows, cols, j0, j1 int, s, x []float32, scale float32) {
	if cols == 1 && j1 == 1 { // the rows lie side by side
		s[0] += scale * float32(C.sum(k.wide, n(rows), f(x)))
		return
	}
	C.sum_rows(k.wide, n(rows), n(cols), n(j0), n(j1), f(s), f(x), C.float(scale))
}

func (k vector) norm(rows, cols int, y, mean, rstd, x, gain, bias []float32, eps float32) {
	C.norm(k.wide, n(rows), n(cols), f(y), f(mean), f(rstd), f(x), f(gain), f(bias), C.float(eps))
}

func (k vector) normGrad(rows, cols int, dx, x, dy, gain, mean, rstd []float32) {
	C.norm_grad(k.wide, n(rows), n(cols), f(dx), f(x), f(dy), f(gain), f(mean), f(rstd))
}

func (k vector) normParams(rows, cols, j0, j1 int, dGain, dBias, x, dy, mean, rstd []float32) {
	C.norm_params(k.wide, n(rows), n(cols), n(j0), n(j1), f(dGain), f(dBias), f(x), f(dy), f(mean), f(rstd))
}

func (k vector) softmax(rows, cols int, y, x []float32, log bool) {
	C.softmax(k.wide, n(rows), n(cols), f(y), f(x), flag(log))
}

func (k vector) softmaxGrad(rows, cols int, dx, y, dy []float32, log bool) {
	C.softmax_grad(k.wide, n(rows), n(cols), f(dx), f(y), f(dy), flag(log))
}

func (k vector) crossEntropy(rows, cols int, loss, lse, x []float32, labels []int32, targets []float32) {
	C.cross_entropy(k.wide, n(rows), n(cols), f(loss), f(lse), f(x), i32(labels), f(targets))
}

func (k vector) crossEntropyGrad(rows, cols int, dx, x []float32, labels []int32, targets, lse, dLoss []float32, scale float32) {
	C.cross_entropy_grad(k.wide, n(rows), n(cols), f(dx), f(x), i32(labels), f(targets), f(lse), f(dLoss), n(len(dLoss)), C.float(scale))
}

func (k vector) loss(kind LossKind, rows, cols int, loss, x, t []float32, delta float32) {
	C.loss(k.wide, C.int(kind), n(rows), n(cols), f(loss), f(x), f(t), C.float(delta))
}

func (k vector) lossGrad(kind LossKind, rows, cols int, dx, x, t, dLoss []float32, scale, delta float32) {
	C.loss_grad(k.wide, C.int(kind), n(rows), n(cols), f(dx), f(x), f(t), f(dLoss), n(len(dLoss)), C.float(scale), C.float(delta))
}

func (k vector) scatter(cols, j0, j1 int, table, y []float32, ids []int32) {
	C.scatter(k.wide, n(len(ids)), n(len(table)/cols), n(cols), n(j0), n(j1), f(table), f(y), i32(ids))
}

func (k vector) dropout(y, x []float32, add bool, m *Mask, example uint64, at int) {
	C.drop_values(k.wide, n(len(x)), f(y), f(x), flag(add), C.uint32_t(m.Drop), C.float(65536/float32(65536-m.Drop)), C.uint32_t(m.Seed), C.uint32_t(m.Seed>>32),
		C.uint32_t(m.Op), C.uint32_t(example), C.uint32_t(example>>32)<<1|1, C.uint64_t(at))
}
