package interp

import (
	"fmt"
	"maps"
	"slices"

	"attune/interp/check"
)

// checkCell is check, and finds imports. The caller holds checkMu. A cell
// that fails for an import alone which only one package can be meant by gets that
// import, and a note; it is the session's from then on. So a completion offers the
// members of any package, and whoever accepts one need not scroll up.
func (s *Session) checkCell(n int, code string, scope *check.Scope) (*check.Unit, map[string]string, *check.Error) {
	u, means, err := s.check(n, code, scope)
	if err == nil || err.Syntax {
		return u, means, err
	}
	missing := s.checker.Missing(err.Problems, code)
	if len(missing) == 0 {
		return u, means, err
	}
	with := scope.Clone()
	maps.Copy(with.Imports, missing)
	if u, means, err = s.check(n, code, with); err != nil {
		return nil, nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(missing)) {
		u.Notes = append(u.Notes, fmt.Sprintf("import %q was added", missing[name]))
	}
	return u, means, nil
}
