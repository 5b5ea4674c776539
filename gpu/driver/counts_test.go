package driver_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"attune/gpu/driver"
	"attune/gpu/driver/fakecuda"
	"attune/gpu/kernels"
)

// planted are kernels of one warp with a known cost, and what they are to be counted as.
// %r1 is the lane, %rd1 where its global memory begins.
var planted = []struct{ what, body, want string }{
	{"a tile's column without padding", "shl.b32 %r2, %r1, 7; add.s32 %r2, %r2, %r9; ld.shared.f32 %f1, [%r2];", "ld.shared.f32: runs 1 lanes 32 bytes 128 waves 32 least_waves 1 "},
	{"with padding", "mad.lo.s32 %r2, %r1, 132, %r9; st.shared.f32 [%r2], %f1;", "st.shared.f32: runs 1 lanes 32 bytes 128 waves 1 least_waves 1 "},
	{"one word for all", "ld.shared.f32 %f1, [tile+4];", "waves 1 least_waves 1 "},
	{"halves of words", "shl.b32 %r2, %r1, 1; add.s32 %r2, %r2, %r9; ld.shared.u16 %rs1, [%r2];", "bytes 64 waves 1 least_waves 1 "},
	{"8 bytes beside each other", "shl.b32 %r2, %r1, 3; add.s32 %r2, %r2, %r9; ld.shared.f64 %fd1, [%r2];", "bytes 256 waves 2 least_waves 2 "},
	{"8 bytes in a column", "shl.b32 %r2, %r1, 7; add.s32 %r2, %r2, %r9; ld.shared.f64 %fd1, [%r2];", "waves 32 least_waves 2 "},
	{"16 bytes beside each other", "shl.b32 %r2, %r1, 4; add.s32 %r2, %r2, %r9; ld.shared.v4.f32 {%f1, %f2, %f3, %f4}, [%r2];", "bytes 512 waves 4 least_waves 4 "},
	{"16 of every 64 bytes", "shl.b32 %r2, %r1, 6; add.s32 %r2, %r2, %r9; ld.shared.v4.f32 {%f1, %f2, %f3, %f4}, [%r2];", "waves 16 least_waves 4 "},
	{"rows of matrices", "shl.b32 %r2, %r1, 4; add.s32 %r2, %r2, %r9; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r3, %r4, %r5, %r6}, [%r2];", "waves 4 least_waves 4 "},
	{"rows without a swizzle", "shl.b32 %r2, %r1, 7; add.s32 %r2, %r2, %r9; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r3, %r4, %r5, %r6}, [%r2];", "waves 32 least_waves 4 "},
	{"a copy to a column", "shl.b32 %r2, %r1, 7; add.s32 %r2, %r2, %r9; mad.wide.u32 %rd2, %r1, 16, %rd1; cp.async.cg.shared.global [%r2], [%rd2], 16, 16;", "waves 32 least_waves 4 sectors 16 least_sectors 16 "},
	{"words beside each other", "mad.wide.u32 %rd2, %r1, 4, %rd1; ld.global.f32 %f1, [%rd2];", "ld.global.f32: runs 1 lanes 32 bytes 128 waves 0 least_waves 0 sectors 4 least_sectors 4 "},
	{"words off a sector", "mad.wide.u32 %rd2, %r1, 4, %rd1; ld.global.f32 %f1, [%rd2+4];", "sectors 5 least_sectors 4 "},
	{"a column", "mad.wide.u32 %rd2, %r1, 128, %rd1; st.global.f32 [%rd2], %f1;", "sectors 32 least_sectors 4 "},
	{"every second word", "mad.wide.u32 %rd2, %r1, 8, %rd1; ld.global.f32 %f1, [%rd2];", "sectors 8 least_sectors 4 "},
	{"16 bytes each", "mad.wide.u32 %rd2, %r1, 16, %rd1; ld.global.v4.f32 {%f1, %f2, %f3, %f4}, [%rd2];", "bytes 512 waves 0 least_waves 0 sectors 16 least_sectors 16 "},
	{"a few lanes", "setp.lt.u32 %p1, %r1, 8; mad.wide.u32 %rd2, %r1, 4, %rd1; @%p1 ld.global.f32 %f1, [%rd2];", "runs 1 lanes 8 bytes 32 waves 0 least_waves 0 sectors 1 least_sectors 1 "},
	{"lanes that take an access apart", "and.b32 %r2, %r1, 1; setp.eq.s32 %p1, %r2, 0; mad.wide.u32 %rd2, %r1, 4, %rd1; @%p1 bra $even; ld.global.f32 %f1, [%rd2]; bra.uni $end; $even: ld.global.f32 %f1, [%rd2]; $end: ",
		"ld.global.f32: runs 2 lanes 32 bytes 128 waves 0 least_waves 0 sectors 8 least_sectors 4 "},
	{"a branch that splits", "setp.lt.u32 %p1, %r1, 3; @%p1 bra $end; add.f32 %f1, %f2, %f3; $end: fma.rn.f32 %f1, %f2, %f3, %f4;", "branches 1 split 1 barriers 0 products 0 operations 93 "},
	{"barriers and products", "bar.sync 0; mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%f1,%f2,%f3,%f4}, {%r2,%r3,%r4,%r5}, {%r6,%r7}, {%f1,%f2,%f3,%f4}; bar.sync 0;", "barriers 2 products 1 operations 4096 "},
	{"two loads under way", "ld.global.f32 %f1, [%rd1]; ld.global.v4.f32 {%f2, %f3, %f4, %f5}, [%rd1+16]; add.f32 %f1, %f1, %f1; add.f32 %f2, %f2, %f3;", "waits 2 flight 36 "},
}

// plantedModule has them all, numbered.
func plantedModule() string {
	text := ".version 7.0\n.target sm_80\n.address_size 64\n"
	for n, p := range planted {
		text += fmt.Sprintf(".visible .entry planted_%d(\n.param .u64 planted_%d_param_0\n)\n{\n.shared .align 128 .b8 tile[8192];\n"+
			"mov.u32 %%r1, %%tid.x; mov.u32 %%r9, tile; ld.param.u64 %%rd1, [planted_%d_param_0];\n%s ret;\n}\n", n, n, n, p.body)
	}
	return text
}

// What is planted is counted exactly.
func TestPlantedCosts(t *testing.T) {
	lib, err := driver.Load(built(t)(fakecuda.BuildImages(t.TempDir())))
	if err != nil {
		t.Fatal(err)
	}
	defer lib.Close()
	ctx, err := lib.Open(0, kernels.MinDriver)
	if err != nil {
		t.Fatal(err)
	}
	memory, err := ctx.Alloc(8192)
	if err != nil {
		t.Fatal(err)
	}
	module, err := ctx.Load([]byte(plantedModule()))
	if err != nil {
		t.Fatal(err)
	}
	counts := filepath.Join(t.TempDir(), "counts")
	t.Setenv("FAKECUDA_COUNTS", counts)
	for n, p := range planted {
		f, err := module.Function(fmt.Sprintf("planted_%d", n))
		if err == nil {
			err = errors.Join(f.Launch(1, 32, []uint64{memory}), ctx.Synchronize())
		}
		if err != nil {
			t.Fatal(p.what, err)
		}
		text, err := os.ReadFile(counts)
		if err != nil || !strings.Contains(string(text), p.want) {
			t.Errorf("%s: %v, want %q in\n%s", p.what, err, p.want, text)
		}
		if err := os.Remove(counts); err != nil {
			t.Fatal(err)
		}
	}
}
