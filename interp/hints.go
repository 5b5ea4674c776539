package interp

import (
	"fmt"
	"regexp"
	"strings"

	"attune/interp/check"
)

// hints are mistakes that beginners make, and those who come from another language:
// what the message and the line look like, and what to do.
var hints = []struct{ msg, line, hint string }{
	{`^undefined: (None|null|NULL|nullptr)$`, ``, "Go's word is nil"},
	{`^undefined: (True|False)$`, ``, "Go writes true and false"},
	{`^undefined: (\w+)$`, `^\s*\w+(\s*,\s*\w+)*\s*=[^=]`, "a new variable is declared by :=   for instance  x := 5"},
	{`^undefined: (elif|elseif)`, ``, "Go writes else if"},
	{`more than one character in rune literal|rune literal not terminated`, ``, `text stands in double quotes: "text"`},
	{`\.append undefined`, ``, "append is a function: xs = append(xs, x)"},
	{`\.(len|length|size) undefined`, ``, "len is a function: len(xs)"},
	{`^syntax error`, `^\s*(from\s+\w+\s+)?import\s+[a-z]`, `an import names a path in quotes: import "math"`},
	{`^syntax error`, `^\s*def\b`, "a function is  func name(x int) int { … }"},
	{`^syntax error`, `^\s*while\b`, "Go's only loop is for:  for x < 10 { … }"},
	{`^syntax error`, `^\s*(if|for|else)\b.*:\s*$`, "a block stands in braces: { … }"},
	{`^syntax error`, `^\s*print\s+`, `use fmt.Println("…"), with import "fmt"`},
	{`^syntax error`, `^\s*%`, "%help lists the lines that start with %; they stand above the Go code"},
	{`^declared and not used`, ``, "Go wants every variable of a function used; delete it, or assign it to _"},
	{`mismatched types (int|float64|string) and (int|float64|string)`, ``, "Go converts nothing by itself: float64(n), int(x), fmt.Sprint(x)"},
}

// hint says what to do about a problem; "" if that is nothing that beginners meet.
func (s *Session) hint(p check.Problem, code string) string {
	line := ""
	if lines := strings.Split(code, "\n"); p.Pos.Line >= 1 && p.Pos.Line <= len(lines) {
		line = lines[p.Pos.Line-1]
	}
	if name, ok := strings.CutPrefix(p.Msg, "undefined: "); ok {
		if text := s.importHint(name, line, p.Pos.Column); text != "" {
			return text
		}
	}
	for _, h := range hints {
		if regexp.MustCompile(h.msg).MatchString(p.Msg) && regexp.MustCompile(h.line).MatchString(line) {
			return h.hint
		}
	}
	return ""
}

var selected = regexp.MustCompile(`^\w+\.(\w+)`)

// importHint names the packages that an undefined name with a selector may mean.
func (s *Session) importHint(name, line string, col int) string {
	if col < 1 || col > len(line) {
		return ""
	}
	m := selected.FindStringSubmatch(line[col-1:])
	if m == nil {
		return ""
	}
	s.checkMu.Lock()
	defer s.checkMu.Unlock()
	var found []string
	for _, path := range s.checker.Offering(name, m[1]) {
		found = append(found, fmt.Sprintf("import %q", path))
	}
	if len(found) == 0 {
		return ""
	}
	return "add  " + strings.Join(found[:min(len(found), 3)], "  or  ")
}
