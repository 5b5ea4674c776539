// Package nvml owns what attune knows of NVIDIA's management library: the devices,
// their memory, how busy they are and who uses them. It binds through go-nvml and
// imports no other package of attune.
//
// go-nvml leaves NVML's functions undefined in the binary, to be bound when first
// called. That has two faults. A call of a function that no library has ends the
// process (exit status 127, from the dynamic linker). And it needs lazy binding,
// which a program that loads plugins cannot have: Go links those with -z now and so
// they would not even start. Therefore this package defines all these functions
// itself, as jumps through a table (trampoline.S) that bind fills from the driver's
// library. Nothing stays undefined, a missing function is an error value, and no
// build flag is needed. Calls are still made only after nvmlInit succeeded.
//
// go-nvml's own C code uses declarations that NVML deprecates; a build prints 28
// warnings unless CGO_CFLAGS holds -Wno-deprecated-declarations.
package nvml

import (
	"errors"
	"fmt"

	"github.com/NVIDIA/go-nvml/pkg/nvml"
)

// The errors to ask for with errors.Is.
var (
	// ErrNoDriver says that there is no library to load: no NVIDIA driver is
	// installed, or a container was started without it.
	ErrNoDriver = errors.New("no NVIDIA driver")
	// ErrUnsupported says that this driver or this device does not tell.
	ErrUnsupported = errors.New("not supported")
	// ErrLost says that the device fell off the bus or was taken away.
	ErrLost = errors.New("GPU is lost")
)

// libraryName is the name under which every driver since 2012 installs NVML.
const libraryName = "libnvidia-ml.so.1"

// Library is NVML, opened and initialised. Its methods may be called from any
// goroutine. A process opens it once: go-nvml chooses versions of functions in
// variables of its own when it loads.
type Library struct {
	lib nvml.Interface
	has map[string]bool
}

// symbols are all functions that this package calls, in every version that go-nvml
// may choose.
func symbols() []string {
	return []string{
		"nvmlInit", "nvmlInit_v2", "nvmlShutdown", "nvmlSystemGetDriverVersion",
		"nvmlDeviceGetCount", "nvmlDeviceGetCount_v2",
		"nvmlDeviceGetHandleByIndex", "nvmlDeviceGetHandleByIndex_v2",
		"nvmlDeviceGetName", "nvmlDeviceGetUUID", "nvmlDeviceGetMemoryInfo", "nvmlDeviceGetMemoryInfo_v2",
		"nvmlDeviceGetUtilizationRates", "nvmlDeviceGetComputeRunningProcesses",
		"nvmlDeviceGetComputeRunningProcesses_v2", "nvmlDeviceGetComputeRunningProcesses_v3",
		"nvmlDeviceGetTemperature", "nvmlDeviceGetPowerUsage", "nvmlDeviceGetEnforcedPowerLimit",
		"nvmlDeviceGetClockInfo", "nvmlDeviceGetCurrentClocksEventReasons", "nvmlDeviceGetCurrentClocksThrottleReasons",
		"nvmlDeviceGetCurrPcieLinkGeneration", "nvmlDeviceGetCurrPcieLinkWidth", "nvmlDeviceGetMigMode",
		"nvmlDeviceGetFieldValues", "nvmlDeviceGetPcieThroughput",
		"nvmlDeviceGetMaxMigDeviceCount", "nvmlDeviceGetMigDeviceHandleByIndex",
	}
}

// Open loads and initialises the driver's NVML. Without a driver the error is
// ErrNoDriver; it takes well under a millisecond then.
func Open() (*Library, error) { return OpenPath(libraryName) }

// OpenPath is Open for a library of another name or place.
func OpenPath(path string) (*Library, error) {
	if err := bind(path); err != nil {
		return nil, fmt.Errorf("open NVML: %w: %v", ErrNoDriver, err)
	}
	l := &Library{lib: nvml.New(nvml.WithLibraryPath(path)), has: map[string]bool{}}
	for _, s := range symbols() {
		l.has[s] = bound(s)
	}
	if err := l.need("initialise NVML", "nvmlInit_v2", "nvmlInit"); err != nil {
		return nil, err
	}
	if err := failure("initialise NVML", l.lib.Init()); err != nil {
		return nil, err
	}
	return l, nil
}

// Close ends the use of NVML. Devices must not be used after it.
func (l *Library) Close() error {
	if err := l.need("shut NVML down", "nvmlShutdown"); err != nil {
		return err
	}
	return failure("shut NVML down", l.lib.Shutdown())
}

// need is nil when the library has one of the functions.
func (l *Library) need(act string, any ...string) error {
	for _, s := range any {
		if l.has[s] {
			return nil
		}
	}
	return fmt.Errorf("%s: %w: the driver's NVML has no %s", act, ErrUnsupported, any[0])
}

// DriverVersion is the driver's version, "570.86.15" for instance.
func (l *Library) DriverVersion() (string, error) {
	const act = "read driver version"
	if err := l.need(act, "nvmlSystemGetDriverVersion"); err != nil {
		return "", err
	}
	v, ret := l.lib.SystemGetDriverVersion()
	return v, failure(act, ret)
}

// Devices lists the devices that this process may see. One that cannot be opened
// makes an error beside those that can.
func (l *Library) Devices() ([]Device, error) {
	const act = "count GPUs"
	if err := l.need(act, "nvmlDeviceGetCount_v2", "nvmlDeviceGetCount"); err != nil {
		return nil, err
	}
	n, ret := l.lib.DeviceGetCount()
	if err := failure(act, ret); err != nil {
		return nil, err
	}
	var devices []Device
	var errs []error
	for i := range n {
		d, err := l.device(i)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		devices = append(devices, d)
	}
	return devices, errors.Join(errs...)
}

func (l *Library) device(i int) (Device, error) {
	act := fmt.Sprintf("open GPU %d", i)
	if err := l.need(act, "nvmlDeviceGetHandleByIndex_v2", "nvmlDeviceGetHandleByIndex"); err != nil {
		return Device{}, err
	}
	h, ret := l.lib.DeviceGetHandleByIndex(i)
	if err := failure(act, ret); err != nil {
		return Device{}, err
	}
	d := Device{Index: i, Name: fmt.Sprintf("GPU %d", i), lib: l, handle: h}
	// A device without a name or an id is still one to measure.
	if l.has["nvmlDeviceGetName"] {
		if name, ret := h.GetName(); ret == nvml.SUCCESS {
			d.Name = name
		}
	}
	if l.has["nvmlDeviceGetUUID"] {
		if id, ret := h.GetUUID(); ret == nvml.SUCCESS {
			d.UUID = id
		}
	}
	return d, nil
}
