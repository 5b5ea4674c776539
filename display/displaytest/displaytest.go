// Package displaytest owns what tests ask of anything that is displayed: that each of
// its pictures is described for those who cannot see it. It imports display/mime and the
// standard library.
package displaytest

import (
	"encoding/json"
	"fmt"
	"html"
	"regexp"
	"strings"

	"attune/display/mime"
)

// Described is nil if a bundle has text, and each of its pictures, players and bars says
// what it shows: in HTML for front ends that show that (JupyterLab gives none to a picture
// that comes without HTML, and nbconvert warns of it), in the drawing for SVG, and in the
// metadata of pictures.
func Described(b mime.Bundle) error {
	if strings.TrimSpace(b.Data[mime.Text]) == "" {
		return fmt.Errorf("no text")
	}
	for _, typ := range []string{mime.PNG, mime.JPEG, mime.GIF, mime.WebP, mime.SVG} {
		if b.Data[typ] != "" && b.Data[mime.HTML] == "" {
			return fmt.Errorf("%s without HTML that describes it", typ)
		}
		if b.Data[typ] == "" || typ == mime.SVG {
			continue
		}
		var meta struct{ Alt string }
		if err := json.Unmarshal(b.Metadata[typ], &meta); err != nil || meta.Alt == "" {
			return fmt.Errorf("%s without a description in its metadata %s: %v", typ, b.Metadata[typ], err)
		}
	}
	if err := described(b.Data[mime.HTML]); err != nil {
		return fmt.Errorf("HTML: %w", err)
	}
	if err := described(b.Data[mime.SVG]); err != nil && !strings.Contains(b.Data[mime.SVG], "<title>") {
		return fmt.Errorf("SVG: %w", err)
	}
	return nil
}

// described looks at each element that a screen reader would have to name.
func described(markup string) error {
	element := regexp.MustCompile(`<(img|svg|object|audio|video|progress)((?:\s+[a-zA-Z:-]+(?:=(?:"[^"]*"|'[^']*'))?)*)\s*/?>`)
	attribute := regexp.MustCompile(`\s([a-zA-Z:-]+)=(?:"([^"]*)"|'([^']*)')`)
	for _, m := range element.FindAllStringSubmatch(markup, -1) {
		if inner := strings.TrimSpace(m[2]); m[1] == "svg" && !strings.Contains(inner, "role=") && strings.Contains(inner, "viewBox") && strings.Contains(inner, " y=") {
			continue // a window within a drawing
		}
		said := ""
		for _, a := range attribute.FindAllStringSubmatch(m[2], -1) {
			if a[1] == "alt" || a[1] == "aria-label" {
				said = strings.TrimSpace(html.UnescapeString(a[2] + a[3]))
			}
		}
		if said == "" {
			return fmt.Errorf("%.200s says nothing", m[0])
		}
	}
	return nil
}
