package display

import (
	"fmt"
	"html"
	"image"
	"image/color"
	stddraw "image/draw"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"

	"attune/display/mime"
	"attune/display/palette"
)

// MatrixView draws one head of one layer as AttentionMap does, and a layer's heads
// side by side for head -1. A baseline stands next to it under the same scale, for all
// heads that of their mean. What the keys receive, and each score beside it, stand as bars
// under the keys.
func (a *Attention) MatrixView(layer, head int, options ...AttentionOption) mime.Bundle {
	if layer < 0 || layer >= a.layers || head >= a.heads {
		return errorBundle(fmt.Errorf("draw attention of layer %d, head %d: there are %s of %s", layer, head, plural(a.layers, "layer"), plural(a.heads, "head")))
	}
	from, to, title := layer*a.heads, (layer+1)*a.heads, fmt.Sprintf("layer %d", layer)
	if head >= 0 {
		from, to, title = from+head, from+head+1, fmt.Sprintf("%s, head %d", title, head)
	}
	var all [][][]float64
	var names []string
	var dealtHeads [][]float32
	for h := from; h < to; h++ {
		all, names = append(all, a.rows(a.w[h])), append(names, fmt.Sprintf("head %d", h-layer*a.heads))
		if a.dealt != nil {
			dealtHeads = append(dealtHeads, a.dealt.head(h))
		}
	}
	received, others := a.receivedOf(a.w[from:to]), a.others(layer)
	if a.dealt != nil {
		if to-from > 1 {
			all, names = append(all, meanOf(all)), append(names, "all heads")
		}
		chance := make([][][]float64, len(dealtHeads))
		for i, w := range dealtHeads {
			chance[i] = a.rows(w)
		}
		all, names = append(all, meanOf(chance)), append(names, atRandom)
		others[0].Values = a.receivedOf(dealtHeads)
	}
	marks := func(v *attentionView) {
		if v.notes = append(v.notes, agree(received, others)...); len(others) > 0 {
			v.strips = append([]Score{{"received", received}}, others...)
		}
	}
	options = append([]AttentionOption{AttentionTitle(title), HeadNames(names...), marks}, options...)
	return AttentionMap(all, a.queries, a.keys, options...)
}

// rows is a head's weights query by query.
func (a *Attention) rows(w []float32) (rows [][]float64) {
	for i := 0; i < len(w); i += len(a.keys) {
		rows = append(rows, widen(w[i:i+len(a.keys)]))
	}
	return rows
}

// meanOf is the mean of some heads' weights.
func meanOf(heads [][][]float64) [][]float64 {
	if len(heads) == 1 {
		return heads[0]
	}
	mean := make([][]float64, len(heads[0]))
	for i := range mean {
		mean[i] = make([]float64, len(heads[0][i]))
		for _, h := range heads {
			for j, x := range h[i] {
				mean[i][j] += x / float64(len(heads))
			}
		}
	}
	return mean
}

// TokenView is the text with each token shaded by the attention that it receives in a
// layer, in all for -1, and below it once more for each score that stands beside. The
// HTML needs no script and no trust; a token's own number shows under the pointer.
func (a *Attention) TokenView(layer int) mime.Bundle {
	received := a.Received(layer)
	all := append([]Score{{"received attention", received}}, a.others(layer)...)
	alt := fmt.Sprintf("text of %s shaded by attention", plural(len(a.keys), "token"))
	var h strings.Builder
	for i, s := range all {
		note := ""
		if i > 0 {
			note = fmt.Sprintf(", Kendall's τ with attention %.2f", Agreement(received, s.Values))
			alt += "; " + s.Name + note
		}
		if len(s.Values) != len(a.keys) {
			return errorBundle(fmt.Errorf("shade tokens: score %q has %d values for %s", s.Name, len(s.Values), plural(len(a.keys), "token")))
		}
		fmt.Fprintf(&h, `<div style="margin:.3em 0"><span style="font-size:85%%;color:var(--jp-ui-font-color2,#767676)">%s</span><br/>`, html.EscapeString(s.Name+note))
		c := scoreColor(i)
		most := max(slices.Max(s.Values), 1e-30)
		for j, t := range a.keys {
			fmt.Fprintf(&h, `<span title="%.3g" style="background-color:rgba(%d,%d,%d,%.2f);padding:1px 2px">%s</span> `,
				s.Values[j], c.R, c.G, c.B, shadeOf(s.Values[j]/most), html.EscapeString(visible(t)))
		}
		h.WriteString(`</div>`)
	}
	b := a.tokenPicture(all, received, alt)
	b.Data[mime.HTML] = h.String()
	return b
}

// shadeOf is how opaque a token's ground is; text on it stays legible.
func shadeOf(share float64) float64 { return 0.62 * math.Sqrt(min(max(share, 0), 1)) }

// visible is a token with white space to be seen, cut where it is very long.
func visible(t string) string { return pooledTokens([]string{t}, 1)[0] }

// chip is a colour on white, that much of it.
func chip(c color.NRGBA, share float64) color.NRGBA {
	c.A = uint8(255 * share)
	return palette.Over(c, color.NRGBA{0xff, 0xff, 0xff, 0xff})
}

// tokenPicture is the shaded text as a picture, of up to some pages.
func (a *Attention) tokenPicture(all []Score, received []float64, alt string) mime.Bundle {
	const width, line = 480.0, 14.0
	style := penText{size: 9}
	type spot struct{ x, y, w float64 }
	spots := make([]spot, len(a.keys))
	x, y := 0.0, 0.0
	for j, t := range a.keys {
		w := style.style().Width(visible(t)).Points() + 4
		if x > 0 && x+w > width {
			x, y = 0, y+line
		}
		spots[j] = spot{x, y, w}
		x += w + 2
	}
	block := y + line + 22
	height := block*float64(len(all)) + 2*margin
	paint := func(c draw.Canvas) {
		p := canvasPen{c, height}
		for i, s := range all {
			top := margin + block*float64(i)
			name := s.Name
			if i > 0 {
				name += fmt.Sprintf(", Kendall's τ with attention %.2f", Agreement(received, s.Values))
			}
			p.text(margin, top+6, name, penText{size: 8, anchor: -1, bold: true})
			most := max(slices.Max(s.Values), 1e-30)
			for j, at := range spots {
				// Opaque, so that the text on it is as legible on a dark page; in steps, for
				// a palette's sake.
				ground := chip(scoreColor(i), math.Round(10*shadeOf(s.Values[j]/most))/10)
				p.rect(margin+at.x, top+16+at.y, at.w, line-1.5, ground, "")
				p.text(margin+at.x+2, top+16+at.y+line/2-0.5, visible(a.keys[j]), penText{size: 9, anchor: -1, class: classOn(inkOn(ground))})
			}
		}
	}
	b := mime.Plain(alt)
	if err := drawPNG(&b, density, vg.Points(width+2*margin), vg.Points(height), small, paint); err != nil {
		return errorBundle(fmt.Errorf("draw shaded tokens: %w", err))
	}
	return b
}

// PatchView lays the attention that each patch of an image gets over the image: from
// the query of that number, or the mean of all for -1; in one layer, or all for -1.
// The keys are rows × columns patches in row-major order, after skip others (a class
// token). The image stands beside it, and so does each score.
func (a *Attention) PatchView(img image.Image, rows, columns, skip, query, layer int) mime.Bundle {
	if rows < 1 || columns < 1 || skip < 0 || skip+rows*columns != len(a.keys) || query >= len(a.queries) || img == nil || img.Bounds().Empty() {
		return errorBundle(fmt.Errorf("lay attention over an image: %d + %d × %d patches, query %d, for %s and %s", skip, rows, columns, query, plural(len(a.keys), "key"), plural(len(a.queries), "query")))
	}
	name := "received attention"
	values := a.Received(layer)
	others := a.others(layer)
	if query >= 0 {
		name, values = fmt.Sprintf("attention of query %d", query), a.from(a.w, query, layer)
		if a.dealt != nil {
			others[0].Values = a.from(a.dealtHeads(), query, layer)
		}
	}
	all := []Score{{name, values}}
	for _, s := range others {
		if len(s.Values) != len(a.keys) {
			return errorBundle(fmt.Errorf("lay %s over an image: %d values for %s", s.Name, len(s.Values), plural(len(a.keys), "key")))
		}
		note := fmt.Sprintf("%s, τ %.2f", s.Name, Agreement(values, s.Values))
		all = append(all, Score{note, s.Values})
	}
	side := 150.0
	r := img.Bounds()
	w, h := side, side*float64(r.Dy())/float64(r.Dx())
	if h > 2*side {
		w, h = w*2*side/h, 2*side
	}
	width, height := 2*margin+(w+12)*float64(len(all)+1), 2*margin+h+16
	alt := fmt.Sprintf("image of %d × %d patches", rows, columns)
	for _, s := range all {
		alt += "; " + s.Name
	}
	return Draw(vg.Points(max(width, 160)), vg.Points(height), alt, func(c draw.Canvas) {
		p := canvasPen{c, height}
		for i := range len(all) + 1 {
			x, y := margin+(w+12)*float64(i), margin+14.0
			rect := vg.Rectangle{Min: p.at(x, y+h), Max: p.at(x+w, y)}
			if i == 0 {
				p.text(x, margin+5, "image", penText{size: 8, anchor: -1})
				drawSharp(c, rect, img)
				continue
			}
			p.text(x, margin+5, all[i-1].Name, penText{size: 8, anchor: -1})
			drawSharp(c, rect, overlaid(img, all[i-1].Values[skip:], rows, columns))
		}
	})
}

// dealtHeads is the baseline's weights of all heads.
func (a *Attention) dealtHeads() (all [][]float32) {
	for h := range a.w {
		all = append(all, a.dealt.head(h))
	}
	return all
}

// from is what one query gives to each key by the weights of all heads, the mean over
// them.
func (a *Attention) from(weights [][]float32, query, layer int) []float64 {
	one := &Attention{queries: a.queries[query : query+1], keys: a.keys, layers: a.layers, heads: a.heads}
	n := len(a.keys)
	for _, w := range weights {
		one.w = append(one.w, w[query*n:(query+1)*n])
	}
	return one.Received(layer)
}

// overlaid is the image, greyed, under colours that follow the patches' values and are
// the more opaque the greater they are.
func overlaid(img image.Image, values []float64, rows, columns int) image.Image {
	r := img.Bounds()
	k := max(1, 320/max(r.Dx(), r.Dy()))
	out := image.NewRGBA(image.Rect(0, 0, r.Dx()*k, r.Dy()*k))
	colors := palette.Sequential()
	most := max(slices.Max(values), 1e-30)
	for y := range out.Bounds().Dy() {
		for x := range out.Bounds().Dx() {
			v := max(values[y*rows/out.Bounds().Dy()*columns+x*columns/out.Bounds().Dx()]/most, 0)
			c := colors[int(v*float64(len(colors)-1))]
			gray := color.GrayModel.Convert(img.At(r.Min.X+x/k, r.Min.Y+y/k)).(color.Gray).Y
			t := 0.25 + 0.5*v
			mix := func(u uint8) uint8 { return uint8((1-t)*float64(gray) + t*float64(u)) }
			out.SetRGBA(x, y, color.RGBA{mix(c.R), mix(c.G), mix(c.B), 0xff})
		}
	}
	return out
}

// drawSharp draws an image into a rectangle with its pixels as squares.
func drawSharp(c draw.Canvas, rect vg.Rectangle, img image.Image) {
	pixels, ok := c.Canvas.(*vgimg.Canvas)
	if !ok {
		if k := 320 / max(img.Bounds().Dx(), img.Bounds().Dy()); k > 1 {
			img = enlarged{img, k}
		}
		c.DrawImage(rect, img)
		return
	}
	to := pixels.Image()
	dot := func(l vg.Length) int { return int(math.Round(l.Dots(pixels.DPI()))) }
	h := to.Bounds().Dy()
	area := image.Rect(dot(rect.Min.X), h-dot(rect.Max.Y), dot(rect.Max.X), h-dot(rect.Min.Y))
	r := img.Bounds()
	for y := area.Min.Y; y < area.Max.Y; y++ {
		for x := area.Min.X; x < area.Max.X; x++ {
			px := img.At(r.Min.X+(x-area.Min.X)*r.Dx()/area.Dx(), r.Min.Y+(y-area.Min.Y)*r.Dy()/area.Dy())
			stddraw.Draw(to, image.Rect(x, y, x+1, y+1), image.NewUniform(px), image.Point{}, stddraw.Over)
		}
	}
}
