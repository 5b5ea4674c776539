package nvml

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/NVIDIA/go-nvml/pkg/nvml"
)

// Traffic is the bytes that crossed a device's links since its driver was loaded: PCIe
// to the host, and all its NVLinks together. What it does not count is not Known.
type Traffic struct {
	PCIeOut, PCIeIn, NVLinkOut, NVLinkIn Counter
}

// Counter is a number of bytes that only grows.
type Counter struct {
	Bytes uint64
	Known bool
	// wraps is where it begins at 0 again, 0 if it does not.
	wraps uint64
}

// Since is the bytes that were counted after was; false where one of the two is not
// known, or the driver was loaded anew between them.
func (c Counter) Since(was Counter) (uint64, bool) {
	switch {
	case !c.Known || !was.Known:
		return 0, false
	case c.Bytes >= was.Bytes:
		return c.Bytes - was.Bytes, true
	case c.wraps > was.Bytes:
		return c.wraps - was.Bytes + c.Bytes, true
	}
	return 0, false
}

// Traffic reads the counters of the device's links, which takes no time worth
// mentioning (NVML API, nvmlDeviceGetFieldValues). Older drivers count NVLink alone,
// and a board without NVLink counts none.
func (d Device) Traffic() (Traffic, error) {
	act := d.act("read link counters")
	if err := d.lib.need(act, "nvmlDeviceGetFieldValues"); err != nil {
		return Traffic{}, err
	}
	const allLinks = math.MaxUint32
	fields := []nvml.FieldValue{
		{FieldId: nvml.FI_DEV_PCIE_COUNT_TX_BYTES}, {FieldId: nvml.FI_DEV_PCIE_COUNT_RX_BYTES},
		{FieldId: nvml.FI_DEV_NVLINK_THROUGHPUT_DATA_TX, ScopeId: allLinks}, {FieldId: nvml.FI_DEV_NVLINK_THROUGHPUT_DATA_RX, ScopeId: allLinks},
	}
	if err := failure(act, d.handle.GetFieldValues(fields)); err != nil {
		return Traffic{}, err
	}
	return Traffic{counter(fields[0], 1), counter(fields[1], 1), counter(fields[2], 1<<10), counter(fields[3], 1<<10)}, nil
}

// counter is a field's value times unit bytes. Each field says for itself whether the
// device has it, and how wide it is.
func counter(f nvml.FieldValue, unit uint64) Counter {
	if nvml.Return(f.NvmlReturn) != nvml.SUCCESS {
		return Counter{}
	}
	switch nvml.ValueType(f.ValueType) {
	case nvml.VALUE_TYPE_UNSIGNED_INT:
		return Counter{uint64(binary.LittleEndian.Uint32(f.Value[:])) * unit, true, unit << 32}
	case nvml.VALUE_TYPE_UNSIGNED_LONG, nvml.VALUE_TYPE_UNSIGNED_LONG_LONG:
		return Counter{binary.LittleEndian.Uint64(f.Value[:]) * unit, true, 0}
	}
	return Counter{}
}

// PCIeRate is the bytes a second that the device sends to and receives from the host.
// The driver counts for 20 ms for each direction, and the call waits for it; Traffic
// does not, where the driver has its counters.
func (d Device) PCIeRate() (out, in float64, err error) {
	act := d.act("read PCIe throughput")
	if err := d.lib.need(act, "nvmlDeviceGetPcieThroughput"); err != nil {
		return 0, 0, err
	}
	sent, ret := d.handle.GetPcieThroughput(nvml.PCIE_UTIL_TX_BYTES)
	if err := failure(act, ret); err != nil {
		return 0, 0, err
	}
	received, ret := d.handle.GetPcieThroughput(nvml.PCIE_UTIL_RX_BYTES)
	return float64(sent) * 1000, float64(received) * 1000, failure(act, ret)
}

// Instances are the parts of a device in MIG mode, each with memory and processes of
// its own; none of another device.
func (d Device) Instances() ([]Device, error) {
	act := d.act("list MIG instances")
	if err := d.lib.need(act, "nvmlDeviceGetMaxMigDeviceCount"); err != nil {
		return nil, err
	}
	if err := d.lib.need(act, "nvmlDeviceGetMigDeviceHandleByIndex"); err != nil {
		return nil, err
	}
	most, ret := d.handle.GetMaxMigDeviceCount()
	if err := failure(act, ret); err != nil {
		return nil, err
	}
	var out []Device
	for i := range most {
		h, ret := d.handle.GetMigDeviceHandleByIndex(i)
		if ret == nvml.ERROR_NOT_FOUND || ret == nvml.ERROR_INVALID_ARGUMENT {
			continue // a place where no instance was made
		}
		if err := failure(act, ret); err != nil {
			return out, err
		}
		part := Device{Index: d.Index, Name: fmt.Sprintf("MIG %d", i), lib: d.lib, handle: h}
		if d.lib.has["nvmlDeviceGetName"] {
			if name, ret := h.GetName(); ret == nvml.SUCCESS {
				part.Name = name
			}
		}
		out = append(out, part)
	}
	return out, nil
}
