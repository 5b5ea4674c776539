package display_test

import (
	"errors"
	"fmt"

	"attune/display"
)

// Without a kernel Show writes the text form, so a cell's code runs as a program too.
func ExampleShow() {
	type city struct {
		Name       string
		Population int
	}
	display.Show([]city{{"Bern", 134591}, {"Sion", 35259}}, "two\nlines", errors.New("no map"))
	// Output:
	// []display_test.city{
	//     {Name: "Bern", Population: 134591},
	//     {Name: "Sion", Population: 35259},
	// }
	// `two
	// lines`
	// no map
}

// celsius says for itself how it is shown.
type celsius float64

func (c celsius) Bundle() display.Bundle {
	return display.Markdown(fmt.Sprintf("**%.1f** °C", float64(c))).Bundle()
}

func ExampleBundler() {
	b := display.Render(celsius(21.5))
	fmt.Println(b.Data["text/markdown"])
	// Output: **21.5** °C
}

func ExampleAttentionMap() {
	tokens := []string{"the", "cat", "sat"}
	weights := [][]float64{{1, 0, 0}, {0.5, 0.5, 0}, {0.2, 0.5, 0.3}}
	b := display.AttentionMap(weights, tokens, tokens, display.AttentionTitle("layer 0"))
	fmt.Println(b.Data["text/plain"])
	// Output: attention map, 3 queries × 3 keys: layer 0
}
