// What Go calls: each kernel once per instruction set. The kernels' own files say
// what they do. No function keeps state of its own.
#pragma once
#include <stdint.h>

// The numbers of one head's attention; the arrays come beside it. Strides are in
// elements.
typedef struct {
	int64_t ldq, ldk, ldv, ldo;           // rows of query, key, value, output
	int64_t ldgo, ldgq;                   // rows of their gradients
	int64_t ldb;                          // rows of the bias; 0 where all share one
	int64_t tq, tk, d;
	int64_t q0, q1;                       // the queries to do
	int64_t k0, k1;                       // the keys to do (backward)
	int64_t shift, left, right;           // query i sees keys i + shift - left … i + shift + right
	int64_t first;                        // what dropout's counter calls query 0
	float scale, slope;                   // of the scores; of ALiBi
	float rest;                           // dropout scales what is left by this
	uint32_t drop, seed0, seed1, number;  // dropout, of 65536; Philox key; batch * heads + head
} attune_head;

#define DECLARE(isa) \
	int64_t attune_gemm_space_##isa(int64_t m, int64_t n, int half); \
	void attune_gemm_##isa(int64_t m, int64_t n, int64_t k, int t, const void *a, int64_t ars, int64_t acs, \
		const void *b, int64_t brs, int64_t bcs, int ct, void *c, int64_t ldc, int add, const float *bias, float *ws); \
	int64_t attune_attention_space_##isa(int64_t tk, int64_t d); \
	void attune_attention_##isa(const attune_head *h, const float *q, const float *k, const float *v, \
		const float *bias, float *o, float *lse, float *ws); \
	void attune_attention_weights_##isa(const attune_head *h, const float *q, const float *k, \
		const float *bias, const float *lse, float *w, float *ws); \
	int64_t attune_attention_grad_space_##isa(int64_t keys, int64_t d); \
	int64_t attune_attention_grad_width_##isa(int64_t d); \
	void attune_attention_grad_##isa(const attune_head *h, const float *q, const float *k, const float *v, \
		const float *bias, const float *o, const float *go, const float *lse, \
		float *gq, float *gk, float *gv, float *ws); \
	void attune_decode_##isa(const attune_head *h, const float *q, const float *k, const float *v, \
		const float *bias, float *o, float *state, float *ws);

DECLARE(avx2)
DECLARE(avx512)

// gemm of two matrices of bfloat16; the workspace is that of avx512.
void attune_gemm_avx512bf16(int64_t m, int64_t n, int64_t k, int t, const void *a, int64_t ars, int64_t acs,
	const void *b, int64_t brs, int64_t bcs, int ct, void *c, int64_t ldc, int add, const float *bias, float *ws);

// Elementwise kernels, as Op in each.go numbers them.
enum {
	OP_FILL, OP_SCALE, OP_ADD_SCALED, OP_MUL, OP_ADD_MUL, OP_RELU, OP_RELU_GRAD, OP_GELU, OP_GELU_GRAD,
	OP_SILU, OP_SILU_GRAD, OP_TANH, OP_TANH_GRAD, OP_SIGMOID, OP_SIGMOID_GRAD
};

// Losses, as LossKind in rows.go numbers them.
enum { LOSS_SQUARED, LOSS_BINARY, LOSS_HUBER };

#define DECLARE_LAYERS(isa) \
	void attune_each_##isa(int op, int64_t n, float *y, const float *a, const float *b, float s); \
	void attune_add_bias_##isa(int64_t rows, int64_t n, float *y, const float *x, const float *b); \
	void attune_sum_rows_##isa(int64_t rows, int64_t n, int64_t j0, int64_t j1, float *s, const float *x, float scale); \
	float attune_sum_##isa(int64_t n, const float *x); \
	void attune_norm_##isa(int64_t rows, int64_t n, float *y, float *mean, float *rstd, const float *x, \
		const float *g, const float *b, float eps); \
	void attune_norm_grad_##isa(int64_t rows, int64_t n, float *dx, const float *x, const float *dy, \
		const float *g, const float *mean, const float *rstd); \
	void attune_norm_params_##isa(int64_t rows, int64_t n, int64_t j0, int64_t j1, float *dg, float *db, \
		const float *x, const float *dy, const float *mean, const float *rstd); \
	void attune_softmax_##isa(int64_t rows, int64_t n, float *y, const float *x, int log); \
	void attune_softmax_grad_##isa(int64_t rows, int64_t n, float *dx, const float *y, const float *dy, int log); \
	void attune_cross_entropy_##isa(int64_t rows, int64_t n, float *loss, float *lse, const float *x, const int32_t *labels, \
		const float *targets); \
	void attune_cross_entropy_grad_##isa(int64_t rows, int64_t n, float *dx, const float *x, const int32_t *labels, \
		const float *targets, const float *lse, const float *dl, int64_t count, float scale); \
	void attune_loss_##isa(int kind, int64_t rows, int64_t n, float *loss, const float *x, const float *t, float delta); \
	void attune_loss_grad_##isa(int kind, int64_t rows, int64_t n, float *dx, const float *x, const float *t, \
		const float *dl, int64_t count, float scale, float delta); \
	void attune_scatter_##isa(int64_t count, int64_t vocabulary, int64_t n, int64_t j0, int64_t j1, float *table, const float *y, \
		const int32_t *ids); \
	void attune_drop_values_##isa(int64_t n, float *y, const float *x, int add, uint32_t drop, float rest, uint32_t seed0, uint32_t seed1, \
		uint32_t op, uint32_t example, uint32_t high, uint64_t at);

DECLARE_LAYERS(avx2)
DECLARE_LAYERS(avx512)

// The strips of convolutions, pools and batch norms: as the structs of those names in
// conv.go and image.go say. rows are a band's, first is the row that the first tap of
// row 0 sees.
typedef struct { int64_t sh, sw, kh, kw, th, tw, mul, div, off, step, phases, high, plane, rows, first; } attune_strips;
typedef struct { int64_t h, w, oh, ow, kernel, stride, pad; } attune_pool;
typedef struct { int64_t n, c, inner; int train; float eps, momentum; } attune_batch;

#define DECLARE_IMAGES(isa) \
	void attune_conv_pack_##isa(float *to, const float *w, int64_t m, int64_t count, int64_t inner, int64_t outer, int64_t row); \
	void attune_conv_strips_##isa(const attune_strips *g, int64_t channels, int64_t h0, int64_t rows, const float *x, float *to); \
	void attune_conv_##isa(const attune_strips *g, const int32_t *offsets, int64_t m, int64_t channels, int64_t block, int64_t h0, int64_t rows, \
		const float *a, const float *x, float *y, const float *bias, int fill, float *ws); \
	void attune_conv_dots_##isa(const attune_strips *g, const int32_t *offsets, int64_t m, int64_t n, int64_t images, int64_t p, const float *a, \
		int64_t apart, const float *strips, int64_t further, float *c, int64_t ldc); \
	void attune_conv_bias_##isa(int64_t n, int64_t channels, int64_t columns, int64_t lo, int64_t hi, float *db, const float *dy); \
	void attune_max_pool_##isa(const attune_pool *p, int64_t planes, float *y, const float *x); \
	void attune_max_pool_grad_##isa(const attune_pool *p, int64_t planes, float *dx, const float *x, const float *dy); \
	void attune_average_pool_##isa(const attune_pool *p, int64_t planes, float *y, const float *x); \
	void attune_average_pool_grad_##isa(const attune_pool *p, int64_t planes, float *dx, const float *dy); \
	void attune_batch_norm_##isa(const attune_batch *b, int64_t lo, int64_t hi, float *y, float *mean, float *rstd, const float *x, \
		const float *g, const float *bias, float *rm, float *rv); \
	void attune_batch_norm_grad_##isa(const attune_batch *b, int64_t lo, int64_t hi, float *dx, float *dg, float *db, const float *x, \
		const float *dy, const float *g, const float *mean, const float *rstd);

DECLARE_IMAGES(avx2)
DECLARE_IMAGES(avx512)
