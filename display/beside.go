package display

import (
	"encoding/json"
	"fmt"
	"html"
	"strings"

	"attune/display/mime"
)

// Beside shows values side by side, each as Render draws it, and one below the
// other where the page is too narrow.
func Beside(v ...any) mime.Bundle {
	var markup, plain strings.Builder
	markup.WriteString(`<div style="display:flex;flex-wrap:wrap;align-items:center;gap:16px">`)
	for i, x := range v {
		b := Render(x)
		if i > 0 {
			plain.WriteByte('\n')
		}
		plain.WriteString(b.Data[mime.Text])
		markup.WriteString("<div>" + inline(b) + "</div>")
	}
	markup.WriteString("</div>")
	return source(mime.HTML, markup.String(), plain.String())
}

// inline is a bundle as markup: its HTML, else its picture, else its text. Pictures
// are PNG and not SVG, which front ends strike out of markup that they do not trust.
func inline(b mime.Bundle) string {
	if s := b.Data[mime.HTML]; s != "" {
		return s
	}
	alt := html.EscapeString(b.Data[mime.Text])
	for _, typ := range []string{mime.PNG, mime.JPEG} {
		s := b.Data[typ]
		if s == "" {
			continue
		}
		var size struct{ Width, Height int }
		attributes := ""
		if json.Unmarshal(b.Metadata[typ], &size) == nil && size.Width > 0 && size.Height > 0 {
			attributes = fmt.Sprintf(` width="%d" height="%d"`, size.Width, size.Height)
		}
		return fmt.Sprintf(`<img src="data:%s;base64,%s" alt="%s"%s>`, typ, s, alt, attributes)
	}
	return "<pre>" + alt + "</pre>"
}
