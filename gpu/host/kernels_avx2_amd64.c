//go:build cgo

#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#else
#pragma GCC target("avx2,fma,f16c")
#endif
#include <immintrin.h>
#include <math.h>
#include <stdint.h>
#include <string.h>
#include "host.h"
#include "vec_avx2.h"
#include "kernels.h"
#ifdef __clang__
#pragma clang attribute pop
#endif
