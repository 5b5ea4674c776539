//go:build cgo

package driver

/*
#include "shim_lt.h"
#include "shim.h"
#include <stdlib.h>

#cgo noescape attune_lt_run
#cgo nocallback attune_lt_run


static size_t version_of(attune_lt *l) { return l->version(); }
static int in_context(attune_cuda *c, void *ctx) { return c->current(ctx); }
*/
import "C"

import (
	"fmt"
	"sync"
	"unsafe"
)

// BLAS is cuBLASLt, opened for a context.
type BLAS struct {
	ctx *Context
	mu  sync.Mutex // a plan's bias is a property of the plan
	c   C.attune_lt
}

// Plan is a product prepared.
type Plan struct {
	// Workspace is how many bytes Run wants.
	Workspace int64
	c         C.attune_lt_plan
}

// OpenBLAS opens cuBLASLt at path. The error wraps ErrNoBLAS.
func (c *Context) OpenBLAS(path string) (*BLAS, error) {
	b := &BLAS{ctx: c}
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	if code := C.in_context(c.lib.c, c.ctx); code != 0 {
		return nil, c.result("open cuBLASLt", 0, code)
	}
	var why [512]byte
	switch C.attune_lt_open(&b.c, name, (*C.char)(unsafe.Pointer(&why[0])), C.size_t(len(why))) {
	case 0:
		return b, nil
	case 1:
		return nil, fmt.Errorf("%w: %s: %w", ErrNoBLAS, text(why[:]), ErrNoLibrary)
	case 2:
		return nil, fmt.Errorf("%w: %s lacks %s", ErrNoBLAS, path, text(why[:]))
	}
	return nil, fmt.Errorf("%w: %s: %s", ErrNoBLAS, path, text(why[:]))
}

// Version is the library's.
func (b *BLAS) Version() int { return int(C.version_of(&b.c)) }

// Close unloads the library.
func (b *BLAS) Close() { C.attune_lt_close(&b.c) }

func flag(b bool) C.int {
	if b {
		return 1
	}
	return 0
}

// Prepare finds a way to compute a product with no more than workspace bytes beside it.
func (b *BLAS) Prepare(p Product, workspace int64) (*Plan, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	x := C.attune_lt_product{
		_type: C.int(p.Type), out: C.int(p.Out), turned_a: flag(p.TurnedA), turned_b: flag(p.TurnedB), bias: flag(p.Bias),
		m: C.uint64_t(p.M), n: C.uint64_t(p.N), k: C.uint64_t(p.K),
		lda: C.int64_t(p.StepA), ldb: C.int64_t(p.StepB), ldc: C.int64_t(p.StepC),
	}
	if code := C.in_context(b.ctx.lib.c, b.ctx.ctx); code != 0 {
		return nil, b.ctx.result("prepare a product", 0, code)
	}
	plan := new(Plan)
	if code := C.attune_lt_prepare(&b.c, &plan.c, &x, C.size_t(workspace)); code != 0 {
		return nil, &BLASError{fmt.Sprintf("prepare a product (%d, %d) by (%d, %d)", p.M, p.K, p.K, p.N), int(code)}
	}
	plan.Workspace = int64(plan.c.workspace)
	return plan, nil
}

// Drop frees a plan.
func (b *BLAS) Drop(p *Plan) { C.attune_lt_drop(&b.c, &p.c) }

// Run starts a product on memory at these addresses, bias 0 for none, in the order of
// the context's other work.
func (b *BLAS) Run(p *Plan, c, a, x, bias uint64, add bool, workspace uint64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if code := C.in_context(b.ctx.lib.c, b.ctx.ctx); code != 0 {
		return b.ctx.result("start a product", 0, code)
	}
	code := C.attune_lt_run(&b.c, &p.c, C.uint64_t(c), C.uint64_t(a), C.uint64_t(x), C.uint64_t(bias), flag(add), C.uint64_t(workspace))
	if code != 0 {
		return &BLASError{"start a product", int(code)}
	}
	return nil
}
