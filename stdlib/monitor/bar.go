package monitor

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html"
	"image"
	"image/color"
	"image/png"
	"strings"
	"time"

	"attune/display"
	"attune/display/mime"
	"attune/display/palette"
)

// A cell that ends sooner than barAfter gets no bar, which would only flicker by;
// afterwards it is drawn every barEvery.
const (
	barAfter = 400 * time.Millisecond
	barEvery = 500 * time.Millisecond
)

// Cell tells the monitor that a cell begins, for the charts' time axis where it
// samples. With bar it draws a compact line of meters below the cell while that runs,
// and what the cell took when it ends. The worker calls it.
func (m *Monitor) Cell(name string, bar bool) {
	if bar {
		m.ensure()
	}
	m.mu.Lock()
	// The front may send a cell twice, for another engine.
	if m.running && m.lastOf(Cells) != name {
		m.mark(Moment{time.Now(), name, Cells})
	}
	m.mu.Unlock()
	if !bar {
		return
	}
	b := &cellBar{m: m, name: name, start: time.Now(), stop: make(chan struct{}), done: make(chan struct{})}
	if display.AtEnd(b.end) {
		go b.run()
	}
}

// cellBar is the line of meters of one cell.
type cellBar struct {
	m          *Monitor
	name       string
	start      time.Time
	live       *display.Live
	stop, done chan struct{}
	ended      time.Time
}

func (b *cellBar) run() {
	defer close(b.done)
	wait := barAfter
	for {
		select {
		case <-b.stop:
			return
		case <-time.After(wait):
		}
		if b.live == nil {
			b.live = display.NewLiveEvery(time.Millisecond)
		}
		b.live.Update(b)
		wait = barEvery
	}
}

// end draws what the cell took, if it was long enough to be seen.
func (b *cellBar) end() {
	close(b.stop)
	<-b.done
	if b.live != nil {
		b.ended = time.Now()
		b.m.sample()
		b.live.Update(b)
	}
}

// meter is one reading on the bar.
type meter struct {
	name    string
	measure Measure
	color   color.NRGBA
}

// meters are those that have something to show.
func meters(samples []Sample) (out []meter) {
	kinds := palette.Kinds()
	for i, m := range []Measure{OwnMemory, RSS, CPU, VRAM, GPUBusy, Power} {
		for _, s := range samples {
			if m.of(s) > 0 {
				out = append(out, meter{m.String(), m, kinds[i%len(kinds)]})
				break
			}
		}
	}
	return out
}

// Bundle implements display.Bundler.
func (b *cellBar) Bundle() mime.Bundle {
	b.m.mu.Lock()
	all := b.m.history.samples
	from := len(all) - 1
	for from > 0 && all[from].At.After(b.start) {
		from--
	}
	samples := append([]Sample(nil), all[max(from, 0):]...)
	why := b.m.gpu.why
	b.m.mu.Unlock()
	said := b.name + ", " + duration(time.Since(b.start))
	if !b.ended.IsZero() {
		said = b.name + " ran " + duration(b.ended.Sub(b.start))
	}
	var h strings.Builder
	h.WriteString(`<div style="display:flex;flex-wrap:wrap;align-items:center;gap:0 14px;font-size:11px;font-variant-numeric:tabular-nums;color:var(--jp-ui-font-color2,#767676)"><span>` + html.EscapeString(said) + `</span> `)
	for _, x := range meters(samples) {
		now, peak := 0.0, 0.0
		values := make([]float64, len(samples))
		for i, s := range samples {
			now = x.measure.of(s)
			values[i], peak = now, max(peak, now)
		}
		text := x.measure.say(now)
		if !b.ended.IsZero() {
			text = "peak " + x.measure.say(peak)
		}
		said += " · " + x.name + " " + text
		fmt.Fprintf(&h, `<span>%s <img src="data:image/png;base64,%s" alt="over time, up to %s" width="48" height="12" style="vertical-align:middle"> %s</span> `, x.name, spark(values, peak, x.color), x.measure.say(peak), text)
	}
	if why != "" {
		fmt.Fprintf(&h, `<span>GPU: %s</span>`, html.EscapeString(why))
	}
	h.WriteString(`</div>`)
	return mime.Bundle{Data: map[string]string{mime.HTML: h.String(), mime.Text: said}}
}

// spark is a small area chart of values from 0 to top, as a PNG in base64.
func spark(values []float64, top float64, c color.NRGBA) string {
	const w, high = 96, 24
	img := image.NewPaletted(image.Rect(0, 0, w, high), color.Palette{color.NRGBA{0x80, 0x80, 0x80, 0x28}, c})
	for x := range w {
		if len(values) == 0 || top <= 0 {
			break
		}
		from := x * len(values) / w
		v := 0.0
		for _, u := range values[from:max(from+1, (x+1)*len(values)/w)] {
			v = max(v, u)
		}
		for y := high - int(v/top*high+0.5); y < high; y++ {
			img.SetColorIndex(x, max(y, 0), 1)
		}
	}
	var buf bytes.Buffer
	// A Buffer takes everything, and the image's size is in range.
	_ = (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&buf, img)
	return base64.StdEncoding.EncodeToString(buf.Bytes())
}
