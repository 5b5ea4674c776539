package gpu

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// recordLimit bounds the file of verdicts; a larger one is begun anew.
const recordLimit = 1 << 20

// trialRecord remembers verdicts on kernels in a file, one a line: a digest of what
// was tried and what came out, and both in words, for people. Nothing in it is
// believed but digests, so a damaged file forgets and does not lie. Sessions append
// whole lines, side by side. Where the file cannot be read or written, the record
// lasts as long as the process.
type trialRecord struct {
	path string // "" for nowhere
	once sync.Once
	mu   sync.Mutex
	seen map[[sha256.Size]byte]bool
}

// trialKey names what a verdict holds for: the device with its driver, the kernel,
// and the text that it was compiled from.
func trialKey(device, hash, kernel string) string {
	return strings.Join([]string{"attune trial 1", device, hash, kernel}, "\x00")
}

func verdictDigest(key string, sound bool) [sha256.Size]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%s\x00%t", key, sound))
}

// verdict says whether a kernel is sound, if that is known. One that ever failed is
// not.
func (r *trialRecord) verdict(key string) (sound, known bool) {
	r.once.Do(r.read)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seen[verdictDigest(key, false)] {
		return false, true
	}
	known = r.seen[verdictDigest(key, true)]
	return known, known
}

// read takes the file in; what is wrong with it is no reason to stop.
func (r *trialRecord) read() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen = map[[sha256.Size]byte]bool{}
	if r.path == "" {
		return
	}
	f, err := os.Open(r.path)
	if err != nil {
		return
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, recordLimit+1))
	if len(data) > recordLimit {
		_ = os.Remove(r.path)
	} else if err == nil {
		r.seen = decodeRecord(data)
	}
}

// decodeRecord takes the digests out of a file's text.
func decodeRecord(data []byte) map[[sha256.Size]byte]bool {
	seen := map[[sha256.Size]byte]bool{}
	for line := range bytes.Lines(data) {
		first, _, _ := bytes.Cut(bytes.TrimSpace(line), []byte{' '})
		var d [sha256.Size]byte
		if len(first) != hex.EncodedLen(len(d)) {
			continue
		}
		if _, err := hex.Decode(d[:], first); err == nil {
			seen[d] = true
		}
	}
	return seen
}

// add remembers a verdict, in the file if that can be.
func (r *trialRecord) add(key, kernel string, sound bool) {
	r.once.Do(r.read)
	r.mu.Lock()
	defer r.mu.Unlock()
	d := verdictDigest(key, sound)
	r.seen[d] = true
	if r.path == "" || os.MkdirAll(filepath.Dir(r.path), 0o755) != nil {
		return
	}
	f, err := os.OpenFile(r.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return
	}
	defer f.Close()
	word := "sound"
	if !sound {
		word = "broken"
	}
	// It begins with a line's end: the line before may be half of one.
	fmt.Fprintf(f, "\n%x %s %s\n", d, word, kernel)
}

// userRecord is the record in the user's cache folder.
func userRecord() *trialRecord {
	dir, err := os.UserCacheDir()
	if err != nil {
		return &trialRecord{}
	}
	return &trialRecord{path: filepath.Join(dir, "attune", "kernels-tried")}
}
