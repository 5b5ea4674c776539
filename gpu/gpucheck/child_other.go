//go:build !linux

package main

import "os/exec"

// dieWithUs needs Linux; elsewhere there is no CUDA device to leave something on.
func dieWithUs(*exec.Cmd) {}

func endGroup(cmd *exec.Cmd) {
	if cmd.Process != nil {
		_ = cmd.Process.Kill()
	}
}
