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
func (e *Estimate) String() string {
	var b strings.Builder
	what := "a training step"
	if !e.Training {
		what = "the loss, without gradients,"
	}
	fmt.Fprintf(&b, "%s of %d examples", what, e.Batch)
	if e.Passes > 1 {
		fmt.Fprintf(&b, " in %d passes", e.Passes)
	}
	fmt.Fprintf(&b, " takes %s at its peak (%d bytes), reached by %s; %s stay in use between steps\n\n", bytesText(e.Peak), e.Peak, e.AtPeak, bytesText(e.Baseline))
	rows := [][]string{{"at the peak", "bytes", "share"}}
	add := func(name string, n int64) {
		if n > 0 {
			rows = append(rows, []string{name, bytesText(n), fmt.Sprintf("%.1f %%", 100*float64(n)/float64(e.Peak))})
		}
	}
	for _, c := range mem.Categories() {
		add(c.String(), e.ByCategory[c])
	}
	add("not of this task", e.Others)
	b.WriteString(columns(rows, 1) + "\n\n")
	rows = [][]string{{"layer", "what", "result", "parameters", "forward makes", "MFLOP"}}
	for _, l := range e.Layers {
		rows = append(rows, []string{l.Name, l.Kind, strings.Trim(fmt.Sprint(l.Shape), "[]"), fmt.Sprint(l.Parameters), bytesText(l.Bytes), fmt.Sprintf("%.3g", float64(l.FLOPs)/1e6)})
	}
	rows = append(rows, []string{"all", "", "", fmt.Sprint(e.Parameters), "", fmt.Sprintf("%.3g", float64(e.FLOPs)/1e6)})
	b.WriteString(columns(rows, 3))
	if e.Training && e.FirstPeak != e.Peak {
		fmt.Fprintf(&b, "\nthe first step takes %s: the optimizer makes its state at the end of it", bytesText(e.FirstPeak))
	}
	if e.StepTime > 0 {
		fmt.Fprintf(&b, "\na step takes about %s", timeText(e.StepTime))
	}
	if e.Driver > 0 {
		fmt.Fprintf(&b, "\nbeside that, %s of the device are in use by its driver and by other programs", bytesText(e.Driver))
	}
	return b.String()
}

// Bundle draws the memory over a step and what the layers make of it, above the table.
func (e *Estimate) Bundle() mime.Bundle {
	out := mime.Plain(e.String())
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
	shown = append(shown, display.HTML(`<pre style="font-family:monospace;line-height:1.3;overflow-x:auto">`+escape(e.String())+"</pre>"))
	drawn := display.Beside(shown...)
	drawn.Data[mime.Text] = e.String()
	return drawn
}

func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
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
	p.Legend.Top, p.Y.Min = true, 0
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
