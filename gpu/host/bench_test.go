package host

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// each runs the benchmark on one thread for every form.
func each(b *testing.B, run func(b *testing.B, e *Engine)) {
	for _, isa := range Supported() {
		b.Run(string(isa), func(b *testing.B) {
			var buf []float32 // as gpu's allocator, which hands the same memory out again
			e, err := New(isa, 1, func(n int) ([]float32, func(), error) {
				if len(buf) < n {
					buf = make([]float32, n)
				}
				return buf[:n], func() {}, nil
			})
			if err != nil {
				b.Fatal(err)
			}
			run(b, e)
		})
	}
}

func rate(b *testing.B, amount float64, unit string) {
	b.ReportMetric(amount*float64(b.N)/b.Elapsed().Seconds()/1e9, unit)
}

func BenchmarkAttention(b *testing.B) {
	const t, d = 1024, 64
	for _, causal := range []bool{false, true} {
		b.Run(fmt.Sprintf("causal=%v", causal), func(b *testing.B) {
			each(b, func(b *testing.B, e *Engine) {
				a := plainAttention(rand.New(rand.NewPCG(1, 2)), F32, 1, 1, 1, t, t, d)
				if causal {
					a.Right = 0
				}
				flops := 4 * float64(a.B*a.H) * t * t * d
				if causal {
					flops /= 2
				}
				b.Run("forward", func(b *testing.B) {
					for range b.N {
						if err := e.AttentionForward(&a.Attention); err != nil {
							b.Fatal(err)
						}
					}
					rate(b, flops, "GFLOP/s")
				})
				b.Run("backward", func(b *testing.B) {
					for range b.N {
						if err := e.AttentionBackward(a); err != nil {
							b.Fatal(err)
						}
					}
					rate(b, 2.5*flops, "GFLOP/s")
				})
			})
		})
	}
}

func BenchmarkMatMul(b *testing.B) {
	for _, s := range [][3]int{{512, 512, 64}, {256, 64, 64}, {1024, 1024, 1024}, {2048, 512, 128}} {
		b.Run(fmt.Sprint(s), func(b *testing.B) {
			each(b, func(b *testing.B, e *Engine) {
				rng := rand.New(rand.NewPCG(1, 2))
				m, n, k := s[0], s[1], s[2]
				for _, dtype := range []DType{F32, F16, BF16} {
					b.Run(dtype.String(), func(b *testing.B) {
						x, y, z := halves(normal(rng, m*k), dtype, m, k), halves(normal(rng, k*n), dtype, k, n), halves(make([]float32, m*n), dtype, m, n)
						for range b.N {
							if err := e.MatMul(z, x, y, false); err != nil {
								b.Fatal(err)
							}
						}
						rate(b, 2*float64(m)*float64(n)*float64(k), "GFLOP/s")
					})
				}
			})
		})
	}
}

// BenchmarkAdam moves 28 bytes a parameter; copy is a streaming copy of as many.
func BenchmarkAdam(b *testing.B) {
	const n = 16 << 20
	each(b, func(b *testing.B, e *Engine) {
		u := Update{X: make([]float32, n), G: make([]byte, 4*n), S: [3][]float32{make([]float32, n), make([]float32, n)}, Rate: 1}
		c := Factors{Scale: 1, Rate: 1e-3, Mean: 0.1, Square: 1e-3, Correct2: 1, Eps: 1e-8}
		for range b.N {
			if _, err := e.Update(Adam, c, []Update{u}); err != nil {
				b.Fatal(err)
			}
		}
		rate(b, 28*n, "GB/s")
	})
	b.Run("copy", func(b *testing.B) {
		x, y := make([]byte, 14*n), make([]byte, 14*n)
		for range b.N {
			copy(x, y)
		}
		rate(b, 28*n, "GB/s")
	})
}

func BenchmarkSumSquares(b *testing.B) {
	const n = 16 << 20
	each(b, func(b *testing.B, e *Engine) {
		for _, dt := range []DType{F32, BF16} {
			b.Run(dt.String(), func(b *testing.B) {
				x := Floats{make([]byte, n*dt.Size()), dt}
				for i := range x.Data {
					x.Data[i] = 60
				}
				b.ResetTimer()
				for range b.N {
					if _, err := e.SumSquares([]Floats{x}); err != nil {
						b.Fatal(err)
					}
				}
				rate(b, n*float64(dt.Size()), "GB/s")
			})
		}
	})
}
