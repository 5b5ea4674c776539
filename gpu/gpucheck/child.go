package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"attune/gpu"
	"attune/gpu/mem"
)

// message is a line from a section's process: which row comes, or the row.
type message struct {
	Begin int    `json:"begin"`
	Of    int    `json:"of,omitempty"`
	Name  string `json:"name,omitempty"`
	Form  string `json:"form,omitempty"`
	Row   *row   `json:"row,omitempty"`
}

// item is a row that can be made. Form is what is known of it before.
type item struct {
	name, form string
	run        func() row
}

// bench is what a section's rows work with.
type bench struct {
	o      options
	dev    *gpu.Device // as users have it
	probe  *gpu.Probe
	forms  map[string]string
	opened time.Duration
	l2     int64
}

// child runs the rows of a section from o.after on. It waits for a line before each, so
// that the device is free for PyTorch in between.
func child(o options, in io.Reader, out io.Writer) error {
	s, ok := sectionNamed(o.section)
	if !ok {
		return fmt.Errorf("no section %q", o.section)
	}
	begin := time.Now()
	dev, err := gpu.Open(o.device)
	if err != nil {
		return err
	}
	b := &bench{o: o, dev: dev, opened: time.Since(begin)}
	defer runtime.KeepAlive(dev)
	if b.probe, err = gpu.NewProbe(dev); err != nil {
		return err
	}
	if b.forms, err = forms(); err != nil {
		return err
	}
	if _, b.l2, err = b.probe.Traits(); err != nil {
		return err
	}
	items, err := s.items(b)
	if err != nil {
		return err
	}
	if items, err = shard(items, o.shard); err != nil {
		return err
	}
	lines := bufio.NewScanner(in)
	w := &lineWriter{w: json.NewEncoder(out)}
	for i := o.after; i < len(items) && lines.Scan(); i++ {
		if err := w.write(message{Begin: i, Of: len(items), Name: items[i].name, Form: items[i].form}); err != nil {
			return err
		}
		r := b.row(items[i], i, w)
		if err := w.write(message{Begin: i, Row: &r}); err != nil {
			return err
		}
		if r.Lost {
			return fmt.Errorf("the context is lost")
		}
	}
	return nil
}

// lineWriter lets the watch of a row write too.
type lineWriter struct {
	mu sync.Mutex
	w  *json.Encoder
}

func (l *lineWriter) write(m message) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Encode(m)
}

// row makes one. If it takes too long, its kernels are told and the process ends: no
// call can take back what the device was asked to do.
func (b *bench) row(it item, i int, w *lineWriter) row {
	b.probe.Launched()
	watch := time.AfterFunc(b.o.item, func() {
		r := row{Name: it.name, Form: it.form, Kernels: b.probe.Launched(), Fail: fmt.Sprintf("hangs: no answer for %v", b.o.item), Lost: true}
		_ = w.write(message{Begin: i, Row: &r})
		os.Exit(4)
	})
	defer watch.Stop()
	r := it.run()
	if r.Name == "" {
		r.Name = it.name
	}
	if ran := b.probe.Launched(); len(r.Kernels) == 0 {
		r.Kernels = ran
	}
	if r.Form == "" {
		r.Form = it.form
	}
	if form := newest(b.forms, r.Kernels); form != "" && r.Form == "" {
		r.Form = form
	}
	if err := b.dev.Lost(); err != nil {
		r.Lost = true
		if r.Fail == "" {
			r.Fail = err.Error()
		}
	}
	r.Fail = strings.ReplaceAll(strings.ReplaceAll(r.Fail, "\n", " "), "|", "/")
	return r
}

// shard keeps every n-th item from the k-th on, for "k/n".
func shard(items []item, which string) ([]item, error) {
	if which == "" {
		return items, nil
	}
	var k, n int
	if _, err := fmt.Sscanf(which, "%d/%d", &k, &n); err != nil || n < 1 {
		return nil, fmt.Errorf("shard %q: want k/n", which)
	}
	var out []item
	for i := k; i < len(items); i += n {
		out = append(out, items[i])
	}
	return out, nil
}

// measured is the row of a computation: once to compile, twice to see how long it takes,
// for a while to warm up, then so often that it is a tenth of a second or a hundred runs. run gets the number
// of one of sets sets of inputs, so that no run finds its own in the cache.
func (b *bench) measured(r row, sets int, run func(set int) error) row {
	_, err := b.probe.Times(1, run)
	b.probe.Launched()
	var first []time.Duration
	if err == nil {
		first, err = b.probe.Times(2, run)
	}
	if err == nil {
		spend := 100 * time.Millisecond
		if b.o.tiny {
			spend = 0
		}
		n := min(100, max(5, int(spend/max(first[1], time.Microsecond))))
		if first[1] > 100*time.Millisecond || b.o.tiny {
			n = 2
		}
		var took []time.Duration
		if !b.o.tiny { // the clocks rise
			_, err = b.probe.Times(n/2, func(i int) error { return run(i % sets) })
		}
		if err != nil {
			return end(r, err)
		}
		if took, err = b.probe.Times(n, func(i int) error { return run(i % sets) }); err == nil {
			slices.Sort(took)
			r.Median, r.Least = took[len(took)/2], took[0]
		}
	}
	if err != nil {
		r.Fail = err.Error()
	}
	return r
}

// sets is how many sets of so many bytes are well beyond the second level cache.
func (b *bench) sets(bytes int) int { return max(2, min(128, int(3*b.l2/int64(max(1, bytes))))) }

// inputs makes sets of tensors of normal values, all of one type, on the probe's device.
// free gives them back.
func (b *bench) inputs(sets int, dtype gpu.DType, shapes ...[]int) (all [][]*gpu.Tensor, free func() error, err error) {
	return b.inputsOn(b.probe.Device, sets, dtype, shapes...)
}

// inputsOn is inputs on a device of the probe's context.
func (b *bench) inputsOn(dev *gpu.Device, sets int, dtype gpu.DType, shapes ...[]int) (all [][]*gpu.Tensor, free func() error, err error) {
	free = func() error {
		var first error
		for _, set := range all {
			for _, t := range set {
				if err := t.Free(); first == nil {
					first = err
				}
			}
		}
		return first
	}
	for range sets {
		all = append(all, nil)
		for _, s := range shapes {
			t, err := dev.Empty(dtype, mem.Data, s...)
			if err == nil {
				all[len(all)-1] = append(all[len(all)-1], t)
				err = b.probe.Fill(t)
			}
			if err != nil {
				return nil, nil, fmt.Errorf("make inputs: %w", firstOf(err, free()))
			}
		}
	}
	return all, free, nil
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// end is a row with what freeing its inputs gave.
func end(r row, err error) row {
	if r.Fail == "" && err != nil {
		r.Fail = err.Error()
	}
	return r
}
