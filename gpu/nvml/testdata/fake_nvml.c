// A stand-in for the driver's libnvidia-ml.so.1: two GPUs, whose behaviour the
// environment chooses. Each WITHOUT_ macro leaves a function out, as an old driver
// would. The types are those of the NVML API.
#include <stdlib.h>
#include <string.h>

typedef struct { unsigned long long total, free, used; } memory_v1;
typedef struct { unsigned version; unsigned long long total, reserved, free, used; } memory_v2;
typedef struct { unsigned gpu, memory; } utilization;
typedef struct { unsigned id, scope; long long at, took; unsigned type, status; unsigned long long value; } field;
typedef struct { unsigned pid; unsigned long long used; unsigned gi, ci; } process;

enum { OK = 0, NO_SUPPORT = 3, NO_PERMISSION = 4, NOT_FOUND = 6, SMALL = 7, NO_DRIVER = 9, LOST = 15 };

static int initialised, reads;
static unsigned crossed; // what each counter of the links has moved, in its unit

static int is(const char *mode) {
	const char *m = getenv("FAKE_NVML");
	return m && !strcmp(m, mode);
}

#ifndef WITHOUT_INIT
int nvmlInit_v2(void) {
	if (is("no driver loaded")) return NO_DRIVER;
	if (is("no permission")) return NO_PERMISSION;
	initialised++;
	return OK;
}
#endif

#ifndef WITHOUT_SHUTDOWN
int nvmlShutdown(void) { initialised--; return OK; }
#endif

#ifndef WITHOUT_MOST
int nvmlSystemGetDriverVersion(char *v, unsigned n) { strncpy(v, "570.00", n); return initialised ? OK : 1; }
int nvmlDeviceGetCount_v2(unsigned *n) { *n = 2; return OK; }

int nvmlDeviceGetHandleByIndex_v2(unsigned i, void **d) {
	if (i == 1 && is("second is gone")) return LOST;
	*d = (void *)(long)(i + 1);
	return OK;
}

int nvmlDeviceGetName(void *d, char *s, unsigned n) { strncpy(s, d < (void *)10 ? "Fake GPU" : d == (void *)10 ? "Fake GPU MIG 3g.40gb" : "Fake GPU MIG 1g.10gb", n); return OK; }
int nvmlDeviceGetUUID(void *d, char *s, unsigned n) { strncpy(s, d == (void *)1 ? "GPU-a" : "GPU-b", n); return OK; }

#ifndef WITHOUT_MEMORY_V2
int nvmlDeviceGetMemoryInfo_v2(void *d, memory_v2 *m) {
	if (is("vanishes") && ++reads > 2) return LOST;
	if (m->version != (sizeof *m | 2u << 24)) return 25;
	if (d >= (void *)10) { *m = (memory_v2){ m->version, 40ull << 30, 0, 39ull << 30, 1ull << 30 }; return OK; }
	m->total = 80ull << 30; m->reserved = 1ull << 30; m->used = 3ull << 30; m->free = 76ull << 30;
	return OK;
}
#endif

int nvmlDeviceGetMemoryInfo(void *d, memory_v1 *m) {
	m->total = 80ull << 30; m->used = 4ull << 30; m->free = 76ull << 30;
	return OK;
}

int nvmlDeviceGetUtilizationRates(void *d, utilization *u) {
	if (d == (void *)2) return NO_SUPPORT;
	u->gpu = 42; u->memory = 7;
	return OK;
}

int nvmlDeviceGetComputeRunningProcesses_v3(void *d, unsigned *n, process *p) {
	if (is("asks for room")) { *n = 0; return SMALL; }
	if (*n < 2) { *n = 2; return SMALL; }
	*n = 2;
	p[0] = (process){ .pid = 100, .used = 1ull << 30 };
	const char *self = getenv("FAKE_NVML_PID");
	if (self) p[0].pid = atoi(self);
	p[1] = (process){ .pid = 200, .used = ~0ull };
	return OK;
}

int nvmlDeviceGetTemperature(void *d, int sensor, unsigned *t) { *t = 55; return OK; }
int nvmlDeviceGetPowerUsage(void *d, unsigned *mw) { *mw = 123456; return OK; }
int nvmlDeviceGetEnforcedPowerLimit(void *d, unsigned *mw) { *mw = 700000; return OK; }

int nvmlDeviceGetClockInfo(void *d, int clock, unsigned *mhz) {
	if (is("vanishes") && reads > 2) return LOST;
	*mhz = clock == 2 ? 2619 : 1980;
	return OK;
}

#ifndef WITHOUT_EVENT_REASONS
int nvmlDeviceGetCurrentClocksEventReasons(void *d, unsigned long long *r) { *r = d == (void *)1 ? 4 | 64 | 1 : 1; return OK; }
#endif
#ifndef WITHOUT_THROTTLE_REASONS
int nvmlDeviceGetCurrentClocksThrottleReasons(void *d, unsigned long long *r) { *r = 8; return OK; }
#endif
int nvmlDeviceGetCurrPcieLinkGeneration(void *d, unsigned *n) { *n = 5; return OK; }
int nvmlDeviceGetCurrPcieLinkWidth(void *d, unsigned *n) { *n = 16; return OK; }

// The first GPU counts PCIe in 32 bits, which run over, and NVLink in 64; the second
// knows neither.
#ifndef WITHOUT_FIELDS
int nvmlDeviceGetFieldValues(void *d, int n, field *f) {
	crossed += 1u << 20;
	for (int i = 0; i < n; i++) {
		int nvlink = f[i].id == 138 || f[i].id == 139;
		if (d != (void *)1 || (nvlink && f[i].scope != ~0u) || (is("no PCIe counters") && !nvlink)) { f[i].status = NO_SUPPORT; continue; }
		f[i].status = OK;
		f[i].type = nvlink ? 3 : 1;
		f[i].value = nvlink ? crossed : (unsigned)(crossed * (f[i].id - 196) - (3u << 20));
	}
	return OK;
}
#endif
#ifndef WITHOUT_PCIE
int nvmlDeviceGetPcieThroughput(void *d, int counter, unsigned *kb) { *kb = counter ? 3000 : 1500; return OK; }
#endif

// The second GPU is split: two instances, with a place between them where none is.
int nvmlDeviceGetMaxMigDeviceCount(void *d, unsigned *n) { *n = d == (void *)2 ? 3 : 0; return OK; }
int nvmlDeviceGetMigDeviceHandleByIndex(void *d, unsigned i, void **part) {
	if (i == 1) return NOT_FOUND;
	*part = (void *)(long)(i + 10);
	return OK;
}

int nvmlDeviceGetMigMode(void *d, unsigned *now, unsigned *pending) {
	if (d == (void *)1) return NO_SUPPORT;
	*now = 1; *pending = 1;
	return OK;
}
#endif
