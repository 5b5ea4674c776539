package check

import (
	"go/ast"
	"go/token"
	"go/types"
	"regexp"
	"slices"
	"strconv"
)

// Checker checks the cells of one session, one after another. Not safe for
// concurrent use.
type Checker struct {
	Fset *token.FileSet
	Imp  *Importer
	// pkg is the package that all cells are. It is the same for all, since go/types
	// takes names that are not exported for the same only within one package; its
	// scope is emptied for each cell.
	pkg *types.Package
	// lenient: text that is being typed is taken as far as it goes.
	lenient bool
	// parsed are the chunks of that text, by their place: they are looked at repeatedly.
	parsed map[[2]int]*File
}

// NewChecker makes a checker that imports through imp.
func NewChecker(imp *Importer) *Checker {
	return &Checker{Fset: token.NewFileSet(), Imp: imp, pkg: types.NewPackage(PkgPath, "main")}
}

// emptyPackage is the cells' package with nothing declared. Its scope stays the same
// one, since go/types takes what another scope holds for declared in a function.
func (c *Checker) emptyPackage() *types.Package {
	*c.pkg.Scope() = *types.NewScope(types.Universe, token.NoPos, token.NoPos, "")
	return c.pkg
}

// run is the check of one cell, repeated with more files until nothing that
// depends on a change is left out.
type run struct {
	c     *Checker
	cell  int
	old   *Scope // the scope before the cell; never changed
	unit  *Unit
	named map[string]string // imports by name, the session's and the cell's
	dots  []string

	chunks   []Chunk
	decls    []Chunk // the cell's declaration chunks
	stmts    []Chunk
	whole    bool // only declarations: package semantics
	declares map[string]bool
	methods  map[string][]Chunk // methods the cell declares, by type
	typeText map[string]Chunk   // types the cell declares
	dirty    map[*Decl]bool     // earlier declarations to compile again
	reshaped map[*Decl]bool     // dirty types that get other text, not only methods
	stale    map[*Decl]string   // those that no longer fit
	// forMethod holds the types that are dirty for a method that is part of their text.
	forMethod map[*Decl]bool

	topLevel map[token.Pos]bool
	result   ast.Expr
	muted    bool
	hoisted  bool
	objs     map[types.Object]*Decl
	asFunc   map[*ast.FuncDecl]*Decl // methods of unchanged types, by their rewritten form
	changed  map[*Decl]*Decl         // old → new, for what means something else now
}

// Check type-checks code as cell n on top of scope, which it leaves alone: the
// unit carries the scope that follows. A nil unit comes with an error.
func (c *Checker) Check(n int, code string, scope *Scope) (*Unit, *Error) {
	r := &run{
		c: c, cell: n, old: scope, chunks: Split(code),
		named: map[string]string{}, declares: map[string]bool{}, methods: map[string][]Chunk{},
		typeText: map[string]Chunk{}, dirty: map[*Decl]bool{}, reshaped: map[*Decl]bool{}, stale: map[*Decl]string{}, forMethod: map[*Decl]bool{},
	}
	if err := r.imports(); err != nil {
		return nil, err
	}
	if err := r.sort(); err != nil {
		return nil, err
	}
	r.dirtyTypes()
	// Every attempt but the last marks a declaration more, so this ends.
	for {
		again, err := r.attempt()
		if err != nil {
			return nil, err
		}
		if !again {
			return r.unit, nil
		}
	}
}

// imports reads the import chunks and settles which names are packages.
func (r *run) imports() *Error {
	for name, path := range r.old.Imports {
		r.named[name] = path
	}
	r.dots = slices.Clone(r.old.Dots)
	for _, ch := range r.chunks {
		if ch.Kind != ImportChunk {
			continue
		}
		f, err := r.c.parseDecl(r.cell, ch)
		if err != nil {
			return syntaxError(err)
		}
		for _, spec := range f.AST.Imports {
			path, _ := strconv.Unquote(spec.Path.Value)
			if err := r.oneImport(spec, path); err != nil && !r.c.lenient {
				return err
			}
		}
	}
	return nil
}

func (r *run) oneImport(spec *ast.ImportSpec, path string) *Error {
	pkg, err := r.c.Imp.Import(path)
	if err != nil {
		msg := err.Error()
		if path == "C" {
			msg = `import "C": cgo is not available in cells; put C code into a package and import that`
		}
		return &Error{Problems: []Problem{{Pos: r.c.Fset.Position(spec.Path.Pos()), Msg: msg}}}
	}
	name := pkg.Name()
	if spec.Name != nil {
		name = spec.Name.Name
	}
	switch name {
	case "_":
		r.blank(path)
	case ".":
		r.dots = append(r.dots, path)
	default:
		r.named[name] = path
		r.declares[name] = true
	}
	return nil
}

func (r *run) blank(path string) {
	if r.unit == nil {
		r.unit = &Unit{}
	}
	r.unit.Blank = append(r.unit.Blank, path)
}

// sort parts declarations from statements and notes what the cell declares.
func (r *run) sort() *Error {
	pkgClause := false
	for _, ch := range r.chunks {
		switch ch.Kind {
		case PackageChunk:
			pkgClause = true
		case StmtChunk:
			r.stmts = append(r.stmts, ch)
		case TypeChunk, ConstChunk, FuncChunk, VarChunk:
			r.decls = append(r.decls, ch)
		}
	}
	r.whole = pkgClause || len(r.stmts) == 0
	if !r.whole {
		r.decls, r.stmts = nil, nil
		for _, ch := range r.chunks {
			switch ch.Kind {
			case StmtChunk, VarChunk:
				r.stmts = append(r.stmts, ch)
			case TypeChunk, ConstChunk, FuncChunk:
				r.decls = append(r.decls, ch)
			}
		}
	}
	if pkgClause && len(r.stmts) > 0 {
		ch := r.stmts[0]
		return &Error{Syntax: true, Problems: []Problem{{
			Pos: token.Position{Filename: CellName(r.cell), Line: ch.Line, Column: ch.Col},
			Msg: "syntax error: non-declaration statement outside function body",
		}}}
	}
	return r.noteDeclared()
}

// noteDeclared parses each declaration once to learn the names it gives.
func (r *run) noteDeclared() *Error {
	var problems []Problem
	for _, ch := range r.decls {
		f, err := r.c.parseDecl(r.cell, ch)
		if err != nil {
			problems = append(problems, syntaxError(err).Problems...)
			continue
		}
		for _, d := range f.AST.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if t := RecvName(d); t != "" {
					r.methods[t] = append(r.methods[t], ch)
				} else if d.Name.Name != "init" && d.Name.Name != "_" {
					r.declares[d.Name.Name] = true
				}
			case *ast.GenDecl:
				r.noteSpecs(d, ch)
			}
		}
	}
	if len(problems) > 0 {
		return &Error{Syntax: true, Problems: problems}
	}
	return r.incomplete()
}

// incomplete finds what a program completes with other files: functions without a
// body, and embedded files.
func (r *run) incomplete() *Error {
	var problems []Problem
	for _, ch := range slices.Concat(r.decls, r.stmts) {
		pos := token.Position{Filename: CellName(r.cell), Line: ch.Line, Column: ch.Col}
		if ch.Kind == VarChunk && embeds.MatchString(ch.Doc+"\n"+ch.Text) {
			problems = append(problems, Problem{Pos: pos, Msg: "go:embed is not available in cells; read the file with os.ReadFile"})
		}
		if ch.Kind != FuncChunk {
			continue
		}
		if f, err := r.c.parseDecl(r.cell, ch); err == nil {
			f.FuncDecls(func(fd *ast.FuncDecl) {
				if fd.Body == nil {
					problems = append(problems, Problem{Pos: r.c.Fset.Position(fd.Name.Pos()), Msg: "missing function body"})
				}
			})
		}
	}
	if len(problems) > 0 {
		return &Error{Problems: problems}
	}
	return nil
}

var embeds = regexp.MustCompile(`(?m)^\s*//go:embed\s`)

func (r *run) noteSpecs(d *ast.GenDecl, ch Chunk) {
	for _, s := range d.Specs {
		switch s := s.(type) {
		case *ast.TypeSpec:
			r.declares[s.Name.Name] = true
			r.typeText[s.Name.Name] = ch
		case *ast.ValueSpec:
			for _, id := range s.Names {
				r.declares[id.Name] = true
			}
		}
	}
}
