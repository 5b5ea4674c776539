package main

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"attune/gpu"
	"attune/gpu/mem"
	"attune/gpu/nvml"
)

func deviceItems(b *bench) ([]item, error) {
	return []item{{"device", "", func() row {
		processors, l2, err := b.probe.Traits()
		return end(row{Figure: fmt.Sprintf("%s; %d processors, %d MiB of second level cache; driver %s", b.dev.Detail(), processors, l2>>20, b.probe.Driver())}, err)
	}}, {"nvidia-smi", "", func() row {
		out, err := smi("clocks.sm,clocks.mem,clocks.max.sm,power.limit,ecc.mode.current,mig.mode.current")
		return end(row{Figure: "clocks of processors and memory, most, power limit, ECC, MIG: " + out}, missing(err))
	}}}, nil
}

// smi asks nvidia-smi, which comes with the driver.
func smi(fields string) (string, error) {
	out, err := exec.Command("nvidia-smi", "--id=0", "--format=csv,noheader,nounits", "--query-gpu="+fields).Output()
	return strings.TrimSpace(strings.SplitN(string(out), "\n", 2)[0]), err
}

// missing forgives that a tool is not there.
func missing(err error) error {
	if err != nil && strings.Contains(err.Error(), "executable file not found") {
		return nil
	}
	return err
}

func memoryItems(b *bench) ([]item, error) {
	out := []item{{"launch of an empty kernel", "", b.callCosts}, {"calls of package gpu", "", b.calls}}
	driver := func() (int64, error) {
		free, total, _ := b.dev.Room()
		return total - free, nil
	}
	out = append(out, item{"peak memory, by the driver", "", func() row { return b.peakMemory(driver) }})
	lib, err := nvml.Open()
	if err != nil {
		return append(out, item{"management library", "", func() row { return row{Figure: "not read: " + err.Error()} }}), nil
	}
	devices, err := lib.Devices()
	if len(devices) == 0 {
		return append(out, item{"management library", "", func() row { return row{Fail: fmt.Sprint("no devices: ", err)} }}), nil
	}
	out = append(out, item{"peak memory, by the management library", "", func() row {
		return b.peakMemory(func() (int64, error) {
			m, err := devices[0].Memory()
			return int64(m.Used), err
		})
	}})
	return append(out, readings(devices[0])...), nil
}

func (b *bench) callCosts() row {
	n := 10000
	if b.o.tiny {
		n = 100
	}
	var raw, binding time.Duration
	err := b.probe.Unseen(func() (err error) {
		raw, binding, err = b.probe.CallCosts(n)
		return err
	})
	return end(row{Figure: fmt.Sprintf("cuLaunchKernel %.2f µs, through the binding %.2f µs", us(raw), us(binding)), Goal: "0.5 µs above", Met: met(binding-raw <= 500*time.Nanosecond)}, err)
}

func us(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }

// calls are whole calls of package gpu on eight elements, one launch each.
func (b *bench) calls() row {
	in, free, err := b.inputs(1, gpu.Float32, []int{8, 8}, []int{8, 8}, []int{8, 8})
	if err != nil {
		return row{Fail: err.Error()}
	}
	n, figure := 5000, ""
	if b.o.tiny {
		n = 10
	}
	for _, c := range []struct {
		name string
		run  func() error
	}{
		{"ReLU", func() error { return gpu.ReLU(in[0][0], in[0][1]) }},
		{"MatMul", func() error { return gpu.MatMul(in[0][0], in[0][1], in[0][2], false) }},
		{"Copy", func() error { return gpu.Copy(in[0][0], in[0][1]) }},
	} {
		err := firstOf(c.run(), b.dev.Synchronize())
		if err == nil {
			err = b.probe.Unseen(func() (err error) {
				begin := time.Now()
				for i := 0; i < n && err == nil; i++ {
					err = c.run()
				}
				figure += fmt.Sprintf("%s %.2f µs, ", c.name, us(time.Since(begin)/time.Duration(n)))
				return err
			})
		}
		if err = firstOf(err, b.dev.Synchronize()); err != nil {
			return end(row{Fail: err.Error()}, free())
		}
	}
	return end(row{Figure: figure + "to the call's return"}, free())
}

// peakMemory holds what the allocator says to what somebody else sees in use on the
// device, which other programs must leave alone for it.
func (b *bench) peakMemory(used func() (int64, error)) row {
	if err := b.dev.Trim(); err != nil {
		return row{Fail: err.Error()}
	}
	before, err := used()
	if err != nil {
		return row{Fail: err.Error()}
	}
	first, _ := b.dev.Outside()
	n := 1 << 28
	if b.o.tiny {
		n = 1 << 20
	}
	var held []*gpu.Tensor
	for i := range 8 {
		t, err := b.dev.ZerosOf(gpu.BFloat16, mem.Data, n+i*4097)
		if err != nil {
			return row{Fail: err.Error()}
		}
		held = append(held, t)
	}
	after, err := used()
	ours := b.dev.Memory().Reserved
	now, _ := b.dev.Outside()
	for _, t := range held {
		err = firstOf(err, t.Free())
	}
	off := float64(after-before-ours) / float64(max(1, ours))
	return end(row{
		Figure: fmt.Sprintf("%.1f MiB more are seen, the allocator reserved %.1f MiB; besides there were %.1f MiB before, and %.1f MiB then",
			mib(after-before), mib(ours), mib(first.Now), mib(now.Now)),
		Goal: "within 1 %", Met: met(off < 0.01 && off > -0.01),
	}, firstOf(err, b.dev.Trim()))
}

func mib(n int64) float64 { return float64(n) / (1 << 20) }

// readings are what the monitor shows, beside nvidia-smi's word.
func readings(d nvml.Device) []item {
	each := func(name, field string, read func() (string, error)) item {
		return item{"reading of " + name, "", func() row {
			ours, err := read()
			if err != nil {
				return row{Figure: err.Error()}
			}
			theirs, err := smi(field)
			if err != nil {
				theirs = "not there"
			}
			return row{Figure: fmt.Sprintf("%s; nvidia-smi %s", ours, theirs)}
		}}
	}
	text := func(v any, err error) (string, error) { return fmt.Sprint(v), err }
	return []item{
		each("memory in MiB", "memory.total,memory.used,memory.free,memory.reserved", func() (string, error) {
			m, err := d.Memory()
			return fmt.Sprintf("%d, %d, %d, %d", m.Total>>20, m.Used>>20, m.Free>>20, m.Reserved>>20), err
		}),
		each("utilisation in percent", "utilization.gpu,utilization.memory", func() (string, error) {
			u, err := d.Utilization()
			return fmt.Sprintf("%d, %d", u.KernelResident, u.MemoryBusy), err
		}),
		each("temperature", "temperature.gpu", func() (string, error) { return text(d.Temperature()) }),
		each("power and its limit in W", "power.draw,enforced.power.limit", func() (string, error) {
			p, err := d.Power()
			limit, err2 := d.PowerLimit()
			return fmt.Sprintf("%.2f, %.2f", p, limit), firstOf(err, err2)
		}),
		each("clocks in MHz", "clocks.sm,clocks.mem", func() (string, error) {
			sm, memory, err := d.Clocks()
			return fmt.Sprintf("%d, %d", sm, memory), err
		}),
		each("throttling", "clocks_event_reasons.active", func() (string, error) {
			t, err := d.Throttled()
			return fmt.Sprintf("%q (%#x)", t, uint64(t)), err
		}),
		each("the PCIe link", "pcie.link.gen.gpucurrent,pcie.link.width.current", func() (string, error) {
			generation, lanes, err := d.Link()
			return fmt.Sprintf("%d, %d", generation, lanes), err
		}),
		each("MIG", "mig.mode.current", func() (string, error) { return text(d.MIG()) }),
		each("bytes over the links", "name", func() (string, error) {
			t, err := d.Traffic()
			return fmt.Sprintf("%+v", t), err
		}),
		each("bytes a second over PCIe", "name", func() (string, error) {
			out, in, err := d.PCIeRate()
			return fmt.Sprintf("%.0f, %.0f", out, in), err
		}),
		{"processes", "", func() row { return processes(d) }},
	}
}

// processes looks for this one: in a container the driver may tell the host's numbers.
func processes(d nvml.Device) row {
	list, err := d.Processes()
	if err != nil {
		return row{Figure: err.Error()}
	}
	var all []string
	own := "not among them"
	for _, p := range list {
		all = append(all, fmt.Sprintf("%d (%.0f MiB)", p.PID, mib(int64(p.Used))))
		if int(p.PID) == os.Getpid() {
			own = "among them"
		}
	}
	out, _ := exec.Command("nvidia-smi", "--query-compute-apps=pid,used_memory", "--format=csv,noheader,nounits").Output()
	theirs := strings.Join(strings.Fields(strings.ReplaceAll(string(out), "\n", ";")), " ")
	return row{Figure: fmt.Sprintf("%s; this one, %s, is %s; nvidia-smi %s", strings.Join(all, ", "), strconv.Itoa(os.Getpid()), own, theirs)}
}
