//go:build cgo

package host

/*
#cgo CFLAGS: -O3 -Wall
#cgo LDFLAGS: -lm
#include "host.h"

// The masks of the operating system are part of what these builtins check.
static int attune_has_avx2(void) { __builtin_cpu_init(); return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c"); }
static int attune_has_avx512(void)
{
	__builtin_cpu_init();
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
}

// One entry for both instruction sets: wide says AVX-512.
#define PICK(name, ...) (wide ? attune_##name##_avx512(__VA_ARGS__) : attune_##name##_avx2(__VA_ARGS__))

static int64_t gemm_space(int wide) { return wide ? attune_gemm_space_avx512() : attune_gemm_space_avx2(); }
static int64_t attention_space(int wide, int64_t tk, int64_t d) { return PICK(attention_space, tk, d); }
static int64_t attention_grad_space(int wide, int64_t tk, int64_t d) { return PICK(attention_grad_space, tk, d); }

static void gemm(int wide, int64_t m, int64_t n, int64_t k, const float *a, int64_t ars, int64_t acs,
	const float *b, int64_t brs, int64_t bcs, float *c, int64_t ldc, int add, float *ws)
{ PICK(gemm, m, n, k, a, ars, acs, b, brs, bcs, c, ldc, add, ws); }
static void attention(int wide, const attune_head *h, const float *q, const float *k, const float *v, const float *bias, float *o, float *lse, float *ws)
{ PICK(attention, h, q, k, v, bias, o, lse, ws); }
static void attention_weights(int wide, const attune_head *h, const float *q, const float *k, const float *bias, const float *lse, float *w, float *ws)
{ PICK(attention_weights, h, q, k, bias, lse, w, ws); }
static int64_t attention_grad_width(int wide, int64_t d) { return PICK(attention_grad_width, d); }
static void attention_grad(int wide, const attune_head *h, const float *q, const float *k, const float *v, const float *bias,
	const float *o, const float *go, const float *lse, float *gq, float *gk, float *gv, float *ws)
{ PICK(attention_grad, h, q, k, v, bias, o, go, lse, gq, gk, gv, ws); }
static void decode(int wide, const attune_head *h, const float *q, const float *k, const float *v, const float *bias, float *o, float *state, float *ws)
{ PICK(decode, h, q, k, v, bias, o, state, ws); }
static void add(int wide, int64_t n, float *y, const float *x) { PICK(add, n, y, x); }
static void add_bias(int wide, int64_t rows, int64_t n, float *y, const float *x, const float *b) { PICK(add_bias, rows, n, y, x, b); }
static void sum_rows(int wide, int64_t rows, int64_t n, int64_t j0, int64_t j1, float *s, const float *x, float scale)
{ PICK(sum_rows, rows, n, j0, j1, s, x, scale); }
static void relu(int wide, int64_t n, float *y, const float *x) { PICK(relu, n, y, x); }
static void relu_grad(int wide, int64_t n, float *dx, const float *x, const float *dy) { PICK(relu_grad, n, dx, x, dy); }
static void gelu(int wide, int64_t n, float *y, const float *x) { PICK(gelu, n, y, x); }
static void gelu_grad(int wide, int64_t n, float *dx, const float *x, const float *dy) { PICK(gelu_grad, n, dx, x, dy); }
static void layernorm(int wide, int64_t rows, int64_t n, float *y, float *mean, float *rstd, const float *x, const float *g, const float *b, float eps)
{ PICK(layernorm, rows, n, y, mean, rstd, x, g, b, eps); }
static void layernorm_grad(int wide, int64_t rows, int64_t n, float *dx, const float *x, const float *dy, const float *g, const float *mean, const float *rstd)
{ PICK(layernorm_grad, rows, n, dx, x, dy, g, mean, rstd); }
static void layernorm_params(int wide, int64_t rows, int64_t n, int64_t j0, int64_t j1, float *dg, float *db, const float *x, const float *dy, const float *mean, const float *rstd)
{ PICK(layernorm_params, rows, n, j0, j1, dg, db, x, dy, mean, rstd); }

#cgo noescape gemm
#cgo nocallback gemm
#cgo noescape attention
#cgo nocallback attention
#cgo noescape attention_grad
#cgo nocallback attention_grad
#cgo noescape attention_weights
#cgo nocallback attention_weights
#cgo noescape decode
#cgo nocallback decode
*/
import "C"

import "unsafe"

// native lists the instruction sets that the processor and the system both have.
func native() []ISA {
	var out []ISA
	if C.attune_has_avx2() != 0 {
		out = append(out, AVX2)
		if C.attune_has_avx512() != 0 {
			out = append(out, AVX512)
		}
	}
	return out
}

// vector is the C form; wide says AVX-512, otherwise AVX2.
type vector struct{ wide C.int }

func nativeKernels(isa ISA) kernels {
	if isa == AVX512 {
		return vector{1}
	}
	return vector{0}
}

func f(x []float32) *C.float { return (*C.float)(unsafe.Pointer(unsafe.SliceData(x))) }
func n(x int) C.int64_t      { return C.int64_t(x) }

func flag(b bool) C.int {
	if b {
		return 1
	}
	return 0
}

func (k vector) gemmSpace() int               { return int(C.gemm_space(k.wide)) }
func (k vector) attentionSpace(tk, d int) int { return int(C.attention_space(k.wide, n(tk), n(d))) }
func (k vector) attentionGradSpace(tk, d int) int {
	return int(C.attention_grad_space(k.wide, n(tk), n(d)))
}

func (k vector) gemm(c, a, b Matrix, add bool, ws []float32) {
	C.gemm(k.wide, n(c.Rows), n(c.Cols), n(a.Cols), f(a.Data), n(a.RowStride), n(a.ColStride),
		f(b.Data), n(b.RowStride), n(b.ColStride), f(c.Data), n(c.RowStride), flag(add), f(ws))
}

// numbers fills the C form of a head's numbers.
func (h *head) numbers() C.attune_head {
	return C.attune_head{
		ldq: n(h.ldq), ldk: n(h.ldk), ldv: n(h.ldv), ldo: n(h.ldo), ldgo: n(h.lddo), ldgq: n(h.lddq), ldb: n(h.ldb),
		tq: n(h.tq), tk: n(h.tk), d: n(h.d), q0: n(h.q0), q1: n(h.q1), k0: n(h.k0), k1: n(h.k1),
		shift: n(h.shift), left: n(h.left), right: n(h.right), first: n(h.first),
		scale: C.float(h.scale), slope: C.float(h.slope), rest: C.float(65536 / float32(65536-h.drop)),
		drop: C.uint32_t(h.drop), seed0: C.uint32_t(h.seed), seed1: C.uint32_t(h.seed >> 32), number: C.uint32_t(h.number),
	}
}

func (k vector) attention(h *head, ws []float32) {
	c := h.numbers()
	C.attention(k.wide, &c, f(h.q), f(h.k), f(h.v), f(h.bias), f(h.out), f(h.lse), f(ws))
}

func (k vector) attentionWeights(h *head, w, ws []float32) {
	c := h.numbers()
	C.attention_weights(k.wide, &c, f(h.q), f(h.k), f(h.bias), f(h.lse), f(w), f(ws))
}

func (k vector) attentionGradWidth(d int) int { return int(C.attention_grad_width(k.wide, n(d))) }

func (k vector) attentionGrad(h *head, ws []float32) {
	c := h.numbers()
	C.attention_grad(k.wide, &c, f(h.q), f(h.k), f(h.v), f(h.bias), f(h.out), f(h.dOut), f(h.lse), f(h.dQ), f(h.gk), f(h.gv), f(ws))
}

func (k vector) decode(h *head, o, state, ws []float32) {
	c := h.numbers()
	C.decode(k.wide, &c, f(h.q), f(h.k), f(h.v), f(h.bias), f(o), f(state), f(ws))
}

func (k vector) add(y, x []float32) { C.add(k.wide, n(len(y)), f(y), f(x)) }

func (k vector) addBias(rows, cols int, y, x, b []float32) {
	C.add_bias(k.wide, n(rows), n(cols), f(y), f(x), f(b))
}

func (k vector) sumRows(rows, cols, j0, j1 int, s, x []float32, scale float32) {
	C.sum_rows(k.wide, n(rows), n(cols), n(j0), n(j1), f(s), f(x), C.float(scale))
}

func (k vector) relu(y, x []float32)          { C.relu(k.wide, n(len(y)), f(y), f(x)) }
func (k vector) reluGrad(dx, x, dy []float32) { C.relu_grad(k.wide, n(len(x)), f(dx), f(x), f(dy)) }
func (k vector) gelu(y, x []float32)          { C.gelu(k.wide, n(len(y)), f(y), f(x)) }
func (k vector) geluGrad(dx, x, dy []float32) { C.gelu_grad(k.wide, n(len(x)), f(dx), f(x), f(dy)) }

func (k vector) layerNorm(rows, cols int, y, mean, rstd, x, gain, bias []float32, eps float32) {
	C.layernorm(k.wide, n(rows), n(cols), f(y), f(mean), f(rstd), f(x), f(gain), f(bias), C.float(eps))
}

func (k vector) layerNormGrad(rows, cols int, dx, x, dy, gain, mean, rstd []float32) {
	C.layernorm_grad(k.wide, n(rows), n(cols), f(dx), f(x), f(dy), f(gain), f(mean), f(rstd))
}

func (k vector) layerNormParams(rows, cols, j0, j1 int, dGain, dBias, x, dy, mean, rstd []float32) {
	C.layernorm_params(k.wide, n(rows), n(cols), n(j0), n(j1), f(dGain), f(dBias), f(x), f(dy), f(mean), f(rstd))
}
