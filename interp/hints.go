package interp

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"attune/interp/check"
)

// hints are mistakes that beginners make, and those who come from another language:
// what the message and the line look like, and what to do. $1 is a part of the line.
var hints = []struct{ msg, line, hint string }{
	{`^undefined: (None|null|NULL|nullptr)$`, ``, "Go's word is nil"},
	{`^undefined: (True|False)$`, ``, "Go writes true and false"},
	{`^undefined: (help|dir)$`, `\((\w+)`, "a name with ? behind it is explained: $1?"},
	{`^undefined: str$`, ``, "the text of a value is fmt.Sprint(x)"},
	{`^undefined: float$`, ``, "the type is float64, and float64(n) converts to it"},
	{`^undefined: input$`, ``, `ask.Line("…") asks for a line, with import "attune/stdlib/ask"`},
	{`^undefined: (exit|quit)$`, ``, "a cell ends by itself; os.Exit(0) ends it early"},
	{`^undefined: (Print|Println|Printf|Sprint|Sprintf|Errorf)$`, `(Print|Println|Printf|Sprint|Sprintf|Errorf)\(`, `it is fmt.$1, with import "fmt"`},
	{`^undefined: (\w+)$`, `func\s*\w*\s*\(\s*\w+(\s*,\s*\w+)*\s*\)`, "a parameter has a type: func f(x int)"},
	{`^undefined: (\w+)$`, `^\s*\w+(\s*,\s*\w+)*\s*([-+*/%]?=[^=]|\+\+|--)`, "a new variable is declared by :=   for instance  x := 5"},
	{`^name \w+ not exported by package`, ``, "what a package offers begins with a capital letter"},
	{`^no new variables on left side of :=`, `^\s*(\w+)\s*:=`, "$1 is declared already; = gives it another value: $1 = …"},
	{`^assignment mismatch: 1 variable but \S+ returns 2 values`, ``, "the second value is often an error: v, err := …"},
	{`^cannot convert .* \(untyped string constant\) to type (int|float64)`, ``, "a number is read from text by strconv.Atoi and strconv.ParseFloat, which also return an error"},
	{`must not be negative`, `\w\[-`, "the last element is xs[len(xs)-1]"},
	{`^non-boolean condition`, ``, "a condition compares: if x != 0 { … }"},
	{`^invalid operation: cannot indirect`, `\*\*`, "a power is math.Pow(x, 2)"},
	{`invalid character U\+0023`, ``, "a comment begins with //"},
	{`^syntax error`, `^\s*for\s*\(`, "for takes no parentheses: for i := 0; i < 3; i++ { … }"},
	{`^syntax error`, `\benumerate\(`, "index and element come from  for i, x := range xs { … }"},
	{`^syntax error`, `func\b.*->`, "the result stands behind the parameters: func f(x int) int"},
	{`^syntax error`, `\bnot\s+\w|\w\s+(and|or)\s+\w`, "Go writes !x, x && y and x || y"},
	{`rune literal`, ``, `text stands in double quotes: "text"`},
	{`invalid character U\+201[89CD]`, ``, `these are a writer's quotes; Go's are straight: "text"`},
	{`\.append undefined`, ``, "append is a function: xs = append(xs, x)"},
	{`\.(len|length|size) undefined`, ``, "len is a function: len(xs)"},
	{`^multiple-value .* in single-value context`, ``, "it returns more than one value, often an error: v, err := …"},
	{`of type \[\]float64\) as \[\]float32 `, ``, "write []float32{…}, or convert each: float32(x)"},
	{`mismatched types \[\]`, ``, "append adds to a slice: xs = append(xs, x)"},
	{`mismatched types untyped string and untyped int`, `"\s*\*`, `a text is repeated by strings.Repeat("ab", 3)`},
	{`mismatched types int and time\.Duration`, ``, "a number becomes a duration by time.Duration(n) * time.Second"},
	{`truncated to int64`, `time\.`, "a duration is a whole number of nanoseconds: 500 * time.Millisecond"},
	{`truncated to int`, ``, "Go converts nothing by itself: float64(n), int(x), fmt.Sprint(x)"},
	{`mismatched types (int|float64|string|untyped \w+) and (int|float64|string|untyped \w+)`, ``, "Go converts nothing by itself: float64(n), int(x), fmt.Sprint(x)"},
	{`^cannot assign to \w+\[`, ``, "a string does not change; b := []byte(s) makes bytes that do"},
	{`^cannot assign to \w+ \(neither`, ``, "a constant does not change; := or var make a variable"},
	{`^too many return values`, `^\s*return`, "a function says what it returns: func f(x int) int; a cell shows its last expression without return"},
	{`^too many return values`, `func`, "a function says what it returns: func f(x int) int"},
	{`^syntax error`, `^\s*from\s+([a-z][\w./]*)\s+import\b`, `an import names a path in quotes: import "$1"`},
	{`^syntax error`, `^\s*import\s+([a-z][\w/]*)`, `an import names a path in quotes: import "$1"`},
	{`^syntax error`, `^\s*def\b`, "a function is  func name(x int) int { … }"},
	{`^syntax error`, `^\s*while\b`, "Go's only loop is for:  for x < 10 { … }"},
	{`^syntax error`, `^\s*for\s+(\w+)\s+in\s+range\((\w+)\)`, "a loop that counts is  for $1 := range $2 { … }"},
	{`^syntax error`, `^\s*for\s+(\w+)\s+in\b`, "a loop over a slice is  for _, $1 := range xs { … }"},
	{`^syntax error`, `^\s*(elif|elseif)\b`, "Go writes else if"},
	{`^syntax error`, `^\s*(if|for|else)\b.*:\s*$`, "a block stands in braces: { … }"},
	{`unexpected newline, expected \{ after`, ``, "the { stands on the same line"},
	{`cannot use assignment`, ``, "== compares, = assigns"},
	{`^syntax error`, `^\s*print\s+`, `use fmt.Println("…"), with import "fmt"`},
	{`^syntax error: unexpected (\+\+|--)`, `=.*(\+\+|--)`, "x++ has no value; it stands on a line of its own"},
	{`^syntax error: unexpected (\+\+|--)`, `(\+\+|--)\s*(\w+)`, "Go writes $2$1"},
	{`^syntax error`, `^\s*(let|const|auto)\s+\w+\s*=|^\s*var\s+\w+\s*:=`, "a variable is  x := 5  or  var x = 5"},
	{`^syntax error`, `^\s*(?:int|float|double|float64|string|bool|char)\s+(\w+)`, "the type stands behind the name: var $1 int, or $1 := 5"},
	{`^syntax error`, `^\s*(class|struct)\s+(\w+)`, "a type is  type $2 struct { … },  a method  func (x $2) Name() { … }"},
	{`^syntax error: unexpected \{ in type declaration`, `type\s+(\w+)`, "a struct is  type $1 struct { … }"},
	{`^syntax error`, `\bnew\s+(\w+)`, "Go writes new($1) or &$1{}"},
	{`^syntax error: unexpected \{, expected expression`, ``, `a map is  map[string]int{"a": 1}`},
	{`^syntax error`, `^\s*(?:\w+\s*:?=\s*)?\[[^\]]+,`, "a slice is  []int{1, 2, 3}"},
	{`^syntax error`, `\btry\b|\bcatch\b|\bexcept\b`, "Go has no exceptions: a function returns an error, and if err != nil { … } looks at it"},
	{`^(syntax error|invalid character)`, `\?.*:`, "Go has no ?: — it takes an if"},
	{`^syntax error`, `\blambda\b|=>`, "a function without a name is  func(x int) int { return 2 * x }"},
	{`^syntax error`, `\bf"`, `a text with values is  fmt.Sprintf("%v and %v", a, b)`},
	{`non-declaration statement outside function body`, ``, "a } too many?"},
	{`^syntax error`, `^\s*%`, "%help lists the lines that start with %; they stand above the Go code"},
	{`^declared and not used`, ``, "Go wants every variable of a function used; delete it, or assign it to _"},
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
	if note := s.alike(p.Msg); note != "" {
		return note
	}
	if m := notInStd.FindStringSubmatch(p.Msg); m != nil {
		return offer(s.imp.EndingIn(m[1]))
	}
	if text := s.otherForm(p.Msg); text != "" {
		return text
	}
	for _, h := range hints {
		at := regexp.MustCompile(h.line)
		m := at.FindStringSubmatchIndex(line)
		if m != nil && regexp.MustCompile(h.msg).MatchString(p.Msg) {
			return string(at.ExpandString(nil, h.hint, line, m))
		}
	}
	if c := p.Pos.Column; c > 0 && c <= len(line) && selected.MatchString(line[c-1:]) {
		return "" // what stands before a dot may be a package
	}
	return s.nearest(p.Msg)
}

var (
	oneForMany = regexp.MustCompile(`^cannot use (.+?) \(.*?of (?:\w+ )?type (.+?)\) as \[\](.+?) value`)
	unmade     = regexp.MustCompile(`^(?:cannot convert .* to|unknown field \w+ in struct literal of) type (\w+)\.(\w+)$`)
)

// otherForm knows two mistakes about values of the right kind: one where a slice of them is
// wanted, and a struct written by hand that its package has a function for.
func (s *Session) otherForm(msg string) string {
	if m := oneForMany.FindStringSubmatch(msg); m != nil && m[2] == m[3] {
		return fmt.Sprintf("a slice of one is []%s{%s}", m[3], m[1])
	}
	if m := unmade.FindStringSubmatch(msg); m != nil && slices.Contains(s.spellings(m[1]), "New"+m[2]) {
		return fmt.Sprintf("%s.New%s makes one", m[1], m[2])
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
	for _, member := range []string{m[1], strings.ToUpper(m[1][:1]) + m[1][1:]} {
		text := offer(s.checker.Offering(name, member))
		switch {
		case text == "":
		case member != m[1]:
			return "add  " + text + "  and write " + name + "." + member
		default:
			return "add  " + text
		}
	}
	return ""
}

// offer is imports to choose from, "" for none.
func offer(paths []string) string {
	var found []string
	for _, path := range paths[:min(len(paths), 3)] {
		found = append(found, fmt.Sprintf("import %q", path))
	}
	return strings.Join(found, "  or  ")
}

// notInStd is what the go command says of an import path that looks like the
// standard library's.
var notInStd = regexp.MustCompile(`package ([\pL\pN_]+) is not in std`)

var (
	versionMark = regexp.MustCompile(`([\pL_][\pL\pN_]*?)Ξ\d+`)
	// twoTypes is a message about two types that read alike.
	twoTypes = regexp.MustCompile(`of (?:\w+ )?type (.+?)\) as (.+?) value in `)
	word     = regexp.MustCompile(`[\pL_][\pL\pN_]*`)
)

// versions takes the marks of declarations off the names in a runtime error, which
// compiled text has where a type was declared anew, and says what they are about.
func (s *Session) versions(text string) (plain, note string) {
	for _, m := range versionMark.FindAllStringSubmatch(text, -1) {
		note = s.versionsOf(m[1])
	}
	return versionMark.ReplaceAllString(text, "$1"), note
}

// alike explains a message that is about two types of one name; "" if it is not.
func (s *Session) alike(msg string) string {
	m := twoTypes.FindStringSubmatch(msg)
	if m == nil || m[1] != m[2] {
		return ""
	}
	for _, name := range word.FindAllString(m[1], -1) {
		if note := s.versionsOf(name); note != "" {
			return note
		}
	}
	return ""
}

// versionsOf names the cells that declared type name in different ways; "" if there
// is but one.
func (s *Session) versionsOf(name string) string {
	var cells []string
	for _, n := range s.scope.Load().Versions(name) {
		cells = append(cells, check.CellName(n))
	}
	if len(cells) < 2 {
		return ""
	}
	if cells = slices.Compact(cells); len(cells) == 1 {
		return fmt.Sprintf("values made before a type in %s was declared anew keep the older %s; run their cells again", name, name)
	}
	last := len(cells) - 1
	return fmt.Sprintf("the type %s of %s is not that of %s: values made before keep theirs; run their cells again",
		name, cells[last], strings.Join(cells[:last], ", "))
}
