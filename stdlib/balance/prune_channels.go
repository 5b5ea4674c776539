package balance

import (
	"fmt"

	"attune/stdlib/nn"
)

// ChannelsOf is where the output channels of a convolution can be taken out. norm is
// the batch normalisation behind it, or nil; next is what reads the channels, a
// *nn.Conv2D or, of the flattened picture, a *nn.Linear; only activations and pools,
// which keep channels apart, may lie between.
func ChannelsOf(layer string, conv *nn.Conv2D, norm *nn.BatchNorm, next nn.Layer) (Site, error) {
	n := conv.W.Value.Dim(0)
	s := Site{Layer: layer, Part: Channels, Of: n}
	if conv.Options.Groups > 1 {
		return s, fmt.Errorf("take channels out of %s: it works in %d groups", layer, conv.Options.Groups)
	}
	s.cuts = []cut{{conv.W, 0, runs(n, 1, 1)}, {conv.B, 0, runs(n, 1, 1)}}
	if norm != nil {
		for _, p := range []*nn.Param{norm.Gain, norm.Bias, norm.Mean, norm.Variance} {
			s.cuts = append(s.cuts, cut{p, 0, runs(n, 1, 1)})
		}
	}
	var reader cut
	switch next := next.(type) {
	case *nn.Conv2D:
		if next.Options.Groups > 1 || next.W.Value.Dim(1) != n {
			return s, fmt.Errorf("take channels out of %s: %s does not read its %d channels", layer, next, n)
		}
		reader = cut{next.W, 1, runs(n, 1, 1)}
	case *nn.Linear:
		in := next.W.Value.Dim(0)
		if in%n != 0 {
			return s, fmt.Errorf("take channels out of %s: %s does not read its %d channels", layer, next, n)
		}
		reader = cut{next.W, 0, runs(n, in/n, 1)}
	default:
		return s, fmt.Errorf("take channels out of %s: a %T reads them; want a *nn.Conv2D or *nn.Linear", layer, next)
	}
	s.cuts, s.reads = append(s.cuts, reader), []cut{reader}
	return s, nil
}
