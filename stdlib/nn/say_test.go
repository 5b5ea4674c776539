package nn

import (
	"fmt"
	"testing"

	"attune/gpu"
)

func TestWhatIsShownIsShort(t *testing.T) {
	net := NewNet(open(t), 1)
	embed, block, head := net.Linear("embed", 8, 32), net.Block("block", 32, 4, 64), net.Linear("head", 32, 10)
	adam := gpu.NewAdam(1e-3)
	if _, err := net.Step(adam, func(t *Tape) *Value {
		return t.CrossEntropy(head.Apply(t, t.MeanTokens(block.Apply(t, embed.Apply(t, t.Input(make([]float32, 2*4*8), 2, 4, 8))))), []int{1, 2})
	}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		v    fmt.Stringer
		want string
	}{
		{embed, "linear: embed.w (8, 32), embed.b (32)"},
		{adam, "adam, rate 0.001, step 1, state of 32 tensors, 73296 bytes"},
		{block, `block
    layer norm: block.norm1.gain (32), block.norm1.bias (32)
    self-attention of 4 heads
        linear: block.attention.qkv.w (32, 96), block.attention.qkv.b (96)
        linear: block.attention.out.w (32, 32), block.attention.out.b (32)
    layer norm: block.norm2.gain (32), block.norm2.bias (32)
    linear: block.up.w (32, 64), block.up.b (64)
    linear: block.down.w (64, 32), block.down.b (32)`},
		{NewNet(net.Device(), 1), "net on cpu: 0 parameters, 0 floats, 0.00 MiB with gradients"},
		{NewTape(net.Device()), "tape on cpu: 0 operations to go back through, 0 tensors, 0.00 MiB"},
		{(*Param)(nil), "no parameter, see Net.Err"},
	} {
		if got := c.v.String(); got != c.want {
			t.Errorf("%T: got\n%s\nwant\n%s", c.v, got, c.want)
		}
	}
}
