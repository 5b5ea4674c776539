package conform

import (
	"cmp"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"attune/interp/check"
	"attune/interp/native"
	"attune/interp/plan"
)

var reasons = flag.Bool("reasons", false, "list why statement cells are compiled, and each cell's own reason")

// share counts which engine statement cells are planned for.
type share struct {
	instant, compiled int
	why               map[string]int // without its line
	cells             []string       // "name: reason"
}

// TestShare plans the statement cells of the notebooks and of the standard
// library's Examples (see TestBodies) and reports how many the instant engine gets.
// Cells that only declare are no statement cells.
func TestShare(t *testing.T) {
	root := filepath.Join(goroot(t), "src")
	lib, err := native.OpenLib(filepath.Join(made, "lib"))
	if err != nil {
		t.Skip("the packages for cells are not built: run ./install.sh test")
	}
	var all share
	n := &share{why: map[string]int{}}
	imp, err := check.NewImporter(lib.ImportCfg())
	if err != nil {
		t.Fatal(err)
	}
	for _, nb := range notebooks(t) {
		n.plan(t, filepath.Base(nb.name), check.NewChecker(imp), nb.cells, false)
	}
	n.report(t, "notebooks", &all)
	n = &share{why: map[string]int{}}
	for _, ex := range examples(t, root) {
		if !ex.returns() {
			n.plan(t, ex.pkg+"."+ex.name, check.NewChecker(imp), append(ex.before, ex.file.declarations(ex.name, false), ex.body()), true)
		}
	}
	n.report(t, "examples", &all)
	if got := all.part(); got < 0.6 {
		t.Errorf("%.1f %% of the statement cells are planned for the instant engine, want 60 %%", 100*got)
	}
}

// plan checks the cells one on top of the other and counts those with statements;
// of an example the last alone.
func (n *share) plan(t *testing.T, name string, c *check.Checker, cells []string, last bool) {
	scope := check.NewScope()
	for i, code := range cells {
		u, err := c.Check(i+1, code, scope)
		if err != nil {
			if last {
				t.Errorf("%s, cell %d: %v", name, i+1, err.Problems)
			}
			continue // notebooks show errors
		}
		native.Prepare(u)
		scope = u.Commit()
		if u.Body == nil || last && i < len(cells)-1 {
			continue
		}
		d := plan.Decide(u, false)
		if d.Engine != plan.Native {
			n.instant++
			continue
		}
		n.compiled++
		n.why[kind(d.Why)]++
		n.cells = append(n.cells, name+": "+d.Why)
	}
}

func (n *share) part() float64 { return float64(n.instant) / float64(n.instant+n.compiled) }

func (n *share) report(t *testing.T, what string, all *share) {
	all.instant, all.compiled = all.instant+n.instant, all.compiled+n.compiled
	t.Logf("%s: %d of %d statement cells instant (%.1f %%)", what, n.instant, n.instant+n.compiled, 100*n.part())
	if !*reasons {
		return
	}
	var list []string
	for why := range n.why {
		list = append(list, why)
	}
	slices.SortFunc(list, func(a, b string) int { return cmp.Or(n.why[b]-n.why[a], cmp.Compare(a, b)) })
	for _, why := range list {
		t.Logf("%4d %s", n.why[why], why)
	}
	for _, c := range n.cells {
		t.Log(c)
	}
}

var linePrefix = regexp.MustCompile(`^line \d+: `)

// kind is a reason without the line.
func kind(why string) string { return linePrefix.ReplaceAllString(why, "") }

// notebook is the Go cells of a notebook.
type notebook struct {
	name  string
	cells []string
}

// notebooks reads those of the project.
func notebooks(t *testing.T) []notebook {
	t.Helper()
	files, err := filepath.Glob("../../notebooks/*.ipynb")
	if err != nil || len(files) == 0 {
		t.Fatal("no notebooks: ", err)
	}
	var out []notebook
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var doc struct {
			Cells []struct {
				Kind   string   `json:"cell_type"`
				Source []string `json:"source"`
			} `json:"cells"`
		}
		if err := json.Unmarshal(data, &doc); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		nb := notebook{name: file}
		for _, c := range doc.Cells {
			if c.Kind == "code" {
				nb.cells = append(nb.cells, strings.Join(c.Source, ""))
			}
		}
		out = append(out, nb)
	}
	return out
}

// engines counts what cells said that were timed (%time).
type engines struct {
	mu       sync.Mutex
	instant  int
	compiled []string
}

func (n *engines) note(name, said string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if strings.Contains(said, string(plan.Yaegi)) {
		n.instant++
	} else {
		n.compiled = append(n.compiled, name)
	}
}

func (n *engines) report(t *testing.T) {
	n.mu.Lock()
	defer n.mu.Unlock()
	all := n.instant + len(n.compiled)
	t.Logf("%d of %d bodies ran on the instant engine (%.1f %%)", n.instant, all, 100*float64(n.instant)/float64(max(all, 1)))
	if *reasons {
		t.Log("compiled: ", strings.Join(n.compiled, " "))
	}
}
