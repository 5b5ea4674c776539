package balance

import (
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"

	"attune/display"
	"attune/display/mime"
	"attune/display/palette"
	"attune/gpu/mem"
)

// String says the peak and what it is made of, and sets the layers as a table.
func (e *Estimate) String() string { return e.say().String() }

func (e *Estimate) say() say {
	what := "a training step"
	if !e.Training {
		what = "the loss, without gradients,"
	}
	what += fmt.Sprintf(" of %d examples", e.Batch)
	if e.Passes > 1 {
		what += fmt.Sprintf(" in %d passes", e.Passes)
	}
	what += fmt.Sprintf(" takes %s at its peak (%d bytes), reached by %s; %s stay in use between steps\n", bytesText(e.Peak), e.Peak, e.AtPeak, bytesText(e.Baseline))
	parts := [][]string{{"at the peak", "bytes", "share"}}
	add := func(name string, n int64) {
		if n > 0 {
			parts = append(parts, []string{name, bytesText(n), fmt.Sprintf("%.1f %%", 100*float64(n)/float64(e.Peak))})
		}
	}
	for _, c := range mem.Categories() {
		add(c.String(), e.ByCategory[c])
	}
	add("not of this task", e.Others)
	layers := [][]string{{"layer", "what", "result", "parameters", "forward makes", "MFLOP"}}
	for _, l := range e.Layers {
		layers = append(layers, []string{l.Name, l.Kind, strings.Trim(fmt.Sprint(l.Shape), "[]"), fmt.Sprint(l.Parameters), bytesText(l.Bytes), millions(l.FLOPs)})
	}
	layers = append(layers, []string{"all", "", "", fmt.Sprint(e.Parameters), "", millions(e.FLOPs)})
	out := say{{text: what}, {rows: parts, left: 1}, {}, {rows: layers, left: 3}}
	if e.Training && e.FirstPeak != e.Peak {
		out = append(out, passage{text: fmt.Sprintf("the first step takes %s: the optimizer makes its state at the end of it", bytesText(e.FirstPeak))})
	}
	if e.Driver > 0 {
		out = append(out, passage{text: fmt.Sprintf("beside that, %s of the device were in use by its driver and by other programs, the most that was seen when attune took more", bytesText(e.Driver))})
	}
	return append(out, e.pace()...)
}

// millions writes n in millions, with three digits or all those before the point.
func millions(n int64) string {
	if f := float64(n) / 1e6; f < 1000 {
		return fmt.Sprintf("%.3g", f)
	}
	return fmt.Sprintf("%.0f", float64(n)/1e6)
}

// Bundle draws the memory over a step and what the layers make of it, above the table.
func (e *Estimate) Bundle() mime.Bundle {
	out := e.say().Bundle()
	if len(e.Timeline) == 0 {
		return out
	}
	p, err := e.timelinePlot()
	if err != nil {
		return out
	}
	shown := []any{display.Figure{Plot: p, Width: 6.5 * vg.Inch, Height: 3.6 * vg.Inch}}
	if bars := e.layerPlot(); bars != nil {
		shown = append(shown, display.Figure{Plot: bars, Width: 6.5 * vg.Inch, Height: vg.Length(1.2+0.22*float64(len(e.Layers))) * vg.Inch})
	}
	shown = append(shown, display.HTML(out.Data[mime.HTML]))
	drawn := display.Beside(shown...)
	drawn.Data[mime.Text] = e.String()
	return drawn
}

const mebi = 1 << 20

// timelinePlot stacks the categories over the changes of a step.
func (e *Estimate) timelinePlot() (*plot.Plot, error) {
	p := display.Theme(plot.New())
	p.Title.Text = fmt.Sprintf("memory over a step, peak %s:\n%s", bytesText(e.Peak), e.AtPeak)
	p.X.Label.Text, p.Y.Label.Text = "allocations and frees, in order", "MiB in use"
	below := make([]float64, len(e.Timeline))
	for i := range below {
		below[i] = float64(e.Others) / mebi
	}
	for k, c := range mem.Categories() {
		var up, down plotter.XYs
		any := false
		for i, at := range e.Timeline {
			top := below[i] + float64(at.Live[c])/mebi
			any = any || at.Live[c] > 0
			x := float64(i)
			down = append(down, plotter.XY{X: x, Y: below[i]}, plotter.XY{X: x + 1, Y: below[i]})
			up = append(up, plotter.XY{X: x, Y: top}, plotter.XY{X: x + 1, Y: top})
			below[i] = top
		}
		if !any {
			continue
		}
		for i := len(down) - 1; i >= 0; i-- {
			up = append(up, down[i])
		}
		area, err := plotter.NewPolygon(up)
		if err != nil {
			return nil, err
		}
		area.Color, area.LineStyle.Width = palette.Kinds()[k%len(palette.Kinds())], 0
		p.Add(area)
		p.Legend.Add(c.String(), area)
	}
	mark, err := plotter.NewLabels(plotter.XYLabels{
		XYs:    plotter.XYs{{X: float64(e.peak) + 0.5, Y: float64(e.Peak) / mebi}},
		Labels: []string{"peak"},
	})
	if err != nil {
		return nil, err
	}
	mark.TextStyle[0] = display.TextStyle(9, font.Font{}, text.XCenter, text.YBottom)
	p.Add(mark)
	// The legend stands where the peak does not.
	p.Legend.Top, p.Legend.Left, p.Y.Min = true, 2*e.peak > len(e.Timeline), 0
	p.Y.Max = math.Max(p.Y.Max, float64(e.Peak)/mebi) * 1.5
	return p, nil
}

// layerPlot has a bar for each layer; nil for too many.
func (e *Estimate) layerPlot() *plot.Plot {
	if len(e.Layers) == 0 || len(e.Layers) > 60 {
		return nil
	}
	p := display.Theme(plot.New())
	p.Title.Text, p.X.Label.Text = "what each layer makes in the forward pass", "MiB"
	var names []string
	var values plotter.Values
	for i := len(e.Layers) - 1; i >= 0; i-- {
		names = append(names, e.Layers[i].Name)
		values = append(values, float64(e.Layers[i].Bytes)/mebi)
	}
	bars, err := plotter.NewBarChart(values, vg.Points(9))
	if err != nil {
		return nil
	}
	bars.Horizontal, bars.Color, bars.LineStyle.Width = true, palette.Kinds()[mem.Activations], 0
	p.Add(bars)
	p.NominalY(names...)
	p.X.Min = 0
	return p
}
