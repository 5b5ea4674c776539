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
	if backward {
		w := c.backwardWeights()
		return Gathered{w.m, w.count * w.inner, c.backward(), w}
	}
	w := c.forwardWeights()
	return Gathered{w.m, w.count * w.inner, c.forward(), w}
}

// Numbers are sh, sw, kh, kw, th, tw, mul, div, off, step of what is gathered, and inner,
// outer, row of the weights and how many a group has: weight (r, k) of a group lies at
// k/inner outer + r row + k%inner.
func (g Gathered) Numbers() [14]int {
	return [14]int{g.g.sh, g.g.sw, g.g.kh, g.g.kw, g.g.th, g.g.tw, g.g.mul, g.g.div, g.g.off, g.g.step, g.w.inner, g.w.outer, g.w.row, g.Channels * g.Rows}
}

// strips say how a band of rows of what is gathered lies in memory, so that each tap of
// the kernel sees its values of all places of the band side by side. A channel has, for
// each tap's column, rows of tw values: row r of phase f is what that tap sees in row
// first + r mul + f, first being the topmost that the band sees. Rows of the kernel
// differ in where they begin.
type strips struct {
	gather
	rows, first  int     // of the band, and the topmost that a band from row 0 on sees
	phases, high int     // phases, and the rows of each
	plane        int     // floats of a channel
	offsets      []int32 // where each tap's values begin
}

// strips are those of a band of so many rows.
func (g gather) strips(rows int) *strips {
	lowest := min(0, (g.kh-1)*g.step)
	reach := (g.kh - 1) * max(g.step, -g.step)
	s := &strips{gather: g, rows: rows, first: g.off + lowest, phases: min(g.mul, reach+1), high: rows + reach/g.mul}
	s.plane = g.kw * s.phases * s.high * g.tw
	for kh := range g.kh {
		down := kh*g.step - lowest
		for kw := range g.kw {
			s.offsets = append(s.offsets, int32(((kw*s.phases+down%g.mul)*s.high+down/g.mul)*g.tw))
		}
	}
	return s
}

// The columns of a band and the floats of its strips that one pass takes, about.
// stripSlack is how far kernels read past the strips.
const bandColumns, stripFloats, stripSlack = 384, 1 << 15, 64

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
	channels /= c.Groups
	rows := max(1, min(g.th, bandColumns/g.tw))
	strips := g.strips(rows)
	block := max(1, min(channels, stripFloats/strips.plane))
	space := block*strips.plane + stripSlack
	work := int(float64(c.N*c.Groups*s.m) * float64(columns*k) / 30)
	source := channels * g.sh * g.sw
	do := func(image, h0 int, y, x, ws []float32) {
		group := image % c.Groups
		e.run.conv(strips, s.m, channels, block, h0, min(g.th-h0, rows), packed[group*panel:][:panel], x, y, part(bias, group*s.m, (group+1)*s.m), fill, ws)
	}
	if x.DType == F32 && y.DType == F32 {
		bands := (g.th + rows - 1) / rows
		return e.tasks(c.N*c.Groups*bands, work, space, func(i int, ws []float32) {
			image := i / bands
			do(image, i%bands*rows, As[float32](y.Data)[image*s.m*columns:][:s.m*columns], As[float32](x.Data)[image*source:][:source], ws)
		})
	}
	return e.tasks(c.N*c.Groups, work, space+source+s.m*columns, func(image int, ws []float32) {
		xs, ys, rest := ws[:source], ws[source:][:s.m*columns], ws[source+s.m*columns:]
		e.run.cast(Bytes(xs), F32, x.Data[image*source*x.DType.Size():], x.DType, source)
		to := y.Data[image*len(ys)*y.DType.Size():]
		if !fill {
			e.run.cast(Bytes(ys), F32, to, y.DType, len(ys))
		}
		for h := 0; h < g.th; h += rows {
			do(image, h, ys, xs, rest)
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

// The gradient by the weights is summed over about weightColumns places at once, for
// about weightTaps of a channel's weights; where these make fewer than weightTasks, over
// parts of the batch apart from each other.
const weightTaps, weightColumns, weightTasks = 36, 2048, 16

// weightSums is how that sum is cut.
type weightSums struct {
	Conv
	*strips
	channels, pieces int // channels a task, and how many times they make those of a group
	images           int // at once
	each, parts      int // images of a part, and parts
}

func (c Conv) weightSums() *weightSums {
	g, in := c.forward(), c.In/c.Groups
	s := &weightSums{Conv: c, strips: g.strips(max(1, min(g.th, weightColumns/g.tw)))}
	s.images = max(1, min(c.N, weightColumns/(g.th*g.tw)))
	s.channels = max(1, min(in, weightTaps/(g.kh*g.kw)))
	s.pieces = (in + s.channels - 1) / s.channels
	parts := max(1, (weightTasks+c.Groups*s.pieces-1)/(c.Groups*s.pieces))
	s.each = ((c.N+parts-1)/parts + s.images - 1) / s.images * s.images
	s.parts = (c.N + s.each - 1) / s.each
	return s
}

func (e *Engine) convWeights(c Conv, dw []float32, x, dy Floats) error {
	s := c.weightSums()
	m, columns := c.Out/c.Groups, s.th*s.tw
	more, done, err := e.workspace((s.parts - 1) * len(dw))
	if err != nil {
		return err
	}
	defer done()
	if !e.dry {
		clear(more)
	}
	space := s.images*s.channels*s.plane + stripSlack
	if x.DType != F32 {
		space += s.channels * c.H * c.W
	}
	if dy.DType != F32 {
		space += s.images * m * columns
	}
	work := int(float64(c.N*c.Out) * float64(columns*c.taps()) / 30)
	err = e.tasks(s.parts*c.Groups*s.pieces, work, space, func(i int, ws []float32) {
		part, group, piece := i/(c.Groups*s.pieces), i/s.pieces%c.Groups, i%s.pieces
		sum := dw
		if part > 0 {
			sum = more[(part-1)*len(dw):][:len(dw)]
		}
		for at := part * s.each; at < min(c.N, (part+1)*s.each); at += s.images {
			e.convWeightsOf(s, at, min(s.images, c.N-at), group, piece*s.channels, sum, x, dy, ws)
		}
	})
	for i := range s.parts - 1 {
		if err == nil && !e.dry {
			e.run.each(OpAddScaled, dw, more[i*len(dw):][:len(dw)], nil, 1)
		}
	}
	return err
}

// convWeightsOf adds what count images from number at on give of the weights of a piece's
// channels, the first of which is that of its group. More than one image have one band.
func (e *Engine) convWeightsOf(s *weightSums, at, count, group, first int, dw []float32, x, dy Floats, ws []float32) {
	m, in, columns, per, taps := s.Out/s.Groups, s.In/s.Groups, s.th*s.tw, s.H*s.W, len(s.offsets)
	n := min(s.channels, in-first)
	var a []float32
	apart, further := s.Out*columns, s.channels*s.plane
	if dy.DType == F32 {
		a = As[float32](dy.Data)[(at*s.Groups+group)*m*columns:]
	} else {
		a, ws, apart = ws[:s.images*m*columns], ws[s.images*m*columns:], m*columns
		for j := range count {
			e.run.cast(Bytes(a[j*apart:]), F32, dy.Data[2*((at+j)*s.Groups+group)*apart:], dy.DType, apart)
		}
	}
	var planes []float32
	if x.DType != F32 {
		planes, ws = ws[:s.channels*per], ws[s.channels*per:]
	}
	for h := 0; h < s.th; h += s.rows {
		rows := min(s.rows, s.th-h)
		for j := range count {
			source := (((at+j)*s.Groups+group)*in + first) * per
			if x.DType == F32 {
				planes = As[float32](x.Data)[source:]
			} else if h == 0 {
				e.run.cast(Bytes(planes), F32, x.Data[2*source:], x.DType, n*per)
			}
			e.run.convStrips(s.strips, n, h, rows, planes, ws[j*further:])
		}
		e.run.convDots(s.strips, m, n*taps, count, rows*s.tw, a[h*s.tw:], apart, ws, further, dw[(group*m*in+first)*taps:], in*taps)
	}
}
