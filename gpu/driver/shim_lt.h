// The part of cuBLASLt that attune uses, found at run time (cuBLASLt API reference; the
// numbers are those of its enumerations). There is no static state.
#include <stddef.h>
#include <stdint.h>

#define ATTUNE_LT_SYMBOLS(X) \
	X(version, "cublasLtGetVersion", size_t, (void)) \
	X(create, "cublasLtCreate", int, (void **)) \
	X(destroy, "cublasLtDestroy", int, (void *)) \
	X(op_create, "cublasLtMatmulDescCreate", int, (void **, int, int)) \
	X(op_destroy, "cublasLtMatmulDescDestroy", int, (void *)) \
	X(op_set, "cublasLtMatmulDescSetAttribute", int, (void *, int, const void *, size_t)) \
	X(layout_create, "cublasLtMatrixLayoutCreate", int, (void **, int, uint64_t, uint64_t, int64_t)) \
	X(layout_destroy, "cublasLtMatrixLayoutDestroy", int, (void *)) \
	X(wish_create, "cublasLtMatmulPreferenceCreate", int, (void **)) \
	X(wish_destroy, "cublasLtMatmulPreferenceDestroy", int, (void *)) \
	X(wish_set, "cublasLtMatmulPreferenceSetAttribute", int, (void *, int, const void *, size_t)) \
	X(heuristic, "cublasLtMatmulAlgoGetHeuristic", int, (void *, void *, void *, void *, void *, void *, void *, int, void *, int *)) \
	X(matmul, "cublasLtMatmul", int, (void *, void *, const void *, const void *, void *, const void *, void *, const void *, const void *, void *, void *, void *, const void *, void *, size_t, void *))

typedef struct {
	void *library, *handle;
#define X(field, symbol, result, args) result(*field) args;
	ATTUNE_LT_SYMBOLS(X)
#undef X
} attune_lt;

// What a product is: C (m, n) = or += A (m, k) B (k, n), + bias (n); rows of C, and of A
// and B or, turned, their columns, lie ldc, lda and ldb elements apart. Types are 0
// float32, 2 float16, 14 bfloat16 (cudaDataType_t).
typedef struct {
	int type, out, turned_a, turned_b, bias;
	uint64_t m, n, k;
	int64_t lda, ldb, ldc;
} attune_lt_product;

// A product prepared. The algorithm is the library's own 64 bytes.
typedef struct {
	void *op, *a, *b, *c;
	uint64_t algorithm[8];
	size_t workspace;
} attune_lt_plan;

// 0; or 1 no library, 2 a missing symbol (why says which); or 3 where the library does
// not start (why holds its status).
int attune_lt_open(attune_lt *l, const char *path, char *why, size_t size);
void attune_lt_close(attune_lt *l);
// A status of the library; -1 where it knows no way.
int attune_lt_prepare(attune_lt *l, attune_lt_plan *p, const attune_lt_product *x, size_t workspace);
void attune_lt_drop(attune_lt *l, attune_lt_plan *p);
int attune_lt_run(attune_lt *l, attune_lt_plan *p, uint64_t c, uint64_t a, uint64_t b, uint64_t bias, int add, uint64_t workspace);
