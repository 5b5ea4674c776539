package monitor

import (
	"fmt"
	"image/color"

	"attune/display/palette"
)

// gpuPanels are memory, share of time, power and what crosses the links; with heat, the
// temperature too. Of one GPU the memory is told by whose it is, of several there is a
// line for each.
func gpuPanels(gpus []GPU, samples []Sample, heat bool) []panel {
	total, most := int64(0), int64(0)
	for _, g := range gpus {
		total, most = total+g.Total, max(most, g.Total)
	}
	if total == 0 {
		return nil
	}
	lines := func(title string, measure Measure, value func(GPU) float64) panel {
		p := panel{title: title, height: smallPanel, measures: map[Measure]float64{measure: 1}}
		for i := range gpus {
			b := series(samples, fmt.Sprintf("GPU %d", i), gpuColor(i), ofGPU(i, value))
			b.dash = dash(i/len(palette.Kinds())) % numDashes
			p.bands = append(p.bands, b)
		}
		return p
	}
	vram := lines("GPU memory", VRAM, func(g GPU) float64 { return float64(g.Used) })
	own := lines("GPU memory of this process", VRAM, func(g GPU) float64 { return float64(g.Own) })
	vram.bytes, own.bytes = true, true
	vram.of, vram.measures[VRAM], own.measures = " of "+Bytes(float64(total)), float64(most), nil
	if len(gpus) == 1 {
		vram.stacked, vram.bands = true, sharedMemory(samples)
	}
	out := []panel{vram}
	if len(gpus) > 1 && own.peak() > 0 {
		out = append(out, own)
	}
	out = append(out, lines("GPU, share of time with a kernel on it", GPUBusy, func(g GPU) float64 { return g.KernelResident }))
	if p := lines("GPU power, W", Power, func(g GPU) float64 { return g.Watts }); p.peak() > 0 {
		out = append(out, p)
	}
	if p := lines("GPU temperature, °C", Temperature, func(g GPU) float64 { return g.Celsius }); heat && p.peak() > 0 {
		out = append(out, p)
	}
	return append(out, linkPanel(samples)...)
}

// sharedMemory is one GPU's memory by whose it is; all in one where the driver does not
// tell what is this process's, as in a container.
func sharedMemory(samples []Sample) []band {
	kinds := palette.Kinds()
	own := series(samples, "this process", kinds[4], ofGPU(0, func(g GPU) float64 { return float64(g.Own) }))
	if own.peak == 0 {
		return []band{series(samples, "all processes", kinds[4], ofGPU(0, func(g GPU) float64 { return float64(g.Used) }))}
	}
	// What is sampled a moment apart may not add up.
	return []band{own, series(samples, "others", kinds[5], ofGPU(0, func(g GPU) float64 { return float64(max(0, g.Used-g.Own)) }))}
}

// linkPanel is what crosses PCIe and NVLink, of all GPUs together, if it is worth a
// line: a megabyte in a second.
func linkPanel(samples []Sample) []panel {
	kinds := palette.Kinds()
	p := panel{title: "GPU links, a second", height: smallPanel, bytes: true}
	for i, b := range []struct {
		name  string
		value func(GPU) float64
	}{
		{"PCIe out", func(g GPU) float64 { return g.PCIeOut }}, {"PCIe in", func(g GPU) float64 { return g.PCIeIn }},
		{"NVLink out", func(g GPU) float64 { return g.NVLinkOut }}, {"NVLink in", func(g GPU) float64 { return g.NVLinkIn }},
	} {
		all := func(s Sample) (sum float64) {
			for _, g := range s.GPUs {
				sum += b.value(g)
			}
			return sum
		}
		if s := series(samples, b.name, kinds[i/2], all); s.peak >= 1<<20 {
			s.dash = dash(i % 2)
			p.bands = append(p.bands, s)
		}
	}
	if len(p.bands) == 0 {
		return nil
	}
	return []panel{p}
}

// ofGPU is a GPU's value in a sample; 0 in those that were taken before NVML answered.
func ofGPU(i int, value func(GPU) float64) func(Sample) float64 {
	return func(s Sample) float64 {
		if i >= len(s.GPUs) {
			return 0
		}
		return value(s.GPUs[i])
	}
}

func gpuColor(i int) color.NRGBA {
	kinds := palette.Kinds()
	return kinds[(4+i)%len(kinds)]
}

// peak is the most of all bands.
func (p *panel) peak() (most float64) {
	for _, b := range p.bands {
		most = max(most, b.peak)
	}
	return most
}
