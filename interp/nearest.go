package interp

import (
	"go/ast"
	"go/types"
	"regexp"
	"strings"
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
		return ""
	case m[1] != "":
		best = m[1] + "." + best
	}
	return "did you mean " + best + "?"
}

// spellings are the names that stand behind pkg and a dot, or alone if pkg is "".
func (s *Session) spellings(pkg string) (names []string) {
	scope := s.scope.Load()
	if pkg != "" {
		path, ok := scope.Imports[pkg]
		if !ok {
			path = pkg
		}
		s.checkMu.Lock()
		defer s.checkMu.Unlock()
		p, err := s.imp.Import(path)
		if err != nil {
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
