package nvml

import (
	"fmt"

	"github.com/NVIDIA/go-nvml/pkg/nvml"
)

// failure turns NVML's return value into an error of this package. It never formats
// the value with its own method, which calls into the library again.
func failure(act string, ret nvml.Return) error {
	if ret == nvml.SUCCESS {
		return nil
	}
	code := int(ret)
	switch ret {
	case nvml.ERROR_NOT_SUPPORTED, nvml.ERROR_FUNCTION_NOT_FOUND, nvml.ERROR_ARGUMENT_VERSION_MISMATCH:
		return fmt.Errorf("%s: %w (NVML error %d)", act, ErrUnsupported, code)
	case nvml.ERROR_GPU_IS_LOST, nvml.ERROR_NOT_FOUND, nvml.ERROR_RESET_REQUIRED:
		return fmt.Errorf("%s: %w (NVML error %d)", act, ErrLost, code)
	case nvml.ERROR_LIBRARY_NOT_FOUND, nvml.ERROR_DRIVER_NOT_LOADED:
		return fmt.Errorf("%s: %w (NVML error %d)", act, ErrNoDriver, code)
	}
	return fmt.Errorf("%s: %s (NVML error %d)", act, meaning(ret), code)
}

// meaning is a return value in words (NVML API, nvmlReturn_t).
func meaning(ret nvml.Return) string {
	switch ret {
	case nvml.ERROR_UNINITIALIZED:
		return "NVML is not initialised"
	case nvml.ERROR_INVALID_ARGUMENT:
		return "invalid argument"
	case nvml.ERROR_NO_PERMISSION:
		return "no permission"
	case nvml.ERROR_INSUFFICIENT_POWER:
		return "the power cables are not attached"
	case nvml.ERROR_TIMEOUT:
		return "timed out"
	case nvml.ERROR_IRQ_ISSUE:
		return "the kernel has an interrupt problem with the GPU"
	case nvml.ERROR_LIB_RM_VERSION_MISMATCH:
		return "driver and library have different versions; reboot or reload the driver"
	case nvml.ERROR_OPERATING_SYSTEM:
		return "the operating system blocks the GPU"
	case nvml.ERROR_IN_USE:
		return "in use"
	case nvml.ERROR_MEMORY:
		return "out of memory"
	}
	return "failed"
}
