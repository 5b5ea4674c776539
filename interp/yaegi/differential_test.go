package yaegi_test

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/constant"
	"go/importer"
	"go/parser"
	"go/printer"
	"go/token"
	"go/types"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/go/ast/astutil"

	"attune/interp/yaegi"
	"attune/stdlib/symbols"
)

// shapes are the types and functions of shapes_test.go, as a session has them.
var shapes = struct {
	types []yaegi.TypeBinding
	funcs []yaegi.Binding
}{
	types: []yaegi.TypeBinding{
		{Name: "Point", Type: reflect.TypeFor[Point]()}, {Name: "Twin", Type: reflect.TypeFor[Twin]()},
		{Name: "Node", Type: reflect.TypeFor[Node]()}, {Name: "Line", Type: reflect.TypeFor[Line]()},
		{Name: "hidden", Type: reflect.TypeFor[hidden]()}, {Name: "Celsius", Type: reflect.TypeFor[Celsius]()},
		{Name: "Level", Type: reflect.TypeFor[Level]()}, {Name: "Byte", Type: reflect.TypeFor[Byte]()},
		{Name: "Words", Type: reflect.TypeFor[Words]()}, {Name: "Table", Type: reflect.TypeFor[Table]()},
		{Name: "Op", Type: reflect.TypeFor[Op]()}, {Name: "Oops", Type: reflect.TypeFor[Oops]()},
		{Name: "Shape", Type: reflect.TypeFor[Shape]()}, {Name: "IntStack", Type: reflect.TypeFor[IntStack]()},
	},
	funcs: []yaegi.Binding{
		bind("double", double), bind("pair", pair), bind("triple", triple), bind("sum", sum), bind("kinds", kinds),
		bind("kind", kind), bind("text", text), bind("total", total), bind("fails", fails), bind("wraps", wraps),
		bind("isNil", isNil), bind("apply", apply), bind("adder", adder), bind("wide", wide), bind("narrow", narrow),
		bind("single", single), bind("level", level), bind("takes", takes), bind("takesSlice", takesSlice),
		bind("takesMap", takesMap), bind("fill", fill), bind("crash", crash), bind("crashError", crashError),
		bind("index", index), bind("newPoint", newPoint), bind("mixed", mixed), bind("maybe", maybe),
		bind("bytesOf", bytesOf), bind("grow", grow),
	},
}

// checked is the snippets' Go file with the types of its expressions.
type checked struct {
	fset  *token.FileSet
	info  *types.Info
	funcs map[string]*ast.FuncDecl
	pkg   *types.Package
}

func checkSnippets(t *testing.T) *checked {
	t.Helper()
	c := &checked{fset: token.NewFileSet(), funcs: map[string]*ast.FuncDecl{},
		info: &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{}}}
	var files []*ast.File
	for _, name := range []string{"z_snippets_test.go", "shapes_test.go"} {
		f, err := parser.ParseFile(c.fset, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	files = append(files, parseStub(t, c.fset))
	var err error
	c.pkg, err = (&types.Config{Importer: importer.Default()}).Check("attune/interp/yaegi_test", c.fset, files, c.info)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range files[0].Decls {
		if f, ok := d.(*ast.FuncDecl); ok {
			c.funcs[f.Name.Name] = f
		}
	}
	return c
}

// parseStub declares what the generated file uses of the harness.
func parseStub(t *testing.T, fset *token.FileSet) *ast.File {
	t.Helper()
	f, err := parser.ParseFile(fset, "stub.go", "package yaegi_test\ntype compiledSnippet struct {\nname string\n"+
		"run func(body bool, use func(pointers ...any))\n}", 0)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// The forms in which a cell's text is tried. In all of them session variables
// stand as (*x).
const (
	asWritten = iota // else as it is
	folded           // and each constant expression as T(literal)
	split            // and assignments through a variable of the right side's own type
	forms
)

// normalBody is the body of run<i> in one of the forms. It changes the tree.
func (c *checked) normalBody(t *testing.T, i int, s snippet, form int) string {
	t.Helper()
	session := map[types.Object]bool{c.pkg.Scope().Lookup("errBase"): true}
	statements := c.funcs["run"+strconv.Itoa(i)].Body.List
	for n, st := range statements {
		decl, ok := st.(*ast.DeclStmt)
		if !ok { // use(...), and then the cell
			statements = statements[n+1].(*ast.IfStmt).Body.List
			break
		}
		for _, spec := range decl.Decl.(*ast.GenDecl).Specs {
			for _, name := range spec.(*ast.ValueSpec).Names {
				session[c.info.Defs[name]] = true
			}
		}
	}
	visit := func(cur *astutil.Cursor) bool {
		if decl, ok := cur.Node().(*ast.GenDecl); ok && decl.Tok == token.CONST {
			return false
		}
		e, ok := cur.Node().(ast.Expr)
		if !ok {
			return true
		}
		if text, ok := c.constant(e); ok && form >= folded && cur.Name() != "Len" {
			x, err := parser.ParseExpr(text)
			if err != nil {
				t.Fatalf("%s: fold %s: %v", s.name, text, err)
			}
			cur.Replace(x)
			return false
		}
		if id, ok := e.(*ast.Ident); ok && session[c.info.Uses[id]] {
			cur.Replace(&ast.ParenExpr{X: &ast.StarExpr{X: &ast.Ident{Name: id.Name}}})
			return false
		}
		return true
	}
	if form == split {
		block := astutil.Apply(&ast.BlockStmt{List: statements}, c.splitAssignments(), nil)
		statements = block.(*ast.BlockStmt).List
	}
	var b bytes.Buffer
	for _, st := range statements {
		out := astutil.Apply(&ast.BlockStmt{List: []ast.Stmt{st}}, visit, nil).(*ast.BlockStmt)
		if err := printer.Fprint(&b, c.fset, out.List[0]); err != nil {
			t.Fatal(err)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// splitAssignments returns a visitor that makes of L = R the two statements
// t := R and L = t, where L calls nothing and R is neither nil, a name nor a constant.
func (c *checked) splitAssignments() astutil.ApplyFunc {
	count := 0
	return func(cur *astutil.Cursor) bool {
		assign, ok := cur.Node().(*ast.AssignStmt)
		if !ok || assign.Tok != token.ASSIGN || cur.Index() < 0 || slices.ContainsFunc(assign.Lhs, calls) ||
			!slices.ContainsFunc(assign.Lhs, func(e ast.Expr) bool { id, ok := e.(*ast.Ident); return !ok || id.Name != "_" }) {
			return true
		}
		define := &ast.AssignStmt{Tok: token.DEFINE}
		temporary := func() *ast.Ident { count++; return ast.NewIdent("attune_t" + strconv.Itoa(count)) }
		if len(assign.Rhs) < len(assign.Lhs) { // a call or a comma-ok form
			define.Rhs, assign.Rhs = assign.Rhs, nil
			for i, left := range assign.Lhs {
				if id, ok := left.(*ast.Ident); ok && id.Name == "_" {
					define.Lhs = append(define.Lhs, ast.NewIdent("_"))
					assign.Rhs = append(assign.Rhs, nil)
					continue
				}
				define.Lhs = append(define.Lhs, temporary())
				assign.Rhs = append(assign.Rhs, define.Lhs[i])
			}
			for i := len(assign.Rhs) - 1; i >= 0; i-- { // _ takes nothing more
				if assign.Rhs[i] == nil {
					assign.Lhs, assign.Rhs = slices.Delete(assign.Lhs, i, i+1), slices.Delete(assign.Rhs, i, i+1)
				}
			}
			cur.InsertBefore(define)
			return false
		}
		for i, right := range assign.Rhs {
			tv := c.info.Types[right]
			if _, name := right.(*ast.Ident); name || tv.IsNil() || tv.Value != nil {
				continue
			}
			define.Lhs, define.Rhs = append(define.Lhs, temporary()), append(define.Rhs, right)
			assign.Rhs[i] = define.Lhs[len(define.Lhs)-1]
		}
		for i := range define.Lhs {
			cur.InsertBefore(&ast.AssignStmt{Tok: token.DEFINE, Lhs: define.Lhs[i : i+1], Rhs: define.Rhs[i : i+1]})
		}
		return false
	}
}

func calls(e ast.Expr) (found bool) {
	ast.Inspect(e, func(n ast.Node) bool {
		if _, ok := n.(*ast.CallExpr); ok {
			found = true
		}
		return !found
	})
	return found
}

// constant writes a constant expression as a conversion of a literal to its type.
func (c *checked) constant(e ast.Expr) (string, bool) {
	tv := c.info.Types[e]
	if tv.Value == nil {
		return "", false
	}
	t := types.Default(tv.Type)
	basic, ok := t.Underlying().(*types.Basic)
	if !ok { // an untyped constant on its way into an interface
		return "", false
	}
	name := types.TypeString(t, func(p *types.Package) string {
		if p == c.pkg {
			return ""
		}
		return p.Name()
	})
	info := basic.Info()
	var text string
	switch {
	case info&types.IsBoolean != 0, info&types.IsString != 0, info&types.IsInteger != 0:
		text = constantText(tv.Value, info)
	case info&types.IsFloat != 0:
		text = floatText(tv.Value, basic)
	case info&types.IsComplex != 0:
		text = "complex(" + floatText(constant.Real(tv.Value), basic) + ", " + floatText(constant.Imag(tv.Value), basic) + ")"
		if basic.Kind() == types.Complex128 && t == types.Type(basic) {
			text = "complex(float64(" + floatText(constant.Real(tv.Value), basic) + "), float64(" + floatText(constant.Imag(tv.Value), basic) + "))"
			return text, true
		}
	}
	if name == "bool" || name == "string" {
		return text, true
	}
	return name + "(" + text + ")", true
}

func constantText(v constant.Value, info types.BasicInfo) string {
	if info&types.IsInteger != 0 {
		v = constant.ToInt(v)
	}
	return v.ExactString()
}

func floatText(v constant.Value, basic *types.Basic) string {
	if basic.Kind() == types.Float32 || basic.Kind() == types.Complex64 {
		f, _ := constant.Float32Val(v)
		return strconv.FormatFloat(float64(f), 'g', -1, 32)
	}
	f, _ := constant.Float64Val(v)
	return strconv.FormatFloat(f, 'g', -1, 64)
}

// outcome is what a run left: the variables' state, and how it ended.
type outcome struct{ state, end string }

// observe runs a cell and then looks at the variables; a cell that hangs is left behind.
func observe(run func(use func(...any))) outcome {
	done := make(chan outcome, 1)
	go func() {
		var pointers []any
		end := ending(func() { run(func(p ...any) { pointers = p }) })
		done <- outcome{dump(pointers), end}
	}()
	select {
	case o := <-done:
		return o
	case <-time.After(10 * time.Second):
		return outcome{end: "hangs"}
	}
}

// refused wraps an error of Compile.
type refused struct{ error }

func ending(run func()) (text string) {
	text = "left early"
	defer func() {
		switch r := recover().(type) {
		case nil:
		case refused:
			text = "refused: " + r.Error()
		case runtime.Error:
			text = "runtime error: " + r.Error()
		default:
			text = fmt.Sprintf("panic %T: %v", r, r)
		}
	}()
	run()
	return "end"
}

func interpret(s snippet, setup func(bool, func(...any)), body string) func(use func(...any)) {
	return func(use func(...any)) {
		p := yaegi.Program{Types: shapes.types, Funcs: shapes.funcs, Body: body, File: "In[1]", Line: 1}
		for _, path := range snippetPackages {
			if !strings.Contains(body, lastElement(path)+".") {
				continue
			}
			p.Imports = append(p.Imports, yaegi.Import{Alias: lastElement(path), Path: path})
		}
		p.Vars = append(p.Vars, bind("errBase", &errBase))
		setup(false, func(pointers ...any) {
			use(pointers...)
			for i, name := range s.vars {
				p.Vars = append(p.Vars, bind(name, pointers[i]))
			}
		})
		c, err := yaegi.New(symbols.Table).Compile(p)
		if err != nil {
			panic(refused{err})
		}
		err = c.Run()
		if p := (*yaegi.Panic)(nil); errors.As(err, &p) {
			panic(p.Value)
		}
	}
}

func lastElement(path string) string { return path[strings.LastIndex(path, "/")+1:] }

// verdictsHeader opens testdata/verdicts.txt.
const verdictsHeader = "# snippet, verdict as written, with constants folded, with assignments split: go test -update rewrites this\n"

// TestSnippetsRunAsCompiled runs every snippet compiled and interpreted and compares what
// they leave. testdata/verdicts.txt records, for each form, where the interpreter
// is right: the white list rests on it. With -update all forms run; else the one
// that the planner writes, and a verdict that changed for better or worse fails.
func TestSnippetsRunAsCompiled(t *testing.T) {
	snippets, compiled := readSnippets(t), compiledSnippets()
	if len(snippets) != len(compiled) {
		t.Fatal("z_snippets_test.go is stale")
	}
	columns := make([][]string, forms)
	for form := range forms {
		if form == split || *update {
			columns[form] = verdicts(t, snippets, compiled, form)
		}
	}
	if !*update {
		compareVerdicts(t, snippets, columns[split])
		return
	}
	var text bytes.Buffer
	text.WriteString(verdictsHeader)
	for i, s := range snippets {
		fmt.Fprintf(&text, "%s\t%s\t%s\t%s\n", s.name, columns[asWritten][i], columns[folded][i], columns[split][i])
	}
	golden(t, "testdata/verdicts.txt", text.Bytes())
}

// verdicts runs all snippets in one form.
func verdicts(t *testing.T, snippets []snippet, compiled []compiledSnippet, form int) []string {
	c := checkSnippets(t)
	column := make([]string, len(snippets))
	for i, s := range snippets {
		want := observe(func(use func(...any)) { compiled[i].run(true, use) })
		body := c.normalBody(t, i, s, form)
		got := observe(interpret(s, compiled[i].run, body))
		column[i] = verdict(got, want)
		if column[i] != "right" {
			t.Logf("%s, form %d: %s\n%s--got  %s\n%s--want %s\n%s", s.name, form, column[i], body,
				got.end, got.state, want.end, want.state)
		}
	}
	return column
}

func compareVerdicts(t *testing.T, snippets []snippet, column []string) {
	recorded, err := os.ReadFile("testdata/verdicts.txt")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimPrefix(string(recorded), verdictsHeader), "\n")
	if len(lines) != len(snippets)+1 {
		t.Fatalf("testdata/verdicts.txt has %d lines for %d snippets", len(lines)-1, len(snippets))
	}
	for i, s := range snippets {
		fields := strings.Split(lines[i], "\t")
		if fields[0] != s.name || fields[len(fields)-1] != column[i] {
			t.Errorf("%s: %s, recorded: %s", s.name, column[i], lines[i])
		}
	}
}

// verdict compares two outcomes. A cell that is refused runs natively, which is
// no fault; a panic with another text is told from other differences.
func verdict(got, want outcome) string {
	switch {
	case got == want:
		return "right"
	case strings.HasPrefix(got.end, "refused"):
		return "refused"
	case got.state == want.state && got.end != "end" && want.end != "end":
		return "panic differs"
	case got.end == "end" && want.end != "end":
		return "WRONG: no panic"
	case got.end != "end" && want.end == "end":
		return "WRONG: panics"
	}
	return "WRONG"
}
