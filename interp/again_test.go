package interp_test

import (
	"strings"
	"testing"
	"time"
)

// TestCellsAgain runs instant cells again that the worker keeps ready, after what they
// name has changed.
func TestCellsAgain(t *testing.T) {
	s := open(t)
	const index, sum = "xs[i]", "for _, v := range xs {\n\ttotal += v\n}"
	answer(t, s, []exchange{
		{"import \"fmt\"\nfunc f(x int) int { return 2 * x }\nvar x, i, total, xs = 1, 3, 0, []int{1, 2}", ""},
		{"f(x)", "= 2\n"},
		{"f(x)", "= 2\n"},
		{"x = 5", ""},
		{"f(x)", "= 10\n"},
		{"func f(x int) int { return 3 * x }", ""},
		{"f(x)", "= 15\n"},
		{"x", "= 5\n"},
		{"x := \"text\"", ""},
		{"x", "= \"text\"\n"},
		{"x := 7", ""},
		{"f(x)", "= 21\n"},
		{"x", "= 7\n"},
		{"fmt.Println(x)", "7\n"},
		{"fmt.Println(x)", "7\n"},
		{"x++", ""},
		{"x++", ""},
		{"fmt.Sprint(x, f(x))", "= \"9 27\"\n"},
		{"fmt.Sprint(x, f(x))", "= \"9 27\"\n"},
		{sum, ""},
		{sum, ""},
		{"total", "= 6\n"},
		{"xs = make([]int, 5000)\nxs[4999] = 1", ""},
		{sum, ""},
		{"total", "= 7\n"},
		{"xs = xs[:2]", ""},
		{index, "! runtime error: index out of range [3] with length 2\nruntime error: index out of range [3] with length 2\n  at In[27]:1\n      xs[i]\n      ^^^^^\n"},
		{index, "! runtime error: index out of range [3] with length 2\nruntime error: index out of range [3] with length 2\n  at In[28]:1\n      xs[i]\n      ^^^^^\n"},
		{"i = 1", ""},
		{index, "= 0\n"},
		{"type T struct{ A int }\nvar v = T{1}", ""},
		{"v", "= T{A: 1}\n"},
		{"v", "= T{A: 1}\n"},
		{"type T struct{ A, B int }\nv := T{1, 2}", ""},
		{"v", "= T{A: 1, B: 2}\n"},
	})
}

// TestAgainAfterInterrupt interrupts a kept cell, which then runs to its end.
func TestAgainAfterInterrupt(t *testing.T) {
	s := open(t)
	mustRun(t, s, 1, "import (\"fmt\"; \"time\")\nvar wait = time.Millisecond")
	const cell = "fmt.Println(\"begun\")\ntime.Sleep(wait)\nfmt.Println(\"over\")"
	mustAnswer(t, s, 2, cell, "begun\nover\n")
	mustAnswer(t, s, 3, cell, "begun\nover\n")
	mustRun(t, s, 4, "wait = 300 * time.Millisecond")
	long := begin(t, s, 5, cell)
	for !strings.Contains(long.text(), "begun") {
		time.Sleep(time.Millisecond)
	}
	s.Interrupt()
	if res := <-long.done; res.Err == nil || res.Err.Name != "Interrupted" {
		t.Errorf("the interrupted cell ended as %v", res.Err)
	}
	mustRun(t, s, 6, "wait = 0")
	mustAnswer(t, s, 7, cell, "begun\nover\n")
	mustAnswer(t, s, 8, cell, "begun\nover\n")
}
