package gpu

import "attune/gpu/host"

// convSide is the side of the tiles of image.cu's products.
const convSide = 64

// conv packs ConvArgs.
func (c *cuda) conv(name string, blocks int, s host.Conv, backward bool, y, x, w, bias *Tensor, part uint64, fill bool, chunks int) error {
	g := s.Gather(backward)
	var words [32]uint64
	args := append(operands(words[:0], y, x, w, bias), part, uint64(s.N), uint64(s.Groups), uint64(g.Channels), uint64(g.Rows))
	for _, v := range g.Numbers() {
		args = append(args, uint64(int64(v)))
	}
	return c.launch("image", name, blocks, layerThreads, append(args, flagBit(fill), uint64(chunks)))
}

func (c *cuda) conv2D(s host.Conv, y, x, w, bias *Tensor) error {
	blocks := s.Groups * tiles(s.Out/s.Groups, convSide) * tiles(s.N*s.OutH()*s.OutW(), convSide)
	return c.conv("conv", blocks, s, false, y, x, w, bias, 0, true, 1)
}

func (c *cuda) conv2DGrad(s host.Conv, dx, dw, dBias, x, w, dy *Tensor) error {
	if dx != nil {
		blocks := s.Groups * tiles(s.In/s.Groups, convSide) * tiles(s.N*s.H*s.W, convSide)
		if err := c.conv("conv", blocks, s, true, dx, dy, w, nil, 0, false, 1); err != nil {
			return err
		}
	}
	columns := s.OutH() * s.OutW()
	if dBias != nil {
		err := c.withPart(s.N*s.Out, func(part uint64) error {
			to := operand{part, uint64(Float32)}
			if err := c.axis("sum_axis", s.N*s.Out, to, operandOf(dy), operand{}, s.N*s.Out, columns, 1, 1, 1, 1, false); err != nil {
				return err
			}
			return c.sumPart(dBias, part, 1, s.N, s.Out, 32, 1)
		})
		if err != nil {
			return err
		}
	}
	if dw == nil {
		return nil
	}
	m, k := s.Out/s.Groups, dw.Len()/s.Out
	blocks := s.Groups * tiles(m, convSide) * tiles(k, convSide)
	chunks := chunksOf(blocks, s.N*columns)
	return c.withPart(chunks*dw.Len(), func(part uint64) error {
		if err := c.conv("conv_weights", blocks*chunks, s, false, dy, x, nil, nil, part, false, chunks); err != nil {
			return err
		}
		return c.sumPart(dw, part, 1, chunks, dw.Len(), 32, 1)
	})
}

// pool packs PoolArgs.
func (c *cuda) pool(name string, p host.Pool, n int, y, x, dy *Tensor) error {
	var words [14]uint64
	args := append(operands(words[:0], y, x, dy), uint64(p.N*p.C), uint64(p.H), uint64(p.W), uint64(p.OutH()), uint64(p.OutW()),
		uint64(p.Kernel), uint64(p.Stride), uint64(p.Pad))
	return c.launch("image", name, tiles(n, layerElements), layerThreads, args)
}

func (c *cuda) maxPool(p host.Pool, y, x *Tensor) error {
	return c.pool("max_pool", p, y.Len(), y, x, nil)
}

func (c *cuda) maxPoolGrad(p host.Pool, dx, x, dy *Tensor) error {
	return c.pool("max_pool_grad", p, dx.Len(), dx, x, dy)
}

func (c *cuda) averagePool(p host.Pool, y, x *Tensor) error {
	return c.pool("average_pool", p, y.Len(), y, x, nil)
}

func (c *cuda) averagePoolGrad(p host.Pool, dx, dy *Tensor) error {
	return c.pool("average_pool_grad", p, dx.Len(), dx, nil, dy)
}

// batch packs BatchArgs.
func (c *cuda) batch(name string, b host.BatchNorm, ops [6]*Tensor, stats [4]*Tensor) error {
	var words [21]uint64
	args := operands(words[:0], ops[:]...)
	for _, t := range stats {
		args = append(args, pointer(t))
	}
	args = append(args, uint64(b.N), uint64(b.C), uint64(b.Inner), flagBit(b.Train), two(b.Eps, b.Momentum))
	return c.launch("image", name, b.C, layerThreads, args)
}

func (c *cuda) batchNorm(b host.BatchNorm, y, mean, rstd, x, gain, bias, runMean, runVar *Tensor) error {
	return c.batch("batch_norm", b, [6]*Tensor{y, x, gain, bias}, [4]*Tensor{mean, rstd, runMean, runVar})
}

func (c *cuda) batchNormGrad(b host.BatchNorm, dx, dGain, dBias, x, dy, gain, mean, rstd *Tensor) error {
	return c.batch("batch_norm_grad", b, [6]*Tensor{dx, x, gain, dy, dGain, dBias}, [4]*Tensor{mean, rstd})
}
