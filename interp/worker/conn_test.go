package worker

import (
	"io"
	"reflect"
	"strings"
	"testing"

	"attune/display/mime"
)

// TestLongTexts sends bundles with long and short texts, each frame between others.
func TestLongTexts(t *testing.T) {
	r, w := io.Pipe()
	from, to := NewConn(strings.NewReader(""), w), NewConn(r, io.Discard)
	big := strings.Repeat("A", 1<<20)
	data := map[string]string{mime.Text: "x", mime.PNG: big, mime.HTML: big[:longText]}
	sent := []*Event{
		{Display: &Display{Seq: 1, Bundle: mime.Bundle{Data: data}, ID: "d", Update: true}},
		{Stopping: 4},
		{Done: &Done{ID: 7, Result: &mime.Bundle{Data: map[string]string{mime.PNG: big}}}},
		{Done: &Done{ID: 8, Result: &mime.Bundle{Data: map[string]string{mime.Text: "short"}}}},
	}
	go func() {
		for _, ev := range sent {
			if err := from.Send(ev); err != nil {
				t.Error(err)
			}
		}
		w.Close()
	}()
	wants := []*mime.Bundle{
		{Data: map[string]string{mime.Text: "x", mime.PNG: big, mime.HTML: big[:longText]}}, nil,
		{Data: map[string]string{mime.PNG: big}}, {Data: map[string]string{mime.Text: "short"}},
	}
	for i, want := range wants {
		var ev Event
		if err := to.Receive(&ev); err != nil {
			t.Fatal(err)
		}
		if got, _ := bundle(&ev); !reflect.DeepEqual(got, want) {
			t.Errorf("frame %d came as another", i)
		}
	}
	if err := to.Receive(new(Event)); err != io.EOF {
		t.Errorf("after the last frame: %v", err)
	}
	if len(data) != 3 || data[mime.PNG] != big {
		t.Error("sending took texts out of the sender's own map")
	}
}

// TestLongTextCutShort ends the pipe inside a long text.
func TestLongTextCutShort(t *testing.T) {
	r, w := io.Pipe()
	short := &cutWriter{w: w, left: longText}
	go func() {
		_ = NewConn(strings.NewReader(""), short).Send(&Event{Display: &Display{Bundle: mime.Plain(strings.Repeat("A", 2*longText))}})
		w.Close()
	}()
	if err := NewConn(r, io.Discard).Receive(new(Event)); err == nil {
		t.Fatal("half a text was taken for a whole one")
	}
}

// cutWriter takes a number of bytes and then no more.
type cutWriter struct {
	w    io.Writer
	left int
}

func (c *cutWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p[:min(len(p), c.left)])
	c.left -= n
	if n < len(p) && err == nil {
		err = io.ErrShortWrite
	}
	return n, err
}
