package main

import (
	"fmt"
	"math"
	"regexp"
	"strings"

	"attune/gpu"
	"attune/gpu/kernels"
)

// checkItems are the comparisons of package gpu that are of one kernel each, or not. At
// tiny sizes a few of them do.
func (b *bench) checkItems(alone bool) ([]item, error) {
	cases, err := gpu.Checks(b.dev)
	if err != nil {
		return nil, err
	}
	images, shared := map[string]string{}, map[string]bool{}
	for _, i := range kernels.Images() {
		text, err := kernels.PTX(i.Name)
		if err != nil {
			return nil, err
		}
		for _, name := range kernels.Entries(text) {
			shared[name] = images[name] != ""
			images[name] = i.Name
		}
	}
	var out []item
	image := ""
	for i, c := range cases {
		if (c.Kind == "kernel") != alone || b.o.tiny && b.o.match == "" && i%7 != 0 || !strings.Contains(c.Name, b.o.match) {
			continue
		}
		kernel, _ := strings.CutPrefix(c.Name, "kernel ")
		if !shared[kernel] {
			image = images[kernel]
		}
		group := image
		out = append(out, item{c.Name, b.forms[kernel], func() row {
			check := c.Run()
			r := row{Group: c.Kind, Error: min(check.Error, math.MaxFloat32), Limit: check.Limit, Median: check.Took}
			if alone {
				r.Group, r.Kernels = group, []string{kernel}
			} else {
				r.Kernels = b.probe.Launched()
			}
			switch {
			case check.Err != nil:
				r.Fail = check.Err.Error()
			case !check.OK():
				r.Fail = fmt.Sprintf("differs: %.1e, allowed %.1e", check.Error, check.Limit)
			}
			return r
		}})
	}
	return out, nil
}

func kernelItems(b *bench) ([]item, error) { return b.checkItems(true) }
func callItems(b *bench) ([]item, error)   { return b.checkItems(false) }

// compileItems compile each image that the device can run.
func compileItems(b *bench) ([]item, error) {
	var out []item
	for _, i := range kernels.Images() {
		if !i.RunsOn(b.probe.Arch()) {
			continue
		}
		out = append(out, item{i.Name, i.Target(), func() row {
			took, err := b.probe.Load(i.Name)
			return end(row{Median: took}, err)
		}})
	}
	return out, nil
}

// sessionItems are what a session with a transformer in half precision opens and compiles:
// of attention, its gradient and products the newest form.
func sessionItems(b *bench) ([]item, error) {
	out := []item{{"context", "", func() row { return row{Median: b.opened} }}}
	var names []string
	for _, pattern := range []string{`attention(_[a-z]*mma)?_64`, `attention_grad(_[a-z]*mma)?_64`, `gemm(_[a-z]*mma)?`, `optim`, `pointwise`, `rows`, `copy`} {
		var best kernels.Image
		for _, i := range kernels.Images() {
			if i.RunsOn(b.probe.Arch()) && i.Arch > best.Arch && regexp.MustCompile("^"+pattern+"$").MatchString(i.Name) {
				best = i
			}
		}
		names = append(names, best.Name)
	}
	for _, name := range names {
		out = append(out, item{name, "", func() row {
			took, err := b.probe.Load(name)
			return end(row{Median: took}, err)
		}})
	}
	return out, nil
}

// hottestItems run once each of the kernels that a training step spends its time in.
func hottestItems(b *bench) ([]item, error) {
	s := attentionShape{2, 16, 4096, 128, true}
	side := 4096
	if b.o.tiny {
		s, side = attentionShape{1, 2, 64, 64, true}, 64
	}
	shape := []int{s.b, s.h, s.t, s.d}
	once := func(shapes [][]int, run func(t []*gpu.Tensor) error) func() row {
		return func() row {
			in, free, err := b.inputs(1, gpu.BFloat16, shapes...)
			if err != nil {
				return row{Fail: err.Error()}
			}
			return end(row{}, firstOf(run(in[0]), b.dev.Synchronize(), free()))
		}
	}
	return []item{
		{"attention", "", once([][]int{shape, shape, shape, shape}, func(t []*gpu.Tensor) error {
			r, err := gpu.Attention(t[0], t[1], t[2], gpu.AttentionOptions{Causal: true})
			if err != nil {
				return err
			}
			dq, dk, dv, err := r.Backward(t[3])
			return firstOf(err, dq.Free(), dk.Free(), dv.Free(), r.Free())
		})},
		{"product", "", once([][]int{{side, side}, {side, side}, {side, side}}, func(t []*gpu.Tensor) error { return gpu.MatMul(t[2], t[0], t[1], false) })},
	}, nil
}
