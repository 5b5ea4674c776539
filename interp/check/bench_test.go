package check_test

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkLargeCell completes at the end of 2,000 statements: a member, and a name that
// some of them may declare.
func BenchmarkLargeCell(b *testing.B) {
	c, scope := checker(b)
	var lines strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&lines, "a%d := number + 3\n", i)
	}
	for name, last := range map[string]string{"member": "points[0].", "name": "poin"} {
		code := lines.String() + last
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, _, list := c.Complete(code, len(code), scope); len(list) == 0 {
					b.Fatal("nothing is offered")
				}
			}
		})
	}
}
