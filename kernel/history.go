package kernel

import (
	"context"
	"fmt"
	"path"
	"strings"
	"sync"

	"attune/kernel/jupyter"
)

const (
	maxHistory   = 100_000 // entries kept
	thisSession  = 1       // the number of the running session
	defaultLines = 1000    // entries of a tail that names no number
)

// history keeps the inputs of this session, in memory.
type history struct {
	mu      sync.Mutex
	entries []jupyter.HistoryEntry
}

func newHistory() *history { return new(history) }

func (h *history) add(line int, input string, output *string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.entries = append(h.entries, jupyter.HistoryEntry{
		Session: thisSession, Line: line, Input: input, Output: output,
	})
	if len(h.entries) > maxHistory {
		h.entries = append([]jupyter.HistoryEntry(nil), h.entries[len(h.entries)/2:]...)
	}
}

// find returns the entries that match, oldest first. Go code is kept as it was
// typed, so raw makes no difference.
func (h *history) find(req jupyter.HistoryRequest) ([]jupyter.HistoryEntry, error) {
	h.mu.Lock()
	all := h.entries[:len(h.entries):len(h.entries)]
	h.mu.Unlock()
	var found []jupyter.HistoryEntry
	switch req.HistAccessType {
	case "tail", "":
		found = last(all, req.N, defaultLines)
	case "range":
		found = lines(all, req)
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

// lines picks [Start, Stop) of a session; 0 is the running one, others below it
// are not kept.
func lines(all []jupyter.HistoryEntry, req jupyter.HistoryRequest) []jupyter.HistoryEntry {
	if req.Session != 0 && req.Session != thisSession {
		return nil
	}
	var found []jupyter.HistoryEntry
	for _, e := range all {
		if e.Line >= req.Start && (req.Stop == nil || e.Line < *req.Stop) {
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
	for i, j := 0, len(found)-1; i < j; i, j = i+1, j-1 {
		found[i], found[j] = found[j], found[i]
	}
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
