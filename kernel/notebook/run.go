package notebook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"attune/interp/cell"
)

// Options say how a notebook is run.
type Options struct {
	// Input and Output are the files; Output may be Input.
	Input, Output string
	// Parameters are put into the notebook before it runs.
	Parameters []Parameter
	// Timeout bounds each cell; 0 does not.
	Timeout time.Duration
	// AllowErrors goes on behind a cell that fails.
	AllowErrors bool
	// Progress takes a line for each cell.
	Progress io.Writer
	// Language is the info that front ends write into a notebook's metadata.
	Language json.RawMessage
}

// Tags that cells may have (nbclient): one that may fail, and one that is not run.
const (
	raisesTag = "raises-exception"
	skipTag   = "skip-execution"
	errorTag  = "papermill-error-cell-tag"
)

// saveEvery is how often outputs of a cell that runs are written.
const saveEvery = 5 * time.Second

// CellError says that a cell failed: the notebook was run up to it.
type CellError struct {
	// Number of the cell among the code cells, from 1.
	Number int
	Err    *cell.Error
}

func (e *CellError) Error() string {
	return fmt.Sprintf("code cell %d failed: %s", e.Number, e.Err.Error())
}

// Run runs the notebook's code cells in order and writes it, with what they put out,
// before the first, behind each, and every few seconds. It stops at the first cell
// that fails, with a CellError, unless its tag or AllowErrors let it. The end of ctx
// interrupts the cell that runs.
func Run(ctx context.Context, runner cell.Runner, opt Options) error {
	text, err := os.ReadFile(opt.Input)
	if err != nil {
		return fmt.Errorf("read notebook: %w", err)
	}
	nb, err := Parse(text)
	if err != nil {
		return err
	}
	if lang := nb.language(); lang != "" && lang != "go" {
		return fmt.Errorf("the notebook is written in %s, not in Go", lang)
	}
	if opt.Progress == nil {
		opt.Progress = io.Discard
	}
	r := &running{run: run{nb: nb}, opt: opt, runner: runner, started: time.Now()}
	if err := r.prepare(); err != nil {
		return err
	}
	err = r.all(ctx)
	return errors.Join(err, r.finish())
}

// running is a notebook on its way.
type running struct {
	run
	opt     Options
	runner  cell.Runner
	started time.Time
	failed  *Cell
}

// mill is what papermill keeps in a cell's metadata.
type mill struct {
	Duration  *float64 `json:"duration"`
	EndTime   *string  `json:"end_time"`
	Exception *bool    `json:"exception"`
	StartTime *string  `json:"start_time"`
	Status    string   `json:"status"` // pending, running, completed or failed
}

// millNotebook is what papermill keeps in the notebook's.
type millNotebook struct {
	Defaults    struct{}       `json:"default_parameters"`
	Duration    *float64       `json:"duration"`
	EndTime     *string        `json:"end_time"`
	Environment struct{}       `json:"environment_variables"`
	Exception   *bool          `json:"exception"`
	Input       string         `json:"input_path"`
	Output      string         `json:"output_path"`
	Parameters  map[string]any `json:"parameters"`
	StartTime   string         `json:"start_time"`
	Version     string         `json:"version"`
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000-07:00") }

// took is the time from start to now in seconds, and now.
func took(start time.Time) (*float64, *string) {
	now := time.Now()
	seconds, at := now.Sub(start).Seconds(), stamp(now)
	return &seconds, &at
}

// prepare puts the parameters in, takes old outputs out and writes the notebook.
func (r *running) prepare() error {
	r.nb.Cells = slices.DeleteFunc(r.nb.Cells, func(c *Cell) bool { return c.tagged(errorTag) })
	for _, p := range r.opt.Parameters {
		if !r.nb.names(p.Name) {
			fmt.Fprintf(r.opt.Progress, "note: no cell names %s, so the parameter changes nothing\n", p.Name)
		}
	}
	if len(r.opt.Parameters) > 0 {
		if err := r.nb.inject(r.opt.Parameters); err != nil {
			return err
		}
	}
	for _, c := range r.nb.Cells {
		c.Outputs, c.Count = nil, nil
		if err := c.Metadata.set("papermill", mill{Status: "pending"}); err != nil {
			return err
		}
	}
	if r.opt.Language != nil {
		r.nb.Metadata["language_info"] = r.opt.Language
	}
	return r.save(nil, nil)
}

// save writes the notebook with its own metadata.
func (r *running) save(duration *float64, end *string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := millNotebook{
		Duration: duration, EndTime: end, Input: r.opt.Input, Output: r.opt.Output,
		Parameters: values(r.opt.Parameters), StartTime: stamp(r.started), Version: "attune",
	}
	if r.failed != nil {
		yes := true
		m.Exception = &yes
	}
	if err := r.nb.Metadata.set("papermill", m); err != nil {
		return err
	}
	r.changed = false
	return r.nb.write(r.opt.Output)
}

// all runs the cells.
func (r *running) all(ctx context.Context) error {
	var code []*Cell
	for _, c := range r.nb.Cells {
		if c.Type == "code" {
			code = append(code, c)
		}
	}
	count := 0
	for i, c := range code {
		if strings.TrimSpace(c.Source) == "" || c.tagged(skipTag) {
			continue
		}
		r.foresee(code[i+1:])
		count++
		start := time.Now()
		err, saved := r.one(ctx, c, count)
		fmt.Fprintf(r.opt.Progress, "[%d/%d] In[%d] %s, %.1f s\n", i+1, len(code), count, how(err), time.Since(start).Seconds())
		if saved != nil {
			return saved
		}
		if err != nil && (ctx.Err() != nil || !r.opt.AllowErrors && !c.tagged(raisesTag)) {
			r.failed = c
			return &CellError{Number: i + 1, Err: err}
		}
	}
	return nil
}

func how(err *cell.Error) string {
	if err == nil {
		return "done"
	}
	return err.Error()
}

// foresee tells the runner of the cells behind the one that runs next.
func (r *running) foresee(cells []*Cell) {
	f, ok := r.runner.(cell.Foreseer)
	if !ok {
		return
	}
	var codes []string
	for _, c := range cells {
		if !c.tagged(skipTag) && strings.TrimSpace(c.Source) != "" {
			codes = append(codes, c.Source)
		}
	}
	f.Foresee(codes)
}

// one runs a cell and writes the notebook while it runs and when it has ended.
func (r *running) one(ctx context.Context, c *Cell, count int) (*cell.Error, error) {
	started, no := time.Now(), false
	begun := stamp(started)
	m := mill{StartTime: &begun, Exception: &no, Status: "running"}
	r.mu.Lock()
	c.Count = &count
	err := c.Metadata.set("papermill", m)
	r.mu.Unlock()
	if err = errors.Join(err, r.save(nil, nil)); err != nil {
		return nil, err
	}
	out := &collector{r: &r.run, cell: c}
	failure, err := r.await(ctx, cell.Request{Count: count, Code: c.Source}, out)
	if err != nil {
		return nil, err
	}
	m.Status = "completed"
	if failure != nil {
		out.fail(failure)
		yes := true
		m.Status, m.Exception = "failed", &yes
	}
	m.Duration, m.EndTime = took(started)
	r.mu.Lock()
	err = c.Metadata.set("papermill", m)
	r.mu.Unlock()
	return failure, errors.Join(err, r.save(nil, nil))
}

// await executes and meanwhile saves, and interrupts at the time-out or the end of
// ctx: a second later once more, which ends what did not obey.
func (r *running) await(ctx context.Context, req cell.Request, out *collector) (*cell.Error, error) {
	done := make(chan *cell.Error, 1)
	go func() { done <- r.runner.Execute(context.WithoutCancel(ctx), req, out).Err }()
	tick := time.NewTicker(saveEvery)
	defer tick.Stop()
	var limit, again <-chan time.Time
	if r.opt.Timeout > 0 {
		limit = time.After(r.opt.Timeout)
	}
	stop, late := ctx.Done(), false
	for {
		select {
		case err := <-done:
			if late && err != nil {
				what := fmt.Sprintf("the cell took longer than %s", r.opt.Timeout)
				err = &cell.Error{Name: "CellTimeoutError", Value: what, Traceback: append([]string{what}, err.Traceback...)}
			}
			return err, nil
		case <-stop:
			stop, again = nil, time.After(2*time.Second)
			r.runner.Interrupt()
		case <-limit:
			late, again = true, time.After(2*time.Second)
			r.runner.Interrupt()
		case <-again:
			r.runner.Interrupt()
		case <-tick.C:
			r.mu.Lock()
			changed := r.changed
			r.mu.Unlock()
			if !changed {
				continue
			}
			if err := r.save(nil, nil); err != nil {
				r.runner.Interrupt()
				<-done
				return nil, err
			}
		}
	}
}

// finish marks what was not run, and the cell that failed, and writes the end.
func (r *running) finish() error {
	if r.failed == nil {
		for _, c := range r.nb.Cells {
			var m mill
			if err := c.Metadata.get("papermill", &m); err == nil && m.Status == "pending" {
				m.Status = "completed"
				if err := c.Metadata.set("papermill", m); err != nil {
					return err
				}
			}
		}
		return r.save(took(r.started))
	}
	where := fmt.Sprintf("In [%d]", *r.failed.Count)
	top, err := r.nb.newCell("markdown", "**This notebook was stopped by an error in [`"+where+"`](#papermill-error-cell).**", errorTag)
	if err != nil {
		return err
	}
	anchor, err := r.nb.newCell("markdown", `<span id="papermill-error-cell">**The cell below stopped the notebook.**</span>`, errorTag)
	if err != nil {
		return err
	}
	r.mu.Lock()
	r.nb.Cells = slices.Insert(r.nb.Cells, slices.Index(r.nb.Cells, r.failed), anchor)
	r.nb.Cells = slices.Insert(r.nb.Cells, 0, top)
	r.mu.Unlock()
	return r.save(took(r.started))
}
