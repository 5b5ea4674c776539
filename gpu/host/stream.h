// What Go calls of the streaming kernels: each once per instruction set. Element
// types are numbered as in convert.go, steps and their factors are those of
// optim.go.
#include <stdint.h>

enum {
	SGD_PLAIN, SGD_MOMENTUM, SGD_NESTEROV, ADAM, ADAGRAD, RMSPROP, RMSPROP_MOMENTUM, RMSPROP_CENTERED,
	RMSPROP_CENTERED_MOMENTUM, LARS, LAMB_MOMENTS, LAMB_APPLY
};

typedef struct {
	float scale, decay, shrink, rate, momentum, mean, square, correct1, correct2, eps;
} attune_factors;

#define DECLARE_STREAMS(isa) \
	void attune_cast_##isa(void *dst, int dt, const void *src, int st, int64_t n); \
	void attune_cast_rows_##isa(char *dst, int dt, int64_t dl, const char *src, int st, int64_t sl, int64_t rows, int64_t n); \
	double attune_sum_squares_##isa(const void *x, int t, int64_t n); \
	void attune_update_##isa(int kind, const attune_factors *c, int64_t n, float *x, void *half, int ht, \
		const void *g, int gt, float *s0, float *s1, float *s2, double *sums);

DECLARE_STREAMS(avx2)
DECLARE_STREAMS(avx512)
