package data

import (
	"errors"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"sync"
)

// Dataset is N examples that can be had by index: Images, Pictures, Table, Windows
// of a text, or a type of a cell.
type Dataset interface {
	// Len is N.
	Len() int
	// Batch is the examples of those indices (0 to N-1), in that order, in memory of
	// its own. A Loader calls it from one goroutine at a time, not the caller's.
	Batch(index []int) (*Batch, error)
}

// Loader deals a data set in batches, an epoch at a time, and prepares the next ones
// in the background. What it deals depends on its fields and on where it stands
// alone: not on time, nor on the number of cores.
//
//	train := &data.Loader{Data: pictures, Size: 32, Shuffle: true, Seed: 1}
//	for batch, err := range train.Epoch() {
//		…
//	}
type Loader struct {
	Data Dataset
	// Size is the number of examples of a batch; 0 means 32. The last of an epoch may
	// be smaller, unless DropLast leaves it out.
	Size     int
	DropLast bool
	// Shuffle deals each epoch in an order of its own, which Seed and the epoch choose.
	Shuffle bool
	Seed    uint64
	// Augment changes each example's numbers, in this order, with chance that depends
	// on Seed, epoch and example alone.
	Augment []Augment
	// Ahead is how many batches are made ready in the background; 0 means 2, and -1
	// that each is made when it is asked for.
	Ahead int

	mu      sync.Mutex
	at      State
	dealing bool
}

// State says where a Loader stands: what it deals next is batch Batch (from 0) of
// epoch Epoch. The other fields tell whether the loader it is restored into deals
// the same batches.
type State struct {
	Epoch, Batch   int
	Seed           uint64
	Examples, Size int
}

const (
	usualSize  = 32
	usualAhead = 2
)

func (l *Loader) size() int {
	if l.Size < 1 {
		return usualSize
	}
	return l.Size
}

// Batches is the number of batches of an epoch.
func (l *Loader) Batches() int {
	if l.Data == nil {
		return 0
	}
	if l.DropLast {
		return l.Data.Len() / l.size()
	}
	return (l.Data.Len() + l.size() - 1) / l.size()
}

// State is where the loader stands. In the body of a loop over Epoch the batch at
// hand counts as dealt, so that a state kept after its step goes on with the next.
func (l *Loader) State() State {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.at
	s.Seed, s.Size = l.Seed, l.size()
	if l.Data != nil {
		s.Examples = l.Data.Len()
	}
	return s
}

// Restore goes on from a State, of this loader or of one like it in another process:
// what is dealt next is, to the bit, what that one would have dealt next.
func (l *Loader) Restore(s State) error {
	now := l.State()
	switch {
	case s.Epoch < 0 || s.Batch < 0 || s.Batch > l.Batches():
		return fmt.Errorf("restore the loader: batch %d of epoch %d is not one of %d batches", s.Batch, s.Epoch, l.Batches())
	case s.Seed != now.Seed || s.Examples != now.Examples || s.Size != now.Size:
		return fmt.Errorf("restore the loader: the state is of %d examples by %d with seed %d, and this loader has %d by %d with seed %d",
			s.Examples, s.Size, s.Seed, now.Examples, now.Size, now.Seed)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dealing {
		return errors.New("restore the loader: it is dealing an epoch")
	}
	l.at = State{Epoch: s.Epoch, Batch: s.Batch}
	return nil
}

// dealt is a batch made ready, or why there is none.
type dealt struct {
	batch *Batch
	err   error
}

// Epoch deals what is left of the epoch at which the loader stands: all of it, unless
// an earlier loop was left or a State restored. Then the next epoch begins. The first
// error ends the loop. A loop that is left stops the background work before it goes
// on.
func (l *Loader) Epoch() iter.Seq2[*Batch, error] {
	return func(yield func(*Batch, error) bool) {
		at, err := l.begin()
		if err != nil {
			yield(nil, err)
			return
		}
		defer l.end()
		n := l.Batches()
		next, stop := l.produce(at, n)
		defer stop()
		for ; at.Batch < n; at.Batch++ {
			d := next()
			if d.err != nil {
				yield(nil, d.err)
				return
			}
			l.stand(State{Epoch: at.Epoch, Batch: at.Batch + 1})
			if !yield(d.batch, nil) {
				return
			}
		}
		l.stand(State{Epoch: at.Epoch + 1})
	}
}

func (l *Loader) begin() (State, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.Data == nil:
		return State{}, errors.New("deal an epoch: the loader has no Data")
	case l.dealing:
		return State{}, errors.New("deal an epoch: the loader deals one already; a loop inside its loop needs a Loader of its own")
	}
	l.dealing = true
	return l.at, nil
}

func (l *Loader) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dealing = false
}

func (l *Loader) stand(s State) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.at = s
}

// produce makes the batches from at on, ahead of next where the loader says so. stop
// returns when nothing of it runs any more.
func (l *Loader) produce(at State, n int) (next func() dealt, stop func()) {
	order := l.order(at.Epoch)
	make1 := func(i int) dealt {
		b, err := l.batch(order, at.Epoch, i)
		return dealt{b, err}
	}
	ahead := l.Ahead
	if ahead == 0 {
		ahead = usualAhead
	}
	if ahead < 0 {
		i := at.Batch - 1
		return func() dealt { i++; return make1(i) }, func() {}
	}
	ready, left, done := make(chan dealt, ahead-1), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for i := at.Batch; i < n; i++ {
			d := make1(i)
			select {
			case ready <- d:
			case <-left:
				return
			}
			if d.err != nil {
				return
			}
		}
	}()
	return func() dealt { return <-ready }, func() { close(left); <-done }
}

// order is the examples of an epoch in the order of dealing.
func (l *Loader) order(epoch int) []int {
	if l.Shuffle {
		return rand.New(rand.NewPCG(l.Seed, uint64(epoch))).Perm(l.Data.Len())
	}
	order := make([]int, l.Data.Len())
	for i := range order {
		order[i] = i
	}
	return order
}

// batch makes batch i. It runs in a goroutine, where a panic of a user's Dataset or
// Augment would end the process: it becomes the loop's error.
func (l *Loader) batch(order []int, epoch, i int) (b *Batch, err error) {
	act := func(err any) error { return fmt.Errorf("make batch %d of epoch %d: %v", i, epoch, err) }
	defer func() {
		if p := recover(); p != nil {
			b, err = nil, act(p)
		}
	}()
	index := order[i*l.size() : min(len(order), (i+1)*l.size())]
	if b, err = l.Data.Batch(index); err != nil {
		return nil, fmt.Errorf("make batch %d of epoch %d: %w", i, epoch, err)
	}
	if b == nil || b.Len() != len(index) {
		return nil, act("the data set's Batch gave not one example for each index")
	}
	if err := b.Check(); err != nil {
		return nil, fmt.Errorf("make batch %d of epoch %d: %w", i, epoch, err)
	}
	if len(l.Augment) > 0 && b.X != nil {
		for k, example := range index {
			rng := rand.New(rand.NewPCG(mix(l.Seed, uint64(epoch)), uint64(example)))
			x := b.Slice(k, k+1).X
			for _, a := range l.Augment {
				a(rng, x, b.Shape[1:])
			}
		}
	}
	return b, nil
}

// mix makes one number of two that neighbours do not share (the finaliser of
// SplitMix64, Steele, Lea and Flood 2014).
func mix(a, b uint64) uint64 {
	z := a + (b+1)*0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// Subset is the examples of a data set that Index names, without a copy.
type Subset struct {
	Data  Dataset
	Index []int
}

// Len is the number of examples named.
func (s *Subset) Len() int { return len(s.Index) }

// Batch is the examples of those places in Index.
func (s *Subset) Batch(index []int) (*Batch, error) {
	there := make([]int, len(index))
	for i, k := range index {
		if k < 0 || k >= len(s.Index) {
			return nil, outOfRange(k, len(s.Index))
		}
		there[i] = s.Index[k]
	}
	return s.Data.Batch(there)
}

// Split shuffles by seed and deals a data set into two without copying it: the given
// share (0 to 1) of the examples, rounded, to train with, and the others, held out.
// The same data, share and seed give the same split on every machine.
func Split(d Dataset, share float64, seed uint64) (train, test *Subset) {
	cut := min(d.Len(), max(0, int(math.Round(share*float64(d.Len())))))
	order := rand.New(rand.NewPCG(seed, 0)).Perm(d.Len())
	return &Subset{d, order[:cut:cut]}, &Subset{d, order[cut:]}
}

func outOfRange(i, n int) error { return fmt.Errorf("there is no example %d among %d", i, n) }
