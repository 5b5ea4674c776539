package data

import (
	"encoding/json"
	"errors"
	"io/fs"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestByBytes(t *testing.T) {
	c := ByBytes("abcab")
	if !slices.Equal(c.Tokens, []int32{0, 1, 2, 0, 1}) || !slices.Equal(c.Vocabulary.Tokens, []string{"a", "b", "c"}) {
		t.Fatalf("got %+v", c)
	}
	got, err := c.Vocabulary.Encode("cab")
	if err != nil || !slices.Equal(got, []int32{2, 0, 1}) || c.Vocabulary.Decode(got) != "cab" {
		t.Errorf("encoded %v, %v", got, err)
	}
	if _, err := c.Vocabulary.Encode("abd"); err == nil || !strings.Contains(err.Error(), `byte 2, "d"`) {
		t.Error("a byte of another text:", err)
	}
	if c.Vocabulary.Decode([]int32{-1, 9, 1}) != "b" {
		t.Error("numbers of no token were decoded")
	}
	text, err := json.Marshal(c.Vocabulary)
	var back Vocabulary
	if err == nil {
		err = json.Unmarshal(text, &back)
	}
	if again, err2 := back.Encode("cab"); err != nil || err2 != nil || !reflect.DeepEqual(again, got) {
		t.Errorf("through JSON: %v, %v, %v", again, err, err2)
	}
}

func TestByWords(t *testing.T) {
	const text = "the cat, the dog; the end"
	c := ByWords(text, 3)
	if !slices.Equal(c.Vocabulary.Tokens, []string{Unknown, " the", " cat", " dog"}) {
		t.Fatalf("vocabulary %q", c.Vocabulary.Tokens)
	}
	if got := c.Vocabulary.Decode(c.Tokens); got != "<unknown> cat<unknown> the dog<unknown> the<unknown>" {
		t.Errorf("read back as %q", got)
	}
	if all := ByWords(text, 100); all.Vocabulary.Decode(all.Tokens) != text {
		t.Error("with all words the text is", all.Vocabulary.Decode(all.Tokens))
	}
}

func TestWindows(t *testing.T) {
	train, test := ByBytes("abcdefghij").Split(0.7)
	w := train.Windows(3, 3)
	if w.Len() != 2 || len(test.Tokens) != 3 || test.Windows(3, 1).Len() != 0 {
		t.Fatalf("%d windows of 7 tokens, %d held out", w.Len(), len(test.Tokens))
	}
	b, err := w.Batch([]int{1, 0})
	if err != nil || !slices.Equal(b.Tokens, []int32{3, 4, 5, 0, 1, 2}) || !slices.Equal(b.Labels, []int{4, 5, 6, 1, 2, 3}) ||
		!slices.Equal(b.Shape, []int{2, 3}) || b.Check() != nil {
		t.Fatalf("got %+v, %v", b, err)
	}
	if _, err := w.Batch([]int{2}); err == nil {
		t.Error("a window past the end was given")
	}
	for length := 1; length < 9; length++ {
		for stride := 1; stride < 9; stride++ {
			w := train.Windows(length, stride)
			want := 0
			for at := 0; at+length+1 <= 7; at += stride {
				want++
			}
			if w.Len() != want {
				t.Errorf("%d windows of %d every %d, want %d", w.Len(), length, stride, want)
			}
		}
	}
}

// Any text comes back whole: by bytes always, by words with all of them.
func FuzzText(f *testing.F) {
	f.Add("It is a truth — don’t you know?\n  \xff\xfe")
	f.Fuzz(func(t *testing.T, text string) {
		b := ByBytes(text)
		again, err := b.Vocabulary.Encode(text)
		if err != nil || !slices.Equal(again, b.Tokens) || b.Vocabulary.Decode(b.Tokens) != text {
			t.Fatalf("by bytes: %v", err)
		}
		if w := ByWords(text, len(text)); !strings.Contains(text, Unknown) && w.Vocabulary.Decode(w.Tokens) != text {
			t.Fatalf("by words: %q", w.Vocabulary.Decode(w.Tokens))
		}
	})
}

// The real text, where it was fetched.
func TestText(t *testing.T) {
	here(t)
	text, err := Text()
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(text, "PRIDE AND PREJUDICE\n") || !strings.Contains(text, "It is a truth universally acknowledged") || len(text) < 650_000 {
		t.Fatalf("%d bytes that begin with %.60q", len(text), text)
	}
	c := ByBytes(text)
	if n := c.Vocabulary.Len(); n < 50 || n > 100 {
		t.Errorf("%d different bytes", n)
	}
}
