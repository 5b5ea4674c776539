package host

import "fmt"

// Conv is the shape of a two-dimensional convolution, as papers on neural networks say
// it (a cross-correlation): x (N, In, H, W), weights (Out, In/Groups, KH, KW), y (N, Out,
// OutH(), OutW()). Group g of the outputs sees group g of the inputs.
type Conv struct {
	N, In, H, W, Out, KH, KW      int
	Stride, Pad, Dilation, Groups int
}

// OutH is the height of what comes out, 0 or less where the kernel does not fit.
func (c Conv) OutH() int { return outSide(c.H, c.KH, c.Stride, c.Pad, c.Dilation) }

// OutW is the width.
func (c Conv) OutW() int { return outSide(c.W, c.KW, c.Stride, c.Pad, c.Dilation) }

func outSide(side, kernel, stride, pad, dilation int) int {
	if reach := side + 2*pad - dilation*(kernel-1) - 1; reach >= 0 && stride > 0 {
		return reach/stride + 1
	}
	return 0
}

// Check says what is wrong with the numbers.
func (c Conv) Check() error {
	if min(c.N, c.In, c.H, c.W, c.Out, c.KH, c.KW, c.Stride, c.Dilation, c.Groups) < 1 || c.Pad < 0 {
		return fmt.Errorf("convolution of %d images (%d, %d, %d) by kernels (%d, %d, %d), stride %d, padding %d, dilation %d, groups %d: want all at least 1, padding at least 0",
			c.N, c.In, c.H, c.W, c.Out, c.KH, c.KW, c.Stride, c.Pad, c.Dilation, c.Groups)
	}
	if c.In%c.Groups != 0 || c.Out%c.Groups != 0 {
		return fmt.Errorf("%d groups do not divide %d and %d channels", c.Groups, c.In, c.Out)
	}
	if c.OutH() < 1 || c.OutW() < 1 {
		return fmt.Errorf("a kernel of (%d, %d) with dilation %d does not fit an image of (%d, %d) with padding %d", c.KH, c.KW, c.Dilation, c.H, c.W, c.Pad)
	}
	return nil
}

// taps is how many values of x make one of y.
func (c Conv) taps() int { return c.In / c.Groups * c.KH * c.KW }

func (c Conv) lengths(act string, x, w, y Floats) error {
	if err := c.Check(); err != nil {
		return fmt.Errorf("%s: %w", act, err)
	}
	nx, nw, ny := c.N*c.In*c.H*c.W, c.Out*c.taps(), c.N*c.Out*c.OutH()*c.OutW()
	if x.Data != nil && x.Len() != nx || w.Data != nil && w.Len() != nw || y.Data != nil && y.Len() != ny {
		return fmt.Errorf("%s: %d values, %d weights and %d results, want %d, %d and %d", act, x.Len(), w.Len(), y.Len(), nx, nw, ny)
	}
	return nil
}

// gather says how the values of a small image, the source, are laid out as columns, one
// for each place of a target: row (c, kh, kw), column (th, tw) is source channel c at
// ((th mul + off + kh step) / div, the same of tw and kw), 0 where that is no place.
type gather struct {
	sh, sw, kh, kw, th, tw int
	mul, div, off, step    int
}

// forward gathers x for places of y, backward y for places of x.
func (c Conv) forward() gather {
	return gather{c.H, c.W, c.KH, c.KW, c.OutH(), c.OutW(), c.Stride, 1, -c.Pad, c.Dilation}
}

func (c Conv) backward() gather {
	return gather{c.OutH(), c.OutW(), c.KH, c.KW, c.H, c.W, 1, c.Stride, c.Pad, -c.Dilation}
}

// weights says where the weights for target channel r and row (o, i) of the columns lie:
// at o outer + r row + i, for i below inner.
type weights struct{ m, count, inner, outer, row int }

// forwardWeights and backwardWeights are the weights of either.
func (c Conv) forwardWeights() weights {
	return weights{m: c.Out / c.Groups, count: 1, inner: c.taps(), row: c.taps()}
}

func (c Conv) backwardWeights() weights {
	inner := c.KH * c.KW
	return weights{m: c.In / c.Groups, count: c.Out / c.Groups, inner: inner, outer: c.taps(), row: inner}
}

// Gathered is a convolution in one direction, for kernels elsewhere: Channels a group of
// the target, Rows of the columns.
type Gathered struct {
	Channels, Rows int
	g              gather
	w              weights
}

// Gather is the convolution forward, or the one that gives the gradient by x.
func (c Conv) Gather(backward bool) Gathered {
	g, w := c.forward(), c.forwardWeights()
	if backward {
		g, w = c.backward(), c.backwardWeights()
	}
	return Gathered{w.m, w.count * w.inner, g, w}
}

// Numbers are sh, sw, kh, kw, th, tw, mul, div, off, step of what is gathered, and inner,
// outer, row of the weights and how many a group has: weight (r, k) of a group lies at
// k/inner outer + r row + k%inner.
func (g Gathered) Numbers() [14]int {
	return [14]int{g.g.sh, g.g.sw, g.g.kh, g.g.kw, g.g.th, g.g.tw, g.g.mul, g.g.div, g.g.off, g.g.step, g.w.inner, g.w.outer, g.w.row, g.Channels * g.Rows}
}

// convBlock is how many columns a task does: a multiple of all tiles' widths.
const convBlock = 192

// packRows is a multiple of all tiles' heights.
const packRows = 8

// Conv2D does y = x * w + bias; bias is optional. Halves are widened an image at a time.
func (e *Engine) Conv2D(c Conv, y, x, w, bias Floats) error {
	if err := c.lengths("convolution", x, w, y); err != nil {
		return err
	}
	inputs, err := e.wholes(false, &w, &bias)
	if err != nil {
		return err
	}
	defer inputs()
	return e.convolve(c, c.forward(), c.forwardWeights(), c.In, y, x, As[float32](w.Data), As[float32](bias.Data), true)
}

// convolve is a convolution in either direction, from source channels of all groups.
func (e *Engine) convolve(c Conv, g gather, s weights, channels int, y, x Floats, w, bias []float32, fill bool) error {
	k, columns := s.count*s.inner, g.th*g.tw
	panel := (s.m + packRows - 1) / packRows * packRows * k
	packed, done, err := e.workspace(panel * c.Groups)
	if err != nil {
		return err
	}
	defer done()
	err = e.tasks(c.Groups, len(packed), 0, func(i int, _ []float32) {
		e.run.convPack(packed[i*panel:(i+1)*panel], w[i*c.Out/c.Groups*c.taps():], s)
	})
	if err != nil {
		return err
	}
	work := int(float64(c.N*c.Groups*s.m) * float64(columns*k) / 30)
	source := channels / c.Groups * g.sh * g.sw
	do := func(image, lo, hi int, y, x, ws []float32) {
		group := image % c.Groups
		e.run.conv(&g, s.m, k, lo, hi, packed[group*panel:][:panel], x, y, part(bias, group*s.m, (group+1)*s.m), fill, ws)
	}
	if x.DType == F32 && y.DType == F32 {
		pieces := (columns + convBlock - 1) / convBlock
		return e.tasks(c.N*c.Groups*pieces, work, e.run.convSpace(), func(i int, ws []float32) {
			at, image := i%pieces*convBlock, i/pieces
			do(image, at, min(columns, at+convBlock), As[float32](y.Data)[image*s.m*columns:][:s.m*columns], As[float32](x.Data)[image*source:][:source], ws)
		})
	}
	return e.tasks(c.N*c.Groups, work, e.run.convSpace()+source+s.m*columns, func(image int, ws []float32) {
		xs, ys, rest := ws[:source], ws[source:][:s.m*columns], ws[source+s.m*columns:]
		e.run.cast(Bytes(xs), F32, x.Data[image*source*x.DType.Size():], x.DType, source)
		to := y.Data[image*len(ys)*y.DType.Size():]
		if !fill {
			e.run.cast(Bytes(ys), F32, to, y.DType, len(ys))
		}
		for at := 0; at < columns; at += convBlock {
			do(image, at, min(columns, at+convBlock), ys, xs, rest)
		}
		e.run.cast(to, y.DType, Bytes(ys), F32, len(ys))
	})
}

// Conv2DGrad adds to dx, dw and dBias; those that are nil are left out. x is read for
// dw only, w for dx.
func (e *Engine) Conv2DGrad(c Conv, dx, dw, dBias, x, w, dy Floats) error {
	for _, l := range [][2]Floats{{x, w}, {dx, dw}} {
		if err := c.lengths("gradient of a convolution", l[0], l[1], dy); err != nil {
			return err
		}
	}
	release, err := e.wholes(true, &dw, &dBias)
	if err != nil {
		return err
	}
	defer release()
	if dx.Data != nil {
		inputs, err := e.wholes(false, &w)
		if err != nil {
			return err
		}
		err = e.convolve(c, c.backward(), c.backwardWeights(), c.Out, dx, dy, As[float32](w.Data), nil, false)
		inputs()
		if err != nil {
			return err
		}
	}
	if dBias.Data != nil {
		if err := e.convBias(c, As[float32](dBias.Data), dy); err != nil {
			return err
		}
	}
	if dw.Data == nil {
		return nil
	}
	return e.convWeights(c, As[float32](dw.Data), x, dy)
}

func (e *Engine) convBias(c Conv, dBias []float32, dy Floats) error {
	columns := c.OutH() * c.OutW()
	if dy.DType == F32 {
		return e.split(c.Out, 1, dy.Len()/4, func(lo, hi int) { e.run.convBias(c.N, c.Out, columns, lo, hi, dBias, As[float32](dy.Data)) })
	}
	return e.tasks(c.Out, dy.Len()/2, columns, func(channel int, ws []float32) {
		for i := range c.N {
			e.run.cast(Bytes(ws), F32, dy.Data[2*(i*c.Out+channel)*columns:], dy.DType, columns)
			e.run.convBias(1, 1, columns, 0, 1, dBias[channel:], ws)
		}
	})
}

// The gradient by the weights takes weightRows of the columns' rows in one task, and so
// many images at once that they have about weightColumns columns.
const weightRows, weightColumns = 24, 2048

func (e *Engine) convWeights(c Conv, dw []float32, x, dy Floats) error {
	g, k, m := c.forward(), c.taps(), c.Out/c.Groups
	columns := g.th * g.tw
	images := max(1, min(c.N, weightColumns/columns))
	pieces := (k + weightRows - 1) / weightRows
	work := int(float64(c.N*c.Out) * float64(columns*k) / 30)
	per, taps := c.H*c.W, c.KH*c.KW
	halfX, halfY := 0, 0
	if x.DType != F32 { // the channels that a task's rows are of
		halfX = min(c.In/c.Groups, (weightRows+taps-1)/taps+1) * per
	}
	if dy.DType != F32 {
		halfY = images * m * columns
	}
	return e.tasks(c.Groups*pieces, work, weightRows*images*columns+halfX+halfY, func(i int, ws []float32) {
		group, lo := i/pieces, i%pieces*weightRows
		n := min(k, lo+weightRows) - lo
		xs, ds, ws := ws[:halfX], ws[halfX:][:halfY], ws[halfX+halfY:]
		first := lo / taps // the first channel
		for at := 0; at < c.N; at += images {
			count := min(images, c.N-at)
			for j := range count {
				source := (((at+j)*c.Groups+group)*(c.In/c.Groups) + first) * per
				plane := xs
				if halfX == 0 {
					plane = As[float32](x.Data)[source:]
				} else {
					e.run.cast(Bytes(xs), F32, x.Data[2*source:], x.DType, ((lo+n-1)/taps-first+1)*per)
				}
				e.run.convColumns(&g, lo-first*taps, lo-first*taps+n, plane, ws[j*columns:], images*columns)
			}
			a, apart := ds, m*columns
			if halfY == 0 {
				a, apart = As[float32](dy.Data)[(at*c.Groups+group)*m*columns:], c.Out*columns
			}
			for j := 0; halfY > 0 && j < count; j++ {
				e.run.cast(Bytes(ds[j*m*columns:]), F32, dy.Data[2*((at+j)*c.Groups+group)*m*columns:], dy.DType, m*columns)
			}
			e.run.convDots(m, n, count, columns, a, apart, ws, images*columns, dw[group*m*k+lo:], k)
		}
	})
}
