package check

import (
	"strings"
	"testing"
)

// TestIsComplete: each case is code, what it is, and the tabs of the next line.
func TestIsComplete(t *testing.T) {
	c := NewChecker(nil)
	for _, k := range []struct {
		code, status string
		tabs         int
	}{
		{"", "complete", 0},
		{"// only words", "complete", 0},
		{"x := 1", "complete", 0},
		{"x := 1\ny := 2\nx + y", "complete", 0},
		{"import \"fmt\"", "complete", 0},
		{"package main\n\nfunc main() {}", "complete", 0},
		{"type T struct {\n\tA int\n}\nfunc (t T) F() int { return t.A }", "complete", 0},
		{"for i := 0; i < 3; i++ {\n\tf(i)\n}", "complete", 0},
		{"if x {\n} else {\n}", "complete", 0},
		{"go func() {}()", "complete", 0},
		{"s := `raw`", "complete", 0},
		{"f(\n\t1,\n)", "complete", 0},
		{"L:\nfor {\n\tbreak L\n}", "complete", 0},
		{"goto L\nL:\nf()", "complete", 0},

		{"func f() {", "incomplete", 1},
		{"func f() {\n\tfor {", "incomplete", 2},
		{"func f() {\n\tfor {\n\t}", "incomplete", 1},
		{"func f() {\n\tx := 1\n", "incomplete", 1},
		{"if x {", "incomplete", 1},
		{"if x {\n\tf()\n} else", "incomplete", 0},
		{"if x {\n\tf()\n} else {", "incomplete", 1},
		{"if x := f(", "incomplete", 1},
		{"for i := f(", "incomplete", 1},
		{"for i := range 3 {\n", "incomplete", 1},
		{"switch x {", "incomplete", 0},
		{"switch x {\ncase 1:", "incomplete", 1},
		{"switch x {\ncase 1:\n\tf()", "incomplete", 1},
		{"switch x {\ncase 1:\n\tif y {", "incomplete", 2},
		{"switch x {\ncase", "incomplete", 1},
		{"func f() {\n\tselect {", "incomplete", 1},
		{"func f() {\n\tselect {\n\tcase <-c:", "incomplete", 2},
		{"type T struct {", "incomplete", 1},
		{"type T struct {\n\tA int", "incomplete", 1},
		{"type T struct", "incomplete", 0},
		{"type I interface {\n\tF()", "incomplete", 1},
		{"import (", "incomplete", 1},
		{"import (\n\t\"fmt\"", "incomplete", 1},
		{"var (\n\tx = 1", "incomplete", 1},
		{"x := []int{", "incomplete", 1},
		{"x := []int{1,", "incomplete", 1},
		{"x := map[string]int{\n\t\"a\": 1,", "incomplete", 1},
		{"x := map[string]int{\"a\":", "incomplete", 1},
		{"f(", "incomplete", 1},
		{"f(a", "incomplete", 1},
		{"f(a,", "incomplete", 1},
		{"f(func() {", "incomplete", 1},
		{"f(func() {\n\tg(", "incomplete", 2},
		{"x[", "incomplete", 1},
		{"x := 1 +", "incomplete", 1},
		{"x :=", "incomplete", 1},
		{"x.", "incomplete", 1},
		{"a,", "incomplete", 1},
		{"x := a &&\n\tb ||", "incomplete", 1},
		{"s := `raw", "incomplete", 0},
		{"func f() {\n\ts := `raw\nmore", "incomplete", 0},
		{"/* words", "incomplete", 0},
		{"x := 1 /* words\nmore", "incomplete", 0},
		{"func f() { // words", "incomplete", 1},
		{"L:", "incomplete", 0},
		{"func", "incomplete", 0},
		{"var", "incomplete", 0},
		{"go", "incomplete", 0},
		{"return f(", "incomplete", 1},

		{"x := := 3", "invalid", 0},
		{"]", "invalid", 0},
		{"func )", "invalid", 0},
		{"f(]", "invalid", 0},
		{"}", "invalid", 0},
		{"if x {\n}\nelse {", "invalid", 0},
		{"if x > 3", "invalid", 0},
		{"func f()", "invalid", 0},
		{"for i := 0; i < 3", "invalid", 0},
		{"x := \"text", "invalid", 0},
		{"x := 'ab", "invalid", 0},
		{"f(\"text", "invalid", 0},
		{"f(a b", "invalid", 0},
		{"f(a\n", "invalid", 0},
		{"func f() {\n\tx := := 3", "invalid", 0},
		{"x := 1 $", "invalid", 0},
		{"x := 1 := ", "invalid", 0},
		{"def f(x):", "invalid", 0},
		{"x y z\nfor {", "invalid", 0},

		{"%who", "complete", 0},
		{"!ls", "complete", 0},
		{"strings.ToUpper?", "complete", 0},
		{"%%native\nfor {", "incomplete", 1},
		{"%time f(", "incomplete", 1},
		{"%time f()", "complete", 0},
		{"!ls (\nx := 1", "complete", 0},
	} {
		status, indent := c.IsComplete(k.code)
		if status != k.status || indent != strings.Repeat("\t", k.tabs) {
			t.Errorf("%q is %s with %q, want %s with %d tabs", k.code, status, indent, k.status, k.tabs)
		}
	}
}

// FuzzIsComplete: any text gets an answer, and what is complete parses.
func FuzzIsComplete(f *testing.F) {
	for _, code := range []string{"func f() {", "x := `a", "switch x {\ncase 1:", "%time f(\n)", "f(a\n", "L:", "é(\x00", "/*", "a?\n!b\n{"} {
		f.Add(code)
	}
	c := NewChecker(nil)
	f.Fuzz(func(t *testing.T, code string) {
		status, indent := c.IsComplete(code)
		if strings.Trim(indent, "\t") != "" || status != "incomplete" && indent != "" {
			t.Errorf("%q is %s with %q", code, status, indent)
		}
		if len(withoutMagics(code)) != len(code) {
			t.Errorf("%q got another length", code)
		}
		if status == "complete" {
			for _, ch := range Split(withoutMagics(code)) {
				if !parses(ch) {
					t.Errorf("%q is called complete, and %q does not parse", code, ch.Text)
				}
			}
		}
	})
}
