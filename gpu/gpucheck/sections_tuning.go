package main

import (
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"attune/gpu"
	"attune/gpu/mem"
)

// tuningItems try what the code had to choose without a device, and tell the best of each
// beside its choice.
func tuningItems(b *bench) ([]item, error) {
	var out []item
	if b.probe.Arch() == 90 {
		for _, s := range [][3]int{{256, 1024, 256}, {512, 1024, 512}, {512, 4096, 1024}, {1024, 1024, 1024}, {2048, 512, 1024}, {1024, 4096, 2048}, {2048, 4096, 2048}, {16384, 768, 768}} {
			out = append(out, b.hopperFrom(s[0], s[1], s[2]))
		}
	}
	if b.o.tiny && len(out) > 0 {
		out = out[:1]
	}
	for _, s := range [][3]int{{1, 8, 4096}, {1, 8, 32768}, {4, 8, 8192}, {16, 8, 8192}, {64, 8, 2048}, {1, 32, 8192}} {
		if !b.o.tiny || s[0] == 4 {
			out = append(out, b.splits(s[0], s[1], s[2]))
		}
	}
	variants, err := b.variants()
	return append(append(out, variants...), b.oddStrides()...), err
}

// variants are products by kernels with other constants, where they were built (see
// gpu/gpucheck/variants): their files are called IMAGE.CONSTANT.VALUE.ptx.
func (b *bench) variants() ([]item, error) {
	files, err := filepath.Glob(filepath.Join(b.o.variants, "*.ptx"))
	if b.o.variants == "" || err != nil {
		return nil, err
	}
	images := map[string][]string{}
	for _, f := range files {
		image, _, _ := strings.Cut(filepath.Base(f), ".")
		images[image] = append(images[image], f)
	}
	var out []item
	shapes := [][3]int{{8192, 8192, 8192}, {4096, 4096, 4096}, {16384, 768, 3072}, {16384, 3072, 768}, {2048, 8192, 2048}}
	if b.o.tiny {
		shapes = [][3]int{{64, 64, 256}}
	}
	for _, image := range slices.Sorted(maps.Keys(images)) {
		for _, s := range shapes {
			if image == "gemm_wgmma" && b.probe.Arch() != 90 {
				continue
			}
			out = append(out, item{fmt.Sprintf("constants of %s, product bf16 (%d, %d) by (%d, %d)", image, s[0], s[1], s[1], s[2]), "", func() row {
				return b.variant(image, images[image], s)
			}})
		}
	}
	return out, nil
}

func (b *bench) variant(image string, files []string, s [3]int) row {
	b.probe.HopperFrom(1)
	defer b.probe.HopperFrom(0)
	if image == "gemm_mma" {
		b.probe.Limit(80)
		defer b.probe.Limit(0)
	}
	measure := func() row { return b.product(gpu.BFloat16, s[0], s[1], s[2]) }
	r := measure()
	if r.Fail != "" {
		return r
	}
	all := []choice{{"as it is", r.Median}}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err == nil {
			err = b.probe.Variant(image, text)
		}
		if err != nil {
			return row{Fail: err.Error()}
		}
		r := measure()
		if err := b.probe.Variant("", nil); r.Fail != "" || err != nil {
			return end(r, err)
		}
		name, _ := strings.CutSuffix(filepath.Base(f), ".ptx")
		all = append(all, choice{strings.TrimPrefix(name, image+"."), r.Median})
	}
	return chosen(all)
}

// choice is one that was tried; its time is infinite where it failed.
type choice struct {
	name string
	took time.Duration
}

// chosen is the row of choices, of which the first is the code's own.
func chosen(all []choice) row {
	best, text := all[0], ""
	for _, c := range all {
		if c.took < best.took {
			best = c
		}
		if c.took < math.MaxInt64 {
			text += fmt.Sprintf("%s %.4g ms, ", c.name, c.took.Seconds()*1e3)
		}
	}
	lost := float64(all[0].took)/float64(best.took) - 1
	return row{Figure: fmt.Sprintf("%sbest %s; the code's choice loses %.0f %%", text, best.name, 100*lost), Goal: "at most 5 %", Met: met(lost <= 0.05)}
}

// tiny shapes are an eighth along each axis.
func (b *bench) cut(n int) int {
	if b.o.tiny {
		return max(8, n/64)
	}
	return n
}

// hopperFrom compares the product's form for Hopper with that for tensor cores.
func (b *bench) hopperFrom(m, k, n int) item {
	m, k, n = b.cut(m), b.cut(k), b.cut(n)
	blocks := (m + 127) / 128 * ((n + 255) / 256)
	return item{fmt.Sprintf("product bf16 (%d, %d) by (%d, %d): %d blocks of sm_90a", m, k, k, n, blocks), "", func() row {
		defer b.probe.HopperFrom(0)
		var all []choice
		for _, c := range []struct {
			name string
			from int
		}{{"as it is", 0}, {"sm_90a", 1}, {"sm_80", math.MaxInt}} {
			b.probe.HopperFrom(c.from)
			r := b.product(gpu.BFloat16, m, k, n)
			if r.Fail != "" {
				return r
			}
			all = append(all, choice{c.name, r.Median})
		}
		return chosen(all)
	}}
}

// splits compares counts of parts that decoding cuts the keys into.
func (b *bench) splits(batch, kv, t int) item {
	t = b.cut(t)
	counts := []int{0, 1, 2, 4, 8, 16, 32, 64, 128}
	if b.o.tiny {
		counts = counts[:3]
	}
	return item{fmt.Sprintf("parts of the keys, decoding bf16 (%d, %d/%d, 1/%d, 128)", batch, 4*kv, kv, t), "", func() row {
		defer b.probe.Splits(0)
		return b.decoding(batch, 4*kv, kv, t, 128, func(measure func() row) row {
			var all []choice
			for _, n := range counts {
				b.probe.Splits(n)
				r := measure()
				if r.Fail != "" {
					return r
				}
				name := fmt.Sprint(n)
				if n == 0 {
					name = "as it is"
				}
				all = append(all, choice{name, r.Median})
			}
			return chosen(all)
		})
	}}
}

// oddStrides are rows that do not begin at multiples of 16 bytes, which neither tensor
// maps nor copies of pieces can take: which form does them, and what that costs.
func (b *bench) oddStrides() []item {
	side, t, h := b.cut(2048), b.cut(2048), 16
	product := func(wide int) func() row {
		return func() row {
			in, free, err := b.inputs(2, gpu.BFloat16, []int{side, side + wide}, []int{side, side + wide}, []int{side, side})
			if err != nil {
				return row{Fail: err.Error()}
			}
			r := b.measured(row{}, 2, func(set int) error {
				x, err := in[set][0].Slice(1, 0, side)
				y, err2 := in[set][1].Slice(1, 0, side)
				return firstOf(err, err2, gpu.MatMul(in[set][2], x, y, false))
			})
			return end(r, free())
		}
	}
	attention := func(wide int) func() row {
		return func() row {
			all, err := b.probe.Device.Empty(gpu.BFloat16, mem.Data, 1, t, 3*h, 64+wide)
			if err != nil {
				return row{Fail: err.Error()}
			}
			if err := b.probe.Fill(all); err != nil {
				return end(row{Fail: err.Error()}, all.Free())
			}
			r := b.measured(row{}, 1, func(int) error {
				var parts [3]*gpu.Tensor
				for i := range parts {
					x, err := all.Slice(2, i*h, (i+1)*h)
					if err == nil {
						x, err = x.Slice(3, 0, 64)
					}
					if err == nil {
						parts[i], err = x.Permute(0, 2, 1, 3)
					}
					if err != nil {
						return err
					}
				}
				r, err := gpu.Attention(parts[0], parts[1], parts[2], gpu.AttentionOptions{Causal: true})
				if err != nil {
					return err
				}
				return r.Free()
			})
			return end(r, all.Free())
		}
	}
	both := func(name string, make func(wide int) func() row) item {
		return item{name, "", func() row {
			even := make(8)()
			forms := []string{newest(b.forms, b.probe.Launched())}
			odd := make(1)()
			forms = append(forms, newest(b.forms, b.probe.Launched()))
			if fail := even.Fail + odd.Fail; fail != "" {
				return row{Fail: fail}
			}
			return row{Form: forms[1], Figure: fmt.Sprintf("rows at multiples of 16 bytes: %s, %.4g ms; at others: %s, %.4g ms, %.1f times as long",
				forms[0], even.Median.Seconds()*1e3, forms[1], odd.Median.Seconds()*1e3, float64(odd.Median)/float64(max(1, even.Median)))}
		}}
	}
	return []item{both(fmt.Sprintf("product bf16 %d³ of views", side), product), both(fmt.Sprintf("attention bf16 (1, %d, %d, 64), causal, of views", h, t), attention)}
}
