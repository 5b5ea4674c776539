// The source of dropout's random numbers, Philox4x32-10 (Salmon et al. 2011).
#pragma once
#include "device.h"

DEVICE void philox(unsigned c[4], unsigned k0, unsigned k1)
{
	UNROLL for (int r = 0; r < 10; r++, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u) {
		unsigned long long p0 = (unsigned long long)c[0] * 0xD2511F53u, p1 = (unsigned long long)c[2] * 0xCD9E8D57u;
		c[0] = (unsigned)(p1 >> 32) ^ c[1] ^ k0, c[1] = (unsigned)p1;
		c[2] = (unsigned)(p0 >> 32) ^ c[3] ^ k1, c[3] = (unsigned)p0;
	}
}
