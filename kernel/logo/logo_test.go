package logo

import (
	"encoding/xml"
	"image/png"
	"testing"
)

// Front ends ask for these names and draw the pictures at these sizes.
func TestSizes(t *testing.T) {
	for name, side := range map[string]int{"logo-32x32.png": 32, "logo-64x64.png": 64} {
		f, err := Files.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		config, err := png.DecodeConfig(f)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if config.Width != side || config.Height != side {
			t.Errorf("%s is %d by %d, want %d by %d", name, config.Width, config.Height, side, side)
		}
	}
}

func TestDrawing(t *testing.T) {
	text, err := Files.ReadFile("logo-svg.svg")
	if err != nil {
		t.Fatal(err)
	}
	var root struct{ XMLName xml.Name }
	if err := xml.Unmarshal(text, &root); err != nil {
		t.Fatal(err)
	}
	if want := (xml.Name{Space: "http://www.w3.org/2000/svg", Local: "svg"}); root.XMLName != want {
		t.Errorf("root element is %v, want %v", root.XMLName, want)
	}
}
