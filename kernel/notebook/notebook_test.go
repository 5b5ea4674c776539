package notebook

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"attune/kernel/kerneltest"
)

var update = flag.Bool("update", false, "write what came as what is expected")

// volatile is what differs from run to run.
var volatile = regexp.MustCompile(`("(?:duration|end_time|start_time|id|input_path|output_path)": )(?:"[^"]*"|[0-9.e+-]+)`)

// TestGolden runs the notebook "in" of each archive in testdata with the echo runner
// and compares what is written with its file "out"; "args" are parameters, one a line.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no notebooks", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			parts := map[string]string{}
			for _, f := range archive.Files {
				parts[f.Name] = string(f.Data)
			}
			opt := Options{Input: filepath.Join(t.TempDir(), "in.ipynb")}
			opt.Output = opt.Input // over itself
			for line := range strings.Lines(parts["args"]) {
				name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
				p, err := ParseParameter(name, value)
				if err != nil {
					t.Fatal(err)
				}
				opt.Parameters = append(opt.Parameters, p)
			}
			var progress strings.Builder
			opt.Progress = &progress
			if err := os.WriteFile(opt.Input, []byte(parts["in"]), 0o600); err != nil {
				t.Fatal(err)
			}
			verdict := "ok"
			if err := Run(context.Background(), kerneltest.NewRunner(), opt); err != nil {
				verdict = err.Error()
			}
			written, err := os.ReadFile(opt.Output)
			if err != nil {
				t.Fatal(err)
			}
			out := verdict + "\n" + volatile.ReplaceAllString(string(written), `${1}"…"`)
			if *update {
				archive.Files[len(archive.Files)-1].Data = []byte(out)
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if out != parts["out"] {
				t.Errorf("written:\n%s\nexpected:\n%s", out, parts["out"])
			}
		})
	}
}

// book is a notebook of code cells; a cell's tag stands before its first line.
func book(cells ...string) string {
	n := &Notebook{Metadata: Object{}, rest: Object{"nbformat": json.RawMessage("4"), "nbformat_minor": json.RawMessage("4")}}
	for _, source := range cells {
		c := &Cell{Type: "code", Source: source, Metadata: Object{}, rest: Object{}}
		if tag, rest, ok := strings.Cut(source, ": "); ok {
			c.Source = rest
			_ = c.Metadata.set("tags", []string{tag})
		}
		n.Cells = append(n.Cells, c)
	}
	text, _ := n.text()
	return string(text)
}

// play runs a notebook and returns what was written.
func play(t *testing.T, ctx context.Context, text string, opt Options) (*Notebook, error) {
	t.Helper()
	dir := t.TempDir()
	opt.Input, opt.Output = filepath.Join(dir, "in.ipynb"), filepath.Join(dir, "out.ipynb")
	if err := os.WriteFile(opt.Input, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ran := Run(ctx, kerneltest.NewRunner(), opt)
	return read(t, opt.Output), ran
}

func read(t *testing.T, path string) *Notebook {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	n, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func states(t *testing.T, n *Notebook) string {
	t.Helper()
	var all []string
	for _, c := range n.Cells {
		var m mill
		if err := c.Metadata.get("papermill", &m); err != nil {
			t.Fatal(err)
		}
		all = append(all, m.Status)
	}
	return strings.Join(all, " ")
}

func TestStopsAtTheFirstError(t *testing.T) {
	n, err := play(t, context.Background(), book("say 1", "error E wrong", "say 2"), Options{})
	var failed *CellError
	if !errors.As(err, &failed) || failed.Number != 2 || failed.Err.Name != "E" {
		t.Fatal(err)
	}
	if got := states(t, n); got != " completed  failed pending" {
		t.Errorf("%q", got)
	}
}

func TestErrorsThatAreAllowed(t *testing.T) {
	n, err := play(t, context.Background(), book("raises-exception: error E wrong", "skip-execution: error E never", "", "say 2"), Options{})
	if err != nil || states(t, n) != "failed completed completed completed" {
		t.Error(err, states(t, n))
	}
	if _, err := play(t, context.Background(), book("error E wrong", "say 2"), Options{AllowErrors: true}); err != nil {
		t.Error(err)
	}
}

func TestTimeout(t *testing.T) {
	_, err := play(t, context.Background(), book("say x\nloop"), Options{Timeout: 50 * time.Millisecond})
	var failed *CellError
	if !errors.As(err, &failed) || failed.Err.Name != "CellTimeoutError" {
		t.Fatal(err)
	}
}

// TestEndOfContext stops a run, and no later cell runs, whatever is allowed.
func TestEndOfContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	n, err := play(t, ctx, book("raises-exception: loop", "say 2"), Options{AllowErrors: true})
	if err == nil || !strings.HasSuffix(states(t, n), "failed pending") {
		t.Error(err, states(t, n))
	}
}

// TestOutputSoFar looks at the file while a cell runs.
func TestOutputSoFar(t *testing.T) {
	dir := t.TempDir()
	opt := Options{Input: filepath.Join(dir, "in.ipynb"), Output: filepath.Join(dir, "out.ipynb")}
	if err := os.WriteFile(opt.Input, []byte(book("say one", "say two\nloop")), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- Run(ctx, kerneltest.NewRunner(), opt) }()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if text, err := os.ReadFile(opt.Output); err == nil {
			n, err := Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			// The first is whole at once, what the second says comes within seconds.
			if states(t, n) == "completed running" && strings.Contains(string(text), "two") {
				break
			}
		}
		if time.Now().After(end) {
			t.Fatal("the second cell's output was never written")
		}
	}
	cancel()
	if err := <-done; err == nil {
		t.Error("the run ended well")
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) > 0 {
		t.Error("left behind:", left)
	}
}

func TestRefused(t *testing.T) {
	for name, text := range map[string]string{
		"no JSON":       "{",
		"version 3":     `{"nbformat":3,"worksheets":[]}`,
		"Python":        `{"nbformat":4,"nbformat_minor":5,"cells":[],"metadata":{"kernelspec":{"name":"python3","language":"python"}}}`,
		"strange cell":  `{"nbformat":4,"nbformat_minor":5,"cells":[{"cell_type":"heading","source":""}],"metadata":{}}`,
		"source a map":  `{"nbformat":4,"nbformat_minor":5,"cells":[{"cell_type":"code","source":{}}],"metadata":{}}`,
		"tags no list":  "",
		"cells missing": `{"nbformat":4,"nbformat_minor":5,"cells":3,"metadata":{}}`,
	} {
		if text == "" {
			continue
		}
		path := filepath.Join(t.TempDir(), "in.ipynb")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		out := path + ".out"
		if err := Run(context.Background(), kerneltest.NewRunner(), Options{Input: path, Output: out}); err == nil {
			t.Errorf("%s: it ran", name)
		}
		if _, err := os.Stat(out); err == nil {
			t.Errorf("%s: something was written", name)
		}
	}
}

func TestLiterals(t *testing.T) {
	for text, want := range map[string]string{
		"0.1": "0.1", "3": "3", "-2": "-2", "1e3": "1000.0", "1e300": "1e+300", "True": "true", "false": "false", "None": "nil",
		"x": `"x"`, "a\"b\\\n<": `"a\"b\\\n<"`, "1.2.3": `"1.2.3"`, "NaN": `"NaN"`, "": `""`,
		"[1, 2]": "[]int{1, 2}", "[1, 2.5]": "[]float64{1, 2.5}", "[]": "[]any{}", `["a", 1]`: `[]any{"a", 1}`,
		"[[1], [2, 3]]": "[][]int{{1}, {2, 3}}", "[[1], [2.5]]": "[]any{[]int{1}, []float64{2.5}}",
		`{"b": 1, "a": 2}`: `map[string]int{"a": 2, "b": 1}`, `{"a": {"x": [true]}}`: `map[string]map[string][]bool{"a": {"x": {true}}}`,
		"[1, null]": "[]any{1, nil}",
	} {
		p, err := ParseParameter("p", text)
		if err != nil {
			t.Fatal(err)
		}
		got, err := assignments([]Parameter{p})
		if err != nil || got != "// Parameters\n%%parameters\np = "+want+"\n" {
			t.Errorf("%s: %q, %v", text, got, err)
		}
	}
	for _, c := range [][2]string{{"1x", "1"}, {"", "1"}, {"a b", "1"}, {"a", "[1"}} {
		if p, err := ParseParameter(c[0], c[1]); err == nil {
			t.Errorf("%v was read as %v", c, p)
		}
	}
}

// FuzzParse reads any text: what is accepted can be written and read again.
func FuzzParse(f *testing.F) {
	f.Add([]byte(book("say 1")))
	f.Add([]byte(`{"nbformat":4,"nbformat_minor":5,"cells":[{"cell_type":"markdown","source":["a\n","b"],"metadata":{"tags":3}}],"metadata":{}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := Parse(b)
		if err != nil {
			return
		}
		_ = n.language()
		text, err := n.text()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	})
}

// TestUnknownParameter says that a parameter which no cell names does nothing.
func TestUnknownParameter(t *testing.T) {
	file := filepath.Join(t.TempDir(), "in.ipynb")
	text := `{"cells": [{"cell_type": "code", "execution_count": null, "metadata": {}, "outputs": [], "source": "lr := 0.1"}],
		"metadata": {}, "nbformat": 4, "nbformat_minor": 5}`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var progress strings.Builder
	opt := Options{Input: file, Output: file, Progress: &progress, Parameters: []Parameter{{"lr", 0.2}, {"l", int64(1)}}}
	if err := Run(context.Background(), kerneltest.NewRunner(), opt); err != nil {
		t.Fatal(err)
	}
	if got, want := progress.String(), "note: no cell names l, so the parameter changes nothing\n"; !strings.HasPrefix(got, want) {
		t.Errorf("it says %q, want %q first", got, want)
	}
}
