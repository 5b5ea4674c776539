package interp

import (
	"maps"
	"slices"
	"strings"

	"attune/interp/cell"
	"attune/interp/check"
	"attune/interp/worker"
)

// redeclare compiles functions, types and constants again that were forgotten with
// the plugins that held them, as far as they still fit: no statement of their cells
// runs. It returns what is gone for good.
func (e *execution) redeclare(forgotten []*check.Decl) (gone []*check.Decl) {
	waiting := map[int][]*check.Decl{}
	for _, d := range forgotten {
		if d.Kind == check.Var {
			gone = append(gone, d)
		} else {
			waiting[d.Cell] = append(waiting[d.Cell], d)
		}
	}
	// A declaration may use one of a later cell, which then has to come first.
	for again := true; again; {
		again = false
		for _, n := range slices.Sorted(maps.Keys(waiting)) {
			left := e.redeclareCell(n, waiting[n])
			again = again || len(left) < len(waiting[n])
			if waiting[n] = left; len(left) == 0 {
				delete(waiting, n)
			}
		}
	}
	for _, n := range slices.Sorted(maps.Keys(waiting)) {
		gone = append(gone, waiting[n]...)
	}
	return gone
}

// redeclareCell compiles those of the declarations of cell n that fit and returns
// the others.
func (e *execution) redeclareCell(n int, decls []*check.Decl) (left []*check.Decl) {
	s := e.s
	sub := &execution{s: s, req: cell.Request{Count: n}, out: e.out, ctx: e.ctx, cancel: e.cancel}
	e.follow(sub)
	defer e.follow(nil)
	for len(decls) > 0 {
		s.checkMu.Lock()
		u, means, cerr := s.check(n, declared(decls), s.scope.Load())
		sub.means = means
		s.checkMu.Unlock()
		if cerr == nil {
			r := &worker.Run{Quiet: true}
			if sub.compile(u, r) != nil {
				break
			}
			sub.commit(u)
			if _, err := sub.perform(s.worker(), r); err != nil {
				break
			}
			return left
		}
		unfit := func(d *check.Decl) bool {
			return slices.ContainsFunc(cerr.Problems, func(p check.Problem) bool {
				return p.Pos.Line >= d.Line && p.Pos.Line <= d.Line+strings.Count(d.Text, "\n")
			})
		}
		fit := slices.DeleteFunc(slices.Clone(decls), unfit)
		if len(fit) == len(decls) {
			break
		}
		for _, d := range decls {
			if unfit(d) {
				left = append(left, d)
			}
		}
		decls = fit
	}
	return append(left, decls...)
}

// declared is the text of declarations, each on the line that it had in its cell.
func declared(decls []*check.Decl) string {
	decls = slices.Clone(decls)
	slices.SortStableFunc(decls, func(a, b *check.Decl) int { return a.Line - b.Line })
	var text strings.Builder
	line := 1
	for i, d := range decls {
		if d.Line > line {
			text.WriteString(strings.Repeat("\n", d.Line-line))
			line = d.Line
		} else if i > 0 {
			text.WriteString("; ")
		}
		text.WriteString(d.Text)
		line += strings.Count(d.Text, "\n")
	}
	return text.String()
}
