package monitor

import (
	"time"

	"attune/gpu/nvml"
)

// traffics is what a GPU's links had counted when they were read last.
type traffics struct {
	at      time.Time
	counted nvml.Traffic
	// waited is the PCIe rate that the driver was waited for, where it has no counter;
	// deaf says that it tells none at all.
	waitedOut, waitedIn float64
	deaf                bool
}

// readLinks adds to one what crosses its links. Counters are read every time. A driver
// without those of PCIe counts for 20 ms in each direction while it is waited for:
// then one GPU is asked at a time, and the others keep what they said.
func (g *gpuLink) readLinks(i int, one *GPU) {
	d := g.devices[i]
	if n, lanes, err := d.Link(); err == nil {
		one.PCIe, one.Lanes = n, lanes
	}
	if len(g.links) != len(g.devices) {
		g.links = make([]traffics, len(g.devices))
	}
	t := &g.links[i]
	// A device without counters has none that are known, as one that fails.
	now, _ := d.Traffic()
	at := time.Now()
	per := at.Sub(t.at).Seconds()
	rate := func(now, was nvml.Counter) float64 {
		n, ok := now.Since(was)
		if !ok || per <= 0 {
			return 0
		}
		return float64(n) / per
	}
	one.NVLinkOut, one.NVLinkIn = rate(now.NVLinkOut, t.counted.NVLinkOut), rate(now.NVLinkIn, t.counted.NVLinkIn)
	one.PCIeOut, one.PCIeIn = rate(now.PCIeOut, t.counted.PCIeOut), rate(now.PCIeIn, t.counted.PCIeIn)
	t.at, t.counted = at, now
	if now.PCIeOut.Known || t.deaf {
		return
	}
	if g.turn%len(g.devices) == i {
		out, in, err := d.PCIeRate()
		t.waitedOut, t.waitedIn, t.deaf = out, in, err != nil
	}
	one.PCIeOut, one.PCIeIn = t.waitedOut, t.waitedIn
}
