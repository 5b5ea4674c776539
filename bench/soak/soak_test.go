// Package soak runs one session for long: a thousand cells, three hundred of them
// new and compiled, and looks whether it gets slower, larger or forgetful. It owns
// nothing and imports interp and kernel.
package soak

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"attune/bench/heard"
	"attune/interp"
	"attune/interp/cell"
)

var full = flag.Bool("full", false, "run all thousand cells and not the first hundred")

// soak is one long session and what was measured.
type soak struct {
	t       *testing.T
	s       *interp.Session
	n       int
	instant []time.Duration
	native  []time.Duration
}

// run runs a cell, which must answer want.
func (k *soak) run(code, want string) time.Duration {
	k.t.Helper()
	k.n++
	out := &heard.Text{}
	start := time.Now()
	res := k.s.Execute(context.Background(), cell.Request{Count: k.n, Code: code}, out)
	took := time.Since(start)
	if res.Err != nil {
		k.t.Fatalf("In[%d] %s: %s", k.n, code, strings.Join(res.Err.Traceback, "\n"))
	}
	if got := out.String(); got != want {
		k.t.Fatalf("In[%d] %s answers %q, want %q", k.n, code, got, want)
	}
	return took
}

// TestSoak runs ten cells a round: three that declare and are compiled, seven that
// are not. Every value made on the way must be there at the end.
func TestSoak(t *testing.T) {
	at, err := filepath.Abs("../../.build")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(at, "lib", "stamp.json")); err != nil {
		t.Skip("the packages for cells are not built: run ./install.sh test")
	}
	k := begin(t, at)
	s := k.s
	rounds := 10
	if *full {
		rounds = 100
	}
	k.round(0)
	routines, files := runtime.NumGoroutine(), descriptors(t)
	for i := 1; i < rounds; i++ {
		k.round(i)
	}
	worker := s.Processes()[0].PID
	t.Logf("%d cells, %d of them compiled", k.n, len(k.native))
	trend(t, "instant", k.instant, len(k.instant)/7)
	trend(t, "native", k.native, len(k.native)/3)
	t.Logf("worker: %d MiB resident; front: goroutines %d -> %d, descriptors %d -> %d",
		resident(t, worker)>>20, routines, runtime.NumGoroutine(), files, descriptors(t))
	for i := range rounds {
		k.run(fmt.Sprintf("v%d", i), fmt.Sprint(7*i+5))
	}
	if held := resident(t, worker); held > 1<<30 {
		t.Errorf("the worker holds %d MiB", held>>20)
	}
	// What a cell in flight needs comes and goes; what stays would be one a cell.
	if now := runtime.NumGoroutine(); now > routines+rounds/2 {
		t.Errorf("the front has %d goroutines, it had %d", now, routines)
	}
	if now := descriptors(t); now > files+rounds/2 {
		t.Errorf("the front has %d descriptors, it had %d", now, files)
	}
	k.compare(begin(t, at), rounds) // last, since it has descriptors of its own
}

// begin opens a session with what was built in the folder at.
func begin(t *testing.T, at string) *soak {
	t.Helper()
	s, err := interp.Open(interp.Options{Lib: filepath.Join(at, "lib"), Worker: filepath.Join(at, "bin", "attune-worker"), Cache: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return &soak{t: t, s: s}
}

// compare runs ten more rounds in turn with those of a fresh session, so that what
// else the machine does falls on both.
func (k *soak) compare(fresh *soak, from int) {
	k.instant, k.native = nil, nil
	for i := range 10 {
		k.round(from + i)
		fresh.round(i)
	}
	for _, c := range []struct {
		name       string
		old, young []time.Duration
	}{{"instant", k.instant, fresh.instant}, {"native", k.native, fresh.native}} {
		k.t.Logf("%s beside a fresh session: median %.3f ms, the fresh one's %.3f ms, ratio %.2f",
			c.name, median(c.old), median(c.young), median(c.old)/median(c.young))
	}
}

// median is in milliseconds.
func median(d []time.Duration) float64 {
	d = slices.Sorted(slices.Values(d))
	return float64(d[len(d)/2].Microseconds()) / 1000
}

func (k *soak) round(i int) {
	if i == 0 {
		k.run("import (\"fmt\"; \"sort\"; \"strings\")", "")
	} else {
		k.instant = append(k.instant, k.run(fmt.Sprintf("v%d - v%d", i-1, i-1), "0"))
	}
	k.native = append(k.native,
		k.run(fmt.Sprintf("type pair%d struct{ a, b int }\nfunc (p pair%d) sum() int { return p.a + p.b + %d }", i, i, i), ""),
		k.run(fmt.Sprintf("func scale%d(n int) int {\n\ts := 0\n\tfor range %d {\n\t\ts += n\n\t}\n\treturn s\n}", i, i), ""),
		k.run(fmt.Sprintf("v%d := pair%d{2, 3}.sum() + scale%d(6)\nfunc() { words := strings.Fields(\"b a\"); sort.Strings(words); fmt.Print(words[0]) }()", i, i, i), "a"))
	for _, c := range [][2]string{
		{fmt.Sprintf("w%d := v%d * 2", i, i), ""},
		{fmt.Sprintf("w%d", i), fmt.Sprint(14*i + 10)},
		{fmt.Sprintf("fmt.Println(w%d, v%d)", i, i), fmt.Sprintf("%d %d\n", 14*i+10, 7*i+5)},
		{fmt.Sprintf("w%d = scale%d(2)", i, i), ""},
		{fmt.Sprintf("fmt.Sprint(w%d)", i), fmt.Sprintf("%q", fmt.Sprint(2*i))},
		{fmt.Sprintf("if w%d > 0 {\n\tw%d++\n}", i, i), ""},
	} {
		k.instant = append(k.instant, k.run(c[0], c[1]))
	}
}

// trend logs the medians of the first and the last part of times.
func trend(t *testing.T, name string, times []time.Duration, part int) {
	part = max(part, 1)
	first, last := median(times[:part]), median(times[len(times)-part:])
	t.Logf("%s: median of the first %d %.3f ms, of the last %.3f ms, ratio %.2f", name, part, first, last, last/first)
}

// resident is what process pid holds, in bytes.
func resident(t *testing.T, pid int) int64 {
	t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		t.Fatal(err)
	}
	var size, pages int64
	if _, err := fmt.Sscan(string(data), &size, &pages); err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

func descriptors(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}
