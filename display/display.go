// Package display owns how a value looks: it turns any Go value into a MIME bundle
// (Render), shows bundles in the running cell's output (Show, Live, Clear), and
// draws the pictures of a notebook: plots, loss curves, attention maps.
//
// It imports display/mime, display/text, display/table and display/palette of this
// module, gonum and gonum/plot, and nothing else beside the standard library.
//
// The session handle that SetOut sets is the package's only mutable state.
package display

import (
	"fmt"
	"html"
	"image"
	"reflect"

	"gonum.org/v1/gonum/graph"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/plot"

	"attune/display/mime"
	"attune/display/text"
)

// Bundle is mime.Bundle under a name that cells reach with one import.
type Bundle = mime.Bundle

// Bundler is what a type implements to say for itself how it is shown. A bundle
// without text/plain gets the value's Go syntax for it.
type Bundler interface {
	Bundle() mime.Bundle
}

// Render is the bundle of any value. It has text/plain always, and beside it
//   - what the value's own Bundle method gives, where it has one;
//   - PNG and SVG for a *plot.Plot and for a directed graph, PNG for an image.Image;
//   - a picture or a player for a []byte that holds a file which browsers show;
//   - an HTML table for slices and arrays of structs or of rows, for maps and for
//     gonum matrices and tensors;
//   - red HTML for an error.
//
// Text in v never becomes markup. A method of v that panics becomes text that says
// so. The time does not grow with the length of v.
func Render(v any) mime.Bundle { return RenderValue(reflect.ValueOf(v)) }

// RenderValue is Render for a reflected value, which need not be one whose type is
// known to the caller.
func RenderValue(v reflect.Value) (b mime.Bundle) {
	for v.IsValid() && v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	if !v.IsValid() {
		return mime.Plain("nil")
	}
	defer func() {
		if r := recover(); r != nil {
			b = panicked(v.Type(), r)
		}
	}()
	if b, ok := rich(v); ok {
		return withText(b, v)
	}
	b = mime.Plain(plain(v))
	if h, ok := htmlTable(v); ok {
		b.Data[mime.HTML] = h
	}
	return b
}

// rich asks the types that bring or get more than text.
func rich(v reflect.Value) (mime.Bundle, bool) {
	if !v.CanInterface() {
		return mime.Bundle{}, false
	}
	if text.IsNil(v) {
		// A nil slice or map is an empty one to its own methods.
		x, ok := v.Interface().(Bundler)
		if !ok || v.Kind() != reflect.Slice && v.Kind() != reflect.Map {
			return mime.Bundle{}, false
		}
		return x.Bundle(), true
	}
	switch x := v.Interface().(type) {
	case mime.Bundle:
		return x, true
	case Bundler:
		return x.Bundle(), true
	case *plot.Plot:
		return Figure{Plot: x}.Bundle(), true
	case error:
		return errorBundle(x), true
	case image.Image:
		return imageBundle(x), true
	case mat.Matrix:
		return matrixBundle(x), true
	case []byte:
		return media(x)
	case graph.Directed:
		return GraphOf(x).Bundle(), true
	}
	if t, ok := tensorOf(v); ok {
		return t.bundle(v), true
	}
	return mime.Bundle{}, false
}

// withText completes a bundle that came without text/plain. The map is copied,
// because a type may hand out the same one every time.
func withText(b mime.Bundle, v reflect.Value) mime.Bundle {
	if _, ok := b.Data[mime.Text]; ok {
		return b
	}
	data := make(map[string]string, len(b.Data)+1)
	for k, s := range b.Data {
		data[k] = s
	}
	data[mime.Text] = plain(v)
	b.Data = data
	return b
}

func plain(v reflect.Value) string { return text.Format(v, text.Limits{}) }

func panicked(t reflect.Type, r any) mime.Bundle {
	return mime.Plain(fmt.Sprintf("<showing %s panicked: %s>", text.TypeName(t), text.Panic(r)))
}

// errorBundle shows an error as a value: red, with its type where that tells more
// than "some error".
func errorBundle(err error) mime.Bundle {
	msg := text.Format(reflect.ValueOf(err), text.Limits{})
	return mime.Bundle{Data: map[string]string{
		mime.Text: msg,
		mime.HTML: `<pre style="color:var(--jp-error-color1,#d32f2f);white-space:pre-wrap;word-break:normal;overflow-wrap:anywhere;margin:0">` +
			`<b>` + html.EscapeString(errorName(reflect.TypeOf(err))) + `</b> ` +
			html.EscapeString(msg) + `</pre>`,
	}}
}

// errorName is "error" for what errors.New and fmt.Errorf make.
func errorName(t reflect.Type) string {
	of := t
	if t.Kind() == reflect.Pointer {
		of = t.Elem()
	}
	switch of.PkgPath() {
	case "errors", "fmt":
		return "error"
	}
	return text.TypeName(t)
}
