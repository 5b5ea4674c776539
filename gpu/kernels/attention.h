// The arguments of the attention kernels, as the launcher packs them: 8 bytes a
// field, in this order.
#pragma once
#include "device.h"

struct AttentionArgs {
	Heads q, k, v, o; // (B, H, Tq, D), (B, H, Tk, D) twice, (B, H, Tq, D)
	float *lse;       // (B, H, Tq)
	float *weights;   // (B, H, Tq, Tk) or null
	i64 heads, tq, tk, d;
	i64 causal;
	i64 tiles; // blocks a head
	float scale;
	int unused;
};

struct AttentionGradArgs {
	AttentionArgs a;
	Heads go;         // gradient by o
	Heads gq, gk, gv; // gradients by q, k, v
	float *delta;     // (B, H, Tq): rowsum(go * o), written by the first kernel
};
