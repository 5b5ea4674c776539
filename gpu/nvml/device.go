package nvml

import (
	"fmt"

	"github.com/NVIDIA/go-nvml/pkg/nvml"
)

// Device is one GPU.
type Device struct {
	// Index is NVML's number of it, which need not be CUDA's.
	Index int
	Name  string
	// UUID names the device across processes; empty where the driver does not tell.
	UUID string

	lib    *Library
	handle nvml.Device
}

// Memory is a device's memory in bytes, of all processes together.
type Memory struct {
	Total, Used, Free uint64
	// Reserved is what the driver keeps for itself. It is not part of Used; drivers
	// before 510 do not tell it apart, and then it is 0 and part of Used.
	Reserved uint64
}

// Memory reads how much of the device's memory is in use.
func (d Device) Memory() (Memory, error) {
	act := d.act("read memory")
	if d.lib.has["nvmlDeviceGetMemoryInfo_v2"] {
		m, ret := d.handle.GetMemoryInfo_v2()
		if ret == nvml.SUCCESS {
			return Memory{Total: m.Total, Used: m.Used, Free: m.Free, Reserved: m.Reserved}, nil
		}
		// The first version is older than some devices' trouble with the second.
		if ret != nvml.ERROR_NOT_SUPPORTED && ret != nvml.ERROR_ARGUMENT_VERSION_MISMATCH && ret != nvml.ERROR_FUNCTION_NOT_FOUND {
			return Memory{}, failure(act, ret)
		}
	}
	if err := d.lib.need(act, "nvmlDeviceGetMemoryInfo"); err != nil {
		return Memory{}, err
	}
	m, ret := d.handle.GetMemoryInfo()
	return Memory{Total: m.Total, Used: m.Used, Free: m.Free}, failure(act, ret)
}

// Utilization is what NVML calls by that name, in percent over its last sample
// period of 1/6 to 1 second (NVML API, nvmlUtilization_t).
type Utilization struct {
	// KernelResident is the share of time in which some kernel was on the device. A
	// kernel on one of a hundred multiprocessors counts as much as one on all: it
	// says that the device was not idle, and not how much of it was used.
	KernelResident uint32
	// MemoryBusy is the share of time in which device memory was read or written.
	MemoryBusy uint32
}

// Utilization reads how busy the device was.
func (d Device) Utilization() (Utilization, error) {
	act := d.act("read utilisation")
	if err := d.lib.need(act, "nvmlDeviceGetUtilizationRates"); err != nil {
		return Utilization{}, err
	}
	u, ret := d.handle.GetUtilizationRates()
	return Utilization{KernelResident: u.Gpu, MemoryBusy: u.Memory}, failure(act, ret)
}

// Process is a process that computes on a device.
type Process struct {
	// PID may be the host's number of the process when this one is in a container.
	PID uint32
	// Used is its device memory in bytes. Known is false where the driver does not
	// tell it, as on Windows or without permission.
	Used  uint64
	Known bool
}

// unknownUsed is NVML_VALUE_NOT_AVAILABLE as it stands in an unsigned field.
const unknownUsed = ^uint64(0)

// Processes lists the processes that have a compute context on the device.
func (d Device) Processes() (list []Process, err error) {
	act := d.act("list processes")
	if err := d.lib.need(act, "nvmlDeviceGetComputeRunningProcesses_v3", "nvmlDeviceGetComputeRunningProcesses_v2", "nvmlDeviceGetComputeRunningProcesses"); err != nil {
		return nil, err
	}
	defer func() {
		// go-nvml indexes an empty slice when a library asks for room without saying
		// how much.
		if r := recover(); r != nil {
			list, err = nil, fmt.Errorf("%s: %v", act, r)
		}
	}()
	infos, ret := d.handle.GetComputeRunningProcesses()
	if err := failure(act, ret); err != nil {
		return nil, err
	}
	for _, p := range infos {
		q := Process{PID: p.Pid, Used: p.UsedGpuMemory, Known: p.UsedGpuMemory != unknownUsed}
		if !q.Known {
			q.Used = 0
		}
		list = append(list, q)
	}
	return list, nil
}

// Temperature is the device's in degrees Celsius.
func (d Device) Temperature() (uint32, error) {
	act := d.act("read temperature")
	if err := d.lib.need(act, "nvmlDeviceGetTemperature"); err != nil {
		return 0, err
	}
	t, ret := d.handle.GetTemperature(nvml.TEMPERATURE_GPU)
	return t, failure(act, ret)
}

// Power is the board's draw in watts: a mean over a second on most devices; some
// (A100, H100) measure only a quarter of the time (arXiv:2312.02741).
func (d Device) Power() (float64, error) {
	act := d.act("read power")
	if err := d.lib.need(act, "nvmlDeviceGetPowerUsage"); err != nil {
		return 0, err
	}
	mw, ret := d.handle.GetPowerUsage()
	return float64(mw) / 1000, failure(act, ret)
}

func (d Device) act(what string) string { return fmt.Sprintf("%s of GPU %d", what, d.Index) }
