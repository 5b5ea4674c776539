package worker

import (
	"bytes"
	"encoding/json"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"

	"attune/display/mime"
)

// TestShortFrames sends frames that are packed, and others between them.
func TestShortFrames(t *testing.T) {
	runs := []Request{
		{Run: &Run{ID: 7, Straight: []byte("cell"), Errors: []bool{true, false}, Runes: []bool{true}, Quiet: true, Cell: "In[7]", Bar: true}},
		{Ack: 3},
		{Run: &Run{ID: 8, Straight: []byte{0}}},
		{Run: &Run{ID: 9, Native: &Native{File: "f", Hash: "h"}}},
		{Run: &Run{ID: 10, Straight: bytes.Repeat([]byte("x"), maxShort)}},
		{Run: &Run{ID: 11, Straight: []byte("again"), Cell: "In[8]"}},
	}
	both(t, runs, func(c *Conn, r Request) error { return c.Send(r) })
	events := []*Event{
		{Done: &Done{ID: 7, Nanos: 12, Result: &mime.Bundle{
			Data: map[string]string{mime.Text: "2", mime.HTML: "<b>2</b>"}, Metadata: map[string]json.RawMessage{mime.HTML: []byte(`{"a":1}`)}}}},
		{Stopping: 4},
		{Done: &Done{ID: -8, NotStraight: "a loop is long"}},
		{Done: &Done{ID: 9, NotStraight: "it is odd", Interrupted: true, Detached: true, Exited: true, ExitCode: -3, Nanos: 1, Result: &mime.Bundle{}}},
		{Done: &Done{ID: 10, Failure: &Failure{Text: "panic", Frames: []Frame{{Func: "f"}}}}},
		{Done: &Done{ID: 11, Result: &mime.Bundle{Data: map[string]string{mime.Text: strings.Repeat("x", longText-1)}}}},
		{Done: &Done{ID: 12}},
	}
	both(t, events, func(c *Conn, ev *Event) error { return c.Send(ev) })
	whole(t, runs[0].Run, "Comm", "Native")
	whole(t, events[0].Done.Result)
	whole(t, events[3].Done, "Failure")
}

// whole tells of a field that a test leaves zero: packing by hand could forget it unseen.
func whole(t *testing.T, frame any, but ...string) {
	t.Helper()
	v := reflect.ValueOf(frame).Elem()
	for i := range v.NumField() {
		if name := v.Type().Field(i).Name; v.Field(i).IsZero() && !slices.Contains(but, name) {
			t.Errorf("%s of a %s is not tried", name, v.Type())
		}
	}
}

// both sends frames and holds what is received against them.
func both[T any](t *testing.T, frames []T, send func(*Conn, T) error) {
	t.Helper()
	r, w := io.Pipe()
	go func() {
		c := NewConn(strings.NewReader(""), w)
		for _, f := range frames {
			if err := send(c, f); err != nil {
				t.Error(err)
			}
		}
		w.Close()
	}()
	c := NewConn(r, io.Discard)
	for i, want := range frames {
		got := reflect.New(reflect.Indirect(reflect.ValueOf(want)).Type())
		if err := c.Receive(got.Interface()); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got.Elem().Interface(), reflect.Indirect(reflect.ValueOf(want)).Interface()) {
			t.Errorf("frame %d came as %+v", i, got.Elem())
		}
	}
	if err := c.Receive(new(Event)); err != io.EOF {
		t.Errorf("after the last frame: %v", err)
	}
}

// TestShortFrameDamaged cuts packed frames and lengthens them.
func TestShortFrameDamaged(t *testing.T) {
	for _, f := range []any{
		Request{Run: &Run{ID: 7, Straight: []byte("cell"), Errors: []bool{true}, Cell: "In[7]"}},
		&Event{Done: &Done{ID: 1, Result: &mime.Bundle{Data: map[string]string{mime.Text: "2"}, Metadata: map[string]json.RawMessage{"a": []byte("{}")}}}},
	} {
		b, ok := short(f)
		if !ok {
			t.Fatal("it is not packed")
		}
		into := func() any {
			if _, run := f.(Request); run {
				return new(Request)
			}
			return new(Event)
		}
		for n := range b {
			if NewConn(bytes.NewReader(b[:n]), io.Discard).Receive(into()) == nil {
				t.Errorf("%d of %d bytes were taken for the whole", n, len(b))
			}
			if n > 5 && unpackShort(b[5:n], into()) == nil {
				t.Errorf("%d of %d bytes unpack", n-5, len(b)-5)
			}
		}
		if unpackShort(append(b[5:], 0), into()) == nil {
			t.Error("a byte too many unpacks")
		}
	}
}

func FuzzUnpackShort(f *testing.F) {
	run, _ := short(Request{Run: &Run{ID: 7, Straight: []byte("cell"), Errors: []bool{true}, Cell: "In[7]"}})
	done, _ := short(&Event{Done: &Done{ID: 1, Result: &mime.Bundle{Data: map[string]string{mime.Text: "2"}}}})
	f.Add(run[5:])
	f.Add(done[5:])
	f.Fuzz(func(t *testing.T, b []byte) {
		var r Request
		var ev Event
		_ = unpackShort(b, &r)
		if unpackShort(b, &ev) != nil {
			return
		}
		again, ok := short(&ev)
		if !ok {
			return // too long
		}
		var same Event
		if err := unpackShort(again[5:], &same); err != nil || !reflect.DeepEqual(same, ev) {
			t.Errorf("%+v came back as %+v, %v", ev, same, err)
		}
	})
}
