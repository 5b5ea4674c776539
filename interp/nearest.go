package interp

import (
	"go/ast"
	"go/types"
	"regexp"
	"strings"

	"attune/interp/check"
)

var undefined = regexp.MustCompile(`^undefined: (?:([\pL_][\pL\pN_]*)\.)?([\pL_][\pL\pN_]*)$`)

// nearest asks whether a name that means nothing was meant to be one that is spelled
// nearly so: of the session, predeclared, or of the package in front of it.
func (s *Session) nearest(msg string) string {
	m := undefined.FindStringSubmatch(msg)
	if m == nil {
		return ""
	}
	best, least := "", 1+len(m[2])/5
	for _, name := range s.spellings(m[1]) {
		if d := distance(m[2], name); d < least || d == least && best == "" {
			best, least = name, d
		}
	}
	switch {
	case best == "":
		return s.methodNamed(m[1], m[2])
	case m[1] != "":
		best = m[1] + "." + best
	}
	return "did you mean " + best + "?"
}

// methodNamed says whose method a name is that package pkg does not have: of what a
// variable of the session holds, or of the only type that has it.
func (s *Session) methodNamed(pkg, name string) string {
	if pkg == "" {
		return ""
	}
	s.checkMu.Lock()
	defer s.checkMu.Unlock()
	p := s.packageNamed(pkg)
	if p == nil {
		return ""
	}
	var owners []string
	for _, n := range p.Scope().Names() {
		of, ok := p.Scope().Lookup(n).(*types.TypeName)
		if !ok || !of.Exported() {
			continue
		}
		if m, _, _ := types.LookupFieldOrMethod(of.Type(), true, p, name); !isMethod(m) {
			continue
		}
		for _, d := range s.scope.Load().Names() {
			if d.Kind == check.Var && holds(d.Obj.Type(), of) {
				return "it is a method of " + pkg + "." + n + ": " + d.Name + "." + name
			}
		}
		owners = append(owners, n)
	}
	if len(owners) != 1 {
		return ""
	}
	return "it is a method of " + pkg + "." + owners[0]
}

func isMethod(o types.Object) bool { _, ok := o.(*types.Func); return ok }

// holds says whether t is the type of that name or a pointer to it.
func holds(t types.Type, of *types.TypeName) bool {
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	n, ok := t.(*types.Named)
	return ok && n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == of.Pkg().Path() && n.Obj().Name() == of.Name()
}

// packageNamed is what a cell calls pkg; nil if nothing is. It wants checkMu held.
func (s *Session) packageNamed(pkg string) *types.Package {
	path, ok := s.scope.Load().Imports[pkg]
	if !ok {
		path = pkg
	}
	p, err := s.imp.Import(path)
	if err != nil {
		return nil
	}
	return p
}

// spellings are the names that stand behind pkg and a dot, or alone if pkg is "".
func (s *Session) spellings(pkg string) (names []string) {
	scope := s.scope.Load()
	if pkg != "" {
		s.checkMu.Lock()
		defer s.checkMu.Unlock()
		p := s.packageNamed(pkg)
		if p == nil {
			return nil
		}
		for _, name := range p.Scope().Names() {
			if ast.IsExported(name) {
				names = append(names, name)
			}
		}
		return names
	}
	for _, d := range scope.Names() {
		names = append(names, d.Name)
	}
	return append(names, types.Universe.Names()...)
}

// distance counts the letters to put in, take out, change, or swap with the next, that
// lead from a to b whatever their case (optimal string alignment).
func distance(a, b string) int {
	x, y := []rune(strings.ToLower(a)), []rune(strings.ToLower(b))
	rows := make([][]int, len(x)+1)
	for i := range rows {
		rows[i] = make([]int, len(y)+1)
		for j := range rows[i] {
			switch {
			case i == 0 || j == 0:
				rows[i][j] = i + j
			default:
				change := 1
				if x[i-1] == y[j-1] {
					change = 0
				}
				rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+change)
				if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
					rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
				}
			}
		}
	}
	return rows[len(x)][len(y)]
}
