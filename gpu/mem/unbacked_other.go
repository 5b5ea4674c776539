//go:build !unix

package mem

import "fmt"

// Unbacked is the Source of address ranges with nothing behind them.
type Unbacked struct{}

// NewUnbacked returns a source that has none, since this system hands none out.
func NewUnbacked() *Unbacked { return &Unbacked{} }

// Reserve always fails.
func (*Unbacked) Reserve(size int64) (Region, error) {
	return Region{}, fmt.Errorf("reserve %d addresses: this system has none without memory", size)
}

// Release does nothing.
func (*Unbacked) Release(Region, int64) error { return nil }
