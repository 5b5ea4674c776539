package kernel

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"attune/kernel/jupyter"
)

// maxSubshells is how many a front end may have.
const maxSubshells = 64

// shells are the main shell, whose id is empty, and the subshells (JEP 91). Each has
// a queue of its own, and runs its cells one after the other beside the others'. All
// share the session's variables, as goroutines do: what cells that run at one time
// both change, they must lock.
type shells struct {
	mu    sync.Mutex
	byID  map[string]*queue
	order []string // of the subshells, oldest first
}

func newShells() *shells { return &shells{byID: map[string]*queue{"": newQueue()}} }

// find is a shell's queue, nil where there is none.
func (s *shells) find(id string) *queue {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byID[id]
}

// add makes a subshell; nil says that there are enough.
func (s *shells) add(id string) *queue {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.order) >= maxSubshells {
		return nil
	}
	q := newQueue()
	s.byID[id] = q
	s.order = append(s.order, id)
	return q
}

// remove takes a subshell out; nil where there is none.
func (s *shells) remove(id string) *queue {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.byID[id]
	if id == "" || q == nil {
		return nil
	}
	delete(s.byID, id)
	s.order = slices.DeleteFunc(s.order, func(o string) bool { return o == id })
	return q
}

func (s *shells) list() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.order...)
}

func (s *shells) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, q := range s.byID {
		q.close()
	}
}

// createSubshell answers create_subshell_request. The subshell outlives the request,
// so that ctx, the server's, is its own too.
func (s *Server) createSubshell(ctx context.Context, _ *request) (any, error) {
	id := s.session.NewID()
	q := s.shells.add(id)
	if q == nil {
		return nil, fmt.Errorf("there are %d subshells already", maxSubshells)
	}
	go s.executeAll(ctx, q)
	return jupyter.CreateSubshellReply{Status: jupyter.OK, SubshellID: id}, nil
}

// deleteSubshell answers delete_subshell_request: what waits in the subshell is
// aborted, what runs comes to its end.
func (s *Server) deleteSubshell(_ context.Context, r *request) (any, error) {
	var req jupyter.SubshellRequest
	if err := jupyter.Parse(r.Content, &req); err != nil {
		return nil, err
	}
	q := s.shells.remove(req.SubshellID)
	if q == nil {
		return nil, noSubshell(req.SubshellID)
	}
	waiting := q.drain()
	q.close()
	for _, w := range waiting {
		s.abort(w)
	}
	return jupyter.Done{Status: jupyter.OK}, nil
}

// listSubshells answers list_subshell_request.
func (s *Server) listSubshells(context.Context, *request) (any, error) {
	return jupyter.ListSubshellReply{Status: jupyter.OK, SubshellID: s.shells.list()}, nil
}

func noSubshell(id string) error { return fmt.Errorf("there is no subshell %q", id) }
