//go:build linux && cgo

#include "shim_lt.h"
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

int attune_lt_open(attune_lt *l, const char *path, char *why, size_t size)
{
	memset(l, 0, sizeof *l);
	l->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!l->library) {
		const char *text = dlerror();
		snprintf(why, size, "%s", text ? text : path);
		return 1;
	}
#define X(field, symbol, result, args) \
	*(void **)&l->field = dlsym(l->library, symbol); \
	if (!l->field) { \
		snprintf(why, size, "%s", symbol); \
		attune_lt_close(l); \
		return 2; \
	}
	ATTUNE_LT_SYMBOLS(X)
#undef X
	int code = l->create(&l->handle);
	if (code) {
		snprintf(why, size, "status %d", code);
		l->handle = 0;
		attune_lt_close(l);
		return 3;
	}
	return 0;
}

void attune_lt_close(attune_lt *l)
{
	if (l->handle) l->destroy(l->handle);
	if (l->library) dlclose(l->library);
	memset(l, 0, sizeof *l);
}

// cublasLtMatmulHeuristicResult_t.
typedef struct {
	uint64_t algorithm[8];
	size_t workspace;
	int state;
	float waves;
	int reserved[4];
} heuristic_result;

// The library's matrices have columns that lie in one piece, ours rows: it computes
// C^T = B^T A^T, of which our memory holds each as it wants it, so A and B change places.
int attune_lt_prepare(attune_lt *l, attune_lt_plan *p, const attune_lt_product *x, size_t workspace)
{
	void *wish = 0;
	heuristic_result found;
	int code, count = 0, ta = x->turned_b, tb = x->turned_a; // CUBLAS_OP_N is 0, _T 1
	memset(p, 0, sizeof *p);
	memset(&found, 0, sizeof found);
	// CUBLAS_COMPUTE_32F is 68, CUDA_R_32F 0.
	code = l->op_create(&p->op, 68, 0);
	// CUBLASLT_MATMUL_DESC_TRANSA is 3, _TRANSB 4, _EPILOGUE 7; CUBLASLT_EPILOGUE_BIAS is 4.
	if (!code) code = l->op_set(p->op, 3, &ta, sizeof ta);
	if (!code) code = l->op_set(p->op, 4, &tb, sizeof tb);
	if (!code && x->bias) {
		uint32_t bias = 4;
		code = l->op_set(p->op, 7, &bias, sizeof bias);
	}
	if (!code) code = l->layout_create(&p->a, x->type, ta ? x->k : x->n, ta ? x->n : x->k, x->ldb);
	if (!code) code = l->layout_create(&p->b, x->type, tb ? x->m : x->k, tb ? x->k : x->m, x->lda);
	if (!code) code = l->layout_create(&p->c, x->out, x->n, x->m, x->ldc);
	if (!code) code = l->wish_create(&wish);
	// CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES is 1, _MIN_ALIGNMENT_A_BYTES 5 to _D_BYTES 8:
	// tensors may begin at any element.
	if (!code) code = l->wish_set(wish, 1, &workspace, sizeof workspace);
	for (int which = 5; which <= 8; which++) {
		uint32_t bytes = which < 7 ? (x->type ? 2 : 4) : (x->out ? 2 : 4);
		if (!code) code = l->wish_set(wish, which, &bytes, sizeof bytes);
	}
	if (!code) code = l->heuristic(l->handle, p->op, p->a, p->b, p->c, p->c, wish, 1, &found, &count);
	if (!code && count < 1) code = -1;
	if (!code) code = found.state;
	if (wish) l->wish_destroy(wish);
	if (code) {
		attune_lt_drop(l, p);
		return code;
	}
	memcpy(p->algorithm, found.algorithm, sizeof p->algorithm);
	p->workspace = found.workspace;
	return 0;
}

void attune_lt_drop(attune_lt *l, attune_lt_plan *p)
{
	if (p->op) l->op_destroy(p->op);
	if (p->a) l->layout_destroy(p->a);
	if (p->b) l->layout_destroy(p->b);
	if (p->c) l->layout_destroy(p->c);
	memset(p, 0, sizeof *p);
}

int attune_lt_run(attune_lt *l, attune_lt_plan *p, uint64_t c, uint64_t a, uint64_t b, uint64_t bias, int add, uint64_t workspace)
{
	float alpha = 1, beta = add ? 1 : 0;
	if (bias) { // CUBLASLT_MATMUL_DESC_BIAS_POINTER is 8
		const void *at = (const void *)(uintptr_t)bias;
		int code = l->op_set(p->op, 8, &at, sizeof at);
		if (code) return code;
	}
	return l->matmul(l->handle, p->op, &alpha, (void *)(uintptr_t)b, p->a, (void *)(uintptr_t)a, p->b, &beta,
		(void *)(uintptr_t)c, p->c, (void *)(uintptr_t)c, p->c, p->algorithm, (void *)(uintptr_t)workspace, p->workspace, 0);
}
