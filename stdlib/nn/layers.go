package nn

import (
	"fmt"

	"attune/gpu"
)

// Linear is a dense layer: W (in, out) and b (out).
type Linear struct{ W, B *Param }

// Linear makes a dense layer, Xavier-uniform with zero bias.
func (n *Net) Linear(name string, in, out int) *Linear {
	return &Linear{
		W: n.Param(name+".w", n.Xavier(in, out), in, out),
		B: n.Param(name+".b", Constant(0), out),
	}
}

// Apply is x W + b: x (…, in) gives (…, out).
func (l *Linear) Apply(t *Tape, x *Value) *Value {
	return t.Within(l.layerName(), func() *Value { return t.Linear(x, t.Param(l.W), t.Param(l.B)) })
}

func (l *Linear) layerName() string { return l.W.layer() }

// Position is a learned vector for each of T positions: P (T, D).
type Position struct{ P *Param }

// Position makes learned positions, normal with deviation 0.02 (as BERT and GPT-2 start).
func (n *Net) Position(name string, tokens, d int) *Position {
	return &Position{P: n.Param(name+".p", n.Normal(0.02), tokens, d)}
}

// Apply adds the positions to x (B, T, D): the first ones where x has fewer tokens than
// there are positions, and in Net.Continue those behind the tokens that are known.
func (p *Position) Apply(t *Tape, x *Value) *Value {
	return t.Within(p.layerName(), func() *Value { return t.AddPosition(x, t.places(t.Param(p.P), x)) })
}

func (p *Position) layerName() string { return p.P.layer() }

// LayerNorm normalises along the last axis: Gain and Bias (D).
type LayerNorm struct{ Gain, Bias *Param }

// LayerNorm makes a normalisation with gain 1 and bias 0.
func (n *Net) LayerNorm(name string, d int) *LayerNorm {
	return &LayerNorm{Gain: n.Param(name+".gain", Constant(1), d), Bias: n.Param(name+".bias", Constant(0), d)}
}

// Apply normalises x (…, D).
func (l *LayerNorm) Apply(t *Tape, x *Value) *Value {
	return t.Within(l.layerName(), func() *Value { return t.LayerNorm(x, t.Param(l.Gain), t.Param(l.Bias)) })
}

func (l *LayerNorm) layerName() string { return l.Gain.layer() }

// SelfAttention is multi-head self-attention: a projection to query, key and
// value, attention in heads, a projection back (Vaswani et al. 2017, 3.2.2).
type SelfAttention struct {
	Heads    int
	QKV, Out *Linear
	// Uniform gives every key the same weight, whatever the query: what remains of
	// the layer when it cannot attend. It may be changed between passes.
	Uniform bool
	// Causal lets a token see itself and earlier ones only.
	Causal bool
	// Dropout is the share of weights that training takes away.
	Dropout float64

	name string
}

// SelfAttention makes multi-head self-attention over vectors of size d.
func (n *Net) SelfAttention(name string, d, heads int) *SelfAttention {
	return &SelfAttention{name: name, Heads: heads, QKV: n.Linear(name+".qkv", d, 3*d), Out: n.Linear(name+".out", d, d)}
}

// Apply attends within x (B, T, D).
func (a *SelfAttention) Apply(t *Tape, x *Value) *Value {
	o := gpu.AttentionOptions{Uniform: a.Uniform, Causal: a.Causal, Dropout: a.Dropout}
	return t.Within(a.name, func() *Value { return a.Out.Apply(t, t.Attention(a.QKV.Apply(t, x), a.Heads, o)) })
}

func (a *SelfAttention) layerName() string { return a.name }

// Block is one transformer block with normalisation before each half (Xiong et
// al. 2020): x + attention(norm(x)), then x + W2 gelu(W1 norm(x)).
type Block struct {
	Norm1, Norm2 *LayerNorm
	Attention    *SelfAttention
	Up, Down     *Linear
	// Dropout is the share of each half's result that training takes away.
	Dropout float64

	name string
}

// Block makes a block over vectors of size d; hidden is the size between Up and
// Down.
func (n *Net) Block(name string, d, heads, hidden int) *Block {
	return &Block{
		name: name, Norm1: n.LayerNorm(name+".norm1", d), Attention: n.SelfAttention(name+".attention", d, heads),
		Norm2: n.LayerNorm(name+".norm2", d), Up: n.Linear(name+".up", d, hidden), Down: n.Linear(name+".down", hidden, d),
	}
}

// Apply runs the block on x (B, T, D).
func (b *Block) Apply(t *Tape, x *Value) *Value {
	return t.Within(b.name, func() *Value {
		h := t.Add(x, t.Dropout(b.Attention.Apply(t, b.Norm1.Apply(t, x)), b.Dropout))
		return t.Add(h, t.Dropout(b.Down.Apply(t, t.GELU(b.Up.Apply(t, b.Norm2.Apply(t, h)))), b.Dropout))
	})
}

func (b *Block) layerName() string { return b.name }

// RMSNorm scales to unit root mean square along the last axis: Gain (D).
type RMSNorm struct{ Gain *Param }

// RMSNorm makes such a scaling with gain 1.
func (n *Net) RMSNorm(name string, d int) *RMSNorm {
	return &RMSNorm{Gain: n.Param(name+".gain", Constant(1), d)}
}

// Apply scales x (…, D).
func (l *RMSNorm) Apply(t *Tape, x *Value) *Value {
	return t.Within(l.layerName(), func() *Value { return t.RMSNorm(x, t.Param(l.Gain)) })
}

func (l *RMSNorm) layerName() string { return l.Gain.layer() }

// Embedding is a vector for each token of a vocabulary: Table (vocabulary, D).
type Embedding struct{ Table *Param }

// Embedding makes vectors, normal with deviation 0.02 (as GPT-2 starts).
func (n *Net) Embedding(name string, vocabulary, d int) *Embedding {
	return &Embedding{Table: n.Param(name+".table", n.Normal(0.02), vocabulary, d)}
}

// Apply looks up ids (…), see Tape.Tokens: (…, D).
func (e *Embedding) Apply(t *Tape, ids *Value) *Value {
	return t.Within(e.layerName(), func() *Value { return t.Embedding(ids, t.Param(e.Table)) })
}

func (e *Embedding) layerName() string { return e.Table.layer() }

// Dropout takes away the share P of its input while training.
type Dropout struct {
	P    float64
	name string
}

// Dropout makes a layer that drops the share p.
func (n *Net) Dropout(name string, p float64) *Dropout { return &Dropout{p, name} }

// Apply drops from x (N, …).
func (d *Dropout) Apply(t *Tape, x *Value) *Value {
	return t.Within(d.name, func() *Value { return t.Dropout(x, d.P) })
}

func (d *Dropout) layerName() string { return d.name }
func (d *Dropout) String() string    { return fmt.Sprintf("dropout of %g", d.P) }
