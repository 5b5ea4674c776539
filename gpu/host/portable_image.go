package host

// images are the kernels of the layers of images.
type images interface {
	// convSpace is the workspace of conv.
	convSpace() int
	// convPack lays the weights out as conv takes them.
	convPack(to, w []float32, s weights)
	// conv does columns j0 … j1-1 of m channels of y: with fill y = bias, or 0 where
	// that is nil; then y += the packed weights (m, k) times what g gathers of x.
	conv(g *gather, m, k, j0, j1 int, packed, x, y, bias []float32, fill bool, ws []float32)
	// convColumns does rows k0 … k1-1 of what g gathers of x, to's rows being ld apart.
	convColumns(g *gather, k0, k1 int, x, to []float32, ld int)
	// convDots does c (m, n) += the sum over images of a (m, p) b (n, p)^T: a's images
	// are as far apart as that says, b's lie side by side along rows ldb apart.
	convDots(m, n, images, p int, a []float32, apart int, b []float32, ldb int, c []float32, ldc int)
	// convBias does channels lo … hi-1 of dBias += the sums of dy (n, channels, columns).
	convBias(n, channels, columns, lo, hi int, dBias, dy []float32)
	// The pools do one channel of one image.
	maxPool(p *Pool, y, x []float32)
	maxPoolGrad(p *Pool, dx, x, dy []float32)
	averagePool(p *Pool, y, x []float32)
	averagePoolGrad(p *Pool, dx, dy []float32)
	// The norms do channels lo … hi-1.
	batchNorm(b *BatchNorm, lo, hi int, y, mean, rstd, x, gain, bias, runMean, runVar []float32)
	batchNormGrad(b *BatchNorm, lo, hi int, dx, dGain, dBias, x, dy, gain, mean, rstd []float32)
}

func (portable) convSpace() int { return convBlock }

func (portable) convPack(to, w []float32, s weights) {
	for r := range s.m {
		for o := range s.count {
			copy(to[(r*s.count+o)*s.inner:][:s.inner], w[o*s.outer+r*s.row:])
		}
	}
}

// row is row k of the columns j0 … j1-1.
func (g *gather) line(k, j0, j1 int, x, to []float32) {
	c, kh, kw := k/(g.kh*g.kw), k/g.kw%g.kh, k%g.kw
	x = x[c*g.sh*g.sw:][:g.sh*g.sw]
	for j := j0; j < j1; j++ {
		v, u := j/g.tw*g.mul+g.off+kh*g.step, j%g.tw*g.mul+g.off+kw*g.step
		to[j-j0] = 0
		if v >= 0 && u >= 0 && v%g.div == 0 && u%g.div == 0 && v/g.div < g.sh && u/g.div < g.sw {
			to[j-j0] = x[v/g.div*g.sw+u/g.div]
		}
	}
}

func (portable) conv(g *gather, m, k, j0, j1 int, packed, x, y, bias []float32, fill bool, ws []float32) {
	columns := g.th * g.tw
	for r := 0; fill && r < m; r++ {
		row := y[r*columns+j0 : r*columns+j1]
		for j := range row {
			row[j] = at(bias, r)
		}
	}
	for i := range k {
		line := ws[:j1-j0]
		g.line(i, j0, j1, x, line)
		for r := range m {
			axpy(y[r*columns+j0:r*columns+j1], packed[r*k+i], line)
		}
	}
}

func (portable) convColumns(g *gather, k0, k1 int, x, to []float32, ld int) {
	for k := k0; k < k1; k++ {
		g.line(k, 0, g.th*g.tw, x, to[(k-k0)*ld:])
	}
}

func (portable) convDots(m, n, images, p int, a []float32, apart int, b []float32, ldb int, c []float32, ldc int) {
	for i := range m {
		for j := range n {
			for image := range images {
				c[i*ldc+j] += dot(a[image*apart+i*p:][:p], b[j*ldb+image*p:][:p])
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

func (portable) maxPool(p *Pool, y, x []float32) {
	for i := range p.OutH() {
		for j := range p.OutW() {
			y[i*p.OutW()+j] = x[p.largest(i, j, x)]
		}
	}
}

func (portable) maxPoolGrad(p *Pool, dx, x, dy []float32) {
	for i := range p.OutH() {
		for j := range p.OutW() {
			dx[p.largest(i, j, x)] += dy[i*p.OutW()+j]
		}
	}
}

func (portable) averagePool(p *Pool, y, x []float32) {
	share := 1 / float32(p.Kernel*p.Kernel)
	for i := range p.OutH() {
		for j := range p.OutW() {
			h0, h1, w0, w1 := p.window(i, j)
			var s float32
			for h := h0; h < h1; h++ {
				for w := w0; w < w1; w++ {
					s += x[h*p.W+w]
				}
			}
			y[i*p.OutW()+j] = share * s
		}
	}
}

func (portable) averagePoolGrad(p *Pool, dx, dy []float32) {
	share := 1 / float32(p.Kernel*p.Kernel)
	for i := range p.OutH() {
		for j := range p.OutW() {
			h0, h1, w0, w1 := p.window(i, j)
			for h := h0; h < h1; h++ {
				for w := w0; w < w1; w++ {
					dx[h*p.W+w] += share * dy[i*p.OutW()+j]
				}
			}
		}
	}
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
