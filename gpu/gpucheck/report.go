package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"
)

// header begins the table of a section.
func (r *run) header(k kind) {
	switch k {
	case facts:
		r.printf("| what | figure | goal |\n|---|---|---|\n")
	case checks:
		r.printf("| kernels of, or kind | newest form | checks | agree | worst error / allowed | first runs, ms |\n|---|---|---|---|---|---|\n")
	case rates:
		r.printf("| what | kernels, form | ms | TFLOP/s | GB/s | of peak | PyTorch, ms | goal |\n|---|---|---|---|---|---|---|---|\n")
	}
}

// group sums up rows of one kind that come one after the other.
type group struct {
	name, form string
	n, good    int
	worst      float64
	took       time.Duration
}

// show writes a row, in full to the log.
func (r *run) show(s section, x row) {
	if x.Skip {
		return
	}
	r.rows++
	if x.Fail != "" {
		r.failed++
	}
	if line, err := json.Marshal(struct {
		Section string `json:"section"`
		row
		Beside map[string]float64 `json:"beside,omitempty"`
	}{s.name, x, x.beside}); err == nil {
		_, _ = r.full.Write(append(line, '\n'))
	}
	switch s.kind {
	case facts:
		r.fact(x)
	case checks:
		r.check(x)
	case rates:
		r.rate(x)
	}
}

func (r *run) fact(x row) {
	figure := x.Figure
	if x.Fail != "" {
		figure, x.Met = "**failed**: "+x.failure(), nil
	}
	r.printf("| %s | %s | %s |\n", x.Name, figure, r.goal(x.Name, x.Goal, x.Met))
}

// failure is what went wrong, with the kernel and its form.
func (x *row) failure() string {
	if by := x.by(); by != "" {
		return by + ": " + x.Fail
	}
	return x.Fail
}

// goal counts one and says whether it is met.
func (r *run) goal(name, goal string, met *bool) string {
	if met == nil {
		return goal
	}
	r.goals = append(r.goals, name)
	if *met {
		return goal + ", met"
	}
	r.missed = append(r.missed, name)
	return "**" + strings.TrimPrefix(goal+", missed", ", ") + "**"
}

func (r *run) check(x row) {
	if x.Fail != "" {
		r.closeGroup()
		r.printf("| %s | %s | 1 | **no** | %.2g / %.2g | %.1f: **%s** |\n", x.Name, x.Form, x.Error, x.Limit, x.Median.Seconds()*1e3, x.Fail)
		return
	}
	if r.sums == nil || r.sums.name != x.Group {
		r.closeGroup()
		r.sums = &group{name: x.Group, form: x.Form}
	}
	r.sums.form = max(r.sums.form, x.Form)
	r.sums.n++
	r.sums.good++
	r.sums.took += x.Median
	if x.Limit > 0 {
		r.sums.worst = max(r.sums.worst, x.Error/x.Limit)
	}
}

// closeGroup writes the rows that were summed up.
func (r *run) closeGroup() {
	if g := r.sums; g != nil {
		r.printf("| %s | %s | %d | %d | %.2g | %.0f |\n", g.name, g.form, g.n, g.good, g.worst, g.took.Seconds()*1e3)
	}
	r.sums = nil
}

func (r *run) rate(x row) {
	if x.Fail != "" {
		r.printf("| %s | %s | **failed**: %s | | | | | |\n", x.Name, x.by(), x.Fail)
		return
	}
	r.learn(x)
	of := ""
	switch {
	case x.FLOP > 0 && r.peaks["product"] > 0:
		of = fmt.Sprintf("%.2f", x.tflops()/r.peaks["product"])
	case x.Bytes > 0 && r.peaks["copy"] > 0:
		of = fmt.Sprintf("%.2f", x.gbs()/r.peaks["copy"])
	}
	name := x.Name
	if x.Figure != "" {
		name += ": " + x.Figure
	}
	r.printf("| %s | %s | %s | %s | %s | %s | %s | %s |\n", name, x.by(), figure(x.Median.Seconds()*1e3), figure(x.tflops()), figure(x.gbs()), of, x.besides(), r.rateGoals(x))
}

// learn takes in what the device reaches.
func (r *run) learn(x row) {
	if x.Peak == "" {
		return
	}
	least := x.Median.Seconds()
	for _, t := range x.beside {
		least = min(least, t)
	}
	if x.FLOP > 0 {
		r.peaks[x.Peak] = max(r.peaks[x.Peak], x.FLOP/least/1e12)
	} else {
		r.peaks[x.Peak] = max(r.peaks[x.Peak], x.Bytes/least/1e9)
	}
}

func figure(x float64) string {
	if x == 0 {
		return ""
	}
	return fmt.Sprintf("%.4g", x)
}

// besides are PyTorch's times, the least first.
func (x *row) besides() string {
	var names []string
	for name := range x.beside {
		names = append(names, name)
	}
	sort.Slice(names, func(i, j int) bool { return x.beside[names[i]] < x.beside[names[j]] })
	for i, name := range names {
		names[i] = fmt.Sprintf("%s %.4g", name, x.beside[name]*1e3)
	}
	if len(names) == 0 && x.besideErr != "" {
		return "failed: " + strings.ReplaceAll(strings.ReplaceAll(x.besideErr, "|", "/"), "\n", " ")
	}
	return strings.Join(names, ", ")
}

// rateGoals holds attune's speed to shares of others'.
func (r *run) rateGoals(x row) string {
	var out []string
	if x.Met != nil { // told in words
		out = append(out, r.goal(x.Name+", its figure", "as told", x.Met))
	}
	if x.Rival == nil {
		return strings.Join(out, "; ")
	}
	var whom []string
	for name := range x.Rival.Goals {
		whom = append(whom, name)
	}
	slices.Sort(whom)
	for _, name := range whom {
		goal, share := x.Rival.Goals[name], 0.0
		switch {
		case name == "copy" && r.peaks["copy"] > 0:
			share = x.gbs() / r.peaks["copy"]
		case name == "best" && len(x.beside) > 0:
			for _, t := range x.beside {
				if s := t / x.Median.Seconds(); share == 0 || s < share {
					share = s
				}
			}
		default:
			share = x.beside[name] / x.Median.Seconds()
		}
		text := fmt.Sprintf("%.2f of %s, goal %.2f", share, name, goal)
		if share == 0 {
			out = append(out, fmt.Sprintf("%.2f of %s, not measured", goal, name))
			continue
		}
		out = append(out, r.goal(x.Name+" "+x.Form, text, met(share >= goal)))
	}
	return strings.Join(out, "; ")
}

// end sums up, and returns the exit status.
func (r *run) end() int {
	r.printf("\n### In all\n\n%d rows, %d failed, in %.0f s. %d of %d goals are met.\n", r.rows, r.failed, time.Since(r.begin).Seconds(), len(r.goals)-len(r.missed), len(r.goals))
	list := func(title string, all []string) {
		if len(all) > 0 {
			r.printf("\n%s:\n\n", title)
			for _, x := range all {
				r.printf("- %s\n", x)
			}
		}
	}
	list("Missed", r.missed)
	list("Cut short or not run", r.late)
	if r.over() {
		r.printf("\nA signal ended the run here.\n")
	}
	switch {
	case r.rows == 0 || r.rows == r.failed:
		return 1
	case r.failed > 0 || len(r.missed) > 0 || len(r.late) > 0 || r.over():
		return 2
	}
	return 0
}
