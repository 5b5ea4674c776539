package data

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text is "Pride and Prejudice" (Jane Austen 1813, in the public domain), 700,000
// letters. `./install.sh data` fetches it; where it is missing, the error is a
// *NotFoundError.
func Text() (string, error) {
	path, err := Path("pride-and-prejudice.txt")
	var missing *NotFoundError
	if errors.As(err, &missing) {
		missing.Fetch = "./install.sh data"
	}
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read the text: %w", err)
	}
	return string(text), nil
}

// Vocabulary numbers the tokens of a text. It is plain data: to keep one beside a
// model, write it as JSON.
type Vocabulary struct {
	// Tokens is each token's text, by its number.
	Tokens []string
	// Words says that tokens are words; else they are bytes.
	Words bool

	number map[string]int32 // made at first use
}

// Unknown is the token, number 0, that stands for words outside the vocabulary.
const Unknown = "<unknown>"

// Len is the number of tokens.
func (v *Vocabulary) Len() int { return len(v.Tokens) }

// Encode is the tokens of a text. A word outside the vocabulary becomes Unknown; a byte
// outside is an error that names it.
func (v *Vocabulary) Encode(text string) ([]int32, error) {
	if v.number == nil {
		v.number = make(map[string]int32, len(v.Tokens))
		for i, t := range v.Tokens {
			v.number[t] = int32(i)
		}
	}
	pieces := byteByByte
	if v.Words {
		pieces = wordByWord
	}
	out := make([]int32, 0, len(text))
	at := 0
	for piece := range pieces(text) {
		n, ok := v.number[piece]
		if !ok && !v.Words {
			return nil, fmt.Errorf("encode the text: byte %d, %q, is not in the vocabulary of %d", at, piece, v.Len())
		}
		out = append(out, n) // 0 is Unknown
		at += len(piece)
	}
	return slices.Clip(out), nil
}

// Decode is the text of tokens. Numbers that are no token's are passed over.
func (v *Vocabulary) Decode(tokens []int32) string {
	var out strings.Builder
	for _, t := range tokens {
		if t >= 0 && int(t) < len(v.Tokens) {
			out.WriteString(v.Tokens[t])
		}
	}
	return out.String()
}

func byteByByte(text string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for i := range len(text) {
			if !yield(text[i : i+1]) {
				return
			}
		}
	}
}

// wordByWord cuts a text into words with the space before them, and single other
// characters, so that the pieces joined are the text.
func wordByWord(text string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for len(text) > 0 {
			n := 0
			if text[0] == ' ' {
				n = 1
			}
			letters := 0
			for n+letters < len(text) {
				r, size := utf8.DecodeRuneInString(text[n+letters:])
				if !unicode.IsLetter(r) && r != '\'' && r != '’' {
					break
				}
				letters += size
			}
			n += letters
			if letters == 0 && n < len(text) {
				_, size := utf8.DecodeRuneInString(text[n:])
				n += size
			}
			if !yield(text[:n]) {
				return
			}
			text = text[n:]
		}
	}
}

// Corpus is a text as tokens.
type Corpus struct {
	Tokens     []int32
	Vocabulary *Vocabulary
}

// ByBytes is a text byte by byte, over the bytes that occur in it, in their order.
func ByBytes(text string) *Corpus {
	var seen [256]bool
	for i := range len(text) {
		seen[text[i]] = true
	}
	v := &Vocabulary{}
	var number [256]int32
	for b, ok := range seen {
		if ok {
			number[b] = int32(v.Len())
			v.Tokens = append(v.Tokens, string([]byte{byte(b)}))
		}
	}
	c := &Corpus{Tokens: make([]int32, len(text)), Vocabulary: v}
	for i := range len(text) {
		c.Tokens[i] = number[text[i]]
	}
	return c
}

// ByWords is a text word by word, over the most frequent words (at most that many, ties
// in the order of the alphabet); every other word is Unknown.
func ByWords(text string, most int) *Corpus {
	count := map[string]int{}
	for piece := range wordByWord(text) {
		count[piece]++
	}
	words := make([]string, 0, len(count))
	for w := range count {
		words = append(words, w)
	}
	slices.SortFunc(words, func(a, b string) int {
		if count[a] != count[b] {
			return count[b] - count[a]
		}
		return strings.Compare(a, b)
	})
	v := &Vocabulary{Words: true, Tokens: append([]string{Unknown}, words[:max(0, min(most, len(words)))]...)}
	tokens, _ := v.Encode(text) // words have no error
	return &Corpus{tokens, v}
}

// Split parts a text in two without copying it: the first share (0 to 1) of its tokens
// to train with, and what follows, held out. Text is not shuffled, for neighbours know
// each other.
func (c *Corpus) Split(share float64) (train, test *Corpus) {
	cut := max(0, min(len(c.Tokens), int(share*float64(len(c.Tokens)))))
	return &Corpus{c.Tokens[:cut:cut], c.Vocabulary}, &Corpus{c.Tokens[cut:], c.Vocabulary}
}

// Windows is a text as examples of length tokens, each to be followed by the token after
// it. Examples begin stride tokens apart: at length they meet, below they overlap.
func (c *Corpus) Windows(length, stride int) *Windows {
	return &Windows{Corpus: c, Length: max(1, length), Stride: max(1, stride)}
}

// Windows is a Dataset of a language model: Tokens (N, Length), Labels (N·Length).
type Windows struct {
	Corpus         *Corpus
	Length, Stride int
}

// Len is the number of whole windows that have a token after them.
func (w *Windows) Len() int {
	return max(0, (len(w.Corpus.Tokens)-w.Length-1+w.Stride)/w.Stride)
}

// Batch is the windows of those indices.
func (w *Windows) Batch(index []int) (*Batch, error) {
	b := &Batch{
		Tokens: make([]int32, 0, len(index)*w.Length), Labels: make([]int, 0, len(index)*w.Length),
		Shape: []int{len(index), w.Length},
	}
	for _, i := range index {
		if i < 0 || i >= w.Len() {
			return nil, outOfRange(i, w.Len())
		}
		from := w.Corpus.Tokens[i*w.Stride:]
		b.Tokens = append(b.Tokens, from[:w.Length]...)
		for _, t := range from[1 : w.Length+1] {
			b.Labels = append(b.Labels, int(t))
		}
	}
	return b, nil
}
