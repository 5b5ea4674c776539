// The table behind trampoline.S, and what fills it.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <string.h>

#include "bind.h"

#define NAME(f) #f,
static const char *const names[] = {
#include "z_names.h"
};
#undef NAME

enum { count = sizeof names / sizeof *names };

// missing stands for a function that the library lacks: NVML_ERROR_FUNCTION_NOT_FOUND.
static int missing(void) { return 13; }

// missing_text stands for nvmlErrorString, the one function that returns a string.
static const char *missing_text(void) { return "unknown NVML error"; }

#define NAME(f) (void *)missing,
__attribute__((visibility("hidden"))) void *nvml_table[] = {
#include "z_names.h"
};

const char *attune_nvml_bind(const char *path) {
	void *lib = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
	if (!lib) return dlerror();
	for (int i = 0; i < count; i++) {
		void *f = dlsym(lib, names[i]);
		if (!f) f = strcmp(names[i], "nvmlErrorString") ? (void *)missing : (void *)missing_text;
		__atomic_store_n(&nvml_table[i], f, __ATOMIC_RELEASE);
	}
	return 0;
}

int attune_nvml_has(const char *name) {
	for (int i = 0; i < count; i++) {
		if (!strcmp(names[i], name)) {
			void *f = __atomic_load_n(&nvml_table[i], __ATOMIC_ACQUIRE);
			return f != (void *)missing && f != (void *)missing_text;
		}
	}
	return 0;
}
