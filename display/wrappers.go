package display

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"html"
	"image"
	_ "image/jpeg" // so that JPEG's size can be read for its text form
	"strings"

	"attune/display/mime"
	"attune/display/text"
)

// HTML is markup to show as it stands. It is the author's to keep harmless: use
// html.EscapeString on what comes from data.
type HTML string

// Bundle implements Bundler.
func (s HTML) Bundle() mime.Bundle { return source(mime.HTML, string(s), string(s)) }

// Markdown is text that the front end typesets, formulas between $ signs included.
type Markdown string

// Bundle implements Bundler.
func (s Markdown) Bundle() mime.Bundle { return source(mime.Markdown, string(s), string(s)) }

// LaTeX is a formula. Without $ or \( of its own it stands as a displayed one.
type LaTeX string

// Bundle implements Bundler.
func (s LaTeX) Bundle() mime.Bundle {
	t := string(s)
	if !strings.ContainsAny(t, "$") && !strings.Contains(t, `\(`) && !strings.Contains(t, `\[`) && !strings.Contains(t, `\begin`) {
		t = "$$" + t + "$$"
	}
	return source(mime.LaTeX, t, string(s))
}

// SVG is a drawing's whole XML text, shown as a picture: scripts in it do not run.
type SVG string

// Bundle implements Bundler.
func (s SVG) Bundle() mime.Bundle {
	said := "SVG"
	if _, after, ok := strings.Cut(string(s), "<title>"); ok {
		title, _, _ := strings.Cut(after, "<")
		said = cmp.Or(strings.TrimSpace(html.UnescapeString(title)), said)
	}
	b := source(mime.SVG, string(s), fmt.Sprintf("%s (%s bytes)", said, text.Count(len(s))))
	whole := string(s)
	if !strings.Contains(whole, "http://www.w3.org/2000/svg") {
		whole = strings.Replace(whole, "<svg", `<svg xmlns="http://www.w3.org/2000/svg"`, 1)
	}
	b.Data[mime.HTML] = pictureTag(svgURI(whole), b.Data[mime.Text], 0, 0, "")
	return b
}

// PNG is the bytes of a PNG file.
type PNG []byte

// Bundle implements Bundler.
func (p PNG) Bundle() mime.Bundle { return encoded(mime.PNG, "PNG", p) }

// JPEG is the bytes of a JPEG file.
type JPEG []byte

// Bundle implements Bundler.
func (p JPEG) Bundle() mime.Bundle { return encoded(mime.JPEG, "JPEG", p) }

// JSON shows v as a tree that folds. v is encoded as encoding/json does it; a
// json.RawMessage passes as it stands. What cannot be encoded shows as the error.
func JSON(v any) mime.Bundle {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return errorBundle(fmt.Errorf("encode JSON: %w", err))
	}
	return source(mime.JSON, string(data), string(data))
}

func source(typ, s, plain string) mime.Bundle {
	return mime.Bundle{Data: map[string]string{typ: s, mime.Text: plain}}
}

// file is the bundle of a picture's bytes.
func file(typ string, data []byte, said string) mime.Bundle {
	b := mime.Plain(said)
	if err := putPicture(&b, typ, data, 0, 0); err != nil {
		return errorBundle(fmt.Errorf("show %s: %w", said, err))
	}
	return b
}

// encoded is the bundle of an image file's bytes. Bytes that are no such image are
// an error to read, instead of a broken picture.
func encoded(typ, name string, data []byte) mime.Bundle {
	c, format, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil || !strings.EqualFold(format, name) {
		return errorBundle(fmt.Errorf("show %s of %s bytes: not a %s file", name, text.Count(len(data)), name))
	}
	return file(typ, data, fmt.Sprintf("%s image, %d×%d pixels", name, c.Width, c.Height))
}
