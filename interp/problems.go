package interp

import (
	"fmt"
	"go/token"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"attune/interp/cell"
	"attune/interp/check"
	"attune/interp/worker"
)

func red(s string) string  { return "\x1b[31m" + s + "\x1b[0m" }
func gray(s string) string { return "\x1b[90m" + s + "\x1b[0m" }

// compileError shows each problem with its source line and a caret.
func (e *execution) compileError(err *check.Error, code string) *cell.Error {
	var lines []string
	for i, p := range err.Problems {
		if i == 10 {
			lines = append(lines, fmt.Sprintf("… and %d more", len(err.Problems)-i))
			break
		}
		lines = append(lines, red(p.Pos.String()+": "+p.Msg))
		if caret := check.Caret(code, p.Pos); caret != "" && p.Pos.Filename == check.CellName(e.req.Count) {
			lines = append(lines, indent(caret))
		}
		if hint := e.s.hint(p, code); hint != "" && !slices.Contains(lines, gray("    "+hint)) {
			lines = append(lines, gray("    "+hint))
		}
	}
	return &cell.Error{Name: "CompileError", Value: err.Problems[0].Msg, Traceback: lines}
}

var problemLine = regexp.MustCompile(`^(In\[\d+\]):(\d+):(\d+): (.*)$`)

// wording is what the compiler says of text that it cannot read, and of nothing else.
var wording = regexp.MustCompile(`^(syntax error|invalid (character|digit|BOM|radix point)|identifier cannot begin|newline in |more than one character|` +
	`empty rune literal|unknown escape|escape is|octal escape|exponent has no|hexadecimal mantissa|'_' must|'.' exponent)|not terminated$|has no digits$`)

// outside is said of the rest of a cell once something before was wrong.
const outside = "non-declaration statement outside function body"

// compilersWords asks the compiler what it says of a syntax error, since go/parser
// words them in its own way; without a compiler the parser's words stay.
func (e *execution) compilersWords(problems []check.Problem, code string) []check.Problem {
	var out []check.Problem
	for line := range strings.Lines(e.s.builder.Complaints(e.ctx, check.SyntaxText(e.req.Count, code))) {
		m := problemLine.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil || m[1] != check.CellName(e.req.Count) || !wording.MatchString(m[4]) ||
			len(out) > 0 && strings.HasSuffix(m[4], outside) {
			continue
		}
		n, _ := strconv.Atoi(m[2])
		col, _ := strconv.Atoi(m[3])
		n, col = within(code, n, col)
		out = append(out, check.Problem{Pos: token.Position{Filename: m[1], Line: n, Column: col}, Msg: m[4]})
	}
	if len(out) == 0 {
		return problems
	}
	return out
}

// within keeps a position inside the code: the compiler finds a missing bracket
// behind its end.
func within(code string, line, col int) (int, int) {
	lines := strings.Split(strings.TrimRight(code, " \t\n"), "\n")
	if line <= len(lines) {
		return line, col
	}
	return len(lines), len(lines[len(lines)-1]) + 1
}

func indent(s string) string { return "    " + strings.ReplaceAll(s, "\n", "\n    ") }

// buildError reports what should not happen: the checker passed what the compiler
// refuses.
func (e *execution) buildError(err error) *cell.Error {
	first, rest, _ := strings.Cut(err.Error(), "\n")
	lines := []string{red("CompileError: " + first)}
	for l := range strings.Lines(rest) {
		lines = append(lines, e.realNames(strings.TrimRight(l, "\n")))
	}
	value := first
	if len(lines) > 1 {
		value = lines[1]
	}
	return &cell.Error{Name: "CompileError", Value: value, Traceback: lines}
}

var cellID = regexp.MustCompile(`cell-[0-9a-f]{16}`)

// slotName is how compiled text names a variable of the session.
var slotName = regexp.MustCompile(`\(\*Ξv_([\pL_][\pL\pN_]*?)(?:Ξ\d+)?\)`)

// realNames writes In[3] for the name of a cell's text, and variables as the user does.
func (e *execution) realNames(s string) string {
	return cellID.ReplaceAllStringFunc(slotName.ReplaceAllString(s, "$1"), func(id string) string {
		if t, ok := e.s.names.text(id); ok {
			return check.CellName(t.count)
		}
		return id
	})
}

// failure words a panic: what, and where in the user's cells.
func (e *execution) failure(f *worker.Failure) *cell.Error {
	if f.Internal {
		return &cell.Error{Name: "KernelError", Value: f.Text, Traceback: []string{red("KernelError: ") + f.Text}}
	}
	name, where := "panic", ""
	if f.Async {
		where = " in a goroutine that the cell started"
	}
	text := strings.TrimRight(f.Text, "\n")
	note := ""
	if f.Fatal {
		name = "fatal error"
	}
	if f.Runtime {
		name = "runtime error"
		if text, note = e.s.versions(strings.TrimPrefix(text, "runtime error: ")); text == nilPointer && !f.Async {
			note = e.nils(f.Frames)
		}
	}
	lines := []string{red(name + ": " + text + where)}
	if note != "" {
		lines = append(lines, gray("    "+note))
	}
	lines = append(lines, e.frames(f.Frames)...)
	if f.Fatal {
		lines = append(lines, "a program ends here; the cell was let go, and all values are kept")
	}
	return &cell.Error{Name: name, Value: text, Traceback: lines}
}

// frames lists the user's own calls, innermost first, the first with its line.
func (e *execution) frames(frames []worker.Frame) []string {
	var lines []string
	last := ""
	for _, fr := range frames {
		t, ok := e.s.names.text(baseName(fr.File))
		if !ok || strings.HasPrefix(fr.Func, "main.Ξbind") || fr.Line > strings.Count(t.code, "\n")+1 {
			continue // the last is where deferred calls run, behind the text
		}
		line := fmt.Sprintf("  at %s:%d", check.CellName(t.count), fr.Line)
		if fn := funcName(fr.Func); fn != "" {
			line += " in " + fn
		}
		if line == last {
			continue
		}
		last = line
		lines = append(lines, line)
		if len(lines) == 1 {
			lines = append(lines, sourceLine(t.code, fr.Line))
		}
		if len(lines) > 20 {
			return append(lines, "  …")
		}
	}
	return slices.DeleteFunc(lines, func(s string) bool { return s == "" })
}

func baseName(file string) string { return file[strings.LastIndexByte(file, '/')+1:] }

// sourceLine is line n of a cell with carets below what stands on it.
func sourceLine(code string, n int) string {
	lines := strings.Split(code, "\n")
	if n < 1 || n > len(lines) {
		return ""
	}
	text := strings.TrimSpace(lines[n-1])
	return "      " + text + "\n      " + strings.Repeat("^", max(1, len([]rune(text))))
}

var generated = regexp.MustCompile(`^main\.(\(\*[^)]*\)\.)?(Ξf_|Ξrun_|Ξinit)?(.*?)(_[0-9a-f]{16})?((?:\.func\d+|\.gowrap\d+|-range\d+|\.\d+)*)$`)

// copyMark is the number of a version of a type, or of a copy of a function.
var copyMark = regexp.MustCompile(`Ξ\d+`)

// funcName is the name that the user gave a function, "" for the cell itself.
func funcName(s string) string {
	m := generated.FindStringSubmatch(s)
	if m == nil {
		return s
	}
	name := strings.ReplaceAll(copyMark.ReplaceAllString(m[3], ""), "Ξ", ".")
	switch m[2] {
	case "Ξrun_":
		name = ""
	case "Ξinit":
		name = "init"
	}
	if m[5] != "" {
		if name == "" {
			return "a function literal"
		}
		return name + ", a function literal"
	}
	return name
}

// asyncFailure reports a panic of a goroutine whose cell has ended, to that cell.
func (e *execution) asyncFailure(f *worker.Failure, sink cell.Sink) {
	if sink != nil {
		err := e.failure(f)
		sink.Stream(cell.Stderr, []byte(strings.Join(err.Traceback, "\n")+"\n"))
	}
}
