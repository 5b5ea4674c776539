package data

import (
	"bytes"
	"compress/gzip"
	"errors"
	"image/color"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// pack is text as the digits' file holds it.
func pack(t testing.TB, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write([]byte(text))
	if err = errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// drawn is the fixture: 0, 1, 7 and 4 in ink of 16, 15, 14 and 13, with the line's
// number in the first pixel.
func drawn(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "digits.csv"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func fixture(t testing.TB) *Images {
	t.Helper()
	s, err := ReadDigits(bytes.NewReader(pack(t, drawn(t))))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestReadDigits(t *testing.T) {
	s := fixture(t)
	if s.String() != "4 images of 8×8" || !slices.Equal(s.Labels, []int{0, 1, 7, 4}) || len(s.Pixels) != 4*64 {
		t.Fatalf("read %s, labels %v, %d pixels", s, s.Labels, len(s.Pixels))
	}
	if !slices.Equal(s.Shape(), []int{4, 8, 8}) {
		t.Error("shape", s.Shape())
	}
	// The top row of the drawn 7, in ink of 14 sixteenths.
	want := []float32{2. / 16, 14. / 16, 14. / 16, 14. / 16, 14. / 16, 14. / 16, 14. / 16, 0}
	if got := s.Rows(2)[0]; !slices.Equal(got, want) {
		t.Errorf("the first token of the 7 is %v, want %v", got, want)
	}
}

func TestOneOutOfRange(t *testing.T) {
	s := fixture(t)
	s.Pixels = append(s.Pixels, 0)[:len(s.Pixels)] // with room beyond the end
	defer func() {
		if recover() == nil {
			t.Error("picture 4 of 4 was given")
		}
	}()
	s.One(4)
}

func TestReadDigitsRefuses(t *testing.T) {
	good := strings.SplitAfter(drawn(t), "\n")[0]
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"not packed":   {[]byte(good), "gzip"},
		"empty":        {pack(t, ""), "empty"},
		"short line":   {pack(t, good+"1,2,3\n"), "line 2"},
		"dark pixel":   {pack(t, strings.Replace(good, "16", "17", 1)), `line 1: pixel 2 is "17"`},
		"word":         {pack(t, strings.Replace(good, "16", "ink", 1)), `line 1: pixel 2 is "ink"`},
		"label":        {pack(t, good+strings.TrimSuffix(good, "0\n")+"10\n"), `line 2: the label is "10"`},
		"cut off":      {pack(t, good)[:40], "unexpected EOF"},
		"wrong digest": {corrupt(pack(t, good)), "checksum"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ReadDigits(bytes.NewReader(c.file))
			if err == nil || !strings.HasPrefix(err.Error(), "read the digits: ") || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want one that says %q", err, c.want)
			}
		})
	}
}

// corrupt changes the checksum at a packed file's end (RFC 1952, 2.3.1).
func corrupt(file []byte) []byte {
	file[len(file)-8] ^= 1
	return file
}

func TestPath(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	path := filepath.Join(second, "x.csv")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := find("x.csv", []string{first, second}); got != path || err != nil {
		t.Fatalf("found %q, %v", got, err)
	}
	t.Setenv(Env, second)
	if got, err := Path("x.csv"); got != path || err != nil {
		t.Fatalf("found %q, %v", got, err)
	}
	t.Setenv(Env, first)
	_, err := Digits()
	var missing *NotFoundError
	if !errors.As(err, &missing) || !errors.Is(err, fs.ErrNotExist) || len(missing.Looked) != 2 {
		t.Fatalf("got %#v", err)
	}
	for _, want := range []string{"digits.csv.gz", first, "./install.sh", Env} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
}

// The real file, where it was fetched.
func TestDigits(t *testing.T) {
	if os.Getenv(Env) == "" {
		t.Setenv(Env, filepath.Join("..", "..", ".build", "data"))
	}
	s, err := Digits()
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	var count [10]int
	for _, l := range s.Labels {
		count[l]++
	}
	// As scikit-learn's description of the set has it: about 180 of each.
	if want := [10]int{178, 182, 177, 183, 181, 182, 181, 179, 174, 180}; s.Len() != 1797 || count != want {
		t.Fatalf("%s, of each digit %v", s, count)
	}
	train, test := s.Split(0.8, 42)
	if train.Len() != 1438 || test.Len() != 359 {
		t.Fatalf("split into %d and %d", train.Len(), test.Len())
	}
}

// tags are the first pixels, which tell the fixture's pictures apart.
func tags(s *Images) (out []float32) {
	for i := range s.Len() {
		out = append(out, s.One(i)[0]*16)
	}
	return out
}

func TestSplitAndShuffle(t *testing.T) {
	s := fixture(t)
	for _, share := range []float64{-1, 0, 0.25, 0.5, 1, 2} {
		train, test := s.Split(share, 3)
		if want := int(4 * max(0, min(1, share))); train.Len() != want {
			t.Errorf("share %g trains with %d, want %d", share, train.Len(), want)
		}
		all := append(tags(train), tags(test)...)
		slices.Sort(all)
		if !slices.Equal(all, []float32{0, 1, 2, 3}) {
			t.Errorf("share %g deals %v", share, all)
		}
		again, _ := s.Split(share, 3)
		if !slices.Equal(again.Pixels, train.Pixels) || !slices.Equal(again.Labels, train.Labels) {
			t.Errorf("share %g: another split from the same seed", share)
		}
	}
	orders := map[string]bool{}
	labels := map[float32]int{0: 0, 1: 1, 2: 7, 3: 4}
	for seed := range uint64(20) {
		out := s.Shuffle(seed)
		order := ""
		for i, tag := range tags(out) {
			order += string(rune('0' + int(tag)))
			if out.Labels[i] != labels[tag] {
				t.Fatalf("seed %d parts picture %v from its label", seed, tag)
			}
		}
		orders[order] = true
	}
	if len(orders) < 10 {
		t.Error("20 seeds give the orders", orders)
	}
	if !slices.Equal(tags(s), []float32{0, 1, 2, 3}) {
		t.Error("the source was shuffled too")
	}
}

func TestBatches(t *testing.T) {
	s := fixture(t)
	var seen []float32
	var sizes []int
	for b := range s.Batches(rand.New(rand.NewPCG(1, 1)), 3) {
		seen, sizes = append(seen, tags(b)...), append(sizes, b.Len())
	}
	slices.Sort(seen)
	if !slices.Equal(seen, []float32{0, 1, 2, 3}) || !slices.Equal(sizes, []int{3, 1}) {
		t.Fatalf("dealt %v in %v", seen, sizes)
	}
	for b := range s.Batches(rand.New(rand.NewPCG(1, 1)), 0) {
		if b.Len() != 1 {
			t.Fatal("a batch of", b.Len())
		}
		break
	}
}

func TestPictures(t *testing.T) {
	s := fixture(t)
	if c := s.Image(2).At(1, 0); c != (color.Gray{Y: 32}) { // 255 · 2/16, rounded
		t.Errorf("ink of 14 sixteenths is drawn as %v", c)
	}
	sheet := s.Sheet(3)
	if b := sheet.Bounds(); b.Dx() != 3*52+4 || b.Dy() != 2*52+4 {
		t.Fatal("the sheet is", b)
	}
	paper, gap := color.Gray{Y: 255}, color.Gray{Y: 160}
	for _, c := range []struct {
		x, y int
		want color.Gray
	}{{0, 0, gap}, {4 + 7*6, 4, paper}, {4 + 52 + 8*6, 4, gap}, {4, 4 + 52, color.Gray{Y: 207}}, {160 - 8, 108 - 8, gap}} {
		if got := sheet.At(c.x, c.y); got != c.want {
			t.Errorf("at %d, %d the sheet is %v, want %v", c.x, c.y, got, c.want)
		}
	}
	if b := s.Pick().Sheet(5).Bounds(); b.Empty() {
		t.Error("a sheet of nothing is", b)
	}
}

// Whatever the file says, it is read whole and in range or refused.
func FuzzReadDigits(f *testing.F) {
	f.Add(pack(f, drawn(f)))
	f.Add([]byte{0x1f, 0x8b})
	f.Fuzz(func(t *testing.T, file []byte) {
		s, err := ReadDigits(bytes.NewReader(file))
		if err != nil {
			return
		}
		if len(s.Pixels) != s.Len()*64 {
			t.Fatalf("%d pixels of %d pictures", len(s.Pixels), s.Len())
		}
		for _, p := range s.Pixels {
			if p < 0 || p > 1 {
				t.Fatal("a pixel of", p)
			}
		}
	})
}
