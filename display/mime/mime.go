// Package mime owns the one type that carries something to look at: a MIME
// bundle. It is the vocabulary between what draws (display), what runs (interp)
// and what sends (kernel), and it imports nothing but the standard library, so
// that the front can speak of pictures without linking a plotting library.
package mime

import "encoding/json"

// The MIME types that attune writes, in the spelling front ends expect.
const (
	Text     = "text/plain"
	HTML     = "text/html"
	Markdown = "text/markdown"
	LaTeX    = "text/latex"
	SVG      = "image/svg+xml"
	PNG      = "image/png"
	JPEG     = "image/jpeg"
	GIF      = "image/gif"
	WebP     = "image/webp"
	JSON     = "application/json"
)

// Bundle is one output in several forms, of which a front end shows the richest
// that it can and trusts (messaging spec, "display_data").
//
// Data maps a MIME type to its text: binary types are base64 without line
// breaks, JSON types (those that end in "json") hold JSON text, all others hold
// the text itself. Every bundle has text/plain. Metadata maps a MIME type to a
// JSON object, for instance {"width": 640, "height": 480} of a PNG.
type Bundle struct {
	Data     map[string]string
	Metadata map[string]json.RawMessage `json:",omitempty"`
}

// Plain is the bundle that holds text alone.
func Plain(text string) Bundle {
	return Bundle{Data: map[string]string{Text: text}}
}
