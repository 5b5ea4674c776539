package nvml

import (
	"strings"

	"github.com/NVIDIA/go-nvml/pkg/nvml"
)

// PowerLimit is the draw in watts at which the driver slows the board down.
func (d Device) PowerLimit() (float64, error) {
	act := d.act("read power limit")
	if err := d.lib.need(act, "nvmlDeviceGetEnforcedPowerLimit"); err != nil {
		return 0, err
	}
	mw, ret := d.handle.GetEnforcedPowerLimit()
	return float64(mw) / 1000, failure(act, ret)
}

// Clocks are the multiprocessors' and the memory's clock in MHz.
func (d Device) Clocks() (sm, memory uint32, err error) {
	act := d.act("read clocks")
	if err := d.lib.need(act, "nvmlDeviceGetClockInfo"); err != nil {
		return 0, 0, err
	}
	sm, ret := d.handle.GetClockInfo(nvml.CLOCK_SM)
	if err := failure(act, ret); err != nil {
		return 0, 0, err
	}
	memory, ret = d.handle.GetClockInfo(nvml.CLOCK_MEM)
	return sm, memory, failure(act, ret)
}

// Throttle says why clocks are below what they could be, one bit for each reason;
// String names them.
type Throttle uint64

// What slows a board down against its will. An idle one, and clocks that somebody set,
// are reasons of NVML's too, and no throttling.
const (
	PowerCap      Throttle = nvml.ClocksEventReasonSwPowerCap
	Slowdown      Throttle = nvml.ClocksThrottleReasonHwSlowdown
	Hot           Throttle = nvml.ClocksEventReasonSwThermalSlowdown
	TooHot        Throttle = nvml.ClocksThrottleReasonHwThermalSlowdown
	PowerBrake    Throttle = nvml.ClocksThrottleReasonHwPowerBrakeSlowdown
	unwanted               = PowerCap | Slowdown | Hot | TooHot | PowerBrake
	throttleWords          = "power cap|hardware slowdown|hot|too hot|power brake"
)

// String implements fmt.Stringer: "power cap, hot".
func (t Throttle) String() string {
	var out []string
	words := strings.Split(throttleWords, "|")
	for i, bit := range []Throttle{PowerCap, Slowdown, Hot, TooHot, PowerBrake} {
		if t&bit != 0 {
			out = append(out, words[i])
		}
	}
	return strings.Join(out, ", ")
}

// Throttled is why the board is slower than it could be, 0 if it is not.
func (d Device) Throttled() (Throttle, error) {
	act := d.act("read throttle reasons")
	var bits uint64
	var ret nvml.Return
	switch {
	case d.lib.has["nvmlDeviceGetCurrentClocksEventReasons"]:
		bits, ret = d.handle.GetCurrentClocksEventReasons()
	case d.lib.has["nvmlDeviceGetCurrentClocksThrottleReasons"]: // its name before driver 535
		bits, ret = d.handle.GetCurrentClocksThrottleReasons()
	default:
		return 0, d.lib.need(act, "nvmlDeviceGetCurrentClocksEventReasons")
	}
	return Throttle(bits) & unwanted, failure(act, ret)
}

// Link is the PCIe link's generation and number of lanes, as they are now: a device at
// rest may have its link slowed down.
func (d Device) Link() (generation, lanes int, err error) {
	act := d.act("read PCIe link")
	if err := d.lib.need(act, "nvmlDeviceGetCurrPcieLinkGeneration"); err != nil {
		return 0, 0, err
	}
	if err := d.lib.need(act, "nvmlDeviceGetCurrPcieLinkWidth"); err != nil {
		return 0, 0, err
	}
	generation, ret := d.handle.GetCurrPcieLinkGeneration()
	if err := failure(act, ret); err != nil {
		return 0, 0, err
	}
	lanes, ret = d.handle.GetCurrPcieLinkWidth()
	return generation, lanes, failure(act, ret)
}

// MIG says whether the device is split into instances. Its utilisation is then not
// told (NVML API, nvmlDeviceGetMigMode).
func (d Device) MIG() (bool, error) {
	act := d.act("read MIG mode")
	if err := d.lib.need(act, "nvmlDeviceGetMigMode"); err != nil {
		return false, err
	}
	now, _, ret := d.handle.GetMigMode()
	return now == nvml.DEVICE_MIG_ENABLE, failure(act, ret)
}
