package display

import (
	"encoding/json"
	"fmt"
	"html"
	"strings"

	"attune/display/mime"
)

// besideLeast is the width in page pixels down to which pictures shrink to stand beside
// each other.
const besideLeast = 380

// Beside shows values side by side, each as Render draws it. Pictures shrink for that,
// to about half a page; what does not fit then goes below.
func Beside(v ...any) mime.Bundle {
	var markup, plain strings.Builder
	markup.WriteString(`<div style="display:flex;flex-wrap:wrap;align-items:center;gap:16px">`)
	for i, x := range v {
		b := Render(x)
		if i > 0 {
			plain.WriteByte('\n')
		}
		plain.WriteString(b.Data[mime.Text])
		markup.WriteString(`<div style="` + room(b) + `">` + inline(b) + "</div>")
	}
	markup.WriteString("</div>")
	return source(mime.HTML, markup.String(), plain.String())
}

// room is how wide a part of Beside may be: a picture as wide as it is, and less where
// others stand beside it.
func room(b mime.Bundle) string {
	for _, typ := range []string{mime.PNG, mime.JPEG} {
		var size struct{ Width int }
		if json.Unmarshal(b.Metadata[typ], &size) == nil && size.Width > 0 {
			return fmt.Sprintf("flex:1 1 %dpx;max-width:%dpx", min(size.Width, besideLeast), size.Width)
		}
	}
	return "min-width:0"
}

// inline is a bundle as markup: its HTML, else its picture, else its text.
func inline(b mime.Bundle) string {
	if s := b.Data[mime.HTML]; s != "" {
		return s
	}
	if s := b.Data[mime.PNG]; s != "" {
		return pictureTag("data:image/png;base64,"+s, b.Data[mime.Text], 0, 0)
	}
	return "<pre>" + html.EscapeString(b.Data[mime.Text]) + "</pre>"
}
