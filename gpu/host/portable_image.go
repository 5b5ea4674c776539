package host

// images are the kernels of the layers of images.
type images interface {
	// convPack lays the weights out as conv takes them.
	convPack(to, w []float32, s weights)
	// convStrips lays out what rows h0 … h0+rows-1 see of channels of x.
	convStrips(s *strips, channels, h0, rows int, x, to []float32)
	// conv does rows h0 … h0+rows-1 of m channels of y: with fill y = bias, or 0 where
	// that is nil; then y += the packed weights times what is gathered of channels of x,
	// block of them at a time.
	conv(s *strips, m, channels, block, h0, rows int, packed, x, y, bias []float32, fill bool, ws []float32)
	// convDots does c (m, taps) += the sums over images and p places of a (m, places)
	// times the taps' strips: a's images are apart, strips further from each other.
	convDots(s *strips, m, taps, images, p int, a []float32, apart int, strips []float32, further int, c []float32, ldc int)
	// convBias does channels lo … hi-1 of dBias += the sums of dy (n, channels, columns).
	convBias(n, channels, columns, lo, hi int, dBias, dy []float32)
	// The pools do so many channels of images.
	maxPool(p *Pool, planes int, y, x []float32)
	maxPoolGrad(p *Pool, planes int, dx, x, dy []float32)
	averagePool(p *Pool, planes int, y, x []float32)
	averagePoolGrad(p *Pool, planes int, dx, dy []float32)
	// The norms do channels lo … hi-1.
	batchNorm(b *BatchNorm, lo, hi int, y, mean, rstd, x, gain, bias, runMean, runVar []float32)
	batchNormGrad(b *BatchNorm, lo, hi int, dx, dGain, dBias, x, dy, gain, mean, rstd []float32)
}

func (portable) convPack(to, w []float32, s weights) {
	for r := range s.m {
		for o := range s.count {
			copy(to[(r*s.count+o)*s.inner:][:s.inner], w[o*s.outer+r*s.row:])
		}
	}
}

func (portable) convStrips(s *strips, channels, h0, rows int, x, to []float32) {
	used := rows + s.high - s.rows
	for i := range channels * s.kw * s.phases {
		c, u := i/(s.kw*s.phases), s.off+i/s.phases%s.kw*s.step
		plane := x[c*s.sh*s.sw:][:s.sh*s.sw]
		for r := range used {
			v, line := s.first+(h0+r)*s.mul+i%s.phases, to[(i*s.high+r)*s.tw:][:s.tw]
			for j := range line {
				line[j] = 0
				if w := j*s.mul + u; v >= 0 && w >= 0 && v%s.div == 0 && w%s.div == 0 && v/s.div < s.sh && w/s.div < s.sw {
					line[j] = plane[v/s.div*s.sw+w/s.div]
				}
			}
		}
	}
}

// strip is the values of a band's first n places that tap k of the strips sees.
func (s *strips) strip(ws []float32, k, n int) []float32 {
	return ws[k/len(s.offsets)*s.plane+int(s.offsets[k%len(s.offsets)]):][:n]
}

func (p portable) conv(s *strips, m, channels, block, h0, rows int, packed, x, y, bias []float32, fill bool, ws []float32) {
	columns, n, taps := s.th*s.tw, rows*s.tw, len(s.offsets)
	row := func(r int) []float32 { return y[r*columns+h0*s.tw:][:n] }
	for r := 0; fill && r < m; r++ {
		line := row(r)
		for j := range line {
			line[j] = at(bias, r)
		}
	}
	for c := 0; c < channels; c += block {
		some := min(block, channels-c)
		p.convStrips(s, some, h0, rows, x[c*s.sh*s.sw:], ws)
		for k := range some * taps {
			for r := range m {
				axpy(row(r), packed[(r*channels+c)*taps+k], s.strip(ws, k, n))
			}
		}
	}
}

func (portable) convDots(s *strips, m, taps, images, p int, a []float32, apart int, strips []float32, further int, c []float32, ldc int) {
	for i := range m {
		for k := range taps {
			for image := range images {
				c[i*ldc+k] += dot(a[image*apart+i*s.th*s.tw:][:p], s.strip(strips[image*further:], k, p))
			}
		}
	}
}

func (portable) convBias(n, channels, columns, lo, hi int, dBias, dy []float32) {
	for c := lo; c < hi; c++ {
		for image := range n {
			var s float32
			for _, v := range dy[(image*channels+c)*columns:][:columns] {
				s += v
			}
			dBias[c] += s
		}
	}
}

// window is the part of the image that place (i, j) of what comes out sees.
func (p *Pool) window(i, j int) (h0, h1, w0, w1 int) {
	h, w := i*p.Stride-p.Pad, j*p.Stride-p.Pad
	return max(0, h), min(p.H, h+p.Kernel), max(0, w), min(p.W, w+p.Kernel)
}

// places calls f for each value k of what comes out, at (i, j) of a plane that begins at
// x0.
func (p *Pool) places(planes int, f func(x0, i, j, k int)) {
	oh, ow := p.OutH(), p.OutW()
	for k := range planes * oh * ow {
		f(k/(oh*ow)*p.H*p.W, k/ow%oh, k%ow, k)
	}
}

// largest is the first place of a window's largest value, NaN taken for the largest.
func (p *Pool) largest(i, j int, x []float32) int {
	h0, h1, w0, w1 := p.window(i, j)
	best := h0*p.W + w0
	for h := h0; h < h1; h++ {
		for w := w0; w < w1; w++ {
			if v, top := x[h*p.W+w], x[best]; v > top || v != v && top == top {
				best = h*p.W + w
			}
		}
	}
	return best
}

func (portable) maxPool(p *Pool, planes int, y, x []float32) {
	p.places(planes, func(x0, i, j, k int) { y[k] = x[x0+p.largest(i, j, x[x0:])] })
}

func (portable) maxPoolGrad(p *Pool, planes int, dx, x, dy []float32) {
	p.places(planes, func(x0, i, j, k int) { dx[x0+p.largest(i, j, x[x0:])] += dy[k] })
}

func (portable) averagePool(p *Pool, planes int, y, x []float32) {
	share := 1 / float32(p.Kernel*p.Kernel)
	p.places(planes, func(x0, i, j, k int) {
		h0, h1, w0, w1 := p.window(i, j)
		var s float32
		for h := h0; h < h1; h++ {
			for _, v := range x[x0+h*p.W+w0 : x0+h*p.W+w1] {
				s += v
			}
		}
		y[k] = share * s
	})
}

func (portable) averagePoolGrad(p *Pool, planes int, dx, dy []float32) {
	share := 1 / float32(p.Kernel*p.Kernel)
	p.places(planes, func(x0, i, j, k int) {
		h0, h1, w0, w1 := p.window(i, j)
		for h := h0; h < h1; h++ {
			for w := w0; w < w1; w++ {
				dx[x0+h*p.W+w] += share * dy[k]
			}
		}
	})
}

func (portable) batchNorm(b *BatchNorm, lo, hi int, y, mean, rstd, x, gain, bias, runMean, runVar []float32) {
	for c := lo; c < hi; c++ {
		if b.Train {
			var s, square float64
			b.each(c, func(i int) { s += float64(x[i]) })
			m := s / float64(b.N*b.Inner)
			b.each(c, func(i int) { square += (float64(x[i]) - m) * (float64(x[i]) - m) })
			b.settle(c, float32(m), float32(square/float64(b.N*b.Inner)), mean, rstd, runMean, runVar)
		} else {
			mean[c], rstd[c] = runMean[c], 1/sqrt(runVar[c]+b.Eps)
		}
		mu, k, add := mean[c], rstd[c]*gain[c], at(bias, c)
		b.each(c, func(i int) { y[i] = (x[i]-mu)*k + add })
	}
}

// each walks a channel's values.
func (b *BatchNorm) each(c int, f func(i int)) {
	for n := range b.N {
		from := (n*b.C + c) * b.Inner
		for i := from; i < from+b.Inner; i++ {
			f(i)
		}
	}
}

// settle keeps a channel's statistics; what runs on is the unbiased variance.
func (b *BatchNorm) settle(c int, m, variance float32, mean, rstd, runMean, runVar []float32) {
	mean[c], rstd[c] = m, 1/sqrt(variance+b.Eps)
	if runMean == nil {
		return
	}
	if n := float32(b.N * b.Inner); n > 1 {
		variance *= n / (n - 1)
	}
	runMean[c] += b.Momentum * (m - runMean[c])
	runVar[c] += b.Momentum * (variance - runVar[c])
}

func (portable) batchNormGrad(b *BatchNorm, lo, hi int, dx, dGain, dBias, x, dy, gain, mean, rstd []float32) {
	for c := lo; c < hi; c++ {
		var s, t float64
		b.each(c, func(i int) {
			s += float64(dy[i])
			t += float64(dy[i]) * float64((x[i]-mean[c])*rstd[c])
		})
		if dGain != nil {
			dGain[c] += float32(t)
		}
		if dBias != nil {
			dBias[c] += float32(s)
		}
		if dx == nil {
			continue
		}
		if s, t = s/float64(b.N*b.Inner), t/float64(b.N*b.Inner); !b.Train {
			s, t = 0, 0
		}
		k := rstd[c] * gain[c]
		b.each(c, func(i int) { dx[i] += k * (dy[i] - float32(s) - (x[i]-mean[c])*rstd[c]*float32(t)) })
	}
}
