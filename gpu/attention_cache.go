package gpu

import (
	"errors"
	"fmt"
	"slices"

	"attune/gpu/mem"
)

// KVCache holds the keys and values of tokens that a model has seen, so that the
// next token attends to them without computing them anew. All batch elements have
// the same number of tokens.
type KVCache struct {
	// Keys and Values are (B, Kv, capacity, D); the first Len rows are filled.
	Keys, Values *Tensor
	used         int
}

// NewKVCache makes an empty cache for capacity tokens of kv heads of size d, counted as
// activations: 2 * batch * kv * capacity * d * dtype.Size() bytes.
func NewKVCache(dev *Device, dtype DType, batch, kv, capacity, d int) (*KVCache, error) {
	if !dtype.Float() || min(batch, kv, capacity, d) < 1 {
		return nil, fmt.Errorf("make key/value cache of %s %s: want f32, f16 or bf16, and a batch, key heads, tokens and head size of at least 1",
			dtype, dims([]int{batch, kv, capacity, d}))
	}
	c := &KVCache{}
	var err error
	if c.Keys, err = dev.Empty(dtype, mem.Activations, batch, kv, capacity, d); err == nil {
		c.Values, err = dev.Empty(dtype, mem.Activations, batch, kv, capacity, d)
	}
	if err != nil {
		_ = c.Free()
		return nil, fmt.Errorf("make key/value cache: %w", err)
	}
	return c, nil
}

// String says what a cache is for and how full it is.
func (c *KVCache) String() string {
	return fmt.Sprintf("key/value cache: %d of %s, keys and values %s", c.used, plural(c.Keys.shape[2], "token", "tokens"), c.Keys)
}

// Len is the number of tokens in the cache.
func (c *KVCache) Len() int { return c.used }

// Truncate forgets the tokens from n on; n is at most Len.
func (c *KVCache) Truncate(n int) error {
	if n < 0 || n > c.used {
		return fmt.Errorf("truncate key/value cache of %s to %d: want 0 to %d", plural(c.used, "token", "tokens"), n, c.used)
	}
	c.used = n
	return nil
}

// Append adds the keys and values (B, Kv, T, D) of T more tokens.
func (c *KVCache) Append(k, v *Tensor) error {
	if err := live(c.Keys, c.Values, k, v); err != nil {
		return fmt.Errorf("append to key/value cache: %w", err)
	}
	s := c.Keys.shape
	fits := len(k.shape) == 4 && k.shape[0] == s[0] && k.shape[1] == s[1] && k.shape[3] == s[3]
	if !fits || !slices.Equal(k.shape, v.shape) || k.dtype != c.Keys.dtype || v.dtype != k.dtype {
		return fmt.Errorf("append key %s and value %s to cache %s: want both %s (%d, %d, T, %d)", k, v, c.Keys, c.Keys.dtype, s[0], s[1], s[3])
	}
	n := k.shape[2]
	if c.used+n > s[2] {
		return fmt.Errorf("append %s to cache %s: it holds %d of at most %d", plural(n, "token", "tokens"), c.Keys, c.used, s[2])
	}
	for _, p := range [][2]*Tensor{{c.Keys, k}, {c.Values, v}} {
		if err := Copy(p[0].span(2, c.used, c.used+n), p[1]); err != nil {
			return fmt.Errorf("append to key/value cache: %w", err)
		}
	}
	c.used += n
	return nil
}

// Attend is Attention of q (B, H, Tq, D) to the tokens in the cache: the last query
// stands at the last of them.
func (c *KVCache) Attend(q *Tensor, o AttentionOptions) (*AttentionResult, error) {
	if err := c.filled(); err != nil {
		return nil, err
	}
	return Attention(q, c.Keys.span(2, 0, c.used), c.Values.span(2, 0, c.used), o)
}

// AttendInto is Attend into the tensors of r, as AttentionInto: a loop that writes token
// after token makes nothing.
func (c *KVCache) AttendInto(r *AttentionResult, q *Tensor, o AttentionOptions) error {
	if err := c.filled(); err != nil {
		return err
	}
	return AttentionInto(r, q, c.Keys.span(2, 0, c.used), c.Values.span(2, 0, c.used), o)
}

// filled is an error unless there are tokens to attend to.
func (c *KVCache) filled() error {
	if err := live(c.Keys, c.Values); err != nil {
		return fmt.Errorf("attend to key/value cache: %w", err)
	}
	if c.used == 0 {
		return fmt.Errorf("attend to cache %s: it holds no token yet; Append puts them in", c.Keys)
	}
	return nil
}

// Free gives the cache's memory back.
func (c *KVCache) Free() error {
	c.used = 0
	return errors.Join(c.Keys.Free(), c.Values.Free())
}

// span is the view of lo … hi-1 along an axis.
func (t *Tensor) span(axis, lo, hi int) *Tensor {
	both := &struct {
		t     Tensor
		shape [4]int
	}{t: t.store.view(t.dtype, t.offset+lo*t.strides[axis])}
	both.t.strides = t.strides
	both.t.shape = append(both.shape[:0], t.shape...)
	both.t.shape[axis] = hi - lo
	return &both.t
}
