package monitor

import (
	"fmt"
	"image/color"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"attune/display/displaytest"
	"attune/display/mime"
	"attune/display/palette"
	"attune/gpu/mem"
)

// TestColoursReadOnBothPagesForAllEyes looks at every panel that can be: what carries
// meaning has 3:1 on either page and text 4.1:1 (4.5 once the HTML has made the pages white
// and black, see palette.Ink), lines of one panel differ in dash or for every eye in colour, and so do
// areas that touch.
func TestColoursReadOnBothPagesForAllEyes(t *testing.T) {
	pages := []color.NRGBA{{0xff, 0xff, 0xff, 0xff}, {0x11, 0x11, 0x11, 0xff}}
	least := func(name string, c color.NRGBA, want float64) {
		for _, page := range pages {
			if got := palette.Contrast(c, page); got < want {
				t.Errorf("%s on %v: contrast %.2f, want %.1f", name, page, got, want)
			}
		}
	}
	least("text", palette.Ink(), 4.1)
	least("budgets and alerts", red(), 3)
	for k := range numKinds {
		if k != Cells { // their names stand beside them; the lines are grid
			least("marks of "+k.String(), lineOf(k).Color.(color.NRGBA), 3)
		}
	}
	m := training(true)
	m.gpu.gpus = slices.Repeat(m.gpu.gpus, 8)
	for i := range m.history.samples {
		s := &m.history.samples[i]
		s.GPUs[0].NVLinkIn, s.GPUs[0].NVLinkOut = 1e9, 2e9
		s.GPUs = slices.Repeat(s.GPUs, 8)
		s.DiskRead, s.DiskWrite, s.NetIn, s.NetOut = 2e6, 3e6, 4e6, 5e6
	}
	all := m.panels(m.history.samples)
	all = append(all, training(true).panels(training(true).history.samples)...)
	for _, p := range all {
		for i, b := range p.bands {
			least(p.title+": "+b.name, b.color, 3)
			for j, d := range p.bands[:i] {
				if b.dash != d.dash || p.stacked && j != i-1 {
					continue // told apart by dash or by place
				}
				for _, eye := range palette.Eyes() {
					if x := eye.Distance(b.color, d.color); x < 0.09 {
						t.Errorf("%s: %s and %s are %.3f apart with %s", p.title, b.name, d.name, x, eye.Name)
					}
				}
			}
		}
	}
}

// TestPicturesHaveWords: every form of a chart says what it shows.
func TestPicturesHaveWords(t *testing.T) {
	b := marked(training(true)).Bundle()
	said := b.Data[mime.Text]
	for _, want := range []string{"monitor, 59.8 s: ", "activations 900 KiB (peak 2.64 MiB)", "marks: In[3] at 500 ms", "cut the batch finer: 1 to 2 of 64 at 30.0 s", "python3 (process 4711) 2.00 GiB", "slowed down: power cap"} {
		if !strings.Contains(said, want) {
			t.Errorf("no %q in %s", want, said)
		}
	}
	bar := &cellBar{m: training(true), name: "In[1]", start: time.Unix(1_700_000_000, 0)}
	for name, b := range map[string]mime.Bundle{"chart": b, "bar": bar.Bundle(), "summary": training(true).Summary().Bundle()} {
		if err := displaytest.Described(b); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	t.Logf("a chart of eight panels: HTML %d bytes, PNG %d", len(b.Data[mime.HTML]), len(b.Data[mime.PNG]))
}

// TestHoursOfHistoryAreSmall fills the history with eight hours at ten samples a second,
// on a machine with eight GPUs that say something new every second.
func TestHoursOfHistoryAreSmall(t *testing.T) {
	for _, gpus := range []int{0, 8} {
		var h history
		start := time.Unix(0, 0)
		var reading []GPU
		for i := range 8 * 3600 * 10 {
			if i%10 == 0 {
				reading = make([]GPU, gpus)
			}
			h.add(Sample{At: start.Add(time.Duration(i) * Period), GPUs: reading})
		}
		bytes := cap(h.samples) * int(unsafe.Sizeof(Sample{}))
		shared := map[*GPU]bool{}
		for _, s := range h.samples {
			if len(s.GPUs) > 0 {
				shared[&s.GPUs[0]] = true
			}
		}
		bytes += len(shared) * gpus * int(unsafe.Sizeof(GPU{}))
		t.Logf("8 hours at 10 Hz, %d GPUs: %d points, one in %v, %.2f MB", gpus, len(h.samples), time.Duration(h.each)*Period, float64(bytes)/1e6)
		if bytes > 5<<20 || len(h.samples) < points/2 {
			t.Errorf("%d GPUs: %d bytes for %d points", gpus, bytes, len(h.samples))
		}
	}
}

// TestMarksOfManyKindsKeepTheirNames has the newest names where there is no room for
// all, and a line for each kind.
func TestMarksOfManyKindsKeepTheirNames(t *testing.T) {
	m := training(false)
	for i := range 400 {
		m.marks = append(m.marks, Moment{m.started.Add(time.Duration(i) * 100 * time.Millisecond), fmt.Sprint("step ", i), Actions})
	}
	c, alt := m.chart()
	if fmt.Sprint(c.lanes) != "[epochs actions]" || !strings.Contains(alt, "marks: 391 more before, step 388 at 38.8 s") {
		t.Errorf("lanes %v: %s", c.lanes, alt)
	}
	for i := range 2 * maxMarks {
		m.limits.set(RSS, m.started, float64(i+1))
		m.mark(Moment{m.started, "x", Cells})
	}
	if len(m.marks) != maxMarks || len(m.limits[RSS]) != maxMarks || m.limits.now(RSS) != 2*maxMarks {
		t.Errorf("%d marks, %d budgets", len(m.marks), len(m.limits[RSS]))
	}
	if mem.NumCategories > mem.Category(len(palette.Kinds())) {
		t.Error("two categories share a colour")
	}
}
