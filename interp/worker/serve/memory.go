package serve

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"attune/gpu"
	"attune/gpu/mem"
	"attune/interp/worker"
)

// memory answers who holds attune's own memory: each device's blocks, largest
// first, under the names of the variables that lead to them.
func (s *server) memory(req *worker.Memory) {
	var b strings.Builder
	if req.Free {
		for _, d := range gpu.Devices() {
			before := d.Memory()
			err := d.Trim()
			after := d.Memory()
			fmt.Fprintf(&b, "%s: gave back %s: %d of values that nobody reaches, the rest cached\n", d.Name(),
				mem.Bytes(before.Reserved-after.Reserved), before.Total.Live-after.Total.Live)
			if err != nil {
				fmt.Fprintf(&b, "%s: %v\n", d.Name(), err)
			}
		}
	}
	f := finder{names: map[*gpu.Device]map[uint64][]string{}, devices: map[*gpu.Device][]string{}, seen: map[seen]bool{}}
	for _, v := range req.Vars {
		if p, ok := s.table.Lookup(v.Key); ok {
			f.walk(p.Elem(), v.Name, 0)
		}
	}
	devices := gpu.Devices()
	if len(devices) == 0 {
		b.WriteString("no device is open\n")
	}
	for i, d := range devices {
		name, alike := d.Name(), func(o *gpu.Device) bool { return o.Name() == d.Name() }
		if vars := f.devices[d]; len(vars) > 0 && slices.ContainsFunc(slices.Delete(slices.Clone(devices), i, i+1), alike) {
			name += " (" + strings.Join(vars, ", ") + ")" // which of those with the name
		}
		report(&b, d, name, f.names[d])
	}
	if s.stop.leaving() {
		b.WriteString("a call that an interrupt left behind still runs; what it holds comes back when it ends\n")
	}
	_ = s.conn.Send(worker.Event{Listing: &worker.Listing{ID: req.ID, Text: b.String()}})
}

// report lists one device. Blocks without a name are summed up by category.
func report(b *strings.Builder, d *gpu.Device, name string, names map[uint64][]string) {
	m := d.Memory()
	fmt.Fprintf(b, "%s: %s in %s, peak %d, cached %d", name, mem.Bytes(m.Total.Live), mem.Blocks(m.Total.Blocks), m.Total.Peak, m.Cached)
	if m.Cap > 0 {
		fmt.Fprintf(b, ", cap %d", m.Cap)
	}
	b.WriteString("\n")
	if err := d.Lost(); err != nil {
		fmt.Fprintf(b, "  lost: %v\n  its tensors' values are gone; %%gpu restart starts a fresh worker process, in which it can be opened again\n", err)
	}
	const most = 50
	var rest [mem.NumCategories]struct {
		blocks int
		bytes  int64
	}
	lines := 0
	for _, h := range d.Holdings() {
		if found := names[h.ID]; len(found) > 0 && lines < most {
			lines++
			fmt.Fprintf(b, "  %-15s  %12d  %s\n", h.Category, h.Bytes, strings.Join(found, ", "))
			continue
		}
		rest[h.Category].blocks++
		rest[h.Category].bytes += h.Bytes
	}
	for _, c := range mem.Categories() {
		if r := rest[c]; r.blocks > 0 {
			fmt.Fprintf(b, "  %-15s  %12d  %s, no variable known\n", c, r.bytes, mem.Blocks(r.blocks))
		}
	}
}

// finder walks values for tensors. It enters no map, which a goroutine may be
// writing, and looks into values that change as list does: what it says is a
// glimpse.
type finder struct {
	names   map[*gpu.Device]map[uint64][]string
	devices map[*gpu.Device][]string
	seen    map[seen]bool
	steps   int
}

// seen is a pointer of one type: a struct and its first field have one address.
type seen struct {
	at  uintptr
	typ reflect.Type
}

// holder is what keeps tensors where the walk does not look.
type holder interface{ Tensors() []*gpu.Tensor }

func (f *finder) walk(v reflect.Value, name string, depth int) {
	if f.steps++; f.steps > 1_000_000 || depth > 12 {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		key := seen{v.Pointer(), v.Type()}
		if !v.IsNil() && v.Type() == reflect.TypeFor[*gpu.Tensor]() {
			f.found((*gpu.Tensor)(v.UnsafePointer()), name)
			return
		}
		if !v.IsNil() && v.Type() == reflect.TypeFor[*gpu.Device]() {
			if d := (*gpu.Device)(v.UnsafePointer()); depth == 0 && len(f.devices[d]) < 3 {
				f.devices[d] = append(f.devices[d], name)
			}
			return
		}
		if v.IsNil() || f.seen[key] {
			return
		}
		f.seen[key] = true
		if v.CanInterface() {
			if h, ok := v.Interface().(holder); ok {
				for _, t := range h.Tensors() {
					f.found(t, name)
				}
			}
		}
		f.walk(v.Elem(), name, depth+1)
	case reflect.Interface:
		if !v.IsNil() {
			f.walk(v.Elem(), name, depth+1)
		}
	case reflect.Slice, reflect.Array:
		for i := 0; i < v.Len() && !flat(v.Type().Elem()); i++ {
			f.walk(v.Index(i), fmt.Sprintf("%s[%d]", name, i), depth+1)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f.walk(v.Field(i), name+"."+v.Type().Field(i).Name, depth+1)
		}
	}
}

// found notes a tensor's name; a view has the storage of its whole. One that nobody
// made, new(gpu.Tensor), has none and panics.
func (f *finder) found(t *gpu.Tensor, name string) {
	defer func() { _ = recover() }()
	d := t.Device()
	if f.names[d] == nil {
		f.names[d] = map[uint64][]string{}
	}
	if all := f.names[d][t.Storage()]; len(all) < 3 {
		f.names[d][t.Storage()] = append(all, name)
	}
}
