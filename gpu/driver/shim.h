// The part of the CUDA driver API that attune uses, found at run time. The types
// are those of the driver's ABI; there is no static state, the table of functions
// belongs to the caller.
#include <stddef.h>
#include <stdint.h>

#define ATTUNE_SYMBOLS(X) \
	X(init, "cuInit", (unsigned)) \
	X(version, "cuDriverGetVersion", (int *)) \
	X(error_name, "cuGetErrorName", (int, const char **)) \
	X(error_text, "cuGetErrorString", (int, const char **)) \
	X(count, "cuDeviceGetCount", (int *)) \
	X(device, "cuDeviceGet", (int *, int)) \
	X(name, "cuDeviceGetName", (char *, int, int)) \
	X(attribute, "cuDeviceGetAttribute", (int *, int, int)) \
	X(total, "cuDeviceTotalMem_v2", (size_t *, int)) \
	X(retain, "cuDevicePrimaryCtxRetain", (void **, int)) \
	X(release, "cuDevicePrimaryCtxRelease_v2", (int)) \
	X(current, "cuCtxSetCurrent", (void *)) \
	X(sync, "cuCtxSynchronize", (void)) \
	X(alloc, "cuMemAlloc_v2", (uint64_t *, size_t)) \
	X(free, "cuMemFree_v2", (uint64_t)) \
	X(info, "cuMemGetInfo_v2", (size_t *, size_t *)) \
	X(upload, "cuMemcpyHtoD_v2", (uint64_t, const void *, size_t)) \
	X(download, "cuMemcpyDtoH_v2", (void *, uint64_t, size_t)) \
	X(fill, "cuMemsetD8_v2", (uint64_t, unsigned char, size_t)) \
	X(load, "cuModuleLoadDataEx", (void **, const void *, unsigned, int *, void **)) \
	X(unload, "cuModuleUnload", (void *)) \
	X(function, "cuModuleGetFunction", (void **, void *, const char *)) \
	X(set, "cuFuncSetAttribute", (void *, int, int)) \
	X(launch, "cuLaunchKernel", (void *, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void *, void **, void **))

// What older drivers lack: null where it is not there.
#define ATTUNE_NEWER_SYMBOLS(X) \
	X(tile_map, "cuTensorMapEncodeTiled", (void *, int, uint32_t, void *, const uint64_t *, const uint64_t *, const uint32_t *, const uint32_t *, int, int, int, int))

typedef struct {
	void *library;
#define X(field, symbol, args) int(*field) args;
	ATTUNE_SYMBOLS(X)
	ATTUNE_NEWER_SYMBOLS(X)
#undef X
} attune_cuda;

// 0, or 1 where the library cannot be opened (why holds the loader's words), or 2
// where it lacks a symbol (why holds its name).
int attune_cuda_open(attune_cuda *c, const char *path, char *why, size_t size);
void attune_cuda_close(attune_cuda *c);

// Each call below makes the context current first: contexts belong to threads,
// and goroutines move between threads. The results are the driver's codes.
int attune_cuda_sync(attune_cuda *c, void *ctx);
int attune_cuda_alloc(attune_cuda *c, void *ctx, uint64_t *at, size_t size);
int attune_cuda_free(attune_cuda *c, void *ctx, uint64_t at);
int attune_cuda_info(attune_cuda *c, void *ctx, size_t *left, size_t *total);
int attune_cuda_upload(attune_cuda *c, void *ctx, uint64_t to, const void *from, size_t size);
int attune_cuda_download(attune_cuda *c, void *ctx, void *to, uint64_t from, size_t size);
int attune_cuda_clear(attune_cuda *c, void *ctx, uint64_t at, size_t size);
int attune_cuda_load(attune_cuda *c, void *ctx, void **module, const char *image, char *log, size_t size);
int attune_cuda_unload(attune_cuda *c, void *ctx, void *module);
int attune_cuda_function(attune_cuda *c, void *ctx, void **f, void *module, const char *name);
// Lets launches name up to so many bytes of shared memory.
int attune_cuda_allow(attune_cuda *c, void *ctx, void *f, int shared);
// args is the kernel's one struct argument, of so many words. The first three are
// pointers, which cgo does not look into as numbers: that took longer than all else.
int attune_cuda_launch(uintptr_t cuda, uintptr_t ctx, uintptr_t f, unsigned blocks, unsigned threads, unsigned shared, const uint64_t *args, size_t words);

// The map of a tensor of four axes, the innermost first, whose tiles of rows of 128
// bytes go to shared memory swizzled: type is that of the elements, box how many rows.
// -1 where the driver knows no maps.
int attune_cuda_map(attune_cuda *c, void *map, int type, uint64_t at, const uint64_t *size, const uint64_t *strides, uint32_t box);

int attune_cuda_init(attune_cuda *c);
int attune_cuda_version(attune_cuda *c, int *version);
int attune_cuda_count(attune_cuda *c, int *count);
int attune_cuda_retain(attune_cuda *c, int index, int *device, void **ctx);
int attune_cuda_release(attune_cuda *c, int device);
int attune_cuda_describe(attune_cuda *c, int device, char *name, int size, int *major, int *minor, int *processors, size_t *total);
void attune_cuda_error(attune_cuda *c, int code, const char **name, const char **text);
