package nn

import (
	"errors"
	"fmt"

	"attune/gpu"
)

// Cache is what a causal model's attentions have computed of the tokens so far, their
// keys and values, so that the next token costs the work of one and not of all.
type Cache struct {
	// Capacity is the number of tokens that it can hold.
	Capacity int

	layers []*gpu.KVCache // in the order in which a pass comes to them
	used   int
	turn   int // which attention of the pass comes next
}

// NewCache makes an empty cache for so many tokens. Its memory is taken by the first
// pass, as activations, and kept until Free.
func NewCache(capacity int) *Cache { return &Cache{Capacity: capacity} }

// Len is the number of tokens that are known.
func (c *Cache) Len() int { return c.used }

// Truncate forgets the tokens from n on.
func (c *Cache) Truncate(n int) error {
	var err error
	for _, l := range c.layers {
		if l.Len() > n || n < 0 {
			err = errors.Join(err, l.Truncate(n))
		}
	}
	if err == nil {
		c.used = min(c.used, n)
	}
	return err
}

// Free gives the memory back and forgets all tokens.
func (c *Cache) Free() error {
	var err error
	for _, l := range c.layers {
		err = errors.Join(err, l.Free())
	}
	c.layers, c.used = nil, 0
	return err
}

// Continue is Eval for the tokens (B, T) that come behind those which the cache knows:
// each sees all of them, and the cache knows the new ones afterwards. Every attention of
// the model must be causal. After an error the cache is as it was.
func (n *Net) Continue(c *Cache, forward func(t *Tape) *Value) ([]float32, error) {
	c.turn = 0
	out, err := n.eval(c, forward)
	if err != nil {
		return nil, errors.Join(err, c.Truncate(c.used))
	}
	if len(c.layers) > 0 {
		c.used = c.layers[0].Len()
	}
	return out, nil
}

// look is attention, by way of the pass's cache where it has one.
func (t *Tape) look(qkv [3]*gpu.Tensor, o gpu.AttentionOptions) (*gpu.AttentionResult, error) {
	c := t.cache
	if c == nil {
		return gpu.Attention(qkv[0], qkv[1], qkv[2], o)
	}
	if !o.Causal {
		return nil, fmt.Errorf("a cache is for causal attention, where earlier tokens do not change: set Causal")
	}
	if c.turn == len(c.layers) {
		k := qkv[1]
		l, err := gpu.NewKVCache(t.dev, k.DType(), k.Dim(0), k.Dim(1), c.Capacity, k.Dim(3))
		if err != nil {
			return nil, err
		}
		c.layers = append(c.layers, l)
	}
	l := c.layers[c.turn]
	c.turn++
	if err := l.Append(qkv[1], qkv[2]); err != nil {
		return nil, err
	}
	return l.Attend(qkv[0], o)
}

// places is the rows of positions p (T, D) that the tokens of x (B, t, D) stand at.
func (t *Tape) places(p, x *Value) *Value {
	if t.err != nil || len(x.Shape()) != 3 || len(p.Shape()) != 2 {
		return p // what comes next names it
	}
	from, tokens, all := 0, x.Shape()[1], p.Shape()[0]
	if t.cache != nil {
		from = t.cache.used
	}
	if from == 0 && tokens == all {
		return p
	}
	if from+tokens > all {
		return t.fail("add position", fmt.Errorf("%d tokens behind %d others, and the model has %d positions", tokens, from, all))
	}
	v := *p
	var err error
	if v.tensor, err = p.tensor.Slice(0, from, from+tokens); err == nil && p.grad != nil {
		v.grad, err = p.grad.Slice(0, from, from+tokens)
	}
	if err != nil {
		return t.fail("add position", err)
	}
	return &v
}
