package check_test

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkLargeCell completes at the end of 2,000 statements.
func BenchmarkLargeCell(b *testing.B) {
	c, scope := checker(b)
	var code strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&code, "a%d := number + 3\n", i)
	}
	code.WriteString("points[0].")
	for b.Loop() {
		if _, _, list := c.Complete(code.String(), code.Len(), scope); len(list) == 0 {
			b.Fatal("nothing is offered")
		}
	}
}
