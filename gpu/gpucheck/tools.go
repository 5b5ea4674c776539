package main

import (
	"encoding/csv"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"sort"
	"strings"
	"sync"
	"time"

	"attune/gpu"
)

// startUp opens a session twice, with the driver's cache empty and full, and then compiles
// all kernels, on all processors, so that the sections behind need not.
func startUp(r *run, s section) {
	until := time.Now().Add(r.may(s))
	for _, state := range []string{"first", "from the driver's cache"} {
		sum, parts, fail := time.Duration(0), "", ""
		env := []string{"CUDA_CACHE_PATH=" + r.folder("session")}
		r.rowByRow(job{section: "session", env: env}, until, func(x row) {
			sum += x.Median
			parts += fmt.Sprintf("%s %.0f, ", x.Name, x.Median.Seconds()*1e3)
			if x.Fail != "" {
				fail = x.Name + ": " + x.Fail
			}
		})
		r.show(s, row{Name: "start-up of a session, " + state, Fail: fail, Goal: "1 s", Met: met(sum <= time.Second),
			Figure: fmt.Sprintf("%.0f ms: %s", sum.Seconds()*1e3, strings.TrimSuffix(parts, ", "))})
	}
	begin := time.Now()
	var images []row
	r.inParallel(job{section: "compile"}, max(1, min(12, runtime.NumCPU()-2)), until, func(x row) { images = append(images, x) })
	sort.Slice(images, func(i, j int) bool { return images[i].Median > images[j].Median })
	sum := time.Duration(0)
	var slowest []string
	for i, x := range images {
		if sum += x.Median; x.Fail != "" {
			r.show(s, row{Name: "compile " + x.Name, Form: x.Form, Fail: x.Fail})
		} else if i < 5 {
			slowest = append(slowest, fmt.Sprintf("%s %s %.0f ms", x.Name, x.Form, x.Median.Seconds()*1e3))
		}
	}
	r.show(s, row{Name: fmt.Sprintf("compilation of %d images", len(images)),
		Figure: fmt.Sprintf("%.1f s together, %.1f s on several processors; slowest %s", sum.Seconds(), time.Since(begin).Seconds(), strings.Join(slowest, ", "))})
}

// inParallel runs the rows of a job in n processes side by side.
func (r *run) inParallel(j job, n int, until time.Time, show func(row)) (done, of int) {
	var mu sync.Mutex
	var all sync.WaitGroup
	for k := range n {
		own := j
		own.shard = fmt.Sprintf("%d/%d", k, n)
		all.Go(func() {
			d, o := r.rowByRow(own, until, func(x row) {
				mu.Lock()
				defer mu.Unlock()
				show(x)
			})
			mu.Lock()
			defer mu.Unlock()
			done, of = done+d, of+o
		})
	}
	all.Wait()
	return done, of
}

// tool finds a program of the CUDA toolkit.
func tool(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	return exec.LookPath(filepath.Join("/usr/local/cuda/bin", name))
}

// logs is the folder for the tools' output.
func (r *run) logs() string {
	if r.o.logs != "" {
		return r.o.logs
	}
	return r.cache
}

// sanitize runs the trials of all kernels under the four tools, side by side.
func sanitize(r *run, s section) {
	path, err := tool("compute-sanitizer")
	if err != nil {
		r.printf("| compute-sanitizer | not installed, not run | |\n")
		return
	}
	until := time.Now().Add(r.may(s) - 6*time.Second)
	var mu sync.Mutex
	var all sync.WaitGroup
	if r.met { // no times are taken now, so PyTorch may compile its training step
		all.Go(func() { r.rival.prepare(model(r.o.tiny).rival(gpu.BFloat16), time.Until(until)) })
	}
	for _, name := range []string{"memcheck", "racecheck", "synccheck", "initcheck"} {
		all.Go(func() {
			n := max(1, min(3, runtime.NumCPU()/4))
			var own sync.Mutex
			broken := 0
			log := filepath.Join(r.logs(), "sanitizer-"+name)
			j := job{section: "kernels", under: []string{path, "--tool", name, "--log-file", log + "-%p.txt"}, patient: 4}
			done, of := r.inParallel(j, n, until, func(x row) {
				own.Lock()
				defer own.Unlock()
				if x.Fail != "" {
					broken++
				}
			})
			mu.Lock()
			defer mu.Unlock()
			r.show(s, sanitized(name, log, done, of, broken))
			if done < of {
				r.late = append(r.late, fmt.Sprintf("%s: %d of %d kernels", name, done, of))
			}
		})
	}
	all.Wait()
}

// sanitized reads what a tool found, and joins its logs to one.
func sanitized(name, log string, done, of, broken int) row {
	files, _ := filepath.Glob(log + "-*.txt")
	var text strings.Builder
	for _, f := range files {
		part, err := os.ReadFile(f)
		if err == nil {
			text.Write(part)
			_ = os.Remove(f)
		}
	}
	_ = os.WriteFile(log+".txt", []byte(text.String()), 0o644)
	x := row{Name: name, Figure: fmt.Sprintf("clean: %d of %d kernels", done, of)}
	found := regexp.MustCompile(`(?m)^========= +(Error|Invalid|Uninitialized|Barrier|Race|Potential|Warning: Race|Misaligned|Program hit)[^\n]*`).FindAllString(text.String(), -1)
	at := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^========= +at (?:\w+\()?([a-z]\w+)`).FindAllStringSubmatch(text.String(), -1) {
		at[m[1]] = true
	}
	var kernels []string
	for k := range at {
		kernels = append(kernels, k)
	}
	sort.Strings(kernels)
	switch {
	case len(found) > 0:
		x.Fail = fmt.Sprintf("%d findings in %d of %d kernels run, the first: %s", len(found), done, of, strings.Trim(found[0], "= "))
		x.Kernels = kernels
	case done == 0:
		x.Fail = "it ran no kernel: " + strings.Trim(strings.SplitN(text.String()+"\n", "\n", 2)[0], "= ")
	case broken > 0:
		x.Fail = fmt.Sprintf("%d of %d kernels failed under it", broken, done)
	}
	return x
}

// metrics are those of ncu: time, occupancy, the tensor pipes, bank conflicts beside
// accesses to shared memory, and the device's memory.
func metrics() []string {
	return []string{"gpu__time_duration.sum", "sm__warps_active.avg.pct_of_peak_sustained_active",
		"regex:sm__(inst_executed_)?pipe_tensor.*(cycles_active)?[.]avg[.]pct_of_peak_sustained_active",
		"l1tex__data_bank_conflicts_pipe_lsu_mem_shared.sum", "l1tex__data_pipe_lsu_wavefronts_mem_shared.sum",
		"dram__throughput.avg.pct_of_peak_sustained_elapsed"}
}

// counters has ncu look at the hottest kernels.
func counters(r *run, s section) {
	path, err := tool("ncu")
	if err != nil {
		r.printf("| ncu | not installed, not run | |\n")
		return
	}
	self, err := os.Executable()
	if err != nil {
		r.show(s, row{Name: "ncu", Fail: err.Error()})
		return
	}
	until := time.Now().Add(r.may(s))
	fail := ""
	for i, what := range [][]string{{"--page", "raw", "--metrics", strings.Join(metrics(), ",")},
		{"--page", "raw", "--section", "SpeedOfLight", "--section", "ComputeWorkloadAnalysis", "--section", "Occupancy", "--section", "MemoryWorkloadAnalysis_Tables"}} {
		log := filepath.Join(r.logs(), fmt.Sprintf("ncu-%d.csv", i+1))
		args := append([]string{"--clock-control", "none", "--csv", "--log-file", log}, what...)
		args = append(args, self, "-section", "hottest", "-item", "1m")
		if r.o.tiny {
			args = append(args, "-tiny")
		}
		cmd := exec.Command(path, append(args, r.o.device)...)
		cmd.Env, cmd.Stdin, cmd.WaitDelay = r.env, strings.NewReader(strings.Repeat("\n", 100)), time.Second
		dieWithUs(cmd)
		kill := time.AfterFunc(time.Until(until), func() { endGroup(cmd) })
		out, err := cmd.CombinedOutput()
		kill.Stop()
		if n := r.counted(s, log); n > 0 {
			return
		}
		if fail = strings.TrimSpace(string(out)); err != nil {
			fail = err.Error() + " " + fail
		}
		if text, err := os.ReadFile(log); err == nil {
			fail += " " + strings.TrimSpace(string(text))
		}
	}
	r.show(s, row{Name: "ncu", Fail: strings.ReplaceAll(fail[:min(300, len(fail))], "\n", " ")})
}

// counted shows what ncu counted, a row for each kernel.
func (r *run) counted(s section, log string) (n int) {
	text, err := os.ReadFile(log)
	if err != nil {
		return 0
	}
	_, table, ok := strings.Cut(string(text), "\"ID\"")
	if !ok {
		return 0
	}
	rows, err := csv.NewReader(strings.NewReader("\"ID\"" + table)).ReadAll()
	if err != nil || len(rows) < 3 {
		return 0
	}
	for _, x := range rows[2:] { // behind names and units
		name, figures := "", ""
		for i, column := range rows[0] {
			switch {
			case column == "Kernel Name":
				name = x[i]
			case strings.Contains(column, "__") && x[i] != "" && !strings.HasPrefix(column, "device__") && len(figures) < 1500:
				figures += fmt.Sprintf("%s %s %s; ", column, x[i], rows[1][i])
			}
		}
		r.show(s, row{Name: "`" + name + "`", Figure: strings.TrimSuffix(figures, "; ")})
		n++
	}
	return n
}
