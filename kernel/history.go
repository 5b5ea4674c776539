package kernel

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"attune/kernel/jupyter"
)

const (
	maxHistory   = 100_000 // entries of this session that are kept
	defaultLines = 1000    // entries of a tail that names no number
)

// saveAfter is how long entries may wait for company before they are stored: a write
// behind each cell would be in the next one's way.
const saveAfter = time.Second

// history keeps the inputs of this session in memory, and those of all sessions in a
// store, where there is one. It is opened and written beside the cells: none waits for
// the disk.
type history struct {
	path string
	note func(error)

	opening sync.Once
	store   *store // behind opening; nil where there is none

	mu      sync.Mutex
	entries []jupyter.HistoryEntry // of this session
	unsaved int                    // how many of them, the newest, are not stored yet
	work    chan struct{}          // holds a token when there is something to store
	stop    chan struct{}          // closed by close
	ended   chan struct{}          // closed when the last entries are stored
}

// newHistory keeps all sessions at path; without a path there is this one alone. What
// goes wrong is told to note.
func newHistory(path string, note func(error)) *history {
	h := &history{
		path: path, note: note,
		work: make(chan struct{}, 1), stop: make(chan struct{}), ended: make(chan struct{}),
	}
	go h.keep()
	return h
}

// open opens the store at the first need.
func (h *history) open() *store {
	h.opening.Do(func() {
		if h.path == "" {
			return
		}
		st, err := openStore(h.path)
		if err != nil {
			h.note(err)
		}
		h.store = st
	})
	return h.store
}

// keep writes to the store until close.
func (h *history) keep() {
	defer close(h.ended)
	for last := false; !last; {
		select {
		case <-h.work:
			select {
			case <-time.After(saveAfter):
			case <-h.stop:
				last = true
			}
		case <-h.stop:
			last = true
		}
		h.save()
	}
}

// save stores what is not stored yet.
func (h *history) save() {
	h.mu.Lock()
	fresh := h.entries[len(h.entries)-h.unsaved:]
	fresh = fresh[:len(fresh):len(fresh)]
	h.unsaved = 0
	h.mu.Unlock()
	if len(fresh) == 0 {
		return
	}
	if st := h.open(); st != nil {
		if err := st.write(fresh); err != nil {
			h.note(err)
		}
	}
}

// close stores what is not stored yet and ends the keeping.
func (h *history) close() {
	close(h.stop)
	<-h.ended
}

func (h *history) add(line int, input string, output *string) {
	h.mu.Lock()
	h.entries = append(h.entries, jupyter.HistoryEntry{Line: line, Input: input, Output: output})
	h.unsaved++
	if len(h.entries) > maxHistory {
		h.entries = append([]jupyter.HistoryEntry(nil), h.entries[len(h.entries)/2:]...)
		h.unsaved = min(h.unsaved, len(h.entries))
	}
	h.mu.Unlock()
	select {
	case h.work <- struct{}{}:
	default:
	}
}

// all returns the entries of every session, oldest session first, and this one's number.
func (h *history) all() (all []jupyter.HistoryEntry, session int, err error) {
	session = 1
	if st := h.open(); st != nil {
		session = st.session
		err = st.others(func(e jupyter.HistoryEntry) { all = append(all, e) })
		slices.SortStableFunc(all, func(a, b jupyter.HistoryEntry) int { return a.Session - b.Session })
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range h.entries {
		e.Session = session
		all = append(all, e)
	}
	// Sessions of other kernels may have begun after this one.
	slices.SortStableFunc(all, func(a, b jupyter.HistoryEntry) int { return a.Session - b.Session })
	return all, session, err
}

// find returns the entries that match, oldest first. Go code is kept as it was
// typed, so raw makes no difference.
func (h *history) find(req jupyter.HistoryRequest) ([]jupyter.HistoryEntry, error) {
	all, session, err := h.all()
	if err != nil {
		return nil, err
	}
	var found []jupyter.HistoryEntry
	switch req.HistAccessType {
	case "tail", "":
		found = last(all, req.N, defaultLines)
	case "range":
		found = lines(all, session, req)
	case "search":
		found = search(all, req)
	default:
		return nil, fmt.Errorf("hist_access_type %q is not range, tail or search", req.HistAccessType)
	}
	out := make([]jupyter.HistoryEntry, len(found))
	for i, e := range found {
		e.Pair = req.Output
		out[i] = e
	}
	return out, nil
}

func last(all []jupyter.HistoryEntry, n *int, otherwise int) []jupyter.HistoryEntry {
	if n != nil {
		otherwise = *n
	}
	return all[len(all)-min(max(otherwise, 0), len(all)):]
}

// lines picks [Start, Stop) of a session; 0 is the running one, -1 the one before.
func lines(all []jupyter.HistoryEntry, session int, req jupyter.HistoryRequest) []jupyter.HistoryEntry {
	if req.Session > 0 {
		session = req.Session
	} else {
		session += req.Session
	}
	var found []jupyter.HistoryEntry
	for _, e := range all {
		if e.Session == session && e.Line >= req.Start && (req.Stop == nil || e.Line < *req.Stop) {
			found = append(found, e)
		}
	}
	return found
}

// search matches the pattern (with *, ? and [...]) against whole inputs. With
// Unique only the newest of equal inputs is kept.
func search(all []jupyter.HistoryEntry, req jupyter.HistoryRequest) []jupyter.HistoryEntry {
	pattern := req.Pattern
	if pattern == "" {
		pattern = "*"
	}
	seen := make(map[string]bool)
	var found []jupyter.HistoryEntry
	for i := len(all) - 1; i >= 0; i-- {
		e := all[i]
		if !matches(pattern, e.Input) || req.Unique && seen[e.Input] {
			continue
		}
		seen[e.Input] = true
		found = append(found, e)
		if req.N != nil && len(found) >= *req.N {
			break
		}
	}
	slices.Reverse(found)
	return found
}

// matches is path.Match with no separator: a slash in Go code is a sign like any.
func matches(pattern, input string) bool {
	const stand = "\x00"
	ok, err := path.Match(strings.ReplaceAll(pattern, "/", stand), strings.ReplaceAll(input, "/", stand))
	return err == nil && ok
}

// searchHistory answers history_request.
func (s *Server) searchHistory(_ context.Context, r *request) (any, error) {
	var req jupyter.HistoryRequest
	if err := jupyter.Parse(r.Content, &req); err != nil {
		return nil, err
	}
	found, err := s.history.find(req)
	if err != nil {
		return nil, err
	}
	return jupyter.HistoryReply{Status: jupyter.OK, History: found}, nil
}
