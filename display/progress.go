package display

import (
	"cmp"
	"fmt"
	"html"
	"io"
	"iter"
	"math"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"attune/display/mime"
	"attune/display/text"
)

// Bar says how far something has come: a share, a rate and the time that remains. It
// is drawn at most ten times a second, whatever is added, and a stored notebook holds
// its last state alone. Its methods are safe from any goroutine.
type Bar struct {
	name  string
	total int64
	bytes bool
	now   func() time.Time
	live  *Live

	n    atomic.Int64
	next atomic.Int64 // the time in nanoseconds before which Add draws nothing

	mu    sync.Mutex
	start time.Time
	note  string
	ended time.Time
	rate  rate
}

// NewBar is a bar for total steps, 0 where their number is not known.
func NewBar(name string, total int) *Bar {
	b := &Bar{name: name, total: int64(total), now: time.Now, live: NewLive()}
	b.start = b.now()
	b.rate.at = b.start
	return b
}

// Add counts n more steps. It takes some nanoseconds where nothing is to be drawn.
func (b *Bar) Add(n int) {
	b.n.Add(int64(n))
	if t := b.now().UnixNano(); t >= b.next.Load() {
		b.next.Store(t + int64(Interval))
		b.draw()
	}
}

// Note sets a text behind the bar: a loss, a file's name.
func (b *Bar) Note(format string, values ...any) {
	b.mu.Lock()
	b.note = fmt.Sprintf(format, values...)
	b.mu.Unlock()
}

// Done ends the bar, at its total or before it, and draws its last state.
func (b *Bar) Done() {
	b.mu.Lock()
	ended := !b.ended.IsZero()
	if !ended {
		b.ended = b.now()
	}
	b.mu.Unlock()
	if !ended {
		b.live.Update(b)
		b.live.Flush()
	}
}

// draw shows the bar as it is. A program without a kernel has no place to draw over,
// so it gets the last state alone.
func (b *Bar) draw() {
	if current.Load() == nil {
		return
	}
	b.mu.Lock()
	b.rate.see(b.n.Load(), b.now())
	b.mu.Unlock()
	b.live.Update(b)
}

// rate is how many steps a second pass of late: each look counts for half as much
// after rateHalf.
type rate struct {
	n   int64
	at  time.Time
	per float64
}

const rateHalf = 3 * time.Second

func (r *rate) see(n int64, at time.Time) {
	d := at.Sub(r.at).Seconds()
	if d < 0.02 {
		return
	}
	now := float64(n-r.n) / d
	old := math.Pow(0.5, d/rateHalf.Seconds())
	if r.per == 0 {
		old = 0
	}
	r.per, r.n, r.at = old*r.per+(1-old)*now, n, at
}

// Bundle implements Bundler.
func (b *Bar) Bundle() mime.Bundle {
	b.mu.Lock()
	defer b.mu.Unlock()
	n, name := b.n.Load(), b.name
	said := b.said(n)
	var plain strings.Builder
	if name != "" {
		plain.WriteString(name + ": ")
	}
	value := ""
	switch {
	case b.total > 0:
		share := min(float64(n)/float64(b.total), 1)
		value = fmt.Sprintf(` value="%.4f"`, share)
		full := int(share * 20)
		plain.WriteString(strings.Repeat("█", full) + strings.Repeat("░", 20-full) + " ")
	case !b.ended.IsZero():
		value = ` value="1"`
	}
	plain.WriteString(said)
	h := `<div style="display:flex;flex-wrap:wrap;align-items:center;gap:2px 10px;font-size:var(--jp-ui-font-size1,13px)">`
	if name != "" {
		h += `<span>` + html.EscapeString(name) + `</span> `
	}
	h += `<progress max="1"` + value + ` aria-label="` + html.EscapeString(cmp.Or(name, "progress")) + `" style="width:16em;accent-color:#3a58d2">` + html.EscapeString(said) + `</progress> ` +
		`<span style="font-variant-numeric:tabular-nums;color:var(--jp-ui-font-color2,#767676)">` + html.EscapeString(said) + `</span></div>`
	return mime.Bundle{Data: map[string]string{mime.HTML: h, mime.Text: plain.String()}}
}

// said is the bar in words.
func (b *Bar) said(n int64) string {
	var parts []string
	took := b.now().Sub(b.start)
	per := b.rate.per
	if !b.ended.IsZero() {
		took = b.ended.Sub(b.start)
		per = float64(n) / max(took.Seconds(), 1e-9)
	}
	switch {
	case !b.ended.IsZero() && (b.total <= 0 || n >= b.total):
		parts = append(parts, b.amount(n)+" in "+Duration(took))
	case !b.ended.IsZero():
		parts = append(parts, fmt.Sprintf("stopped at %s of %s after %s", b.amount(n), b.amount(b.total), Duration(took)))
	case b.total > 0:
		parts = append(parts, fmt.Sprintf("%.0f %%", math.Floor(100*float64(n)/float64(b.total))), b.amount(n)+" of "+b.amount(b.total))
	default:
		parts = append(parts, b.amount(n), Duration(took))
	}
	if per > 0 && took > 50*time.Millisecond {
		parts = append(parts, b.perSecond(per))
	}
	if b.ended.IsZero() && b.total > n && per > 0 {
		left := time.Duration(min(float64(b.total-n)/per, 1e8) * float64(time.Second))
		parts = append(parts, Duration(left)+" left")
	}
	if b.note != "" {
		parts = append(parts, b.note)
	}
	return strings.Join(parts, " · ")
}

func (b *Bar) amount(n int64) string {
	if b.bytes {
		return sizeText(float64(n))
	}
	return text.Count(int(n))
}

func (b *Bar) perSecond(per float64) string {
	switch {
	case b.bytes:
		return sizeText(per) + "/s"
	case per >= 100:
		return text.Count(int(per)) + "/s"
	case per >= 1:
		return strconv.FormatFloat(per, 'f', 1, 64) + "/s"
	}
	return Duration(time.Duration(float64(time.Second)/per)) + " each"
}

// sizeText is a number of bytes in a decimal unit, as downloads are counted.
func sizeText(n float64) string {
	units := []string{"B", "kB", "MB", "GB", "TB"}
	i := 0
	for ; n >= 1000 && i < len(units)-1; i++ {
		n /= 1000
	}
	if i == 0 {
		return fmt.Sprintf("%.0f B", n)
	}
	return fmt.Sprintf("%.*f %s", max(0, 2-int(math.Log10(max(n, 1)))), n, units[i])
}

// Duration is a time for people: "850 ms", "12.3 s", "4m10s", "3h05m".
func Duration(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Hour:
		return d.Round(time.Second).String()
	}
	return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
}

// Progress counts from 0 to n-1 under a bar:
//
//	for i := range display.Progress(1000) { … }
//
// The bar costs a few nanoseconds a turn. A loop that ends early says where.
func Progress(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		b := NewBar("", n)
		defer b.Done()
		b.draw()
		p := pace{bar: b, skip: 1}
		for i := range n {
			if !yield(i) {
				return
			}
			p.step()
		}
		p.settle()
	}
}

// ProgressOf goes over the elements of a slice under a bar.
func ProgressOf[T any](all []T) iter.Seq2[int, T] {
	return func(yield func(int, T) bool) {
		for i := range Progress(len(all)) {
			if !yield(i, all[i]) {
				return
			}
		}
	}
}

// pace looks at the clock only so often in a loop that it finds some 20 ms to have
// passed, since a look costs more than a short loop's turn.
type pace struct {
	bar         *Bar
	n, skip, to int
	last        time.Time
}

func (p *pace) step() {
	if p.n++; p.n < p.to {
		return
	}
	p.settle()
	now := p.bar.now()
	switch d := now.Sub(p.last); {
	case d < 10*time.Millisecond:
		p.skip = min(2*p.skip, 1<<24)
	case d > 30*time.Millisecond:
		p.skip = max(p.skip/2, 1)
	}
	p.last, p.to = now, p.skip
}

// settle tells the bar of the turns that it has not seen.
func (p *pace) settle() {
	p.bar.Add(p.n)
	p.n = 0
}

// ProgressReader reads r under a bar of bytes, for downloads and files. size is 0
// where it is not known. The bar ends with r's end, an error, or Close, which closes
// r if that can be closed.
func ProgressReader(r io.Reader, size int64, name string) io.ReadCloser {
	b := NewBar(name, 0)
	b.total, b.bytes = max(size, 0), true
	return &counted{r, b}
}

type counted struct {
	r   io.Reader
	bar *Bar
}

// Read implements io.Reader.
func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.bar.Add(n)
	if err != nil {
		if err != io.EOF {
			c.bar.Note("%v", err)
		}
		c.bar.Done()
	}
	return n, err
}

// Close implements io.Closer.
func (c *counted) Close() error {
	c.bar.Done()
	if r, ok := c.r.(io.Closer); ok {
		return r.Close()
	}
	return nil
}
