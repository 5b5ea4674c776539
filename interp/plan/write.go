package plan

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strconv"
	"strings"

	"attune/interp/check"
	"attune/interp/worker"
	"attune/stdlib/symbols/list"
)

// writer writes a unit's statements in the normal form of the instant engine. All
// names of the text carry a prefix by kind, so that none collides with another
// kind's or hides a predeclared one: v_ session variables, f_ functions, t_ types,
// i_ imports, g_ instances of
// generic functions, e_ what stands for os.Exit and the like, l_ locals, x_ temporaries,
// r_ results, L_ labels.
type writer struct {
	u        *check.Unit
	info     *types.Info
	straight worker.Straight
	out      strings.Builder
	at       token.Position // of the statement being written
	temps    int
	// why is the first refusal; what is written after it does not matter.
	why string
	// fixed holds the variables of the loops around, which are only read: the
	// interpreter has one variable for the whole loop.
	fixed map[types.Object]bool
	// slow allows loops of any length; moves holds the variables among fixed that their
	// bodies may assign to all the same.
	slow  bool
	moves map[types.Object]bool
	// loops are the extents of the loops around, sizes what the cell gave to variables:
	// N is -1 for what is not known.
	loops []extent
	sizes map[types.Object]extent
	// plain leaves the index helper out, for text whose indices were checked before.
	plain bool

	vars, funcs map[*check.Decl]string
	typeNames   map[string]string         // by key
	imports     map[*types.Package]string // alias by package
	aliases     map[string]bool
	needed      []types.Type
}

// write returns the unit for the instant engine, or why it is not for it.
func write(u *check.Unit, slow bool) (*worker.Straight, string) {
	w := &writer{
		u: u, slow: slow, moves: map[types.Object]bool{}, info: u.Info, fixed: map[types.Object]bool{}, sizes: map[types.Object]extent{},
		vars: map[*check.Decl]string{}, funcs: map[*check.Decl]string{}, typeNames: map[string]string{},
		imports: map[*types.Package]string{}, aliases: map[string]bool{},
	}
	if u.Body == nil {
		w.packageVars()
	} else {
		for _, s := range u.BodyDecl().Body.List {
			w.top(s)
			if w.why != "" {
				break
			}
		}
	}
	if w.why != "" {
		return nil, w.why
	}
	w.straight.Body = w.out.String()
	return &w.straight, ""
}

// refuse notes why the cell is not for the instant engine. It returns "" for the
// convenience of the functions that return text.
func (w *writer) refuse(at ast.Node, what string) string {
	if w.why == "" {
		w.why = fmt.Sprintf("line %d: %s", w.u.Fset.Position(at.Pos()).Line, what)
	}
	return ""
}

// begin makes what is emitted next count as s's position.
func (w *writer) begin(s ast.Node) { w.at = w.u.Fset.Position(s.Pos()) }

// mark writes the position of the statement that follows. Without a file name
// the file stays the one that the program begins with.
func (w *writer) mark() {
	w.out.WriteString("/*line :")
	w.out.WriteString(strconv.Itoa(w.at.Line))
	w.out.WriteByte(':')
	w.out.WriteString(strconv.Itoa(w.at.Column))
	w.out.WriteString("*/")
}

// emit writes a statement, raw the rest of one.
func (w *writer) emit(text string) {
	w.mark()
	w.raw(text + "; ")
}

func (w *writer) raw(text string) { w.out.WriteString(text) }

func (w *writer) temp() string {
	w.temps++
	return "x_" + strconv.Itoa(w.temps)
}

// variable is the place of a session variable.
func (w *writer) variable(d *check.Decl, at ast.Node) string {
	if name, ok := w.vars[d]; ok {
		return name
	}
	ref := typeRef(w.u, d.Obj.Type())
	if ref == nil {
		return w.refuse(at, d.Name+" has a type that only compiled code can name")
	}
	w.straight.Vars = append(w.straight.Vars, worker.Var{Name: "v_" + d.Key, Key: d.Key, Type: ref})
	w.vars[d] = "(*v_" + d.Key + ")"
	return w.vars[d]
}

// result makes the n-th value of the last expression. It is of type any, as what
// shows it takes it: so every type can be shown.
func (w *writer) result(n int) string {
	name := "r_" + strconv.Itoa(n)
	w.straight.Vars = append(w.straight.Vars, worker.Var{Name: name, Type: &worker.TypeRef{Kind: worker.EmptyInterface}})
	return "(*" + name + ")"
}

func (w *writer) bindFunc(d *check.Decl) string {
	if name, ok := w.funcs[d]; ok {
		return name
	}
	name := "f_" + d.Key
	w.straight.Funcs = append(w.straight.Funcs, worker.Ref{Name: name, Key: d.Key})
	w.funcs[d] = name
	return name
}

func (w *writer) bindType(key string) string {
	if name, ok := w.typeNames[key]; ok {
		return name
	}
	name := "t_" + key
	w.straight.Types = append(w.straight.Types, worker.Ref{Name: name, Key: key})
	w.typeNames[key] = name
	return name
}

// pkgName is the text's own name for p: two packages may be called the same.
func (w *writer) pkgName(p *types.Package) string {
	if name, ok := w.imports[p]; ok {
		return name
	}
	name := "i_" + p.Name()
	for n := 2; w.aliases[name]; n++ {
		name = "i_" + p.Name() + strconv.Itoa(n)
	}
	w.aliases[name] = true
	w.imports[p] = name
	w.straight.Imports = append(w.straight.Imports, worker.Import{Name: name, Path: p.Path()})
	return name
}

// ends tells of functions that would end the process or leave the cell without a
// trace, and whether the worker has others that stand for them, as in compiled cells.
func ends(name string) (yes, replaced bool) {
	switch name {
	case "os.Exit", "log.Fatal", "log.Fatalf", "log.Fatalln":
		return true, true
	case "runtime.Goexit", "syscall.Exit":
		return true, false
	}
	return false, false
}

// stand is the text's name of what stands for a function that would end the process.
func (w *writer) stand(name string) string {
	if !slices.Contains(w.straight.Stands, name) {
		w.straight.Stands = append(w.straight.Stands, name)
	}
	return worker.StandName(name)
}

// asksCaller tells of functions and methods that look at who calls them, which under
// the instant engine is the engine: those that log where they were called, and what
// lists the stack.
func asksCaller(f *types.Func) bool {
	if f.Pkg() == nil {
		return false
	}
	name := f.Name()
	switch f.Pkg().Path() {
	case "log":
		return strings.HasPrefix(name, "Print") || strings.HasPrefix(name, "Panic") || name == "Output"
	case "log/slog":
		name = strings.TrimSuffix(name, "Context")
		return name == "Debug" || name == "Info" || name == "Warn" || name == "Error" || name == "Log" || name == "LogAttrs"
	case "runtime":
		return name == "Caller" || name == "Callers" || name == "Stack"
	case "runtime/debug":
		return name == "Stack" || name == "PrintStack"
	}
	return false
}

// imported is a package's variable or function.
func (w *writer) imported(obj types.Object, at ast.Node) string {
	path, name := obj.Pkg().Path(), obj.Name()
	f, _ := obj.(*types.Func)
	end, replaced := ends(path + "." + name)
	switch {
	case end && replaced:
		return w.stand(path + "." + name)
	case f != nil && asksCaller(f):
		return w.refuse(at, path+"."+name+" looks at who calls it")
	case end:
		return w.refuse(at, "calls "+path+"."+name)
	case !list.Has(path, name):
		return w.refuse(at, path+"."+name+" is not in the tables of the instant engine")
	}
	return w.pkgName(obj.Pkg()) + "." + name
}
