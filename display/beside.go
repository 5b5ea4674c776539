package display

import (
	"encoding/json"
	"fmt"
	"html"
	"strings"

	"attune/display/mime"
)

// besideLeast is the width in page pixels down to which pictures shrink to stand beside
// each other, and besideGap what lies between them.
const besideLeast, besideGap = 380, 16

// Beside shows values side by side, each as Render draws it. Pictures shrink for that,
// to about half a page; what does not fit then goes below.
func Beside(v ...any) mime.Bundle {
	bundles := make([]mime.Bundle, len(v))
	texts := make([]string, len(v))
	for i, x := range v {
		bundles[i] = Render(x)
		texts[i] = bundles[i].Data[mime.Text]
	}
	style, each := rows(bundles)
	var markup strings.Builder
	markup.WriteString(`<div style="` + style + `">`)
	for i, b := range bundles {
		markup.WriteString(`<div style="` + each[i] + `">` + inline(b) + "</div>")
	}
	markup.WriteString("</div>")
	return source(mime.HTML, markup.String(), strings.Join(texts, "\n"))
}

// rows is the style of the whole and of each part: a grid where all are pictures of one
// width, so that they stay alike when they wrap; else each takes what it needs, pictures
// less where others stand beside them.
func rows(bundles []mime.Bundle) (style string, each []string) {
	widths := make([]int, len(bundles))
	alike := true
	for i, b := range bundles {
		for _, typ := range []string{mime.PNG, mime.JPEG} {
			var size struct{ Width int }
			if json.Unmarshal(b.Metadata[typ], &size) == nil {
				widths[i] = max(widths[i], size.Width)
			}
		}
		alike = alike && widths[i] > besideLeast && widths[i] == widths[0]
	}
	each = make([]string, len(bundles))
	if alike && len(bundles) > 0 {
		return fmt.Sprintf("display:grid;grid-template-columns:repeat(auto-fit,minmax(min(%dpx,100%%),1fr));align-items:center;gap:%dpx;max-width:%dpx",
			besideLeast, besideGap, len(bundles)*(widths[0]+besideGap)-besideGap), each
	}
	for i, w := range widths {
		if each[i] = "min-width:0"; w > 0 {
			each[i] = fmt.Sprintf("flex:1 1 %dpx;max-width:%dpx", min(w, besideLeast), w)
		}
	}
	return fmt.Sprintf("display:flex;flex-wrap:wrap;align-items:center;gap:%dpx", besideGap), each
}

// inline is a bundle as markup: its HTML, else its picture, else its text.
func inline(b mime.Bundle) string {
	if s := b.Data[mime.HTML]; s != "" {
		return s
	}
	if s := b.Data[mime.PNG]; s != "" {
		return pictureTag("data:image/png;base64,"+s, b.Data[mime.Text], 0, 0, "")
	}
	return "<pre>" + html.EscapeString(b.Data[mime.Text]) + "</pre>"
}
