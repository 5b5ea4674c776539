package display

import (
	"fmt"
	"sync"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"

	"attune/display/mime"
)

// Curves is a plot that grows while a cell runs, a loss curve for instance. Its
// methods are safe from any goroutine.
//
//	loss := display.NewCurves("Loss", "step", "cross-entropy, nats")
//	for range steps {
//		loss.Add("training", train())
//	}
type Curves struct {
	title, xlabel, ylabel string
	live                  *Live

	mu  sync.Mutex
	all []*curve
}

// curve is one line: its points so far, of a long run thinned.
type curve struct {
	name string
	n    int
	xys  plotter.XYs
}

// NewCurves is a plot without lines; the first Add places it in the running cell's
// output.
func NewCurves(title, xlabel, ylabel string) *Curves {
	return &Curves{title: title, xlabel: xlabel, ylabel: ylabel, live: NewLive()}
}

// Add puts a point behind the line of that name, at the number of its points so
// far, and draws the plot anew, at most ten times a second.
func (c *Curves) Add(name string, y float64) {
	c.mu.Lock()
	x := float64(c.line(name).n)
	c.mu.Unlock()
	c.AddAt(name, x, y)
}

// AddAt is Add for a point at x, for instance a value that is taken once an epoch.
// Memory stays bounded: of more than 16,000 points each stretch keeps its least and
// greatest.
func (c *Curves) AddAt(name string, x, y float64) {
	c.mu.Lock()
	l := c.line(name)
	l.n++
	if l.xys = append(l.xys, plotter.XY{X: x, Y: y}); len(l.xys) > 4*maxPoints {
		l.xys = thin(l.xys, 2*maxPoints)
	}
	c.mu.Unlock()
	c.live.Update(c)
}

func (c *Curves) line(name string) *curve {
	for _, l := range c.all {
		if l.name == name {
			return l
		}
	}
	l := &curve{name: name}
	c.all = append(c.all, l)
	return l
}

// Plot is the plot so far, the caller's to change.
func (c *Curves) Plot() (*plot.Plot, error) {
	c.mu.Lock()
	var series []Series
	for _, l := range c.all {
		s := Series{Name: l.name, X: make([]float64, len(l.xys)), Y: make([]float64, len(l.xys))}
		for i, p := range l.xys {
			s.X[i], s.Y[i] = p.X, p.Y
		}
		series = append(series, s)
	}
	c.mu.Unlock()
	return Lines(c.title, c.xlabel, c.ylabel, series...)
}

// Bundle implements Bundler. The text has the newest value of each line.
func (c *Curves) Bundle() mime.Bundle {
	p, err := c.Plot()
	if err != nil {
		return mime.Plain(c.title + ": " + err.Error())
	}
	more := ""
	c.mu.Lock()
	for _, l := range c.all {
		more += fmt.Sprintf("; %s %.4g after %s", l.name, l.xys[len(l.xys)-1].Y, plural(l.n, "point"))
	}
	c.mu.Unlock()
	return Figure{Plot: p}.saying(more)
}
