// Package heard keeps what cells say, for benchmarks that run a session without a kernel.
// It owns its text and imports interp/cell and display/mime.
package heard

import (
	"context"
	"os"
	"strings"
	"sync"

	"attune/display/mime"
	"attune/interp/cell"
)

// Text is a sink that keeps what a cell prints and the text of its results. It may be
// used by several goroutines.
type Text struct {
	mu   sync.Mutex
	text strings.Builder
}

// String is all that was said so far.
func (s *Text) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

func (s *Text) Stream(_ cell.Stream, text []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text.Write(text)
}
func (s *Text) Result(b mime.Bundle) { s.Stream(cell.Stdout, []byte(b.Data[mime.Text])) }
func (s *Text) Display(cell.Display) {}
func (s *Text) Clear(bool)           {}

// Input has nobody to ask.
func (s *Text) Input(context.Context, string, bool) (string, error) {
	return "", os.ErrClosed
}
