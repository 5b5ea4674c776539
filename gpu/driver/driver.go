// Package driver owns the binding to the NVIDIA driver: libcuda.so.1, opened at
// run time, so that attune builds and runs where there is none. It imports the
// standard library only.
//
// Every failure is an ordinary error: no library, a missing symbol, a driver too
// old, no device, PTX that does not compile, memory that runs out, and errors
// that spoil the context for good (see Error.Sticky).
package driver

import (
	"errors"
	"fmt"
)

// DefaultLibrary is the driver's library as the system's loader knows it.
const DefaultLibrary = "libcuda.so.1"

// The reasons why there is no device to work with; errors of Load and Open wrap
// them.
var (
	ErrNoLibrary = errors.New("the NVIDIA driver's library is not there")
	ErrNoSymbol  = errors.New("the NVIDIA driver's library lacks a function")
	ErrOldDriver = errors.New("the NVIDIA driver is too old")
	ErrNoDevice  = errors.New("no CUDA device")
	ErrNoBuild   = errors.New("this build cannot use CUDA: it needs Linux and cgo")
)

// The driver's result codes that attune tells apart (driver API, CUresult).
const (
	codeOutOfMemory = 2
	codeNoDevice    = 100
	codeBadPTX      = 218
	codeNewPTX      = 222
)

// Error is a failed call into the driver.
type Error struct {
	// Act is what was tried, Code the CUresult, Name and Text the driver's words.
	Act string
	// Bytes is how much memory it was about; 0 for none.
	Bytes int64
	Code  int
	Name  string
	Text  string
	// Log holds the compiler's messages where PTX was refused.
	Log string
}

func (e *Error) Error() string {
	s := e.Act
	if e.Bytes > 0 {
		s += fmt.Sprintf(" (%d bytes)", e.Bytes)
	}
	s += fmt.Sprintf(": %s (%d)", e.Name, e.Code)
	if e.Text != "" {
		s += ": " + e.Text
	}
	if e.Log != "" {
		s += "\n" + e.Log
	}
	if e.Code == codeNewPTX {
		s += "; a newer driver is needed"
	}
	if e.Sticky() {
		s += "; the device's context is lost, and what it held: a fresh process is needed (in a notebook: %gpu restart)"
	}
	return s
}

// OutOfMemory says whether the device had no room.
func (e *Error) OutOfMemory() bool { return e.Code == codeOutOfMemory }

// Sticky says whether the error spoils the context: every later call in this
// process fails with it too (driver API, "this leaves the process in an
// inconsistent state").
func (e *Error) Sticky() bool {
	switch e.Code {
	case 214, 700, 702, 710, 714, 715, 716, 717, 718, 719:
		return true
	}
	return false
}

// TensorMap describes a tensor of four axes to the device, for copies of tiles of it:
// sizes from the innermost axis on, in elements of two bytes, and the strides of the
// other three in bytes, multiples of 16. A tile is rows of 64 elements, Rows of them.
type TensorMap struct {
	BF16 bool // or float16
	Addr uint64
	Size [4]uint64
	Step [3]uint64
	Rows int
}

// TensorMapWords is what a map takes, in 8 bytes.
const TensorMapWords = 16
