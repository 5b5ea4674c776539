//go:build !amd64 || !cgo

package host

func native() []ISA { return nil }

// nativeKernels is never reached: New admits only what native lists.
func nativeKernels(ISA) kernels { return portable{} }
