// Every function of NVML that go-nvml refers to, as a jump through a table that bind.c
// fills. The names are hidden: they are for this binary's own calls and never take a
// real library's place. Regenerate the list for another go-nvml from a binary built
// without this file: nm -D --undefined-only BINARY | sed -n 's/.* \(nvml.*\)/NAME(\1)/p'

#if defined(__x86_64__)
#define JUMP \
	jmp *nvml_table+8*index(%rip); \
	.set index, index+1
#elif defined(__aarch64__)
#define JUMP \
	adrp x16, nvml_table+8*index; \
	ldr x16, [x16, #:lo12:nvml_table+8*index]; \
	br x16; \
	.set index, index+1
#else
#error "NVML is bound on amd64 and arm64 only"
#endif

#define NAME(f) .globl f; .hidden f; .type f, %function; f: JUMP

	.hidden nvml_table
	.text
	.set index, 0
#include "z_names.h"

	.section .note.GNU-stack, "", %progbits
