package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// run is one run of all sections, and the report as far as it is written.
type run struct {
	o     options
	out   io.Writer
	text  bytes.Buffer // what was written to out
	full  io.Writer    // each row, as JSON
	begin time.Time
	rival *rival
	quit  chan struct{} // closed by a signal, or far beyond the time
	once  sync.Once
	met   bool   // PyTorch was told of
	cache string // a folder that ends with the run

	peaks               map[string]float64 // the best rates, by name
	planned             time.Duration      // for the sections that are done
	rows, failed        int
	goals, missed, late []string
	env                 []string // of the processes
	sums                *group   // that rows are summed up in
}

func newRun(o options, out io.Writer) (*run, error) {
	r := &run{o: o, out: out, full: io.Discard, begin: time.Now(), peaks: map[string]float64{}, quit: make(chan struct{})}
	if o.logs == "" {
		return r, nil
	}
	var report *os.File
	err := os.MkdirAll(o.logs, 0o755)
	if err == nil {
		r.full, err = os.Create(filepath.Join(o.logs, "rows.jsonl"))
	}
	if err == nil {
		report, err = os.Create(filepath.Join(o.logs, "gpu.md"))
	}
	if err != nil {
		return nil, fmt.Errorf("make the folder for logs: %w", err)
	}
	r.out = io.MultiWriter(out, report)
	return r, nil
}

// printf writes to the report.
func (r *run) printf(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	r.text.WriteString(line)
	_, _ = io.WriteString(r.out, line)
}

// left is the time that is left of all.
func (r *run) left() time.Duration { return r.o.limit - time.Since(r.begin) }

// all runs the sections and returns the exit status.
func (r *run) all(stop <-chan os.Signal) int {
	go func() {
		<-stop
		r.finish()
	}()
	chosen := strings.Split(r.o.only, ",")
	var plan []section
	for _, s := range sections() {
		if r.o.only == "" || slices.Contains(chosen, s.name) {
			plan = append(plan, s)
		}
	}
	r.plan(plan)
	if r.o.list {
		return 0
	}
	var err error
	if r.cache, err = os.MkdirTemp("", "gpucheck"); err != nil {
		r.printf("\nThere is no folder for the driver's cache: %v\n", err)
		return 1
	}
	defer os.RemoveAll(r.cache)
	// The driver's cache and the record of trials begin empty.
	r.env = append(os.Environ(), "CUDA_CACHE_PATH="+r.folder("cuda"), "XDG_CACHE_HOME="+r.cache)
	r.rival = startRival(r.o)
	defer func() { r.rival.stop("the run is over") }()
	guard := time.AfterFunc(r.left()+15*time.Second, r.finish)
	defer guard.Stop()
	for _, s := range plan {
		r.section(s)
		if r.over() || s.name == "device" && r.rows == r.failed {
			break
		}
	}
	return r.end()
}

// finish ends all that runs.
func (r *run) finish() { r.once.Do(func() { close(r.quit) }) }

func (r *run) plan(plan []section) {
	r.printf("Measured %s by `gpucheck` of at most %v. The plan, in order of worth; a section that is done early leaves its time to those behind it:\n\n",
		r.begin.Format("2006-01-02"), r.o.limit)
	r.printf("| section | most, s |\n|---|---|\n")
	sum := time.Duration(0)
	for _, s := range plan {
		sum += s.most
		r.printf("| %s (%s) | %.0f |\n", s.title, s.name, s.most.Seconds())
	}
	r.printf("\nTogether %v.\n", sum)
}

// may is the time for a section: its own, what those before it left, and no more than there
// is.
func (r *run) may(s section) time.Duration {
	return min(s.most+max(0, r.planned-time.Since(r.begin)), r.left())
}

// folder makes one that ends with the run.
func (r *run) folder(name string) string {
	path := filepath.Join(r.cache, name)
	_ = os.MkdirAll(path, 0o755) // the driver does without
	return path
}

// section runs one, if there is time left.
func (r *run) section(s section) {
	r.printf("\n### %s\n\n", s.title)
	begin := time.Now()
	defer func() {
		r.planned += s.most
		r.printf("\nIn %.0f s.\n", time.Since(begin).Seconds())
	}()
	if r.left() < 2*time.Second {
		r.late = append(r.late, s.name)
		r.printf("Not run: the time was over.\n")
		return
	}
	if s.kind == rates && !r.met {
		r.met = true
		r.printf("PyTorch: %s.\n\n", r.rival.about(min(60*time.Second, r.left()/2)))
	}
	r.header(s.kind)
	if s.special != nil {
		s.special(r, s)
		return
	}
	until := begin.Add(r.may(s))
	r.sums = nil
	done, of := r.rowByRow(job{section: s.name}, until, func(x row) {
		r.show(s, x)
	})
	r.closeGroup()
	if done < of || of == 0 {
		r.late = append(r.late, s.name)
		r.printf("\nIts time was over, or its processes ended, after %d rows of %d.\n", done, of)
	}
}

// over says whether a signal came.
func (r *run) over() bool {
	select {
	case <-r.quit:
		return true
	default:
		return false
	}
}

// job is what processes go through row by row: a section or a part of it, and what they
// run under.
type job struct {
	section, shard string
	env, under     []string
	patient        int // times as long as others
}

// rowByRow runs a job's processes until all rows are there, or the time is over. One that
// ends costs the row it was at.
func (r *run) rowByRow(j job, until time.Time, show func(row)) (done, of int) {
	for tries := 0; tries < 40 && !r.over() && time.Now().Before(until); tries++ {
		p, err := r.process(j, done)
		if err != nil {
			show(row{Name: "a process for the section", Fail: err.Error()})
			return done, of
		}
		before := done
		done, of = r.follow(p, until, done, of, show)
		p.end(j)
		if (of == 0 || done == before) && !r.over() && p.over {
			show(row{Name: "the section's process", Fail: p.lastWords()})
		}
		if done >= of || done == before {
			return done, of
		}
	}
	return done, of
}

// follow takes in the rows of one process.
func (r *run) follow(p *process, until time.Time, done, of int, show func(row)) (int, int) {
	at := message{Begin: -1}
	limit := p.item + 5*time.Second
	if _, err := io.WriteString(p.in, "\n"); err != nil {
		return done, of
	}
	for {
		m, ok := p.next(min(limit, time.Until(until)+time.Second), r.quit)
		switch {
		case r.over():
			return done, of
		case !ok && at.Begin < 0: // before any row
			return done, of
		case !ok && time.Now().After(until) && !p.over:
			return done, of // the section's end, not the row's fault
		case !ok:
			why := "hangs: its process did not answer"
			if p.over {
				why = "crashes: " + p.lastWords()
			}
			show(row{Name: at.Name, Form: at.Form, Fail: why, Lost: true})
			return at.Begin + 1, of
		case m.Row == nil:
			at, of = m, m.Of
			continue
		}
		at.Begin = -1
		done = m.Begin + 1
		r.beside(m.Row, until)
		show(*m.Row)
		if m.Row.Lost || done >= of || time.Now().After(until) {
			return done, of
		}
		if _, err := io.WriteString(p.in, "\n"); err != nil {
			return done, of
		}
	}
}

// beside asks PyTorch for the same, while the process waits.
func (r *run) beside(row *row, until time.Time) {
	if row.Rival == nil || row.Rival.What == "" || row.Fail != "" || row.Skip {
		return
	}
	wait := min(r.o.item, time.Until(until)+5*time.Second)
	if row.Rival.What == "step" { // which compiles first, if it could not before
		wait = min(3*r.o.item, r.left())
	}
	row.beside, row.besideErr = r.rival.ask(row.Rival, max(wait, time.Second))
}

// process is one for a section.
type process struct {
	cmd      *exec.Cmd
	in       io.WriteCloser
	messages chan message
	errors   *head
	item     time.Duration // for a row
	over     bool          // it ended by itself
	ended    chan struct{}
	state    error
}

func (r *run) process(j job, after int) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	p := &process{item: r.o.item * time.Duration(max(1, j.patient)), messages: make(chan message, 64), errors: new(head), ended: make(chan struct{})}
	args := append(slices.Clone(j.under), self, "-section", j.section, "-after", fmt.Sprint(after), "-shard", j.shard, "-item", p.item.String(), "-match", r.o.match, "-variants", r.o.variants)
	if r.o.tiny {
		args = append(args, "-tiny")
	}
	args = append(args, r.o.device)
	p.cmd = exec.Command(args[0], args[1:]...)
	p.cmd.Env = append(slices.Clone(r.env), j.env...)
	p.cmd.Stderr = p.errors
	dieWithUs(p.cmd)
	var out io.ReadCloser
	if p.in, err = p.cmd.StdinPipe(); err == nil {
		if out, err = p.cmd.StdoutPipe(); err == nil {
			err = p.cmd.Start()
		}
	}
	if err != nil {
		return nil, fmt.Errorf("start a process for a section: %w", err)
	}
	go func() {
		lines := bufio.NewScanner(out)
		lines.Buffer(nil, 1<<22)
		for lines.Scan() {
			var m message
			if json.Unmarshal(lines.Bytes(), &m) == nil {
				p.messages <- m
			}
		}
		p.state = p.cmd.Wait()
		close(p.ended)
		close(p.messages)
	}()
	return p, nil
}

// next waits for a message.
func (p *process) next(wait time.Duration, quit <-chan struct{}) (message, bool) {
	select {
	case m, ok := <-p.messages:
		p.over = !ok
		return m, ok
	case <-quit:
	case <-time.After(max(wait, 0)):
	}
	return message{}, false
}

// end ends the process. It is not waited for: a device with a kernel that hangs may keep
// it.
func (p *process) end(j job) {
	_ = p.in.Close()
	grace := 300 * time.Millisecond
	if len(j.under) > 0 {
		grace = 5 * time.Second // for its summary
	}
	select {
	case <-p.ended:
	case <-time.After(grace):
		endGroup(p.cmd)
		go func() {
			for range p.messages {
			}
		}()
	}
}

// lastWords is how the process ended.
func (p *process) lastWords() string {
	select {
	case <-p.ended:
	case <-time.After(time.Second):
		return "its process goes on"
	}
	words := p.errors.line()
	if p.state != nil {
		words = strings.TrimSpace(p.state.Error() + " " + words)
	}
	return words
}

// head keeps the beginning of what is written to it.
type head struct{ text []byte }

func (t *head) Write(p []byte) (int, error) {
	if room := 4096 - len(t.text); room > 0 {
		t.text = append(t.text, p[:min(room, len(p))]...)
	}
	return len(p), nil
}

func (t *head) line() string {
	first, _, _ := strings.Cut(strings.TrimSpace(string(t.text)), "\n")
	return strings.ReplaceAll(first, "|", "/")
}
