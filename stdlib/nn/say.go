package nn

import (
	"fmt"
	"strings"
)

// String is the parameter's name and shape: "head.w (32, 10)".
func (p *Param) String() string {
	if p == nil {
		return "no parameter, see Net.Err"
	}
	return p.Name + " " + shapeText(p.Value.Shape())
}

func shapeText(shape []int) string {
	return "(" + strings.Trim(strings.ReplaceAll(fmt.Sprint(shape), " ", ", "), "[]") + ")"
}

// listed is how many parameters a Net's String names.
const listed = 40

// String is the net's device and size, and a line for each parameter.
func (n *Net) String() string {
	bytes := int64(0)
	for _, p := range n.params {
		bytes += p.Value.Bytes()
		if p.Grad != nil {
			bytes += p.Grad.Bytes()
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "net on %s: %d parameters, %d floats, %.2f MiB with gradients", n.dev.Name(), len(n.params), n.Size(), float64(bytes)/(1<<20))
	if n.err != nil {
		fmt.Fprintf(&b, "\n    error: %v", n.err)
	}
	for i, p := range n.params {
		if i == listed {
			fmt.Fprintf(&b, "\n    … and %d more", len(n.params)-i)
			break
		}
		b.WriteString("\n    " + p.String())
	}
	return b.String()
}

// String is the tape's device, the tensors it owns and its error.
func (t *Tape) String() string {
	bytes := int64(0)
	for _, o := range t.owned {
		bytes += o.tensor.Bytes()
	}
	s := fmt.Sprintf("tape on %s: %d operations to go back through, %d tensors, %.2f MiB", t.dev.Name(), len(t.back), len(t.owned), float64(bytes)/(1<<20))
	if t.err != nil {
		s += ", error: " + t.err.Error()
	}
	return s
}

// String says what tensor the value is, not what it holds.
func (v *Value) String() string { return "value " + v.tensor.String() }

func (l *Linear) String() string { return "linear: " + l.W.String() + ", " + l.B.String() }

func (p *Position) String() string { return "position: " + p.P.String() }

func (l *LayerNorm) String() string { return "layer norm: " + l.Gain.String() + ", " + l.Bias.String() }

func (a *SelfAttention) String() string {
	s := fmt.Sprintf("self-attention of %d heads", a.Heads)
	if a.Causal {
		s += ", causal"
	}
	if a.Uniform {
		s += ", uniform"
	}
	return s + "\n    " + a.QKV.String() + "\n    " + a.Out.String()
}

func (b *Block) String() string {
	parts := []string{"block", b.Norm1.String(), b.Attention.String(), b.Norm2.String(), b.Up.String(), b.Down.String()}
	return strings.ReplaceAll(strings.Join(parts, "\n"), "\n", "\n    ")
}
