package serve

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"attune/gpu/driver"
	"attune/gpu/nvml"
	"attune/interp/worker"
)

const cpuPath = "the CPU path is used"

// WriteParts writes, as JSON, what there is of a GPU. None is no fault.
func WriteParts(w io.Writer) error {
	return json.NewEncoder(w).Encode(append(cudaParts(driver.DefaultLibrary), nvmlParts()...))
}

// cudaParts looks at the driver that computes.
func cudaParts(library string) []worker.Part {
	none := func(name string, err error, remedy string) []worker.Part {
		return []worker.Part{{Name: name, State: "none", Text: fmt.Sprintf("%v: %s%s", err, cpuPath, remedy)}}
	}
	lib, err := driver.Load(library)
	switch {
	case errors.Is(err, driver.ErrNoLibrary):
		return none("libcuda", errors.New("no NVIDIA driver"), "; for a GPU install the driver, or start the container with it (docker run --gpus all)")
	case err != nil:
		return none("libcuda", err, "; install a newer NVIDIA driver")
	}
	defer lib.Close()
	parts := []worker.Part{{Name: "libcuda", State: "ok", Text: library}}
	v, err := lib.Version()
	if err != nil {
		return append(parts, none("CUDA", err, "")...)
	}
	parts[0].Text = fmt.Sprintf("%s, CUDA %d.%d", library, v/1000, v%1000/10)
	n, err := lib.Devices()
	if err == nil && n == 0 {
		err = driver.ErrNoDevice
	}
	if err != nil {
		return append(parts, none("CUDA device", err, "; see that the container or CUDA_VISIBLE_DEVICES does not hide the GPU")...)
	}
	return append(parts, worker.Part{Name: "CUDA device", State: "ok", Text: fmt.Sprintf("%d, cuda:0 to cuda:%d (set ATTUNE_DEVICE to use one)", n, n-1)})
}

// nvmlParts looks at the library that measures.
func nvmlParts() []worker.Part {
	lib, err := nvml.Open()
	if err != nil {
		text := fmt.Sprintf("%v: the monitor shows no GPU", err)
		if errors.Is(err, nvml.ErrNoDriver) {
			text = "no NVIDIA driver: the monitor shows no GPU"
		}
		return []worker.Part{{Name: "NVML", State: "none", Text: text}, {Name: "GPU", State: "none", Text: "none: " + cpuPath}}
	}
	defer func() { _ = lib.Close() }()
	parts := []worker.Part{{Name: "NVML", State: "ok", Text: "there"}}
	if v, err := lib.DriverVersion(); err == nil {
		parts[0].Text = "driver " + v
	}
	devices, err := lib.Devices()
	for _, d := range devices {
		text := d.Name
		if m, err := d.Memory(); err == nil {
			text += fmt.Sprintf(", %d GiB, %d GiB of it free", m.Total>>30, m.Free>>30)
		}
		parts = append(parts, worker.Part{Name: fmt.Sprintf("GPU %d", d.Index), State: "ok", Text: text})
	}
	if err != nil || len(devices) == 0 {
		if err == nil {
			err = errors.New("the driver shows none")
		}
		parts = append(parts, worker.Part{Name: "GPU", State: "none", Text: fmt.Sprintf("%v: %s", err, cpuPath)})
	}
	return parts
}
