package notebook

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"

	"attune/display/mime"
	"attune/interp/cell"
)

// collector is the Sink of one cell: it keeps its outputs as a front end would.
type collector struct {
	r     *run
	cell  *Cell
	clear bool // the next output replaces what is there
}

// run is what the cells of one notebook share. mu guards all outputs.
type run struct {
	mu      sync.Mutex
	nb      *Notebook
	changed bool // since it was written
}

var errNoUser = errors.New("there is nobody to ask: the notebook runs by itself")

// add appends an output; the caller holds the lock.
func (c *collector) add(o *Output) {
	c.r.changed = true
	if c.clear {
		c.cell.Outputs, c.clear = nil, false
	}
	if n := len(c.cell.Outputs); o.Type == "stream" && n > 0 {
		if last := c.cell.Outputs[n-1]; last.Type == "stream" && last.Name == o.Name {
			last.Text += o.Text
			return
		}
	}
	c.cell.Outputs = append(c.cell.Outputs, o)
}

// Stream implements cell.Sink.
func (c *collector) Stream(to cell.Stream, text []byte) {
	c.r.mu.Lock()
	defer c.r.mu.Unlock()
	c.add(&Output{Type: "stream", Name: string(to), Text: string(text)})
}

// Display implements cell.Sink. An update changes the outputs of all cells that have
// its identity.
func (c *collector) Display(d cell.Display) {
	c.r.mu.Lock()
	defer c.r.mu.Unlock()
	data, metadata := bundle(d.Bundle)
	if !d.Update {
		c.add(&Output{Type: "display_data", Data: data, Metadata: metadata, id: d.ID})
		return
	}
	for _, other := range c.r.nb.Cells {
		for _, o := range other.Outputs {
			if o.id == d.ID && d.ID != "" {
				o.Data, o.Metadata, c.r.changed = data, metadata, true
			}
		}
	}
}

// Result implements cell.Sink.
func (c *collector) Result(b mime.Bundle) {
	c.r.mu.Lock()
	defer c.r.mu.Unlock()
	data, metadata := bundle(b)
	c.add(&Output{Type: "execute_result", Data: data, Metadata: metadata, Count: *c.cell.Count})
}

// Clear implements cell.Sink.
func (c *collector) Clear(wait bool) {
	c.r.mu.Lock()
	defer c.r.mu.Unlock()
	if c.clear = wait; !wait {
		c.cell.Outputs, c.r.changed = nil, true
	}
}

// Input implements cell.Sink.
func (c *collector) Input(context.Context, string, bool) (string, error) { return "", errNoUser }

func (c *collector) fail(e *cell.Error) {
	c.r.mu.Lock()
	defer c.r.mu.Unlock()
	traceback := e.Traceback
	if len(traceback) == 0 {
		traceback = []string{e.Error()}
	}
	c.add(&Output{Type: "error", Ename: e.Name, Evalue: e.Value, Traceback: traceback})
}

// bundle is a bundle as nbformat keeps it: JSON as it is, text in lines, pictures as
// one string.
func bundle(b mime.Bundle) (data, metadata Object) {
	data, metadata = Object{}, Object{}
	for kind, text := range b.Data {
		var value any = text
		switch {
		case strings.HasSuffix(kind, "json") && json.Valid([]byte(text)):
			value = json.RawMessage(text)
		case strings.HasPrefix(kind, "text/") || kind == mime.SVG:
			value = lines(strings.ToValidUTF8(text, "\ufffd"))
		}
		_ = data.set(kind, value) // text and valid JSON can be written
	}
	for kind, text := range b.Metadata {
		if json.Valid(text) {
			metadata[kind] = text
		}
	}
	return data, metadata
}
