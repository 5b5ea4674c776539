package jupyter

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"sync"
)

const schemeSHA256 = "hmac-sha256"

// signer makes and checks signatures. It may be used by several goroutines.
type signer struct {
	pool sync.Pool // of hash.Hash, keyed
	off  bool      // the connection file has no key: nothing is signed
}

func newSigner(key string) *signer {
	return &signer{
		off:  key == "",
		pool: sync.Pool{New: func() any { return hmac.New(sha256.New, []byte(key)) }},
	}
}

func (s *signer) digest(parts [4][]byte) [sha256.Size]byte {
	h := s.pool.Get().(hash.Hash)
	h.Reset()
	for _, p := range parts {
		_, _ = h.Write(p)
	}
	var sum [sha256.Size]byte
	h.Sum(sum[:0])
	s.pool.Put(h)
	return sum
}

// sign returns the signature as it goes on the wire, in hexadecimal.
func (s *signer) sign(parts [4][]byte) []byte {
	if s.off {
		return []byte{}
	}
	sum := s.digest(parts)
	return hex.AppendEncode(nil, sum[:])
}

// verify compares in constant time.
func (s *signer) verify(signature []byte, parts [4][]byte) (sum [sha256.Size]byte, ok bool) {
	if s.off {
		return sum, true
	}
	if len(signature) != 2*sha256.Size {
		return sum, false
	}
	var got [sha256.Size]byte
	if _, err := hex.Decode(got[:], signature); err != nil {
		return sum, false
	}
	sum = s.digest(parts)
	return sum, hmac.Equal(got[:], sum[:])
}

// replays remembers the latest signatures seen, so that a recorded message cannot
// be played to the kernel again.
type replays struct {
	mu   sync.Mutex
	seen map[[sha256.Size]byte]struct{}
	ring [][sha256.Size]byte
	next int
}

const replayWindow = 1 << 16 // signatures; what jupyter_client remembers too

// fresh notes a signature and says whether it is new.
func (r *replays) fresh(sum [sha256.Size]byte) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, old := r.seen[sum]; old {
		return false
	}
	if r.seen == nil {
		r.seen = make(map[[sha256.Size]byte]struct{})
	}
	if len(r.ring) < replayWindow {
		r.ring = append(r.ring, sum)
	} else {
		delete(r.seen, r.ring[r.next])
		r.ring[r.next] = sum
		r.next = (r.next + 1) % replayWindow
	}
	r.seen[sum] = struct{}{}
	return true
}
