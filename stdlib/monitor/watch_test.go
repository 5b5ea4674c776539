package monitor

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"attune/display"
	"attune/display/mime"
	"attune/gpu/mem"
)

func TestAlertsCallOncePerCrossing(t *testing.T) {
	d := newDevice("cpu")
	m := still(d)
	m.Start()
	defer m.Stop()
	calls := make(chan Alert, 10)
	cancel := m.When(OwnMemory.Above(1000), func(a Alert) { calls <- a })
	take := func(n int64) *mem.Block { return d.alloc(t, n, mem.Data) }
	a := take(2000)
	m.sample()
	got := <-calls
	if got.String() != "attune's own memory above 1000 B: 1.95 KiB" {
		t.Errorf("alert %v", got)
	}
	m.sample()
	free(t, a)
	b := take(980) // below the limit, but not by a twentieth
	m.sample()
	c := take(100)
	m.sample()
	free(t, b)
	free(t, c)
	m.sample()
	if len(calls) != 0 {
		t.Errorf("%d calls while the value hovered", len(calls))
	}
	// A peak between two samples counts.
	free(t, take(5000))
	m.sample()
	if got := <-calls; got.Value != 5000 {
		t.Errorf("peak %v", got.Value)
	}
	cancel()
	take(9000)
	m.sample()
	if len(m.marks) != 2 || m.marks[0].Name != "attune's own memory above 1000 B" {
		t.Errorf("marks %v", m.marks)
	}
}

func TestAnAlertsPanicIsShown(t *testing.T) {
	out := &cellOutput{states: map[string]mime.Bundle{}, news: make(chan struct{}, 1)}
	display.SetOut(out)
	defer display.SetOut(nil)
	m := still()
	m.Start()
	defer m.Stop()
	m.When(RSS.Above(1), func(Alert) { panic("oops") })
	m.sample()
	deadline := time.Now().Add(10 * time.Second)
	for time.Now().Before(deadline) {
		out.mu.Lock()
		said := out.states[""].Data[mime.Text]
		out.mu.Unlock()
		if strings.HasPrefix(said, `monitor: the function for "RSS above 1 B" panicked: oops`) {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Error("the panic was not shown")
}

func TestForecastOfALine(t *testing.T) {
	start := time.Unix(1000, 0)
	var up, flat []Sample
	for i := range 200 {
		at := start.Add(time.Duration(i) * 100 * time.Millisecond)
		up = append(up, Sample{At: at, RSS: 1000 + int64(i)*10 + int64(i%3)})
		flat = append(flat, Sample{At: at, RSS: 1000 + int64(i*7919%100)})
	}
	f, ok := forecast(up, RSS)
	if !ok || math.Abs(f.Slope-100) > 0.5 || math.Abs(f.Value-2991) > 3 {
		t.Errorf("forecast %+v", f)
	}
	if in, ok := f.Reaches(4000); !ok || math.Abs(in.Seconds()-10.1) > 0.1 {
		t.Errorf("reaches in %v, %v", in, ok)
	}
	lo, hi := f.Within(10 * time.Second)
	if lo > 3992 || hi < 3992 || hi-lo > 10 {
		t.Errorf("in 10 s between %v and %v", lo, hi)
	}
	if f, ok := forecast(flat, RSS); !ok {
		t.Error("no forecast")
	} else if in, rises := f.Reaches(5000); rises {
		t.Errorf("noise rises to the limit in %v", in)
	}
	if _, ok := forecast(up[:3], RSS); ok {
		t.Error("three samples make a forecast")
	}
}

func TestBudgetSaysHowItStands(t *testing.T) {
	m := training(false)
	for limit, want := range map[float64]string{
		256 << 20: "budget of 256 MiB for RSS: reached in about ", 100 << 20: "budget of 100 MiB for RSS: over it",
	} {
		m.limits = limits{}
		m.limits.set(RSS, m.started, limit)
		if got := m.outlook(RSS); !strings.HasPrefix(got, want) {
			t.Errorf("%s", got)
		}
	}
	m.limits.set(GoHeap, m.started, 1<<30)
	if got := m.outlook(GoHeap); !strings.HasSuffix(got, "left, and no steady rise") {
		t.Error(got)
	}
	m.limits = limits{}
	m.limits.set(GoHeap, m.started, 54.5*(1<<20))
	m.peaks.most.GoHeap = 60 << 20
	if got := m.outlook(GoHeap); !strings.HasSuffix(got, ": was over it, by 5.50 MiB") {
		t.Error(got)
	}
	// A peak of the time before a smaller budget is not held against it.
	m.limits.set(GoHeap, m.started.Add(time.Second), 54.4*(1<<20))
	if got := m.outlook(GoHeap); strings.Contains(got, "was over it") {
		t.Error(got)
	}
	m.limits.set(GoHeap, m.started.Add(2*time.Second), 0)
	if got := m.outlook(GoHeap); got != "" || m.limits.any() {
		t.Errorf("after the budget's end: %q", got)
	}
}

func TestCountersOfTheMachine(t *testing.T) {
	disks := "   8 0 sda 10 0 100 5 20 0 300 7 0 0 0\n 8 1 sda1 1 0 99 0 1 0 99 0 0 0 0\n bad\n"
	if r, w := diskBytes(disks, func(n string) bool { return n == "sda" }); r != 100*512 || w != 300*512 {
		t.Errorf("disks %d, %d", r, w)
	}
	nets := "Inter-|   Receive\n face |bytes\n    lo: 5 0 0 0 0 0 0 0 5 0\n  eth0: 700 1 0 0 0 0 0 0 800 2 0\n"
	if in, out := netBytes(nets); in != 700 || out != 800 {
		t.Errorf("nets %d, %d", in, out)
	}
	was := traffic{at: time.Now().Add(-time.Second), netIn: 1 << 62}
	if now := was.next(time.Now()); now.in != 0 {
		t.Errorf("a counter that fell is a rate of %v", now.in)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "memory.current"), []byte("123\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if n := groupUsed(filepath.Join(dir, "memory.max")); n != 123 {
		t.Errorf("group %d", n)
	}
}

func TestCSVHoldsTheHistory(t *testing.T) {
	m := training(true)
	m.history.samples[0].GPUs = nil // before NVML answered
	path := filepath.Join(t.TempDir(), "run.csv")
	if err := m.SaveCSV(path); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll() // it refuses lines of different lengths
	if err != nil || len(rows) != 301 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	last := map[string]string{}
	for i, name := range rows[0] {
		last[name] = rows[300][i]
	}
	for name, want := range map[string]string{"seconds": "59.800", "own_bytes parameters host": "669696", "gpu_memory_own_bytes 0": "9663676416"} {
		if last[name] != want {
			t.Errorf("%s is %q", name, last[name])
		}
	}
}

func TestPrometheusOnTheLoopbackAlone(t *testing.T) {
	m := still(newDevice("cpu"))
	for _, addr := range []string{"0.0.0.0:0", ":0", "example.com:80", "192.168.1.1:9", "[::]:0", "127.0.0.1"} {
		if _, _, err := m.ServePrometheus(addr); err == nil {
			t.Errorf("%s was accepted", addr)
		}
	}
	url, stop, err := m.ServePrometheus("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer m.Stop()
	get := func(url, host string) (int, string) {
		req, err := http.NewRequest("GET", url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if host != "" {
			req.Host = host
		}
		r, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		return r.StatusCode, string(body)
	}
	code, body := get(url, "")
	if code != 200 || !strings.Contains(body, "# TYPE attune_process_resident_bytes gauge\nattune_process_resident_bytes ") ||
		!strings.Contains(body, `attune_own_bytes{category="parameters",place="host"} 0`) {
		t.Errorf("%d: %s", code, body)
	}
	for line := range strings.Lines(body) {
		if f := strings.Fields(line); f[0] != "#" {
			if _, err := strconv.ParseFloat(f[len(f)-1], 64); err != nil {
				t.Errorf("line %q: %v", line, err)
			}
		}
	}
	if strings.Count(body, "# TYPE attune_own_bytes ") != 1 {
		t.Error("a family is described twice")
	}
	if code, _ := get(url, "evil.example:80"); code != http.StatusForbidden {
		t.Errorf("under another name: %d", code)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// readEvents has TensorBoard itself read a folder back.
const readEvents = `
import sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
a = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0})
a.Reload()
for tag in sorted(a.Tags()["scalars"]):
    e = a.Scalars(tag)
    print(tag, len(e), e[-1].step, e[-1].value, "%.1f" % e[-1].wall_time)
`

func TestTensorBoardReadsTheEvents(t *testing.T) {
	python := os.Getenv("TENSORBOARD_PYTHON")
	if python == "" {
		python = "python3"
	}
	if out, err := exec.Command(python, "-c", "import tensorboard").CombinedOutput(); err != nil {
		t.Skipf("%s has no tensorboard (pip install tensorboard, or name a Python that has it in TENSORBOARD_PYTHON): %s", python, out)
	}
	dir := t.TempDir()
	if _, err := training(true).SaveTensorBoard(dir); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(python, "-c", readEvents, dir).Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	got := string(out)
	for _, want := range []string{
		"monitor/own_bytes/parameters/host 300 59800 669696.0 1700000059.8",
		"monitor/gpu_power_watts/0 300 59800 ", "monitor/process_resident_bytes 300 59800 ",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

// The records' form, where there is no TensorBoard to read them: its checksum of the
// version record is known.
func TestEventRecords(t *testing.T) {
	var b strings.Builder
	if err := writeEvents(&b, nil, time.Unix(0, 0)); err != nil {
		t.Fatal(err)
	}
	data := b.String()
	if want := "\x18\x00\x00\x00\x00\x00\x00\x00\xa3\x7f\x4b\x22\x09\x00\x00\x00\x00\x00\x00\x00\x00\x1a\x0dbrain.Event:2"; !strings.HasPrefix(data, want) || len(data) != 40 {
		t.Errorf("%d bytes: %q", len(data), data)
	}
}

func TestTheBarShowsWhatACellTakes(t *testing.T) {
	out := &cellOutput{states: map[string]mime.Bundle{}, news: make(chan struct{}, 1)}
	display.SetOut(out)
	defer display.SetOut(nil)
	d := newDevice("cpu")
	m := New(d)
	defer m.Stop()
	m.Cell("In[1]", true)
	display.Flush()
	if len(out.states) != 0 {
		t.Fatalf("a short cell has a bar: %v", out.states)
	}
	m.Cell("In[2]", true)
	b := d.alloc(t, 7<<20, mem.Data)
	<-out.news // the bar was drawn, and drawn again
	free(t, b)
	display.Flush()
	out.mu.Lock()
	defer out.mu.Unlock()
	for _, b := range out.states {
		if s := b.Data[mime.Text]; !strings.HasPrefix(s, "In[2] ran ") || !strings.Contains(s, "attune's own memory peak 7.00 MiB") || !strings.Contains(s, "RSS peak ") {
			t.Errorf("text %q", s)
		}
		if h := b.Data[mime.HTML]; strings.Count(h, "<img ") < 2 || len(h) > 8000 {
			t.Errorf("HTML %s", h)
		}
	}
	if fmt.Sprint(len(out.states)) != "1" {
		t.Errorf("%d outputs", len(out.states))
	}
	if m.marks[len(m.marks)-1].Name != "In[2]" {
		t.Errorf("marks %v", m.marks)
	}
}

// BenchmarkSampler is what watching costs: one tenth of a second's work for each
// sample, as a share of a core.
func BenchmarkSampler(b *testing.B) {
	m := still(newDevice("cpu"))
	began := time.Now()
	cpu := processTime()
	for b.Loop() {
		m.sample()
	}
	each := float64(processTime()-cpu) / float64(b.N)
	b.ReportMetric(100*each/float64(Period), "%core")
	b.ReportMetric(float64(time.Since(began).Nanoseconds())/float64(b.N)/1e3, "µs/sample")
}
