package interp

import (
	"context"
	"path/filepath"
	"strings"
	"time"

	"attune/interp/cell"
	"attune/interp/check"
	"attune/interp/docs"
	"attune/interp/worker"
)

// Complete implements cell.Runner.
func (s *Session) Complete(_ context.Context, code string, offset int) cell.Completion {
	if c, ok := completeMagic(code, offset); ok {
		return c
	}
	s.checkMu.Lock()
	defer s.checkMu.Unlock()
	start, end, found := s.checker.Complete(code, offset, s.scope.Load())
	c := cell.Completion{Start: start, End: end}
	for _, f := range found {
		c.Items = append(c.Items, cell.Item{Text: f.Text, Type: f.Type, Signature: f.Signature})
	}
	return c
}

// magicLines are the lines of the help that tell of a magic: its name and what follows it.
func magicLines() func(func(name, rest string) bool) {
	return func(yield func(name, rest string) bool) {
		for line := range strings.Lines(help) {
			if name, rest, _ := strings.Cut(strings.TrimSpace(line), " "); strings.HasPrefix(name, "%") {
				if !yield(name, strings.Join(strings.Fields(rest), " ")) {
					return
				}
			}
		}
	}
}

// goCommands are the words of the go command that are of use in a session's module.
const goCommands = "get list mod env version doc vet work"

// completeMagic completes a line that speaks to the kernel; ok is false for Go code,
// that behind %time included.
func completeMagic(code string, offset int) (c cell.Completion, ok bool) {
	from := strings.LastIndexByte(code[:offset], '\n') + 1
	line := code[from:offset]
	trimmed := strings.TrimLeft(line, " \t")
	from += len(line) - len(trimmed)
	switch {
	case strings.HasPrefix(trimmed, "!"):
		return cell.Completion{Start: offset, End: offset}, true
	case !strings.HasPrefix(trimmed, "%"):
		return c, false
	}
	name, args, more := strings.Cut(trimmed, " ")
	if !more {
		c = cell.Completion{Start: from, End: offset}
		for magic, rest := range magicLines() {
			if strings.HasPrefix(magic, name) || strings.HasPrefix(magic, "%"+name) {
				c.Items = append(c.Items, cell.Item{Text: magic, Type: "magic", Signature: rest})
			}
		}
		return c, true
	}
	if name == "%time" || name == "%plan" || name == "%check" {
		return c, false
	}
	c = cell.Completion{Start: offset - len(args), End: offset}
	if name == "%go" {
		for word := range strings.FieldsSeq(goCommands) {
			if strings.HasPrefix(word, args) {
				c.Items = append(c.Items, cell.Item{Text: word, Type: "magic"})
			}
		}
	}
	return c, true
}

// IsComplete implements cell.Runner.
func (s *Session) IsComplete(code string) cell.Completeness {
	status, indent := s.checker.IsComplete(code)
	return cell.Completeness{Status: status, Indent: indent}
}

// Inspect implements cell.Runner.
func (s *Session) Inspect(_ context.Context, code string, offset, detail int) cell.Inspection {
	if text, ok := inspectMagic(code, offset); ok {
		return page{info: check.Info{Found: text != "", Signature: text, Kind: "magic", Size: -1}}.inspection()
	}
	s.checkMu.Lock()
	scope := s.scope.Load()
	in := s.checker.Inspect(code, offset, scope)
	s.checkMu.Unlock()
	if !in.Found {
		return cell.Inspection{}
	}
	p := page{info: in, detail: detail, doc: in.Doc}
	if in.Doc == "" && in.Decl == nil && in.Path != check.PkgPath {
		p.doc = s.docs.Find(in.Path, in.Name)
	}
	if p.source = in.Source; p.source == "" && detail > 0 && in.File != "" {
		roots := docs.Roots{Go: s.goRoot, Modules: moduleCache(s.opt.Env), Attune: s.opt.Root}
		p.source = roots.Source(in.File, in.Line)
	}
	if d := in.Decl; d != nil && d.Kind == check.Var && scope.Decls.Get(d.Name) == d {
		p.value = s.glimpse(d.Key)
	}
	return p.inspection()
}

// inspectMagic is what the help says of the magic that offset stands on.
func inspectMagic(code string, offset int) (text string, ok bool) {
	offset = min(offset, len(code))
	from := strings.LastIndexByte(code[:offset], '\n') + 1
	line, _, _ := strings.Cut(code[from:], "\n")
	name, _, _ := strings.Cut(strings.TrimSpace(line), " ")
	if !strings.HasPrefix(name, "%") || offset > from+strings.Index(line, name)+len(name) {
		return "", false
	}
	for magic, rest := range magicLines() {
		if magic == name {
			text = magic + "  " + rest
		}
	}
	return text, true
}

// glimpseTime is how long an inspection waits for the worker to look at a value.
const glimpseTime = 200 * time.Millisecond

// glimpse asks the worker what a variable holds, nil if it does not say in time. It
// answers while a cell runs.
func (s *Session) glimpse(key string) *worker.Item {
	s.mu.Lock()
	h, busy := s.hand, len(s.current) > 0
	s.mu.Unlock()
	id := -int(s.asked.Add(1)) // a cell's own questions have ids above 0
	answer := make(chan *worker.Listing, 1)
	h.mu.Lock()
	h.lists[id] = answer
	h.mu.Unlock()
	defer func() {
		h.mu.Lock()
		delete(h.lists, id)
		h.mu.Unlock()
	}()
	if h.client.Send(worker.Request{List: &worker.List{ID: id, Keys: []string{key}, Busy: busy}}) != nil {
		return nil
	}
	select {
	case l := <-answer:
		for _, it := range l.Items {
			return &it
		}
	case <-h.gone:
	case <-time.After(glimpseTime):
	}
	return nil
}

// moduleCache is where the go command keeps modules (go help environment).
func moduleCache(env []string) string {
	vars := map[string]string{}
	for _, e := range env {
		name, value, _ := strings.Cut(e, "=")
		vars[name] = value
	}
	if dir := vars["GOMODCACHE"]; dir != "" {
		return dir
	}
	path, _, _ := strings.Cut(vars["GOPATH"], string(filepath.ListSeparator))
	if path == "" {
		path = filepath.Join(vars["HOME"], "go")
	}
	return filepath.Join(path, "pkg", "mod")
}
