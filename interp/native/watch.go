package native

import "time"

// Watch has f told how long each step of a build took: "compile", "patch", "link",
// "symbols".
// It is for benchmarks, and is called before anything is built.
func (b *Builder) Watch(f func(step string, took time.Duration)) { b.watch = f }

// step runs a step of a build.
func (b *Builder) step(name string, f func() error) error {
	start := time.Now()
	err := f()
	if b.watch != nil {
		b.watch(name, time.Since(start))
	}
	return err
}
