package host

func (portable) sumSquares(x []byte, t DType) float64 {
	var block [256]float32
	sum := 0.0
	for len(x) > 0 {
		k := min(len(x)/t.Size(), len(block))
		toFloats(block[:k], x, t)
		for _, v := range block[:k] {
			sum += float64(v) * float64(v)
		}
		x = x[k*t.Size():]
	}
	return sum
}

func (portable) update(k Kind, c *Factors, u *Update) (sums [2]float64) {
	var block [256]float32
	for lo := 0; lo < len(u.X); lo += len(block) {
		p := u.part(k, lo, min(len(u.X), lo+len(block)))
		d := block[:len(p.X)]
		if k != LAMBApply {
			toFloats(d, p.G, p.GType)
			for i, x := range p.X {
				d[i] = c.Scale*d[i] + c.Decay*x
			}
		}
		switch k {
		case SGDPlain, SGDMomentum, SGDNesterov:
			sgd(k, c, p.X, d, p.S[0])
		case Adagrad:
			adagrad(c, p.X, d, p.S[0])
		case RMSprop, RMSpropMomentum, RMSpropCentered, RMSpropCenteredMomentum:
			rmsprop(k, c, p.X, d, p.S)
		case LARS:
			for i, v := range p.S[0][:len(d)] {
				p.S[0][i] = c.Momentum*v + c.Rate*d[i]
				p.X[i] -= p.S[0][i]
			}
		case Adam:
			moments(c, d, p.S[0], p.S[1])
			for i, m := range p.S[0][:len(d)] {
				p.X[i] -= c.Shrink*p.X[i] + c.Rate*m/(sqrt(p.S[1][i]*c.Correct2)+c.Eps)
			}
		case LAMBMoments:
			moments(c, d, p.S[0], p.S[1])
			for i, x := range p.X {
				w := c.lamb(x, p.S[0][i], p.S[1][i])
				sums[0] += float64(x) * float64(x)
				sums[1] += float64(w) * float64(w)
			}
		case LAMBApply:
			for i, x := range p.X {
				p.X[i] -= c.Rate * c.lamb(x, p.S[0][i], p.S[1][i])
			}
		}
		if p.Half != nil {
			fromFloats(p.Half, p.HalfType, p.X)
		}
	}
	return sums
}

// lamb is u of LAMBMoments.
func (c *Factors) lamb(x, m, v float32) float32 {
	return c.Shrink*x + c.Correct1*m/(sqrt(v*c.Correct2)+c.Eps)
}

func moments(c *Factors, d, m, v []float32) {
	m, v = m[:len(d)], v[:len(d)]
	for i, g := range d {
		m[i] += c.Mean * (g - m[i])
		v[i] += c.Square * (g*g - v[i])
	}
}

func sgd(k Kind, c *Factors, x, d, velocity []float32) {
	if k == SGDPlain {
		axpy(x, -c.Rate, d)
		return
	}
	velocity = velocity[:len(d)]
	for i, g := range d {
		v := c.Momentum*velocity[i] + g
		velocity[i] = v
		if k == SGDNesterov {
			v = g + c.Momentum*v
		}
		x[i] -= c.Rate * v
	}
}

func adagrad(c *Factors, x, d, sum []float32) {
	sum = sum[:len(d)]
	for i, g := range d {
		sum[i] += g * g
		x[i] -= c.Rate * g / (sqrt(sum[i]) + c.Eps)
	}
}

func rmsprop(k Kind, c *Factors, x, d []float32, s [3][]float32) {
	for i, g := range d {
		s[0][i] += c.Square * (g*g - s[0][i])
		variance := s[0][i]
		if k >= RMSpropCentered {
			s[2][i] += c.Square * (g - s[2][i])
			// Rounding may take the difference of two near numbers below 0.
			variance = max(0, variance-s[2][i]*s[2][i])
		}
		step := g / (sqrt(variance) + c.Eps)
		if k == RMSpropMomentum || k == RMSpropCenteredMomentum {
			s[1][i] = c.Momentum*s[1][i] + step
			step = s[1][i]
		}
		x[i] -= c.Rate * step
	}
}
