package main

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"attune/gpu"
	"attune/gpu/mem"
)

// precisions prints a table of the step through nn in each precision, in turns: the
// bytes at its peak, and the best CPU time of so many steps.
func precisions(threads, steps int) error {
	types := []gpu.DType{gpu.Float32, gpu.Float16, gpu.BFloat16}
	models := make([]*tape, len(types))
	best := make([]float64, len(types))
	loss := make([]float32, len(types))
	for i, dtype := range types {
		dev, err := gpu.OpenCPU(threads)
		if err != nil {
			return err
		}
		models[i], best[i] = newTape(dev), math.Inf(1)
		models[i].net.Precision = dtype
	}
	for step := range steps {
		for i, m := range models {
			m.net.Device().ResetPeak()
			before, start := cpuTime(), time.Now()
			var err error
			if loss[i], err = m.step(); err != nil {
				return err
			}
			took := (cpuTime() - before).Seconds()
			if threads > 1 {
				took = time.Since(start).Seconds()
			}
			if step > 0 { // the first makes the optimizer's state
				best[i] = min(best[i], took)
			}
		}
	}
	fmt.Printf("| | activations at most, MiB | peak of the step, MiB | over f32's | best of %d steps, ms | over f32's | loss after them |\n|---|---|---|---|---|---|---|\n", steps)
	mib := func(n int64) float64 { return float64(n) / (1 << 20) }
	peak := func(m *tape) int64 { return m.net.Device().Memory().Total.Peak }
	for i, m := range models {
		fmt.Printf("| %s | %.1f | %.1f | %.2f | %s | %.2f | %.4f |\n", types[i], mib(m.net.Device().Memory().ByCategory[mem.Activations].Peak), mib(peak(m)),
			float64(peak(m))/float64(peak(models[0])), strconv.FormatFloat(best[i]*1e3, 'f', 0, 64), best[i]/best[0], loss[i])
	}
	return nil
}
