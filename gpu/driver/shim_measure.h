// Times of the device's own clock, and the driver's own launches, for measurements.
#include "shim.h"

// Places in a context's work, whose distance in time can be asked for.
typedef struct {
	int (*create)(void **, unsigned), (*record)(void *, void *), (*elapsed)(float *, void *, void *), (*destroy)(void *);
	void **events;
	int size;
} attune_marks;

// -1 where the driver has no events, -2 for want of memory.
int attune_marks_open(attune_cuda *c, void *ctx, attune_marks *m, int n);
void attune_marks_close(attune_cuda *c, void *ctx, attune_marks *m);
int attune_marks_set(attune_cuda *c, void *ctx, attune_marks *m, int i);
// The milliseconds from mark i to mark j, which the device must have passed.
int attune_marks_between(attune_cuda *c, void *ctx, attune_marks *m, int i, int j, float *ms);

// An attribute of a device, by the driver's number of it.
int attune_cuda_attribute(attune_cuda *c, int device, int which, int *value);

// Launches n times, and the seconds of it: what the driver itself takes.
int attune_cuda_launches(attune_cuda *c, void *ctx, void *f, unsigned blocks, unsigned threads, unsigned shared, void *args, size_t size, int n, double *seconds);
