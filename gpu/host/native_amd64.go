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

static int attune_has_bf16(void) { __builtin_cpu_init(); return __builtin_cpu_supports("avx512bf16"); }

// One entry for both instruction sets: wide says AVX-512.
#define PICK(name, ...) (wide ? attune_##name##_avx512(__VA_ARGS__) : attune_##name##_avx2(__VA_ARGS__))

static int64_t gemm_space(int wide, int64_t m, int64_t n, int half) { return PICK(gemm_space, m, n, half); }
static int64_t attention_space(int wide, int64_t tk, int64_t d) { return PICK(attention_space, tk, d); }
static int64_t attention_grad_space(int wide, int64_t tk, int64_t d) { return PICK(attention_grad_space, tk, d); }

static void gemm(int wide, int64_t m, int64_t n, int64_t k, int t, const void *a, int64_t ars, int64_t acs,
	const void *b, int64_t brs, int64_t bcs, int ct, void *c, int64_t ldc, int add, const float *bias, float *ws)
{ PICK(gemm, m, n, k, t, a, ars, acs, b, brs, bcs, ct, c, ldc, add, bias, ws); }
static void gemm_pairs(int64_t m, int64_t n, int64_t k, int t, const void *a, int64_t ars, int64_t acs,
	const void *b, int64_t brs, int64_t bcs, int ct, void *c, int64_t ldc, int add, const float *bias, float *ws)
{ attune_gemm_avx512bf16(m, n, k, t, a, ars, acs, b, brs, bcs, ct, c, ldc, add, bias, ws); }
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

#cgo noescape gemm
#cgo nocallback gemm
#cgo noescape gemm_pairs
#cgo nocallback gemm_pairs
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
type vector struct {
	portable // what has no C form
	wide     C.int
	pairs    bool // AVX-512 has instructions for products of bfloat16
}

func nativeKernels(isa ISA) kernels {
	if isa == AVX512 {
		return vector{wide: 1, pairs: C.attune_has_bf16() != 0}
	}
	return vector{}
}

func f(x []float32) *C.float { return (*C.float)(unsafe.Pointer(unsafe.SliceData(x))) }
func n(x int) C.int64_t      { return C.int64_t(x) }

func flag(b bool) C.int {
	if b {
		return 1
	}
	return 0
}

func (k vector) gemmSpace(c, _ Matrix) int {
	return int(C.gemm_space(k.wide, n(c.Rows), n(c.Cols), flag(c.DType != F32)))
}
func (k vector) attentionSpace(tk, d int) int { return int(C.attention_space(k.wide, n(tk), n(d))) }
func (k vector) attentionGradSpace(tk, d int) int {
	return int(C.attention_grad_space(k.wide, n(tk), n(d)))
}

func (k vector) gemm(c, a, b Matrix, add bool, bias, ws []float32) {
	if k.pairs && a.DType == BF16 {
		C.gemm_pairs(n(c.Rows), n(c.Cols), n(a.Cols), C.int(a.DType), a.pointer(), n(a.RowStride), n(a.ColStride),
			b.pointer(), n(b.RowStride), n(b.ColStride), C.int(c.DType), c.pointer(), n(c.RowStride), flag(add), f(bias), f(ws))
		return
	}
	C.gemm(k.wide, n(c.Rows), n(c.Cols), n(a.Cols), C.int(a.DType), a.pointer(), n(a.RowStride), n(a.ColStride),
		b.pointer(), n(b.RowStride), n(b.ColStride), C.int(c.DType), c.pointer(), n(c.RowStride), flag(add), f(bias), f(ws))
}

func (m Matrix) pointer() unsafe.Pointer {
	if m.DType != F32 {
		return unsafe.Pointer(unsafe.SliceData(m.Half))
	}
	return unsafe.Pointer(unsafe.SliceData(m.Data))
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
