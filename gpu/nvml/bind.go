package nvml

/*
#cgo LDFLAGS: -ldl
#include <stdlib.h>
#include "bind.h"
*/
import "C"

import (
	"errors"
	"runtime"
	"unsafe"
)

// bind points all NVML functions of this binary to the library at path.
func bind(path string) error {
	// dlerror speaks of the calling thread.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	p := C.CString(path)
	defer C.free(unsafe.Pointer(p))
	if why := C.attune_nvml_bind(p); why != nil {
		return errors.New(C.GoString(why))
	}
	return nil
}

// bound says whether the library has a function.
func bound(name string) bool {
	p := C.CString(name)
	defer C.free(unsafe.Pointer(p))
	return C.attune_nvml_has(p) != 0
}
