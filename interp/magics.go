package interp

import (
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strings"

	"attune/display/mime"
	"attune/interp/cell"
	"attune/interp/check"
	"attune/interp/worker"
)

const help = `Cells hold Go: imports, declarations and statements, mixed as you like. The value
of a last expression is shown; a ; behind it mutes it. What you declare stays for later cells.

%help             this text
%who              the session's variables, functions and types, with sizes
%time CODE        run CODE, or with %time alone the rest of the cell, and say how long it took
%plan             say which engine the cell would get and why, and do not run it
%check CODE       what CODE would take beside what is free, and do not run it: a line that calls Fit,
                  or a task and a batch
%%native          compile the cell even if the instant engine could run it
%gpu              who holds tensors' memory: category, bytes, variables; %gpu free gives back what is unused,
                  %gpu restart starts a fresh process, after an error that ended the GPU's context
%%parameters      give variables other values, NAME = VALUE on each line; they keep their types
%monitor on       what a cell takes, in a line below it while it runs; %monitor off
%reset            forget all names and start a fresh worker process
%restore          after a crash: run the cells again that made the lost variables; %restore x y: those alone
%go ARGS          run the go command in the session's module, as in %go get example.com/mod@v1.2.3
!COMMAND          run a shell command
NAME?             show the documentation of a name

import "attune/display"          tables, pictures, attention maps, live outputs
import "attune/stdlib/nn"        layers, losses and optimizers that train
import "attune/stdlib/data"      data sets
import "attune/stdlib/balance"   what training takes, and training that keeps to a budget
import "attune/stdlib/monitor"   where memory goes, live
import "attune/gpu"              tensors, attention and optimizers on CPU and CUDA
import "attune/stdlib/gorgoniax" attention and optimizers for gorgonia graphs
import "attune/stdlib/ask"       ask the user for a line, or a password
import "attune/stdlib/comm"      talk to widgets and other code of the front end
`

// magics performs the cell's % and ! lines, which come before any Go, and returns
// the Go code with those lines blank, so that positions stay true.
func (e *execution) magics(code string) (string, *cell.Error) {
	lines := strings.Split(code, "\n")
	for i, line := range lines {
		trimmed := strings.TrimSpace(line)
		if trimmed == "" || strings.HasPrefix(trimmed, "//") {
			continue
		}
		if !strings.HasPrefix(trimmed, "%") && !strings.HasPrefix(trimmed, "!") && !isQuestion(trimmed) {
			if err := strayMagic(lines[i:], i); err != nil {
				return "", err
			}
			break
		}
		rest, err := e.magic(trimmed)
		if err != nil {
			return "", err
		}
		// Keep the column: %time CODE leaves CODE where it stands.
		lines[i] = ""
		if rest != "" {
			lines[i] = strings.Repeat(" ", strings.LastIndex(line, rest)) + rest
		}
	}
	return strings.Join(lines, "\n"), nil
}

// withoutMagics is the Go code of a cell, and whether %%native asks to compile it:
// what magics would return, with nothing performed.
func withoutMagics(code string) (text string, forced bool) {
	lines := strings.Split(code, "\n")
	for i, line := range lines {
		trimmed := strings.TrimSpace(line)
		if trimmed == "" || strings.HasPrefix(trimmed, "//") {
			continue
		}
		if !strings.HasPrefix(trimmed, "%") && !strings.HasPrefix(trimmed, "!") && !isQuestion(trimmed) {
			break
		}
		forced = forced || trimmed == "%%native"
		rest := ""
		if name, args, _ := strings.Cut(trimmed, " "); name == "%time" {
			rest = strings.TrimSpace(args)
		}
		lines[i] = ""
		if rest != "" {
			lines[i] = strings.Repeat(" ", strings.LastIndex(line, rest)) + rest
		}
	}
	return strings.Join(lines, "\n"), forced
}

// isQuestion tells whether a line asks for documentation: name? or ?name.
func isQuestion(line string) bool {
	name := strings.Trim(line, "?")
	return name != line && name != "" && !strings.ContainsAny(name, " \t(){}\"'`=")
}

// stray is a magic line below Go code, which Go would report in words about operands.
var stray = regexp.MustCompile(`^\s*%%?(help|who|gpu|monitor|time|plan|check|native|reset|go|restore)\b`)

func strayMagic(lines []string, at int) *cell.Error {
	for i, line := range lines {
		if stray.MatchString(line) {
			return magicError("line %d: %s: magics stand above the Go code of a cell", at+i+1, strings.TrimSpace(line))
		}
	}
	return nil
}

func magicError(format string, args ...any) *cell.Error {
	msg := fmt.Errorf(format, args...).Error()
	return &cell.Error{Name: "MagicError", Value: msg, Traceback: []string{red("MagicError: ") + msg}}
}

// idle says what a magic wants that is to do something with Go code, where there is none.
func (e *execution) idle() *cell.Error {
	switch {
	case e.planned:
		return magicError("%%plan: want Go code below it")
	case e.timed:
		return magicError("%%time: want Go code behind or below it")
	case e.checks:
		return magicError("%%check: want Go code behind or below it")
	case e.forced:
		return magicError("%%%%native: want Go code below it")
	}
	return nil
}

// magic performs one line and returns Go code that stands on it.
func (e *execution) magic(line string) (rest string, err *cell.Error) {
	if strings.HasPrefix(line, "!") {
		return "", e.shell(strings.TrimPrefix(line, "!"))
	}
	if isQuestion(line) && !strings.HasPrefix(line, "%") {
		e.question(strings.Trim(line, "?"))
		return "", nil
	}
	bare := []string{"%help", "%who", "%reset", "%%native", "%%parameters"}
	name, args, _ := strings.Cut(line, " ")
	if e.repeats && (name == "%restore" || name == "%reset" || line == "%gpu restart") {
		return "", nil // the cell is run for what it declares
	}
	args = strings.TrimSpace(args)
	if args != "" && slices.Contains(bare, name) {
		return "", magicError("%s: want %s alone", line, name)
	}
	switch name {
	case "%help":
		e.out.Stream(cell.Stdout, []byte(help))
	case "%who":
		e.who()
	case "%gpu":
		return "", e.memory(args)
	case "%monitor":
		return "", e.monitor(args)
	case "%time":
		e.timed = true
		return args, nil
	case "%check":
		e.checks = true
		return args, nil
	case "%plan":
		e.planned = true
		return args, nil
	case "%%native":
		e.forced = true
	case "%%parameters":
		e.assigns = true
	case "%reset":
		return "", e.reset()
	case "%go":
		return "", e.goCommand(args)
	case "%restore":
		return "", e.restore(args)
	default:
		return "", magicError("there is no %s; %%help lists what there is", name)
	}
	return "", nil
}

// question shows what Shift-Tab would, in the pager.
func (e *execution) question(name string) {
	in := e.s.Inspect(e.ctx, name, len(name), 1)
	if !in.Found {
		in.Bundle = mime.Plain("nothing is known of " + name)
	}
	e.pages = append(e.pages, in.Bundle)
}

// reset forgets everything and starts a fresh worker.
func (e *execution) reset() *cell.Error {
	s := e.s
	if err := e.alone(); err != nil {
		return magicError("%w", err)
	}
	h := s.worker()
	h.client.Close()
	<-h.gone
	s.scope.Store(check.NewScope())
	s.loaded, s.packages.plugins = nil, nil
	s.lost, s.crashed, s.changes = nil, nil, nil
	s.held.forget()
	if _, err := s.newWorker(); err != nil {
		return &cell.Error{Name: "KernelError", Value: err.Error(), Traceback: []string{red("KernelError: ") + err.Error()}}
	}
	e.say("all names are forgotten; the worker process is a fresh one\n")
	return nil
}

// who lists the session's names.
func (e *execution) who() {
	scope := e.s.scope.Load()
	e.s.checkMu.Lock() // the names of types are read from the checker's package
	defer e.s.checkMu.Unlock()
	var keys []string
	for _, d := range scope.Names() {
		if d.Kind == check.Var {
			keys = append(keys, d.Key)
		}
	}
	sizes, heads := map[string]int64{}, map[string]string{}
	if len(keys) > 0 {
		if l := e.s.worker().list(int(e.s.nextID.Add(1)), keys); l != nil {
			for _, it := range l.Items {
				sizes[it.Key], heads[it.Key] = it.Bytes, it.Text
			}
		}
	}
	var rows [][5]string
	for _, d := range scope.Names() {
		row := [5]string{d.Name, d.Kind.String(), check.TypeName(d), "", check.CellName(d.Cell)}
		if d.Kind == check.Var {
			row[3] = fmt.Sprintf("%-9s %s", byteSize(sizes[d.Key]), heads[d.Key])
		}
		rows = append(rows, row)
	}
	for name, path := range scope.Imports {
		rows = append(rows, [5]string{name, "import", path, "", ""})
	}
	sort.Slice(rows, func(i, j int) bool { return rows[i][1]+rows[i][0] < rows[j][1]+rows[j][0] })
	e.out.Stream(cell.Stdout, []byte(columns(rows)))
}

// memory says who holds the memory of tensors, with "free" gives back what nobody
// uses, and with "restart" starts a fresh worker, which a lost device needs.
func (e *execution) memory(args string) *cell.Error {
	switch args {
	case "", "free":
	case "restart":
		return e.restart()
	default:
		return magicError("%%gpu %s: want %%gpu, %%gpu free or %%gpu restart", args)
	}
	ask := &worker.Memory{Free: args == "free"}
	for _, d := range e.s.scope.Load().Names() {
		if d.Kind == check.Var {
			ask.Vars = append(ask.Vars, worker.Ref{Name: d.Name, Key: d.Key})
		}
	}
	ask.ID = int(e.s.nextID.Add(1))
	text := "the worker does not answer\n"
	if l := e.s.worker().ask(ask.ID, worker.Request{Memory: ask}); l != nil {
		text = l.Text
	}
	e.out.Stream(cell.Stdout, []byte(text))
	return nil
}

// monitor keeps a line of meters below every cell from the next on, or no longer.
func (e *execution) monitor(args string) *cell.Error {
	if args != "on" && args != "off" {
		return magicError("want %%monitor on or %%monitor off")
	}
	e.s.bar = args == "on"
	return nil
}

// columns aligns rows, each on one line.
func columns(rows [][5]string) string {
	if len(rows) == 0 {
		return "no names yet\n"
	}
	widest := [5]int{24, 8, 34, 46, 12} // a row fits a line of a notebook
	flat := strings.NewReplacer("\n", " ", "\t", " ")
	var width [5]int
	for k := range rows {
		for i, c := range rows[k] {
			r := []rune(flat.Replace(c))
			if len(r) > widest[i] {
				r = append(r[:widest[i]-1], '…')
			}
			rows[k][i], width[i] = string(r), max(width[i], len(r))
		}
	}
	var b strings.Builder
	for _, r := range rows {
		var line strings.Builder
		for i, c := range r {
			fmt.Fprintf(&line, "%-*s  ", width[i], c)
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return b.String()
}

func byteSize(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d B", n)
}
