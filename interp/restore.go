package interp

import (
	"fmt"
	"go/token"
	"maps"
	"slices"
	"strings"

	"attune/interp/cell"
	"attune/interp/check"
)

// takeLost adds what is gone to the lost names, which keep those that an earlier
// crash took and that are still to come back; before is the scope as it was.
func (s *Session) takeLost(gone []*check.Decl, before *check.Scope) {
	left := slices.DeleteFunc(s.stillLost(before), func(old *check.Decl) bool {
		return slices.ContainsFunc(gone, func(d *check.Decl) bool { return d.Name == old.Name && d.Cell >= old.Cell })
	})
	s.lost = append(left, gone...)
}

// stillLost are the lost names that neither %restore nor a later cell has declared.
func (s *Session) stillLost(scope *check.Scope) (left []*check.Decl) {
	for _, d := range s.lost {
		if now := scope.Decls.Get(d.Name); now == nil || now.Cell < d.Cell {
			left = append(left, d)
		}
	}
	return left
}

// lostCells are the names that are still lost by the cell that made them; of those in
// only, where it names any.
func (s *Session) lostCells(only []string) map[int][]string {
	cells := map[int][]string{}
	for _, d := range s.stillLost(s.scope.Load()) {
		if (len(only) == 0 || slices.Contains(only, d.Name)) && !slices.Contains(cells[d.Cell], d.Name) {
			cells[d.Cell] = append(cells[d.Cell], d.Name)
		}
	}
	return cells
}

// restore runs the cells again that made the lost variables, or those that args names,
// and says at the end which of them did not come back.
func (e *execution) restore(args string) *cell.Error {
	if err := e.mend(); err != nil {
		return err
	}
	only := strings.FieldsFunc(args, func(r rune) bool { return r == ' ' || r == ',' || r == '\t' })
	all := slices.Concat(slices.Collect(maps.Values(e.s.lostCells(nil)))...)
	for _, name := range only {
		switch {
		case !token.IsIdentifier(name):
			return magicError("%%restore %s: want %%restore, or names behind it as in %%restore x y", args)
		case !slices.Contains(all, name):
			return magicError("%%restore %s: %s is not lost", args, name)
		}
	}
	if len(all) == 0 {
		e.say("nothing is lost\n")
		return nil
	}
	ran, failed := map[int]bool{}, map[int]bool{}
	for !e.interrupted() {
		cells := e.s.lostCells(only)
		order := slices.Sorted(maps.Keys(cells))
		i := slices.IndexFunc(order, func(n int) bool { return !ran[n] && !failed[n] && !e.s.crashed[n] })
		if i < 0 {
			break
		}
		n, h := order[i], e.s.worker()
		e.say(fmt.Sprintf("%s again, for %s as declared there\n", check.CellName(n), strings.Join(cells[n], ", ")))
		if err := e.again(n); err == nil {
			ran[n] = true
			continue
		} else if !e.interrupted() {
			e.say(strings.Join(err.Traceback, "\n") + "\n")
		}
		failed[n] = true
		if e.s.worker() != h {
			clear(ran) // with the process went what the others had brought back
		}
	}
	e.unrepeated(ran)
	e.unrestored(e.s.lostCells(only), failed)
	if e.interrupted() {
		return e.stoppedError("%restore ended here")
	}
	return nil
}

// noteChanges keeps which variables of earlier cells the unit assigns to.
func (s *Session) noteChanges(u *check.Unit) {
	if s.changes == nil {
		s.changes = map[string][]int{}
	}
	for _, name := range u.Changes() {
		if !slices.Contains(s.changes[name], u.Cell) {
			s.changes[name] = append(s.changes[name], u.Cell)
		}
	}
}

// unrepeated says which cells assigned to what came back and did not run again.
func (e *execution) unrepeated(ran map[int]bool) {
	later := map[int][]string{}
	for _, d := range e.s.scope.Load().Names() {
		for _, n := range e.s.changes[d.Name] {
			if ran[d.Cell] && n > d.Cell && !ran[n] {
				later[n] = append(later[n], d.Name)
			}
		}
	}
	for _, n := range slices.Sorted(maps.Keys(later)) {
		slices.Sort(later[n])
		e.say(fmt.Sprintf("%s changed %s later, and did not run again\n", check.CellName(n), strings.Join(later[n], ", ")))
	}
}

// unrestored says what is still lost, and why.
func (e *execution) unrestored(cells map[int][]string, failed map[int]bool) {
	for _, n := range slices.Sorted(maps.Keys(cells)) {
		names, in := strings.Join(cells[n], ", "), check.CellName(n)
		switch {
		case e.s.crashed[n]:
			e.say(fmt.Sprintf("%s made %s and then ended the process: run it yourself\n", in, names))
		case failed[n]:
			e.say(fmt.Sprintf("not restored: %s, because %s failed\n", names, in))
		default:
			e.say(fmt.Sprintf("not restored: %s of %s; %%restore tries again\n", names, in))
		}
	}
}

// again runs cell n as it was and under its own number, so that what it declares, and
// the lines of its panics, are its own.
func (e *execution) again(n int) *cell.Error {
	code, ok := e.s.names.code(n)
	if !ok {
		return magicError("the text of %s is not known", check.CellName(n))
	}
	sub := &execution{s: e.s, req: e.req, out: e.out, ctx: e.ctx, cancel: e.cancel, repeats: true}
	sub.req.Count, sub.req.Code, sub.req.Expressions = n, code, nil
	e.follow(sub)
	defer e.follow(nil)
	return sub.run().Err
}
