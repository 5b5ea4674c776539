package display

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"attune/display/mime"
)

func TestProgressCountsEveryTurnInOneOutput(t *testing.T) {
	r := record(t)
	sum, n := 0, 300_000
	for i := range Progress(n) {
		sum += i
	}
	if sum != n*(n-1)/2 {
		t.Errorf("sum %d", sum)
	}
	got := r.last(t)
	if !strings.HasPrefix(got.text, "████████████████████ 300,000 in ") || !got.update {
		t.Errorf("last %+v", got)
	}
	id := r.shown[0].id
	for i, s := range r.shown {
		if s.id != id || s.update != (i > 0) {
			t.Fatalf("output %d: %+v", i, s)
		}
	}
	shown := len(r.shown)
	Flush()
	if len(r.shown) != shown {
		t.Error("the bar was drawn after its end")
	}
}

func TestProgressThatEndsEarlySaysWhere(t *testing.T) {
	r := record(t)
	for i, s := range ProgressOf([]string{"a", "b", "c", "d"}) {
		if s == "c" && i == 2 {
			break
		}
	}
	if got := r.last(t).text; !strings.HasPrefix(got, "██████████░░░░░░░░░░ stopped at 2 of 4 after ") {
		t.Errorf("text %q", got)
	}
	func() {
		defer func() { _ = recover() }()
		for range Progress(10) {
			panic("oops")
		}
	}()
	if got := r.last(t).text; !strings.Contains(got, "stopped at 0 of 10") {
		t.Errorf("text %q", got)
	}
}

// clocked is a bar over a clock of the test's.
func clocked(total int) (*Bar, *time.Time) {
	b := NewBar("a <b>", total)
	at := time.Unix(100, 0)
	b.now = func() time.Time { return at }
	b.start, b.rate.at = at, at
	return b, &at
}

func TestBarSaysRateAndTimeLeft(t *testing.T) {
	record(t)
	b, at := clocked(1000)
	for range 10 {
		*at = at.Add(time.Second)
		b.Add(20)
	}
	b.Note("loss %.2f", 0.5)
	got := b.Bundle()
	if want := "a <b>: ████░░░░░░░░░░░░░░░░ 20 % · 200 of 1,000 · 20.0/s · 40.0 s left · loss 0.50"; got.Data[mime.Text] != want {
		t.Errorf("got  %s\nwant %s", got.Data[mime.Text], want)
	}
	if h := got.Data[mime.HTML]; strings.Contains(h, "<b>") || !strings.Contains(h, `value="0.2000"`) {
		t.Errorf("HTML %s", h)
	}
	// The rate follows what happens now.
	for range 30 {
		*at = at.Add(time.Second)
		b.Add(1)
	}
	if got := b.Bundle().Data[mime.Text]; !strings.Contains(got, "1.0/s") {
		t.Errorf("after slowing down: %s", got)
	}
	slow, at := clocked(4)
	*at = at.Add(30 * time.Second)
	slow.Add(1)
	if got := slow.Bundle().Data[mime.Text]; !strings.Contains(got, "30.0 s each · 1m30s left") {
		t.Errorf("slow: %s", got)
	}
}

func TestProgressReader(t *testing.T) {
	r := record(t)
	data := strings.Repeat("x", 2_500_000)
	in := ProgressReader(strings.NewReader(data), int64(len(data)), "file")
	got, err := io.ReadAll(in)
	if err != nil || string(got) != data || in.Close() != nil {
		t.Fatal(len(got), err)
	}
	if s := r.last(t).text; !strings.HasPrefix(s, "file: ████████████████████ 2.50 MB in ") {
		t.Errorf("text %q", s)
	}
	broken := ProgressReader(io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(errors.New("line went dead"))), 10, "file")
	if _, err := io.ReadAll(broken); err == nil {
		t.Error("no error")
	}
	if s := r.last(t).text; !strings.Contains(s, "stopped at 3 B of 10 B") || !strings.HasSuffix(s, "line went dead") {
		t.Errorf("text %q", s)
	}
}

func BenchmarkProgressTurn(b *testing.B) {
	for range Progress(b.N) {
	}
}
