// What Go calls: each kernel once per instruction set. The kernels' own files say
// what they do. No function keeps state of its own.
#include <stdint.h>

#define DECLARE(isa) \
	int64_t attune_gemm_space_##isa(void); \
	void attune_gemm_##isa(int64_t m, int64_t n, int64_t k, const float *a, int64_t ars, int64_t acs, \
		const float *b, int64_t brs, int64_t bcs, float *c, int64_t ldc, int add, float *ws); \
	int64_t attune_attention_space_##isa(int64_t tk, int64_t d); \
	void attune_attention_##isa(const float *q, int64_t ldq, const float *k, int64_t ldk, const float *v, int64_t ldv, \
		float *o, int64_t ldo, float *lse, float *w, int64_t q0, int64_t q1, int64_t tq, int64_t tk, int64_t d, \
		float scale, int causal, float *ws); \
	int64_t attune_attention_grad_space_##isa(int64_t tk, int64_t d); \
	void attune_attention_grad_##isa(const float *q, int64_t ldq, const float *k, int64_t ldk, const float *v, int64_t ldv, \
		const float *o, int64_t ldo, const float *go, int64_t ldgo, const float *lse, \
		float *dq, int64_t lddq, float *dk, int64_t lddk, float *dv, int64_t lddv, \
		int64_t tq, int64_t tk, int64_t d, float scale, int causal, float *ws); \
	void attune_adam_##isa(int64_t n, float *x, const float *g, float *m, float *v, \
		float b1, float b2, float rate, float c2, float eps, float keep); \
	void attune_add_##isa(int64_t n, float *y, const float *x); \
	void attune_add_bias_##isa(int64_t rows, int64_t n, float *y, const float *x, const float *b); \
	void attune_sum_rows_##isa(int64_t rows, int64_t n, int64_t j0, int64_t j1, float *s, const float *x, float scale); \
	void attune_relu_##isa(int64_t n, float *y, const float *x); \
	void attune_relu_grad_##isa(int64_t n, float *dx, const float *x, const float *dy); \
	void attune_gelu_##isa(int64_t n, float *y, const float *x); \
	void attune_gelu_grad_##isa(int64_t n, float *dx, const float *x, const float *dy); \
	void attune_layernorm_##isa(int64_t rows, int64_t n, float *y, float *mean, float *rstd, const float *x, \
		const float *g, const float *b, float eps); \
	void attune_layernorm_grad_##isa(int64_t rows, int64_t n, float *dx, const float *x, const float *dy, \
		const float *g, const float *mean, const float *rstd); \
	void attune_layernorm_params_##isa(int64_t rows, int64_t n, int64_t j0, int64_t j1, float *dg, float *db, \
		const float *x, const float *dy, const float *mean, const float *rstd);

DECLARE(avx2)
DECLARE(avx512)
