package interp

import (
	"context"
	"slices"
	"sync"
	"time"

	"attune/interp/check"
	"attune/interp/native"
	"attune/interp/plan"
)

// foresight builds the cells that wait in the queue while an earlier one runs. It
// only fills the cache of built cells: a cell whose turn comes is checked and
// planned as ever, and finds its plugin if the guess was right.
type foresight struct {
	mu      sync.Mutex
	waiting []string // the newest list, not looked at yet
	busy    bool
	seen    map[string]bool // texts that were looked at since the scope last surprised
}

// maxForeseen is how many cells ahead are worth building.
const maxForeseen = 64

// Cells that a front end sends one after the other are built together: the first is
// not looked at before none has come for settling, or some have for settled.
const (
	settling = 2 * time.Millisecond
	settled  = 10 * time.Millisecond
)

// Foresee implements cell.Foreseer.
func (s *Session) Foresee(codes []string) {
	f := &s.foresight
	f.mu.Lock()
	defer f.mu.Unlock()
	f.waiting = codes[:min(len(codes), maxForeseen)]
	if !f.busy && len(codes) > 0 {
		f.busy = true
		go s.foreseeAll()
	}
}

// take is the newest list once it has settled, nil if it is empty or all of it was
// looked at.
func (f *foresight) take() []string {
	for start, last := time.Now(), -1; time.Since(start) < settled; time.Sleep(settling) {
		f.mu.Lock()
		n := len(f.waiting)
		f.mu.Unlock()
		if n <= last {
			break
		}
		last = n
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	codes := f.waiting
	f.waiting = nil
	if !slices.ContainsFunc(codes, func(c string) bool { return !f.seen[c] }) {
		f.busy = false
		return nil
	}
	return codes
}

// foreseeAll builds what waits, and then what has come to wait since.
func (s *Session) foreseeAll() {
	for codes := s.foresight.take(); codes != nil; codes = s.foresight.take() {
		s.builder.BuildAll(context.Background(), s.foreseeList(codes))
	}
}

// foreseeList checks the cells one on top of the other, as if each ran well, and
// returns those that will be compiled.
func (s *Session) foreseeList(codes []string) []*native.Source {
	var list []*native.Source
	scope, count, ids := s.basis()
	for _, code := range codes {
		count++
		src, next := s.foreseeOne(count, code, scope, ids)
		s.foresight.note(code)
		if next == nil {
			break // an error: whatever follows may not run
		}
		scope = next
		if src != nil {
			list = append(list, src)
		}
	}
	return list
}

func (f *foresight) note(code string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.seen == nil || len(f.seen) > 10*maxForeseen {
		f.seen = map[string]bool{}
	}
	f.seen[code] = true
}

// basis is the scope that the first waiting cell will find, the running cell's count,
// and what that will be called in positions.
func (s *Session) basis() (*check.Scope, int, map[int]string) {
	s.mu.Lock()
	var e *execution
	if i := slices.IndexFunc(s.current, func(e *execution) bool { return e.req.Code != "" }); i >= 0 {
		e = s.current[i]
	}
	count := s.count
	s.mu.Unlock()
	scope, ids := s.scope.Load(), map[int]string{}
	if e == nil {
		return scope, count, ids
	}
	if !e.isCommitted() {
		if _, next := s.foreseeOne(e.req.Count, e.req.Code, scope, ids); next != nil {
			scope = next
		}
	}
	return scope, e.req.Count, ids
}

// foreseeOne is the source of a cell that will be compiled, nil for others, and
// the scope behind it, nil if the cell has an error. Its name in positions is noted
// in ids, not in s.names: it may never run, or under another count.
func (s *Session) foreseeOne(count int, code string, scope *check.Scope, ids map[int]string) (*native.Source, *check.Scope) {
	text, forced := withoutMagics(code)
	ids[count] = native.CellID(code)
	names := func(n int) string {
		if id, ok := ids[n]; ok {
			return id
		}
		return s.names.id(n)
	}
	s.checkMu.Lock()
	defer s.checkMu.Unlock()
	u, _, err := s.checkCell(count, text, scope)
	if err != nil {
		return nil, nil
	}
	if plan.Decide(u, forced).Engine != plan.Native {
		native.Prepare(u)
		return nil, u.Scope
	}
	src, emitErr := native.Emit(u, names)
	if emitErr != nil {
		return nil, nil
	}
	ids[count] = src.Cell
	return src, u.Scope
}
