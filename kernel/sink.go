package kernel

import (
	"context"
	"errors"
	"sync"
	"time"
	"unicode/utf8"

	"attune/display/mime"
	"attune/interp/cell"
	"attune/kernel/jupyter"
)

const (
	flushAfter = 50 * time.Millisecond
	flushAt    = 64 << 10 // bytes that are sent without waiting, at first
	maxStream  = 1 << 20  // bytes of one stream message
)

// sink puts one cell's output on iopub, in order. Text is collected for a moment
// and leaves before anything else does, so that 10,000 prints are a few messages.
type sink struct {
	s     *Server
	r     *request
	req   jupyter.ExecuteRequest
	count int

	mu     sync.Mutex
	stream cell.Stream            // which stream text belongs to
	text   []byte                 // collected, not yet sent
	halves map[cell.Stream][]byte // beginnings of a rune whose end has yet to come
	timer  *time.Timer
	armed  bool    // timer runs
	enough int     // bytes that are sent without waiting, more while they come fast
	result *string // text/plain of the execute_result
}

func newSink(s *Server, r *request, req jupyter.ExecuteRequest, count int) *sink {
	return &sink{s: s, r: r, req: req, count: count, enough: flushAt, halves: make(map[cell.Stream][]byte)}
}

// Stream implements cell.Sink.
func (k *sink) Stream(to cell.Stream, text []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.turn(to)
	for len(text) > 0 {
		n := min(len(text), maxStream-len(k.text))
		k.text = append(k.text, text[:n]...)
		text = text[n:]
		if len(k.text) >= k.enough {
			k.flush(false)
			k.enough = min(2*k.enough, maxStream)
		}
	}
	if len(k.text) > 0 && !k.armed {
		k.armed = true
		k.arm()
	}
}

// turn makes a stream the one that text belongs to; mu is held.
func (k *sink) turn(to cell.Stream) {
	if to == k.stream {
		return
	}
	k.flush(false)
	if len(k.text) > 0 {
		k.halves[k.stream] = append([]byte(nil), k.text...)
	}
	k.text = append(k.text[:0], k.halves[to]...)
	delete(k.halves, to)
	k.stream = to
}

// arm makes sure that what is collected leaves soon; mu is held.
func (k *sink) arm() {
	if k.timer == nil {
		k.timer = time.AfterFunc(flushAfter, k.late)
		return
	}
	k.timer.Reset(flushAfter)
}

// late runs on the timer.
func (k *sink) late() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.armed, k.enough = false, flushAt
	k.flush(false)
}

// flush sends what is collected; mu is held. The beginning of a rune that is not
// whole yet is kept, unless nothing more is expected.
func (k *sink) flush(final bool) {
	whole := len(k.text)
	if !final {
		whole -= incomplete(k.text)
	}
	if whole > 0 {
		k.s.publish(k.r, "stream", jupyter.Stream{Name: string(k.stream), Text: k.text[:whole]})
	}
	rest := k.text[whole:]
	if cap(k.text) > 2*k.enough {
		k.text = append([]byte(nil), rest...) // one big write's buffer is not kept
		return
	}
	k.text = append(k.text[:0], rest...)
}

// incomplete is how many bytes at the end begin a rune that lacks its rest.
func incomplete(b []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(b); n++ {
		c := b[len(b)-n]
		if utf8.RuneStart(c) {
			if c >= utf8.RuneSelf && !utf8.FullRune(b[len(b)-n:]) {
				return n
			}
			return 0
		}
	}
	return 0
}

// end sends all that is left when the cell has ended. Later output still comes
// through here and goes out by the timer.
func (k *sink) end() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.flush(true)
	for to := range k.halves {
		k.turn(to)
		k.flush(true)
	}
	if k.timer != nil {
		k.timer.Stop()
		k.armed = false
	}
}

// put sends a message after all text before it.
func (k *sink) put(kind string, content any) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.flush(false)
	k.s.publish(k.r, kind, content)
}

// Display implements cell.Sink.
func (k *sink) Display(d cell.Display) {
	kind := "display_data"
	if d.Update {
		kind = "update_display_data"
	}
	k.put(kind, jupyter.DisplayData{Bundle: d.Bundle, DisplayID: d.ID})
}

// Result implements cell.Sink.
func (k *sink) Result(b mime.Bundle) {
	if k.req.Silent {
		return
	}
	k.put("execute_result", jupyter.ExecuteResult{Bundle: b, ExecutionCount: k.count})
	if text, ok := b.Data[mime.Text]; ok {
		k.mu.Lock()
		k.result = &text
		k.mu.Unlock()
	}
}

// shown is the text of the cell's result, nil where there was none.
func (k *sink) shown() *string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.result
}

// Clear implements cell.Sink.
func (k *sink) Clear(wait bool) { k.put("clear_output", jupyter.ClearOutput{Wait: wait}) }

var errNoStdin = errors.New("this front end cannot ask for input")

// Input implements cell.Sink.
func (k *sink) Input(ctx context.Context, prompt string, password bool) (string, error) {
	if !k.req.AllowStdin {
		return "", errNoStdin
	}
	k.mu.Lock()
	k.flush(false)
	k.mu.Unlock()
	return k.s.asker.ask(ctx, k.r, prompt, password)
}
