//go:build cgo

#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,avx512bf16,avx2,fma,f16c"))), apply_to = function)
#else
#pragma GCC target("avx512f,avx512vl,avx512bw,avx512dq,avx512bf16,avx2,fma,f16c")
#endif
#include <immintrin.h>
#include <math.h>
#include <stdint.h>
#include <string.h>
#include "host.h"
#include "vec_avx512.h"
#undef ISA
#define ISA(name) attune_##name##_avx512bf16
#include "base.h"
#include "half.h"
#include "gemm_pairs.h"
#ifdef __clang__
#pragma clang attribute pop
#endif
