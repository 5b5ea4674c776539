// A libcublasLt that computes on the CPU, in the memory of the fake driver: the functions
// that attune uses, with the library's own conventions (columns in one piece) and checks.
// FAKELT in the environment: "create", "heuristic" and "matmul" fail with a status,
// "wrong" gives wrong values, "slow" takes its time.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct { int compute, scale, ta, tb; uint32_t epilogue; const void *bias; } op;
typedef struct { int type; uint64_t rows, cols; int64_t ld; } layout;
typedef struct { uint64_t algorithm[8]; size_t workspace; int state; float waves; int reserved[4]; } result;

static int is(const char *what)
{
	const char *e = getenv("FAKELT");
	return e && !strcmp(e, what);
}

size_t cublasLtGetVersion(void) { return 130000; }
int cublasLtCreate(void **h) { return *h = malloc(1), is("create") ? 1 : 0; }
int cublasLtDestroy(void *h) { return free(h), 0; }
int cublasLtMatmulDescCreate(void **d, int compute, int scale)
{
	op *o = calloc(1, sizeof *o);
	o->compute = compute, o->scale = scale;
	return *d = o, compute == 68 && scale == 0 ? 0 : 7;
}
int cublasLtMatmulDescDestroy(void *d) { return free(d), 0; }
int cublasLtMatmulDescSetAttribute(void *d, int which, const void *x, size_t size)
{
	op *o = d;
	switch (which) {
	case 3: return memcpy(&o->ta, x, 4), size == 4 ? 0 : 7;
	case 4: return memcpy(&o->tb, x, 4), size == 4 ? 0 : 7;
	case 7: return memcpy(&o->epilogue, x, 4), size == 4 ? 0 : 7;
	case 8: return memcpy(&o->bias, x, 8), size == 8 ? 0 : 7;
	}
	return 7;
}
int cublasLtMatrixLayoutCreate(void **d, int type, uint64_t rows, uint64_t cols, int64_t ld)
{
	layout *l = calloc(1, sizeof *l);
	*l = (layout){type, rows, cols, ld};
	return *d = l, ld < (int64_t)rows ? 7 : 0;
}
int cublasLtMatrixLayoutDestroy(void *d) { return free(d), 0; }
int cublasLtMatmulPreferenceCreate(void **p) { return *p = calloc(1, 8), 0; }
int cublasLtMatmulPreferenceDestroy(void *p) { return free(p), 0; }
int cublasLtMatmulPreferenceSetAttribute(void *p, int which, const void *x, size_t size)
{
	if (which == 1) memcpy(p, x, 8);
	return which == 1 ? (size == 8 ? 0 : 7) : which >= 5 && which <= 8 && size == 4 ? 0 : 7;
}

// m, n, k of the product where the layouts fit, else a status.
static int fits(const op *o, const layout *a, const layout *b, const layout *c, uint64_t *k)
{
	uint64_t m = o->ta ? a->cols : a->rows, ka = o->ta ? a->rows : a->cols, kb = o->tb ? b->cols : b->rows, n = o->tb ? b->rows : b->cols;
	*k = ka;
	return m == c->rows && n == c->cols && ka == kb && a->type == b->type ? 0 : 7;
}

int cublasLtMatmulAlgoGetHeuristic(void *h, void *o, void *a, void *b, void *c, void *d, void *wish, int want, void *found, int *count)
{
	uint64_t k;
	result r = {{0x17}, 4096, 0, 1, {0}};
	(void)h, (void)d;
	if (is("heuristic")) return 15;
	if (*(uint64_t *)wish < r.workspace || want != 1 || c != d || fits(o, a, b, c, &k)) return 7;
	memcpy(found, &r, sizeof r);
	return *count = 1, 0;
}

static float get(int type, const void *p, uint64_t i)
{
	if (type == 0) return ((const float *)p)[i];
	uint16_t h = ((const uint16_t *)p)[i];
	uint32_t u = (uint32_t)h << 16;
	float x;
	if (type == 2) {
		_Float16 y;
		return memcpy(&y, &h, 2), (float)y;
	}
	return memcpy(&x, &u, 4), x;
}

static void put(int type, void *p, uint64_t i, float x)
{
	uint32_t u;
	_Float16 y = (_Float16)x;
	if (type == 0) ((float *)p)[i] = x;
	else if (type == 2) memcpy((uint16_t *)p + i, &y, 2);
	else memcpy(&u, &x, 4), ((uint16_t *)p)[i] = (uint16_t)((u + 0x7fff + (u >> 16 & 1)) >> 16);
}

int cublasLtMatmul(void *h, void *od, const void *alpha, const void *a, void *ad, const void *b, void *bd, const void *beta, const void *c, void *cd,
	void *d, void *dd, const void *algorithm, void *workspace, size_t size, void *stream)
{
	op *o = od;
	layout *la = ad, *lb = bd, *lc = cd;
	uint64_t k;
	if (is("matmul")) return 14;
	if (is("slow")) usleep(200000);
	if (!h || stream || *(const uint64_t *)algorithm != 0x17 || size != 4096 || !workspace || c != d || cd != dd || fits(o, la, lb, lc, &k)) return 7;
	memset(workspace, 0x55, size);
	for (uint64_t j = 0; j < lc->cols; j++)
		for (uint64_t i = 0; i < lc->rows; i++) {
			float sum = 0;
			for (uint64_t x = 0; x < k; x++)
				sum += get(la->type, a, o->ta ? x + i * la->ld : i + x * la->ld) * get(lb->type, b, o->tb ? j + x * lb->ld : x + j * lb->ld);
			sum *= *(const float *)alpha;
			if (*(const float *)beta != 0) sum += *(const float *)beta * get(lc->type, c, i + j * lc->ld);
			if (o->epilogue == 4) sum += get(lc->type, o->bias, i);
			put(lc->type, d, i + j * lc->ld, is("wrong") ? sum + 1 : sum);
		}
	return 0;
}
