// What lies before and behind an allocation of the fake driver's, and must stay as it is;
// the sanitizer keeps guards of its own.
#pragma once
#include <cstddef>
#include <cstdint>

namespace fake {

#ifdef __SANITIZE_ADDRESS__
constexpr size_t GUARD_BYTES = 0;
#else
constexpr size_t GUARD_BYTES = 4096;
#endif
constexpr unsigned char GUARD_BYTE = 0xa5;

// Whether those of an allocation are.
inline bool guarded(uint64_t at, size_t size)
{
	for (size_t i = 0; i < GUARD_BYTES; i++)
		if (((unsigned char *)at)[-1 - (long)i] != GUARD_BYTE || ((unsigned char *)at)[size + i] != GUARD_BYTE) return false;
	return true;
}

}
