package worker

import (
	"encoding/json"
	"fmt"
	"os/exec"
)

// Part is one thing of the machine that attune uses, as `attune doctor` tells of it.
type Part struct {
	Name string
	// State is "ok", "none" where attune does without, or "missing".
	State string
	// Text is what was found, or what to do.
	Text string
}

// DoctorFlag makes the worker program report the parts that only it links, and end.
const DoctorFlag = "doctor"

// Parts asks the worker program for the parts that only it can look at: the GPU's.
func Parts(program string) ([]Part, error) {
	out, err := exec.Command(program, DoctorFlag).Output()
	if err != nil {
		return nil, fmt.Errorf("ask the worker for its parts: %w", err)
	}
	var parts []Part
	if err := json.Unmarshal(out, &parts); err != nil {
		return nil, fmt.Errorf("read the worker's parts: %w", err)
	}
	return parts, nil
}
