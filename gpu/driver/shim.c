//go:build linux && cgo

#include "shim.h"
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

int attune_cuda_open(attune_cuda *c, const char *path, char *why, size_t size)
{
	memset(c, 0, sizeof *c);
	c->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!c->library) {
		const char *text = dlerror();
		snprintf(why, size, "%s", text ? text : path);
		return 1;
	}
#define X(field, symbol, args) \
	*(void **)&c->field = dlsym(c->library, symbol); \
	if (!c->field) { \
		snprintf(why, size, "%s", symbol); \
		attune_cuda_close(c); \
		return 2; \
	}
	ATTUNE_SYMBOLS(X)
#undef X
#define X(field, symbol, args) *(void **)&c->field = dlsym(c->library, symbol);
	ATTUNE_NEWER_SYMBOLS(X)
#undef X
	return 0;
}

void attune_cuda_close(attune_cuda *c)
{
	if (c->library) dlclose(c->library);
	memset(c, 0, sizeof *c);
}

// Runs the call in the context.
#define IN(ctx, call) \
	do { \
		int code = c->current(ctx); \
		return code ? code : (call); \
	} while (0)

int attune_cuda_sync(attune_cuda *c, void *ctx) { IN(ctx, c->sync()); }
int attune_cuda_alloc(attune_cuda *c, void *ctx, uint64_t *at, size_t size) { IN(ctx, c->alloc(at, size)); }
int attune_cuda_free(attune_cuda *c, void *ctx, uint64_t at) { IN(ctx, c->free(at)); }
int attune_cuda_info(attune_cuda *c, void *ctx, size_t *left, size_t *total) { IN(ctx, c->info(left, total)); }
int attune_cuda_upload(attune_cuda *c, void *ctx, uint64_t to, const void *from, size_t size) { IN(ctx, c->upload(to, from, size)); }
int attune_cuda_download(attune_cuda *c, void *ctx, void *to, uint64_t from, size_t size) { IN(ctx, c->download(to, from, size)); }
int attune_cuda_clear(attune_cuda *c, void *ctx, uint64_t at, size_t size) { IN(ctx, c->fill(at, 0, size)); }
int attune_cuda_unload(attune_cuda *c, void *ctx, void *module) { IN(ctx, c->unload(module)); }
int attune_cuda_function(attune_cuda *c, void *ctx, void **f, void *module, const char *name) { IN(ctx, c->function(f, module, name)); }

int attune_cuda_load(attune_cuda *c, void *ctx, void **module, const char *image, char *log, size_t size)
{
	// CU_JIT_ERROR_LOG_BUFFER is 5, its size 6 (driver API, CUjit_option).
	int options[2] = {5, 6};
	void *values[2] = {log, (void *)(uintptr_t)size};
	log[0] = 0;
	IN(ctx, c->load(module, image, 2, options, values));
}

// CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES is 8.
int attune_cuda_allow(attune_cuda *c, void *ctx, void *f, int shared) { IN(ctx, c->set(f, 8, shared)); }

int attune_cuda_launch(uintptr_t cuda, uintptr_t ctx, uintptr_t f, unsigned blocks, unsigned threads, unsigned shared, const uint64_t *args, size_t words)
{
	attune_cuda *c = (attune_cuda *)cuda;
	size_t size = 8 * words;
	// CU_LAUNCH_PARAM_BUFFER_POINTER is 1, _SIZE 2, _END 0: the whole struct at once.
	void *extra[5] = {(void *)1, (void *)args, (void *)2, &size, (void *)0};
	IN((void *)ctx, c->launch((void *)f, blocks, 1, 1, threads, 1, 1, shared, 0, 0, extra));
}

int attune_cuda_map(attune_cuda *c, void *map, int type, uint64_t at, const uint64_t *size, const uint64_t *strides, uint32_t box)
{
	if (!c->tile_map) return -1;
	// CU_TENSOR_MAP_INTERLEAVE_NONE is 0, _SWIZZLE_128B 3, _L2_PROMOTION_L2_256B 3,
	// _FLOAT_OOB_FILL_NONE 0: zeros past the tensor.
	uint32_t boxes[4] = {64, box, 1, 1}, steps[4] = {1, 1, 1, 1};
	_Alignas(64) char aligned[128];
	int code = c->tile_map(aligned, type, 4, (void *)(uintptr_t)at, size, strides, boxes, steps, 0, 3, 3, 0);
	if (!code) memcpy(map, aligned, sizeof aligned);
	return code;
}

int attune_cuda_init(attune_cuda *c) { return c->init(0); }
int attune_cuda_version(attune_cuda *c, int *version) { return c->version(version); }
int attune_cuda_count(attune_cuda *c, int *count) { return c->count(count); }
int attune_cuda_release(attune_cuda *c, int device) { return c->release(device); }

int attune_cuda_retain(attune_cuda *c, int index, int *device, void **ctx)
{
	int code = c->device(device, index);
	return code ? code : c->retain(ctx, *device);
}

int attune_cuda_describe(attune_cuda *c, int device, char *name, int size, int *major, int *minor, int *processors, size_t *total)
{
	int code = c->name(name, size, device);
	// CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR is 75, _MINOR 76; _MULTIPROCESSOR_COUNT 16.
	if (!code) code = c->attribute(major, 75, device);
	if (!code) code = c->attribute(minor, 76, device);
	if (!code) code = c->attribute(processors, 16, device);
	if (!code) code = c->total(total, device);
	return code;
}

void attune_cuda_error(attune_cuda *c, int code, const char **name, const char **text)
{
	if (c->error_name(code, name) || !*name) *name = "unknown error";
	if (c->error_text(code, text) || !*text) *text = "";
}
