// Element types and their conversions, to nearest with ties to even; to integers
// towards zero, saturated, 0 for NaN. A vocabulary of its own for each
// instruction set: VI holds VL integers, VH half of its bytes. Types are numbered as
// in convert.go.

enum { F32, F16, BF16, I32 };

#if VL == 16
typedef __m512i VI;
typedef __m256i VH;
#define ILOAD(p) _mm512_loadu_si512(p)
#define ISTORE(p, x) _mm512_storeu_si512(p, x)
#define ISET(x) _mm512_set1_epi32(x)
#define IADD(a, b) _mm512_add_epi32(a, b)
#define IAND(a, b) _mm512_and_si512(a, b)
#define IOR(a, b) _mm512_or_si512(a, b)
#define IXOR(a, b) _mm512_xor_si512(a, b)
#define ISHR(a, n) _mm512_srli_epi32(a, n)
#define ISAR(a, n) _mm512_srai_epi32(a, n)
#define ISHL(a, n) _mm512_slli_epi32(a, n)
#define IZERO_OR(a, x, y) _mm512_mask_blend_epi32(_mm512_test_epi32_mask(a, a), x, y) // a == 0 ? x : y
#define IBITS(v) _mm512_castps_si512(v)
#define IFLOAT(x) _mm512_castsi512_ps(x)
#define ITOF(x) _mm512_cvtepi32_ps(x)
#define FTOI(v) _mm512_cvttps_epi32(v)
#define HLOAD(p) _mm256_loadu_si256((const __m256i *)(p))
#define HSTORE(p, x) _mm256_storeu_si256((__m256i *)(p), x)
#define HWIDEN(h) _mm512_cvtepu16_epi32(h)
#define HNARROW(x) _mm512_cvtepi32_epi16(x)
#define HTOF(h) _mm512_cvtph_ps(h)
#define FTOH(v) _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)
#define IWHERE_NAN(v, x, y) _mm512_mask_blend_epi32(_mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q), y, x)
#define IWHERE_GE(v, w, x, y) _mm512_mask_blend_epi32(_mm512_cmp_ps_mask(v, w, _CMP_GE_OQ), y, x)
#else
typedef __m256i VI;
typedef __m128i VH;
#define ILOAD(p) _mm256_loadu_si256((const __m256i *)(p))
#define ISTORE(p, x) _mm256_storeu_si256((__m256i *)(p), x)
#define ISET(x) _mm256_set1_epi32(x)
#define IADD(a, b) _mm256_add_epi32(a, b)
#define IAND(a, b) _mm256_and_si256(a, b)
#define IOR(a, b) _mm256_or_si256(a, b)
#define IXOR(a, b) _mm256_xor_si256(a, b)
#define ISHR(a, n) _mm256_srli_epi32(a, n)
#define ISAR(a, n) _mm256_srai_epi32(a, n)
#define ISHL(a, n) _mm256_slli_epi32(a, n)
#define IZERO_OR(a, x, y) _mm256_blendv_epi8(y, x, _mm256_cmpeq_epi32(a, _mm256_setzero_si256()))
#define IBITS(v) _mm256_castps_si256(v)
#define IFLOAT(x) _mm256_castsi256_ps(x)
#define ITOF(x) _mm256_cvtepi32_ps(x)
#define FTOI(v) _mm256_cvttps_epi32(v)
#define HLOAD(p) _mm_loadu_si128((const __m128i *)(p))
#define HSTORE(p, x) _mm_storeu_si128((__m128i *)(p), x)
#define HWIDEN(h) _mm256_cvtepu16_epi32(h)
// Values up to 65535: packus saturates signed words only above that.
#define HNARROW(x) _mm_packus_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1))
#define HTOF(h) _mm256_cvtph_ps(h)
#define FTOH(v) _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)
#define IWHERE_NAN(v, x, y) _mm256_blendv_epi8(y, x, _mm256_castps_si256(_mm256_cmp_ps(v, v, _CMP_UNORD_Q)))
#define IWHERE_GE(v, w, x, y) _mm256_blendv_epi8(y, x, _mm256_castps_si256(_mm256_cmp_ps(v, w, _CMP_GE_OQ)))
#endif

INLINE VI ISA(to_bf16)(V v)
{
	VI b = IBITS(v), even = IAND(ISHR(b, 16), ISET(1));
	VI up = ISHR(IADD(b, IADD(ISET(0x7fff), even)), 16);
	return IWHERE_NAN(v, IOR(ISHR(b, 16), ISET(0x40)), up);
}

INLINE VI ISA(to_i32)(V v)
{
	VI x = IWHERE_GE(v, VSET(2147483648.0f), ISET(0x7fffffff), FTOI(v));
	return IWHERE_NAN(v, ISET(0), x);
}

// See sticky in convert.go.
INLINE VI ISA(sticky)(VI x)
{
	VI high = ISHR(IXOR(x, ISAR(x, 31)), 24), moved = IOR(IAND(x, ISET(~0xfff)), ISET(0x800));
	return IZERO_OR(high, x, IZERO_OR(IAND(x, ISET(0xfff)), x, moved));
}

// One vector of VL elements; the element types are constants after inlining.
INLINE V ISA(widen)(const int st, const int dt, const void *p)
{
	if (st == F16) return HTOF(HLOAD(p));
	if (st == BF16) return IFLOAT(ISHL(HWIDEN(HLOAD(p)), 16));
	if (st == I32) return ITOF(dt == BF16 ? ISA(sticky)(ILOAD(p)) : ILOAD(p));
	return VLOAD((const float *)p);
}

INLINE void ISA(narrow)(const int dt, void *p, V v)
{
	if (dt == F16) HSTORE(p, FTOH(v));
	else if (dt == BF16) HSTORE(p, HNARROW(ISA(to_bf16)(v)));
	else if (dt == I32) ISTORE(p, ISA(to_i32)(v));
	else VSTORE((float *)p, v);
}

static inline int64_t size_of(int t) { return t == F16 || t == BF16 ? 2 : 4; }

INLINE void ISA(cast_as)(const int dt, const int st, char *dst, const char *src, int64_t n)
{
	int64_t i = 0;
	for (; i + VL <= n; i += VL) ISA(narrow)(dt, dst + i * size_of(dt), ISA(widen)(st, dt, src + i * size_of(st)));
	if (i == n) return;
	char in[4 * VL] = {0}, out[4 * VL];
	memcpy(in, src + i * size_of(st), (n - i) * size_of(st));
	ISA(narrow)(dt, out, ISA(widen)(st, dt, in));
	memcpy(dst + i * size_of(dt), out, (n - i) * size_of(dt));
}
