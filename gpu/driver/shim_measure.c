//go:build linux && cgo

#define _POSIX_C_SOURCE 199309L
#include "shim_measure.h"
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

int attune_marks_open(attune_cuda *c, void *ctx, attune_marks *m, int n)
{
	*(void **)&m->create = dlsym(c->library, "cuEventCreate");
	*(void **)&m->record = dlsym(c->library, "cuEventRecord");
	*(void **)&m->elapsed = dlsym(c->library, "cuEventElapsedTime");
	*(void **)&m->destroy = dlsym(c->library, "cuEventDestroy_v2");
	m->size = 0;
	if (!m->create || !m->record || !m->elapsed || !m->destroy) return -1;
	m->events = calloc(n, sizeof *m->events);
	if (!m->events) return -2;
	int code = c->current(ctx);
	for (; !code && m->size < n; m->size += !code) code = m->create(&m->events[m->size], 0);
	if (code) attune_marks_close(c, ctx, m);
	return code;
}

void attune_marks_close(attune_cuda *c, void *ctx, attune_marks *m)
{
	c->current(ctx);
	for (int i = 0; i < m->size; i++) m->destroy(m->events[i]);
	free(m->events);
	m->events = 0;
	m->size = 0;
}

int attune_marks_set(attune_cuda *c, void *ctx, attune_marks *m, int i)
{
	int code = c->current(ctx);
	return code ? code : m->record(m->events[i], 0);
}

int attune_marks_between(attune_cuda *c, void *ctx, attune_marks *m, int i, int j, float *ms)
{
	int code = c->current(ctx);
	return code ? code : m->elapsed(ms, m->events[i], m->events[j]);
}

int attune_cuda_attribute(attune_cuda *c, int device, int which, int *value) { return c->attribute(value, which, device); }

int attune_cuda_launches(attune_cuda *c, void *ctx, void *f, unsigned blocks, unsigned threads, unsigned shared, void *args, size_t size, int n, double *seconds)
{
	struct timespec begin, end;
	void *extra[5] = {(void *)1, args, (void *)2, &size, (void *)0}; // see attune_cuda_launch
	int code = c->current(ctx);
	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (int i = 0; !code && i < n; i++) code = c->launch(f, blocks, 1, 1, threads, 1, 1, shared, 0, 0, extra);
	clock_gettime(CLOCK_MONOTONIC, &end);
	*seconds = (double)(end.tv_sec - begin.tv_sec) + 1e-9 * (double)(end.tv_nsec - begin.tv_nsec);
	return code;
}
