package monitor

import (
	"bytes"
	"encoding/base64"
	"flag"
	"fmt"
	"image"
	"image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"attune/display"
	"attune/display/mime"
	"attune/gpu/mem"
	"attune/gpu/nvml"
)

var update = flag.Bool("update", false, "write the golden files anew")

// device is a Source over a real allocator.
type device struct{ *mem.Allocator }

func (d device) Memory() mem.Snapshot { return d.Snapshot() }

func newDevice(name string) device { return device{mem.New(name, mem.Heap{}, nil)} }

func (d device) alloc(t *testing.T, size int64, c mem.Category) *mem.Block {
	t.Helper()
	b, err := d.Alloc(size, c)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func free(t *testing.T, b *mem.Block) {
	t.Helper()
	if err := b.Free(); err != nil {
		t.Fatal(err)
	}
}

// still is a monitor whose sampler only runs when the test says so.
func still(sources ...Source) *Monitor {
	m := New(sources...)
	m.period = time.Hour
	return m
}

func TestSamplesAreOfThisProcess(t *testing.T) {
	runtime.GC() // what other tests left is not to go in the middle
	m := still()
	m.Start()
	defer m.Stop()
	ballast := make([]byte, 64<<20)
	for i := range ballast {
		ballast[i] = byte(i)
	}
	m.sample()
	h := m.History()
	if len(h) != 2 || h[1].GoHeap-h[0].GoHeap < 60<<20 || h[1].RSS < h[0].RSS+32<<20 || h[1].RSS < 1<<20 {
		t.Errorf("history %+v", h)
	}
	if h[1].CPU <= 0 || h[1].HostUsed <= 0 || h[1].PSS <= 0 {
		t.Errorf("sample %+v", h[1])
	}
	if ballast[5] != 5 {
		t.Error("ballast was dropped")
	}
}

func TestPeaksBetweenSamplesAreNotMissed(t *testing.T) {
	cpu, cuda := newDevice("cpu"), newDevice("cuda:0")
	before := cpu.alloc(t, 1<<20, mem.Workspace)
	free(t, before)
	m := still(cpu, cuda)
	m.Watch(cpu)
	m.Start()
	defer m.Stop()
	p := cpu.alloc(t, 1000, mem.Parameters)
	m.sample()
	free(t, cpu.alloc(t, 5<<20, mem.Activations))
	cuda.alloc(t, 300, mem.Data)
	m.Mark("epoch 1")
	m.sample()
	free(t, p)
	m.sample()
	peak := m.Peak()
	if peak.Host[mem.Activations] != 5<<20 || peak.Total != 5<<20+1000 && peak.Total != 5<<20+1300 || peak.Host[mem.Parameters] != 1000 || peak.Device[mem.Data] != 300 {
		t.Errorf("peak %+v", peak)
	}
	if peak.Host[mem.Workspace] != 0 {
		t.Errorf("a peak from before the start counts: %d", peak.Host[mem.Workspace])
	}
	last := m.History()[len(m.History())-1]
	if last.Total != 300 {
		t.Errorf("in the end %d bytes", last.Total)
	}
	report := m.Summary()
	text := report.Bundle().Data[mime.Text]
	for _, want := range []string{"parameters", "activations", "5.00 MiB", "data (GPU)", "300 B", "epoch 1", "process (RSS)", "over "} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, "gradients") || strings.Contains(text, "workspace") {
		t.Errorf("rows of what never was:\n%s", text)
	}
}

func TestHistoryHalvesAndKeepsTheMost(t *testing.T) {
	var h history
	start := time.Unix(0, 0)
	const n = 100_000
	for i := range n {
		s := Sample{At: start.Add(time.Duration(i) * time.Second), RSS: 10}
		if i == 77_777 {
			s.RSS = 99
		}
		h.add(s)
	}
	if len(h.samples) > points || len(h.samples) < points/2 {
		t.Fatalf("%d points", len(h.samples))
	}
	top, at := int64(0), time.Time{}
	for i, s := range h.samples {
		if s.RSS > top {
			top, at = s.RSS, s.At
		}
		if i > 0 && !s.At.After(h.samples[i-1].At) {
			t.Fatal("out of order")
		}
	}
	if d := at.Sub(start).Seconds(); top != 99 || d < 77_777 || d > 77_777+float64(h.each) {
		t.Errorf("peak %d at %v, each %d", top, d, h.each)
	}
	if h.samples[len(h.samples)-1].At != start.Add((n-1)*time.Second) {
		t.Error("the newest sample is lost")
	}
}

func TestCgroupLimit(t *testing.T) {
	root := t.TempDir()
	write := func(name, content string) {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("two", "0::/a/b\n")
	write("a/memory.max", "2000\n")
	write("a/b/memory.max", "max\n")
	write("one", "3:cpu,memory:/docker/x\n")
	write("memory/memory.limit_in_bytes", "4096\n")
	write("none", "3:memory:/y\n4:cpu:/\n")
	write("memory/y/memory.limit_in_bytes", "9223372036854771712\n")
	for list, want := range map[string]int64{"two": 2000, "one": 4096, "none": 4096, "absent": 0} {
		if got, _ := cgroupLimit(filepath.Join(root, list), root); got != want {
			t.Errorf("%s: %d, want %d", list, got, want)
		}
	}
}

func TestGPUIsReadThroughTheRealBinding(t *testing.T) {
	path := filepath.Join(t.TempDir(), "libnvidia-ml.so.1")
	source := filepath.Join("..", "..", "gpu", "nvml", "testdata", "fake_nvml.c")
	if out, err := exec.Command("cc", "-shared", "-fPIC", "-o", path, source).CombinedOutput(); err != nil {
		t.Fatalf("build the fake: %v\n%s", err, out)
	}
	t.Setenv("FAKE_NVML_PID", fmt.Sprint(os.Getpid()))
	link := gpuLink{library: path}
	r, more := link.read()
	want := GPU{Name: "Fake GPU", Used: 3 << 30, Total: 80 << 30, Own: 1 << 30, KernelResident: 0.42, MemoryBusy: 0.07,
		Watts: 123.456, WattsLimit: 700, Celsius: 55, ClockMHz: 1980, Throttled: nvml.PowerCap | nvml.TooHot}
	want.PCIe, want.Lanes = 5, 16
	if !more || len(r.gpus) != 2 || r.gpus[0] != want || r.why != "" || r.used() != 6<<30 || r.total() != 160<<30 {
		t.Errorf("reading %+v", r)
	}
	if !r.gpus[1].Split || r.gpus[1].KernelResident != 0 || r.gpus[1].Throttled != 0 {
		t.Errorf("the split one: %+v", r.gpus[1])
	}
	if len(r.processes) != 4 || !r.processes[0].Own || r.processes[0].Used != 1<<30 || r.processes[0].Name == "" || r.processes[1].Own {
		t.Errorf("processes %+v", r.processes)
	}
	if got := r.gpus[0].say(0); got != "GPU 0 Fake GPU, 123 W of 700, 55 °C, 1980 MHz, slowed down: power cap, too hot, PCIe 5 x16" {
		t.Error(got)
	}
	if got, want := r.sayInstances(1), ", Fake GPU MIG 3g.40gb: 1.00 GiB of 40.0 GiB, Fake GPU MIG 1g.10gb: 1.00 GiB of 40.0 GiB"; got != want || len(r.instances) != 2 {
		t.Errorf("instances %q", got)
	}
	if got := r.sayProcesses(0); got != "on GPU 0: this process 1.00 GiB, process 200" {
		t.Errorf("processes %q", got)
	}
	// The fake's counters have moved by 1 and 2 MiB, and by 1 GiB, in the time between.
	time.Sleep(time.Millisecond)
	r, _ = link.read()
	if g := r.gpus[0]; g.PCIeOut <= 0 || math.Abs(g.PCIeIn/g.PCIeOut-2) > 1e-6 || math.Abs(g.NVLinkIn/g.PCIeOut-1024) > 1e-3 || g.NVLinkOut != g.NVLinkIn {
		t.Errorf("links %+v", g)
	}
	if g := r.gpus[1]; g.PCIeOut != 1.5e6 || g.PCIeIn != 3e6 || g.NVLinkIn != 0 {
		t.Errorf("links without counters: %+v", g)
	}
	t.Setenv("FAKE_NVML", "vanishes")
	link.read()
	if r, more := link.read(); !more || r.used() != 0 || !r.gpus[0].Lost || !strings.Contains(r.why, "GPU is lost") {
		t.Errorf("after the GPU vanished: %+v", r)
	}
	none := gpuLink{library: path + ".absent"}
	if r, more := none.read(); more || r.why != "no NVIDIA driver" {
		t.Errorf("without a driver: %+v", r)
	}
}

// cellOutput is a display.Out that keeps each output's newest state.
type cellOutput struct {
	mu      sync.Mutex
	states  map[string]mime.Bundle
	updates int
	news    chan struct{}
}

func (o *cellOutput) Display(b mime.Bundle, id string, update bool) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.states[id] = b
	if update {
		o.updates++
		select {
		case o.news <- struct{}{}:
		default:
		}
	}
	return nil
}

func (o *cellOutput) Clear(bool) error { return nil }

func TestShowDrawsWhileTheCellRunsAndEndsOnItsEnd(t *testing.T) {
	out := &cellOutput{states: map[string]mime.Bundle{}, news: make(chan struct{}, 1)}
	display.SetOut(out)
	defer display.SetOut(nil)
	d := newDevice("cpu")
	m := New(d)
	m.Show()
	<-out.news // a picture came while the cell ran
	d.alloc(t, 7<<20, mem.Gradients)
	display.Flush()
	m.Stop()
	if len(out.states) != 1 {
		t.Fatalf("%d outputs", len(out.states))
	}
	for _, b := range out.states {
		if !strings.Contains(b.Data[mime.Text], "gradients 7.00 MiB") || b.Data[mime.PNG] == "" || !strings.HasPrefix(b.Data[mime.HTML], `<img alt="monitor, `) {
			t.Errorf("the last picture: %s", b.Data[mime.Text])
		}
	}
	n := out.updates
	display.Flush()
	if out.updates != n {
		t.Error("drawn again after the cell's end")
	}
}

func TestStartStopAndUseFromManyGoroutines(t *testing.T) {
	d := newDevice("cpu")
	m := New(d)
	m.period = time.Millisecond
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 5 {
				switch (g + i) % 4 {
				case 0:
					m.Mark(fmt.Sprint("mark ", i))
				case 1:
					m.Bundle()
				case 2:
					m.Summary()
					m.Peak()
				case 3:
					b, err := d.Alloc(100, mem.Data)
					if err == nil {
						err = b.Free()
					}
					if err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	m.Start()
	wg.Wait()
	m.Stop()
	m.Stop()
}

func TestNothingSampled(t *testing.T) {
	m := New()
	if got := m.Bundle().Data[mime.Text]; !strings.Contains(got, "call Start") {
		t.Error(got)
	}
	if got := m.Summary().Bundle().Data[mime.Text]; !strings.Contains(got, "call Start") {
		t.Error(got)
	}
}

func TestUnits(t *testing.T) {
	for n, want := range map[float64]string{0: "0 B", 1023: "1023 B", 1024: "1.00 KiB", 12.34 * (1 << 20): "12.3 MiB", 700 * (1 << 30): "700 GiB"} {
		if got := Bytes(n); got != want {
			t.Errorf("%v: %s", n, got)
		}
	}
	for d, want := range map[time.Duration]string{0: "0 ms", 1234 * time.Millisecond: "1.2 s", 250 * time.Second: "4m10s"} {
		if got := duration(d); got != want {
			t.Errorf("%v: %s", d, got)
		}
	}
}

// training is a monitor with a made-up but possible history: three epochs of a small
// net whose activations rise and fall with each step.
func training(gpu bool) *Monitor {
	start := time.Unix(1_700_000_000, 0)
	m := New()
	m.started = start
	m.gpu = gpuReading{why: "no NVIDIA driver"}
	if gpu {
		m.gpu = gpuReading{
			gpus:      []GPU{{Name: "H100", Total: 80 << 30, Watts: 612, WattsLimit: 700, Celsius: 71, ClockMHz: 1410, Throttled: nvml.PowerCap, PCIe: 5, Lanes: 16}},
			processes: []Process{{PID: 4711, Name: "python3", Used: 2 << 30}, {PID: 1, Used: 9 << 30, Own: true}, {PID: 4712}},
		}
	}
	for i := range 300 {
		s := Sample{At: start.Add(time.Duration(i) * 200 * time.Millisecond)}
		on := int64(min(i/20, 1))
		s.Host[mem.Data] = on * 900 << 10
		s.Host[mem.Parameters] = on * 654 << 10
		s.Host[mem.Gradients] = on * 654 << 10
		s.Host[mem.OptimizerState] = on * 1308 << 10
		s.Host[mem.Activations] = on * int64(1+i%9) * 300 << 10
		s.Host[mem.Workspace] = on * int64(i%3) * 100 << 10
		for _, b := range s.Host {
			s.Total += b
		}
		s.RSS = 120<<20 + on*int64(i)<<17
		s.GoHeap = 30<<20 + int64(i%25)<<20
		s.CPU = float64(on)*1.7 + 0.1*float64(i%4)
		if gpu {
			s.GPUs = []GPU{{Total: 80 << 30, Used: 2<<30 + on*9<<30, Own: on * 9 << 30, KernelResident: float64(on) * (0.6 + 0.05*float64(i%5)), Watts: 90 + float64(on)*(500+float64(i%7)*10),
				PCIeIn: float64(on) * float64(2+i%3) * 1e9, PCIeOut: float64(on) * 4e8}}
		}
		m.history.add(s)
		m.peaks.see(s, s)
	}
	for e := range 3 {
		m.marks = append(m.marks, Moment{start.Add(time.Duration(5+18*e) * time.Second), fmt.Sprint("epoch ", e+1), Epochs})
	}
	return m
}

// marked adds a mark of every kind, some of which have no room for their name.
func marked(m *Monitor) *Monitor {
	for s, x := range map[float64]Moment{
		0.5: {Name: "In[3]", Kind: Cells}, 4: {Name: "In[4]", Kind: Cells}, 57: {Name: "In[5]", Kind: Cells},
		15: {Name: "warm-up ends", Kind: Marks}, 58: {Name: "memory above 90 %", Kind: Alerts},
		30: {Name: "cut the batch finer: 1 to 2 of 64", Kind: Actions}, 33: {Name: "cut the batch less: 2 to 1 of 128", Kind: Actions},
		48: {Name: "replay the step, cut finer: 1 to 4 of 32", Kind: Actions},
	} {
		x.At = m.started.Add(time.Duration(s * float64(time.Second)))
		m.marks = append(m.marks, x)
	}
	slices.SortFunc(m.marks, func(a, b Moment) int { return a.At.Compare(b.At) })
	return m
}

func TestGoldenChart(t *testing.T) {
	golden(t, "training", training(false).Bundle())
	golden(t, "training-gpu", training(true).Bundle())
	m := training(false)
	m.limits.set(RSS, m.started, 256<<20)
	m.limits.set(OwnMemory, m.started.Add(4*time.Second), 8<<20)
	m.limits.set(OwnMemory, m.started.Add(30*time.Second), 6<<20)
	golden(t, "budget", marked(m).Bundle())
	short := still()
	short.started = time.Unix(1, 0)
	short.history.add(Sample{At: short.started, RSS: 50 << 20, GoHeap: 5 << 20})
	golden(t, "one-sample", short.Bundle())
}

// golden compares a picture with the stored one, of which up to one pixel in a
// hundred may differ: the number of cores stands in a title.
func golden(t *testing.T, name string, b mime.Bundle) {
	t.Helper()
	data, err := base64.StdEncoding.DecodeString(b.Data[mime.PNG])
	if err != nil || len(data) == 0 {
		t.Fatalf("%s: no picture: %s", name, b.Data[mime.Text])
	}
	path := filepath.Join("testdata", name+".png")
	if *update {
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	stored, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got, want := decode(t, data), decode(t, stored)
	if got.Bounds() != want.Bounds() {
		t.Fatalf("%s: size %v, want %v", name, got.Bounds(), want.Bounds())
	}
	bad, r := 0, got.Bounds()
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			if far(got, want, x, y) {
				bad++
			}
		}
	}
	if bad*100 > r.Dx()*r.Dy() {
		t.Errorf("%s: %d pixels differ", name, bad)
	}
}

func far(a, b image.Image, x, y int) bool {
	r1, g1, b1, a1 := a.At(x, y).RGBA()
	r2, g2, b2, a2 := b.At(x, y).RGBA()
	for _, d := range [4]int{int(r1) - int(r2), int(g1) - int(g2), int(b1) - int(b2), int(a1) - int(a2)} {
		if max(d, -d) > 24<<8 {
			return true
		}
	}
	return false
}

func decode(t *testing.T, data []byte) image.Image {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func BenchmarkDraw(b *testing.B) {
	m := training(false)
	for b.Loop() {
		m.Bundle()
	}
}

func BenchmarkSketch(b *testing.B) {
	m := training(false)
	for b.Loop() {
		m.picture(display.Sketch)
	}
}

func BenchmarkSample(b *testing.B) {
	m := still(newDevice("cpu"))
	for b.Loop() {
		m.sample()
	}
}
