// Package notebook runs Jupyter notebooks with no front end: it reads and writes the
// notebook format (nbformat 4), puts parameters in, has each cell run, and collects
// what the cells put out as JupyterLab would. It imports interp/cell and display/mime.
package notebook

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Object is a JSON object whose fields are kept as they are.
type Object map[string]json.RawMessage

// set makes a field what value is as JSON.
func (o Object) set(name string, value any) error {
	text, err := marshal(value)
	if err != nil {
		return fmt.Errorf("set %s: %w", name, err)
	}
	o[name] = text
	return nil
}

// get reads a field into a pointer; a field that is not there changes nothing.
func (o Object) get(name string, into any) error {
	text, ok := o[name]
	if !ok {
		return nil
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// marshal is json.Marshal that leaves <, > and & as they are.
func marshal(value any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(value)
	return bytes.TrimRight(b.Bytes(), "\n"), err
}

// Notebook is a notebook. What this package does not know of it stays as it is.
type Notebook struct {
	Cells    []*Cell
	Metadata Object
	rest     Object
	minor    int
}

// Cell is a cell; Outputs and Count are of code cells.
type Cell struct {
	Type     string
	Source   string
	Metadata Object
	Outputs  []*Output
	Count    *int
	rest     Object
}

// Output is one output of a code cell (nbformat, "code cell outputs").
type Output struct {
	Type string // "stream", "display_data", "execute_result" or "error"
	Name string // of a stream
	Text string
	// Data and Metadata are a bundle's; Count is an execute_result's.
	Data, Metadata Object
	Count          int
	// Ename, Evalue and Traceback are an error's.
	Ename, Evalue string
	Traceback     []string

	id string // display_id, which is not stored
}

// lines is a text that is stored as a list of lines, and read from that or a string.
type lines string

func (l *lines) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*l = lines(one)
		return nil
	}
	var many []string
	if err := json.Unmarshal(b, &many); err != nil {
		return err
	}
	*l = lines(strings.Join(many, ""))
	return nil
}

func (l lines) MarshalJSON() ([]byte, error) {
	list := slices.Collect(strings.Lines(string(l)))
	if list == nil {
		list = []string{}
	}
	return marshal(list)
}

// Parse reads a notebook. Versions before 4 are refused.
func Parse(text []byte) (*Notebook, error) {
	n := &Notebook{Metadata: Object{}}
	if err := json.Unmarshal(text, &n.rest); err != nil {
		return nil, fmt.Errorf("read notebook: %w", err)
	}
	var version int
	var cells []Object
	err := errors.Join(n.rest.get("nbformat", &version), n.rest.get("nbformat_minor", &n.minor),
		n.rest.get("metadata", &n.Metadata), n.rest.get("cells", &cells))
	if err != nil {
		return nil, fmt.Errorf("read notebook: %w", err)
	}
	if version != 4 {
		return nil, fmt.Errorf("read notebook: its format is version %d, only 4 is understood; JupyterLab converts older ones when it saves them", version)
	}
	for i, o := range cells {
		c, err := parseCell(o)
		if err != nil {
			return nil, fmt.Errorf("read notebook: cell %d: %w", i+1, err)
		}
		n.Cells = append(n.Cells, c)
	}
	return n, nil
}

func parseCell(o Object) (*Cell, error) {
	c := &Cell{Metadata: Object{}, rest: o}
	var source lines
	if err := errors.Join(o.get("cell_type", &c.Type), o.get("source", &source), o.get("metadata", &c.Metadata)); err != nil {
		return nil, err
	}
	c.Source = string(source)
	if c.Type != "code" && c.Type != "markdown" && c.Type != "raw" {
		return nil, fmt.Errorf("cell_type %q is none", c.Type)
	}
	return c, nil
}

// language is what the notebook says it is written in; "" where it does not.
func (n *Notebook) language() string {
	var spec, info struct{ Name, Language string }
	_ = n.Metadata.get("kernelspec", &spec)
	_ = n.Metadata.get("language_info", &info)
	if spec.Language != "" {
		return strings.ToLower(spec.Language)
	}
	return strings.ToLower(info.Name)
}

// newCell is a cell as this notebook's version has it: ids came with 4.5.
func (n *Notebook) newCell(kind, source string, tags ...string) (*Cell, error) {
	c := &Cell{Type: kind, Source: source, Metadata: Object{}, rest: Object{}}
	if n.minor >= 5 {
		if err := c.rest.set("id", strings.ToLower(rand.Text()[:8])); err != nil {
			return nil, err
		}
	}
	return c, c.Metadata.set("tags", tags)
}

// tagged tells whether the cell has a tag.
func (c *Cell) tagged(tag string) bool {
	var tags []string
	_ = c.Metadata.get("tags", &tags)
	return slices.Contains(tags, tag)
}

// MarshalJSON writes the cell as nbformat has it.
func (c *Cell) MarshalJSON() ([]byte, error) {
	o := Object{}
	for name, text := range c.rest {
		o[name] = text
	}
	err := errors.Join(o.set("cell_type", c.Type), o.set("source", lines(c.Source)), o.set("metadata", c.Metadata))
	if c.Type == "code" {
		outputs := c.Outputs
		if outputs == nil {
			outputs = []*Output{}
		}
		err = errors.Join(err, o.set("outputs", outputs), o.set("execution_count", c.Count))
	}
	if err != nil {
		return nil, err
	}
	return marshal(o)
}

// MarshalJSON writes the output as nbformat has it.
func (o *Output) MarshalJSON() ([]byte, error) {
	out := Object{}
	err := out.set("output_type", o.Type)
	switch o.Type {
	case "stream":
		err = errors.Join(err, out.set("name", o.Name), out.set("text", lines(o.Text)))
	case "error":
		err = errors.Join(err, out.set("ename", o.Ename), out.set("evalue", o.Evalue), out.set("traceback", o.Traceback))
	default:
		err = errors.Join(err, out.set("data", o.Data), out.set("metadata", o.Metadata))
		if o.Type == "execute_result" {
			err = errors.Join(err, out.set("execution_count", o.Count))
		}
	}
	if err != nil {
		return nil, err
	}
	return marshal(out)
}

// text is the notebook as it is stored: fields in order, indented by one.
func (n *Notebook) text() ([]byte, error) {
	o := Object{}
	for name, text := range n.rest {
		o[name] = text
	}
	cells := n.Cells
	if cells == nil {
		cells = []*Cell{}
	}
	if err := errors.Join(o.set("cells", cells), o.set("metadata", n.Metadata)); err != nil {
		return nil, err
	}
	text, err := marshal(o)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := json.Indent(&b, text, "", " "); err != nil {
		return nil, err
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

// write replaces the file by the notebook in one step: whoever reads it, even after a
// kill, finds the whole of the last one or the whole of this one.
func (n *Notebook) write(path string) error {
	text, err := n.text()
	if err != nil {
		return fmt.Errorf("write notebook: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("write notebook: %w", err)
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return fmt.Errorf("write notebook: %w", err)
	}
	return nil
}
