package mem

import (
	"fmt"
	"strings"
)

// String says in one line what is held, and for what: "cpu: 406 bytes live in 2 blocks,
// peak 24406; reserved 512, cached 0; parameters 406".
func (s Snapshot) String() string {
	said := fmt.Sprintf("%s: %s live in %s, peak %d; reserved %d, cached %d", s.Name, Bytes(s.Total.Live), Blocks(s.Total.Blocks), s.Total.Peak, s.Reserved, s.Cached)
	if s.Cap > 0 {
		said += fmt.Sprintf(", cap %d", s.Cap)
	}
	var held []string
	for i, c := range s.ByCategory {
		if c.Live > 0 {
			held = append(held, fmt.Sprintf("%s %d", Category(i), c.Live))
		}
	}
	if len(held) > 0 {
		said += "; " + strings.Join(held, ", ")
	}
	return said
}

// Blocks is a number of blocks in words.
func Blocks(n int) string {
	if n == 1 {
		return "1 block"
	}
	return fmt.Sprintf("%d blocks", n)
}

// Bytes is a number of bytes, exactly and, where that is hard to read, roughly.
func Bytes(bytes int64) string {
	said := fmt.Sprintf("%d bytes", bytes)
	switch {
	case bytes == 1:
		return "1 byte"
	case bytes >= 1<<40:
		return said + fmt.Sprintf(" (%.1f TiB)", float64(bytes)/(1<<40))
	case bytes >= 1<<30:
		return said + fmt.Sprintf(" (%.1f GiB)", float64(bytes)/(1<<30))
	case bytes >= 1<<20:
		return said + fmt.Sprintf(" (%.1f MiB)", float64(bytes)/(1<<20))
	}
	return said
}
