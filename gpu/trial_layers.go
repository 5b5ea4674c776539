package gpu

import (
	"errors"

	"attune/gpu/host"
)

// layerProblems are the problems of pointwise.cu, rows.cu and image.cu: the comparisons of
// SelfCheck, for all element types where a kernel takes them all.
func layerProblems() []problemKind {
	all := []DType{Float32, Float16, BFloat16}
	of := func(pattern string, run func(b *bench) error, dtypes ...DType) problemKind {
		return problemKind{pattern, typeLimit, func(r *trialRun, _ []string) ([]*Tensor, error) { return r.layers(run, dtypes) }}
	}
	return []problemKind{
		{`each_(\d+)(h?)`, typeLimit, func(r *trialRun, m []string) ([]*Tensor, error) {
			dtypes := []DType{Float32}
			if m[2] == "h" {
				dtypes = all[1:]
			}
			return r.layers(func(b *bench) error {
				y, x, z := b.full(), b.full(), b.full()
				return errors.Join(b.err, b.dev.back.each(host.Op(number(m[1])), y, x, z, 0.5))
			}, dtypes)
		}},
		of(`add_bias|sum_axis|spread`, checkAxes, all...),
		of(`norm|norm_grad|norm_params`, checkNorms, all...),
		of(`gather_b16`, checkTables, Float16),
		of(`gather_b32`, checkTables, Float32),
		of(`gather_as`, checkGatherAs, all[1:]...),
		of(`scatter|dropout`, checkTables, all...),
		of(`(log_)?softmax_rows(_grad)?|cross_entropy(_grad)?|argmax`, checkSoftmax, all...),
		of(`pair_loss(_grad)?`, checkLosses, all...),
		of(`conv(_weights)?`, checkConvolution, all...),
		of(`(max|average)_pool(_grad)?`, checkPools, all...),
		of(`batch_norm(_grad)?`, checkBatchNorm, all...),
	}
}

// layers runs a comparison for each of the types.
func (r *trialRun) layers(run func(b *bench) error, dtypes []DType) ([]*Tensor, error) {
	var out []*Tensor
	for _, dtype := range dtypes {
		b := &bench{dev: r.dev, dtype: dtype}
		if err := run(b); err != nil {
			b.err = err
		}
		floats, err := b.floatsOnly()
		out = append(out, floats...)
		if err != nil {
			return out, err
		}
	}
	return out, nil
}
