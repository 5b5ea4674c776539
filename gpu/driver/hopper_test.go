//go:build linux && cgo

package driver_test

import (
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"attune/gpu/driver"
	"attune/gpu/driver/fakecuda"
)

// misuse is a kernel that multiplies a tile of 64 rows with itself as Hopper would, and
// makes the mistake of that number. None is 0.
const misuse = `
#include "wgmma.h"
#define THREADS 128
#define MISTAKE(n, wrong, right) (p.mistake == n ? (wrong) : (right))

struct MisuseArgs {
	TensorMap map;
	float *out;
	i64 mistake;
};

KERNEL BOUNDED misuse(MisuseArgs p)
{
	char *tile = DYNAMIC_SHARED + (-(int)shared_address(DYNAMIC_SHARED) & 1023);
	u64 *b = (u64 *)(tile + 16384);
	TensorMap own = p.map;
	const void *map = MISTAKE(1, (const void *)&own, MISTAKE(2, (const char *)ARGUMENT(misuse, p) + 8, ARGUMENT(misuse, p)));
	bool stuck = false;
	REGISTERS_FEWER(MISTAKE(3, 100, MISTAKE(4, 16, 240)));
	REGISTERS_MORE(MISTAKE(5, 232, MISTAKE(6, 264, 248)));
	if (p.mistake == 7 && thread_x() < 32) REGISTERS_FEWER(200);
	if (thread_x() == 0) {
		if (p.mistake != 8) barrier_init(b, MISTAKE(9, 0, 1));
		if (p.mistake != 10) async_fence();
	}
	barrier();
	if (thread_x() == MISTAKE(10, 32, 0)) {
		if (p.mistake == 10) async_fence(); // another thread's
		barrier_expect(b, MISTAKE(11, 4096, MISTAKE(12, 1 << 20, MISTAKE(13, 8192 + 16, 8192))));
		copy_box(tile + MISTAKE(14, 128, 0), map, b + MISTAKE(15, 1, 0), 0, 0, 0, 0);
	}
	barrier_wait(b, 0, stuck);
	float c[8][4];
	u32 a[4] = {0, 0, 0, 0};
	u64 first = operand(tile + MISTAKE(16, 256, 0), 16) | MISTAKE(17, 1ull << 49, 0) | MISTAKE(18, 1ull << 46, 0), second = operand(tile, 16);
	if (p.mistake == 19 && thread_x() < 32) second = operand(tile + 32, 16);
	if (p.mistake != 20) products_begin();
	product<false, false>(F16(), c, first, second, false);
	if (p.mistake == 21) product<false>(F16(), c, a, second, true), a[0] = 1;
	if (p.mistake != 22) products_end();
	float early = c[0][0];
	if (p.mistake != 23) products_wait<0>();
	if (p.mistake == 24) product<false, false>(F16(), c, first, second, true), products_end(), products_wait<0>();
	if (thread_x() == 0) *p.out = MISTAKE(25, early, stuck ? 0 : c[0][0]);
	if (p.mistake == 26 && thread_x() == 0) barrier_expect(b, 16);
}
`

// misuses says what is wrong at each number.
var misuses = []string{
	"", "a map on the stack", "a map not at 64 bytes", "registers not by eights", "too few registers", "more registers that are fewer",
	"too many registers", "registers of one warp alone", "a barrier not made", "a barrier that waits for nobody", "another thread's fence",
	"too few bytes expected", "more bytes than a barrier counts", "too many bytes expected", "a tile inside a swizzle's pattern",
	"a barrier beside", "an operand inside a swizzle's pattern", "a base offset", "a bit that means nothing", "operands that differ between warps",
	"no fence before a product", "a changed operand", "no group", "no wait", "no fence after a wait", "a sum too early", "bytes that never come",
}

// The fake driver refuses what a device would, or what its manuals leave undefined.
func TestFakeDriverRefusesMisuse(t *testing.T) {
	path := built(t)(fakecuda.Build(t.TempDir(), func(name, text string) string {
		if name == "copy.cu" {
			return misuse
		}
		if strings.HasSuffix(name, ".cu") {
			return ""
		}
		return text
	}))
	library, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("FAKECUDA_SM", "90")
	for mistake, what := range misuses {
		one := filepath.Join(t.TempDir(), "libcuda.so.1") // after a failure the state is spoilt
		if err := os.WriteFile(one, library, 0o755); err != nil {
			t.Fatal(err)
		}
		for range 4 { // so that copies arrive late and early
			x, err := runMisuse(t, one, mistake)
			if refused := err != nil || x != 64; refused != (mistake > 0) {
				t.Errorf("%d, %s: %v, %v", mistake, what, x, err)
			}
		}
	}
}

// runMisuse is what the kernel makes of a tile of ones: 16 products of 2 by 2, or NaN.
func runMisuse(t *testing.T, path string, mistake int) (float32, error) {
	t.Helper()
	lib, err := driver.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	defer lib.Close()
	ctx, err := lib.Open(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	at, err := ctx.Alloc(64*128 + 4)
	if err != nil {
		return 0, err
	}
	ones := make([]byte, 64*128)
	for i := 1; i < len(ones); i += 2 {
		ones[i] = 0x40 // 2 in float16
	}
	m, err := ctx.Load([]byte(".version 8.0\n.entry misuse("))
	if err != nil {
		return 0, err
	}
	f, err := m.Function("misuse")
	if err != nil {
		t.Fatal(err)
	}
	words, err := ctx.MapTensor(driver.TensorMap{Addr: at, Size: [4]uint64{64, 64, 1, 1}, Step: [3]uint64{128, 16, 16}, Rows: 64})
	if err != nil {
		t.Fatal(err)
	}
	args := append(words[:], at+64*128, uint64(mistake), 0, 0, 0, 0, 0, 0)
	out := make([]byte, 4)
	if err := errors.Join(ctx.Upload(at, ones), f.Share(20000), f.Launch(1, 128, args), ctx.Download(out, at+64*128), ctx.Free(at)); err != nil {
		return 0, err
	}
	return math.Float32frombits(binary.LittleEndian.Uint32(out)), nil
}

// A map that the driver's manual forbids is refused.
func TestFakeDriverRefusesMaps(t *testing.T) {
	path := built(t)(fakecuda.Build(t.TempDir(), func(name, text string) string {
		if strings.HasSuffix(name, ".cu") {
			return ""
		}
		return text
	}))
	lib, err := driver.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, err := lib.Open(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	for what, change := range map[string]func(*driver.TensorMap){
		"":                           func(*driver.TensorMap) {},
		"an address not at 16 bytes": func(m *driver.TensorMap) { m.Addr += 8 },
		"a step of 24 bytes":         func(m *driver.TensorMap) { m.Step[1] = 24 },
		"a step of 0":                func(m *driver.TensorMap) { m.Step[2] = 0 },
		"a step of 2^40":             func(m *driver.TensorMap) { m.Step[0] = 1 << 40 },
		"an axis of 0":               func(m *driver.TensorMap) { m.Size[2] = 0 },
		"an axis past 2^32":          func(m *driver.TensorMap) { m.Size[1] = 1<<32 + 1 },
		"a box of 0 rows":            func(m *driver.TensorMap) { m.Rows = 0 },
		"a box of 257 rows":          func(m *driver.TensorMap) { m.Rows = 257 },
	} {
		m := driver.TensorMap{Addr: 1 << 20, Size: [4]uint64{64, 64, 2, 1}, Step: [3]uint64{128, 128, 16}, Rows: 256}
		change(&m)
		if _, err := ctx.MapTensor(m); (err != nil) != (what != "") {
			t.Errorf("%s: %v", what, err)
		}
	}
}
