package interp

import (
	"context"
	"slices"
	"sync"

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

func (s *Session) foreseeAll() {
	f := &s.foresight
	for {
		f.mu.Lock()
		codes := f.waiting
		f.waiting = nil
		known := !slices.ContainsFunc(codes, func(c string) bool { return !f.seen[c] })
		if len(codes) == 0 {
			f.busy = false
			f.mu.Unlock()
			return
		}
		f.mu.Unlock()
		if !known {
			s.foreseeList(codes)
		}
	}
}

// foreseeList checks the cells one on top of the other, as if each ran well, and
// builds what will be compiled, as many at a time as there are processors to spare.
func (s *Session) foreseeList(codes []string) {
	var builds sync.WaitGroup
	defer builds.Wait()
	room := make(chan struct{}, 2)
	scope, count, ids := s.basis()
	for _, code := range codes {
		count++
		src, next := s.foreseeOne(count, code, scope, ids)
		s.foresight.note(code)
		if next == nil {
			return // an error: whatever follows may not run
		}
		scope = next
		if src == nil {
			continue
		}
		room <- struct{}{}
		builds.Go(func() {
			defer func() { <-room }()
			// What cannot be built is reported when its turn comes.
			_, _ = s.builder.Build(context.Background(), src)
		})
	}
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
	e := s.current
	s.mu.Unlock()
	scope, ids := s.scope.Load(), map[int]string{}
	if e == nil {
		return scope, 0, ids
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
	u, err := s.checker.Check(count, text, scope)
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
