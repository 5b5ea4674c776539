//go:build unix

package fakecuda

import (
	"errors"
	"os"
	"syscall"
)

// lock waits until no other process holds the file at path, and holds it until free is
// called or the process ends.
func lock(path string) (free func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() { _ = f.Close() }, nil
}
