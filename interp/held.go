package interp

import (
	"maps"
	"sync"

	"attune/interp/check"
	"attune/interp/native"
)

// held is what the names mean that compiled cells share: in the session, and in every
// plugin that its worker has opened. A plugin may hold cells that waited when it was
// built and never ran; what they declared is then nobody's, but the worker has it, and
// it must not meet another meaning of its name.
type held struct {
	mu    sync.Mutex
	means map[string]string // see native.Source.Means
}

// differ lists the names that mean something else already.
func (h *held) differ(means map[string]string) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []string
	for name, m := range means {
		if have, ok := h.means[name]; ok && have != m {
			out = append(out, name)
		}
	}
	return out
}

// differ tells whether a name of both means something else in each.
func differ(a, b map[string]string) bool {
	for name, m := range a {
		if other, ok := b[name]; ok && other != m {
			return true
		}
	}
	return false
}

func (h *held) add(means map[string]string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.means == nil {
		h.means = map[string]string{}
	}
	maps.Copy(h.means, means)
}

func (h *held) forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.means = nil
}

// check checks a cell and gives its declarations names that the worker knows nothing
// else by. It returns what they mean as well. The caller holds checkMu.
func (s *Session) check(count int, code string, scope *check.Scope) (*check.Unit, map[string]string, *check.Error) {
	for {
		u, err := s.checker.Check(count, code, scope)
		if err != nil {
			return nil, nil, err
		}
		means, _ := native.Means(u) // what fails here fails again when it is compiled
		next := scope.Reserve(s.held.differ(means))
		if next == nil {
			return u, means, nil
		}
		scope = next
	}
}
