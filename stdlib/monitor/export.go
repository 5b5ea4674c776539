package monitor

import (
	"encoding/csv"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"attune/gpu/mem"
)

// reading is one number of a sample under the names that exports give it.
type reading struct {
	// name is as Prometheus wants it: a unit at the end, no capitals.
	name, help string
	labels     [][2]string
	value      float64
}

// readings are all numbers of a sample, always in the same order for the same GPUs.
func readings(s Sample) []reading {
	out := []reading{
		{"attune_process_resident_bytes", "resident memory of the worker process", nil, float64(s.RSS)},
		{"attune_process_pss_bytes", "resident memory with shared pages divided", nil, float64(s.PSS)},
		{"attune_go_heap_bytes", "memory of Go objects", nil, float64(s.GoHeap)},
		{"attune_cpu_cores", "cores that the process keeps busy", nil, s.CPU},
		{"attune_host_cpu_ratio", "share of all cores that is busy", nil, s.HostCPU},
		{"attune_host_memory_used_bytes", "memory in use on the machine", nil, float64(s.HostUsed)},
		{"attune_host_memory_total_bytes", "memory of the machine", nil, float64(s.HostTotal)},
		{"attune_cgroup_memory_used_bytes", "memory in use in the limiting control group", nil, float64(s.GroupUsed)},
		{"attune_cgroup_memory_limit_bytes", "the control group's limit, 0 for none", nil, float64(s.GroupLimit)},
		{"attune_disk_read_bytes_per_second", "read from all disks", nil, s.DiskRead},
		{"attune_disk_written_bytes_per_second", "written to all disks", nil, s.DiskWrite},
		{"attune_network_received_bytes_per_second", "received by all networks", nil, s.NetIn},
		{"attune_network_sent_bytes_per_second", "sent by all networks", nil, s.NetOut},
	}
	for _, c := range mem.Categories() {
		for place, n := range [2]int64{s.Host[c], s.Device[c]} {
			out = append(out, reading{"attune_own_bytes", "attune's own bytes by category",
				[][2]string{{"category", c.String()}, {"place", [2]string{"host", "gpu"}[place]}}, float64(n)})
		}
	}
	for i, g := range s.GPUs {
		labels := [][2]string{{"gpu", strconv.Itoa(i)}, {"name", g.Name}}
		out = append(out, []reading{
			{"attune_gpu_memory_used_bytes", "GPU memory in use by all processes", labels, float64(g.Used)},
			{"attune_gpu_memory_own_bytes", "GPU memory of this process, as the driver counts", labels, float64(g.Own)},
			{"attune_gpu_memory_total_bytes", "GPU memory", labels, float64(g.Total)},
			{"attune_gpu_kernel_resident_ratio", "share of time with some kernel on the GPU", labels, g.KernelResident},
			{"attune_gpu_power_watts", "power of the board", labels, g.Watts},
			{"attune_gpu_temperature_celsius", "temperature of the GPU", labels, g.Celsius},
			{"attune_gpu_clock_megahertz", "clock of the multiprocessors", labels, g.ClockMHz},
			{"attune_gpu_pcie_sent_bytes_per_second", "sent to the host", labels, g.PCIeOut},
			{"attune_gpu_pcie_received_bytes_per_second", "received from the host", labels, g.PCIeIn},
			{"attune_gpu_nvlink_sent_bytes_per_second", "sent over all NVLinks", labels, g.NVLinkOut},
			{"attune_gpu_nvlink_received_bytes_per_second", "received over all NVLinks", labels, g.NVLinkIn},
			{"attune_gpu_throttled", "why the clock is held down, as NVML's bits", labels, float64(g.Throttled)},
		}...)
	}
	return out
}

// column is a reading's name with its labels' values, for CSV and TensorBoard.
func (r reading) column(sep string) string {
	s := strings.TrimPrefix(r.name, "attune_")
	for _, l := range r.labels {
		if l[0] != "name" {
			s += sep + l[1]
		}
	}
	return s
}

// WriteCSV writes the history: a line for each sample, the time first in seconds since
// the start, then all readings in bytes, cores, shares, watts and degrees. Of a long
// run each line is the most over a stretch of time.
func (m *Monitor) WriteCSV(w io.Writer) error {
	samples, started := m.History(), m.startedAt()
	c := csv.NewWriter(w)
	gpus := 0
	for _, s := range samples {
		gpus = max(gpus, len(s.GPUs))
	}
	for i, s := range samples {
		for len(s.GPUs) < gpus { // sampled before NVML had answered
			s.GPUs = append(s.GPUs[:len(s.GPUs):len(s.GPUs)], GPU{})
		}
		all := readings(s)
		if i == 0 {
			header := []string{"seconds"}
			for _, r := range all {
				header = append(header, r.column(" "))
			}
			if err := c.Write(header); err != nil {
				return fmt.Errorf("write CSV: %w", err)
			}
		}
		line := []string{strconv.FormatFloat(s.At.Sub(started).Seconds(), 'f', 3, 64)}
		for _, r := range all {
			line = append(line, strconv.FormatFloat(r.value, 'f', -1, 64))
		}
		if err := c.Write(line); err != nil {
			return fmt.Errorf("write CSV: %w", err)
		}
	}
	if c.Flush(); c.Error() != nil {
		return fmt.Errorf("write CSV: %w", c.Error())
	}
	return nil
}

// SaveCSV is WriteCSV to a file.
func (m *Monitor) SaveCSV(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("save CSV: %w", err)
	}
	if err := m.WriteCSV(f); err != nil {
		f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("save CSV: %w", err)
	}
	return nil
}

func (m *Monitor) startedAt() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.started
}

// ServePrometheus answers Prometheus at http://addr/metrics with the newest sample
// (text format 0.0.4), until stop is called. addr is a port on the loopback,
// "127.0.0.1:9177", or with port 0 any that is free; another address is refused, as
// nobody is asked who they are. A monitor that never ran is started.
func (m *Monitor) ServePrometheus(addr string) (url string, stop func() error, err error) {
	host, _, err := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); err != nil || host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return "", nil, fmt.Errorf("serve Prometheus at %q: want an address on the loopback, such as 127.0.0.1:9177", addr)
	}
	m.ensure()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return "", nil, fmt.Errorf("serve Prometheus: %w", err)
	}
	s := &http.Server{Handler: http.HandlerFunc(m.metrics), ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = s.Serve(l) }() // it ends with Close, which says so to its caller
	return "http://" + l.Addr().String() + "/metrics", s.Close, nil
}

func (m *Monitor) metrics(w http.ResponseWriter, r *http.Request) {
	// A web page may make its own name lead to the loopback; its requests carry that name.
	host, _, err := net.SplitHostPort(r.Host)
	if ip := net.ParseIP(host); err != nil || host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		http.Error(w, "ask by a loopback address", http.StatusForbidden)
		return
	}
	if r.URL.Path != "/metrics" {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_, _ = io.WriteString(w, m.exposition()) // a scraper that went away misses nothing
}

// exposition is the newest sample in Prometheus' text format.
func (m *Monitor) exposition() string {
	samples := m.History()
	if len(samples) == 0 {
		return ""
	}
	escape := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)
	byName, order := map[string][]string{}, []reading{}
	for _, r := range readings(samples[len(samples)-1]) {
		if byName[r.name] == nil {
			order = append(order, r)
		}
		var labels []string
		for _, l := range r.labels {
			labels = append(labels, l[0]+`="`+escape.Replace(l[1])+`"`)
		}
		line := r.name
		if labels != nil {
			line += "{" + strings.Join(labels, ",") + "}"
		}
		byName[r.name] = append(byName[r.name], line+" "+strconv.FormatFloat(r.value, 'g', -1, 64))
	}
	var b strings.Builder
	for _, r := range order {
		fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s gauge\n%s\n", r.name, r.help, r.name, strings.Join(byName[r.name], "\n"))
	}
	return b.String()
}
