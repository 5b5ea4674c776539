package native

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
)

// Cells that wait together are built together: linking takes most of the time, and
// takes it once for all. The plugin of several has a name of its own; beside it lies
// what the shared names in it mean, and each cell's own name is a link to it.
const (
	bundlePrefix = "cells-"
	meansSuffix  = ".json"
)

// BuildAll builds what of list is not kept yet and not being built, in as few
// plugins as can be. It leaves the errors of single cells to Build.
func (b *Builder) BuildAll(ctx context.Context, list []*Source) {
	added := b.added()
	todo := map[*Source]*pending{}
	var alone, together []*Source
	for _, src := range list {
		name := b.name(src, added)
		if _, ok := b.kept(src, name); ok {
			continue
		}
		mine, _ := b.begin(name)
		switch todo[src] = mine; {
		case mine == nil:
		case name != src.Hash || len(src.blank) > 0: // what a package does as it starts, it shall do in its cell
			alone = append(alone, src)
		default:
			together = append(together, src)
		}
	}
	for len(together) > 0 {
		bu := join()
		for len(together) > 0 && bu.add(together[0]) {
			together = together[1:]
		}
		b.buildBundle(ctx, bu, todo)
	}
	for _, src := range alone {
		_, _ = b.buildOne(ctx, src, b.name(src, added), added, todo[src])
	}
}

// buildBundle builds bu. If that fails, it looks for the cell at fault by halves.
func (b *Builder) buildBundle(ctx context.Context, bu *bundle, todo map[*Source]*pending) {
	n := len(bu.sources)
	if n == 1 {
		src := bu.sources[0]
		_, _ = b.buildOne(ctx, src, src.Hash, nil, todo[src])
		return
	}
	plugin := Plugin{File: filepath.Join(b.cache, bundlePrefix+bu.hash()+".so"), Means: means(bu.shared)}
	if err := b.build(ctx, bu, nil, plugin.File); err != nil {
		b.buildBundle(ctx, join(bu.sources[:n/2]...), todo)
		b.buildBundle(ctx, join(bu.sources[n/2:]...), todo)
		return
	}
	b.keep(bu, plugin)
	for _, src := range bu.sources {
		b.end(src.Hash, todo[src], plugin, nil)
	}
}

func meansFile(file string) string { return strings.TrimSuffix(file, ".so") + meansSuffix }

// keep lets each cell of bu be found in plugin. One that is not is built again when it
// is asked for.
func (b *Builder) keep(bu *bundle, plugin Plugin) {
	data, err := json.Marshal(plugin.Means)
	if err != nil || os.WriteFile(meansFile(plugin.File), data, 0o644) != nil {
		return
	}
	for _, src := range bu.sources {
		link := filepath.Join(b.cache, src.Hash+".so")
		if other := link + "." + bu.hash(); os.Symlink(filepath.Base(plugin.File), other) == nil {
			_ = os.Rename(other, link) // over the link to one that is gone
		}
	}
}

// kept is the plugin that an earlier build of src left.
func (b *Builder) kept(src *Source, name string) (Plugin, bool) {
	file := filepath.Join(b.cache, name+".so")
	if _, err := os.Stat(file); err != nil {
		return Plugin{}, false
	}
	p := Plugin{File: file, Means: src.Means()}
	if to, err := os.Readlink(file); err == nil {
		p.File, p.Means = filepath.Join(b.cache, to), nil
		data, err := os.ReadFile(meansFile(p.File))
		if err != nil || json.Unmarshal(data, &p.Means) != nil {
			return Plugin{}, false
		}
	}
	touch(p.File)
	return p, true
}
