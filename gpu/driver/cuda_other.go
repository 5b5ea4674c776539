//go:build !linux || !cgo

package driver

import "time"

// Library, Context, Module and Function exist so that callers compile; nothing
// makes one.
type (
	Library  struct{}
	Context  struct{}
	Module   struct{}
	Function struct{}
)

// Info describes a device. Capability is major*10 + minor, Memory is in bytes,
// Processors run blocks beside each other.
type Info struct {
	Name       string
	Capability int
	Memory     int64
	Processors int
}

// Load returns ErrNoBuild, and so do the methods that could fail.
func Load(string) (*Library, error) { return nil, ErrNoBuild }

func (*Library) Close()                                  {}
func (*Library) Version() (int, error)                   { return 0, ErrNoBuild }
func (*Library) Devices() (int, error)                   { return 0, ErrNoBuild }
func (*Library) Open(int, int) (*Context, error)         { return nil, ErrNoBuild }
func (*Context) Info() Info                              { return Info{} }
func (*Context) Lost() error                             { return nil }
func (*Context) Close() error                            { return ErrNoBuild }
func (*Context) Synchronize() error                      { return ErrNoBuild }
func (*Context) Alloc(int64) (uint64, error)             { return 0, ErrNoBuild }
func (*Context) Free(uint64) error                       { return ErrNoBuild }
func (*Context) MemInfo() (free, total int64, err error) { return 0, 0, ErrNoBuild }
func (*Context) Upload(uint64, []byte) error             { return ErrNoBuild }
func (*Context) Download([]byte, uint64) error           { return ErrNoBuild }
func (*Context) Clear(uint64, int64) error               { return ErrNoBuild }
func (*Context) MapsTensors() bool                       { return false }
func (*Context) MapTensor(TensorMap) (words [TensorMapWords]uint64, err error) {
	return words, ErrNoBuild
}
func (*Context) Load([]byte) (*Module, error)      { return nil, ErrNoBuild }
func (*Module) Unload() error                      { return ErrNoBuild }
func (*Module) Function(string) (*Function, error) { return nil, ErrNoBuild }
func (*Function) Share(int) error                  { return ErrNoBuild }
func (*Function) Launch(int, int, []uint64) error  { return ErrNoBuild }

// BLAS and Plan likewise.
type (
	BLAS struct{}
	Plan struct{ Workspace int64 }
)

func (*Context) OpenBLAS(string) (*BLAS, error)                             { return nil, ErrNoBuild }
func (*BLAS) Version() int                                                  { return 0 }
func (*BLAS) Close()                                                        {}
func (*BLAS) Prepare(Product, int64) (*Plan, error)                         { return nil, ErrNoBuild }
func (*BLAS) Drop(*Plan)                                                    {}
func (*BLAS) Run(*Plan, uint64, uint64, uint64, uint64, bool, uint64) error { return ErrNoBuild }

// Marks and Traits likewise.
type (
	Marks  struct{}
	Traits struct {
		Processors int
		L2         int64
	}
)

func (*Context) Traits() (Traits, error)                                  { return Traits{}, ErrNoBuild }
func (*Context) Marks(int) (*Marks, error)                                { return nil, ErrNoBuild }
func (*Context) Watch(func(string))                                       {}
func (*Marks) Close()                                                     {}
func (*Marks) Set(int) error                                              { return ErrNoBuild }
func (*Marks) Between(int, int) (time.Duration, error)                    { return 0, ErrNoBuild }
func (*Function) Launches(int, int, int, []uint64) (time.Duration, error) { return 0, ErrNoBuild }
