package interp

import (
	"context"
	"fmt"
	"go/doc/comment"
	"html"
	"strings"

	"attune/display/mime"
	"attune/interp/cell"
)

// Complete implements cell.Runner.
func (s *Session) Complete(_ context.Context, code string, offset int) cell.Completion {
	s.checkMu.Lock()
	defer s.checkMu.Unlock()
	start, end, found := s.checker.Complete(code, offset, s.scope.Load())
	c := cell.Completion{Start: start, End: end}
	for _, f := range found {
		c.Items = append(c.Items, cell.Item{Text: f.Text, Type: f.Type, Signature: f.Signature})
	}
	return c
}

// IsComplete implements cell.Runner.
func (s *Session) IsComplete(code string) cell.Completeness {
	s.checkMu.Lock()
	defer s.checkMu.Unlock()
	status, indent := s.checker.IsComplete(code)
	return cell.Completeness{Status: status, Indent: indent}
}

// Inspect implements cell.Runner.
func (s *Session) Inspect(_ context.Context, code string, offset, detail int) cell.Inspection {
	s.checkMu.Lock()
	in := s.checker.Inspect(code, offset, s.scope.Load())
	s.checkMu.Unlock()
	if !in.Found {
		return cell.Inspection{}
	}
	var plain, page strings.Builder
	fmt.Fprintf(&plain, "%s\n", in.Signature)
	fmt.Fprintf(&page, "<pre><b>%s</b></pre>\n", html.EscapeString(in.Signature))
	if in.Decl != nil {
		where := fmt.Sprintf("declared in In[%d], line %d", in.Decl.Cell, in.Decl.Line)
		fmt.Fprintf(&plain, "\n%s\n", where)
		fmt.Fprintf(&page, "<p>%s</p>\n", where)
		if in.Decl.Stale != "" {
			fmt.Fprintf(&plain, "no longer compiles: %s\n", in.Decl.Stale)
		}
	}
	if in.Doc == "" && in.Decl == nil {
		in.Doc = s.docs.Find(in.Path, in.Name)
	}
	if in.Doc != "" {
		var parser comment.Parser
		var printer comment.Printer
		text := parser.Parse(in.Doc)
		fmt.Fprintf(&plain, "\n%s", printer.Text(text))
		page.Write(printer.HTML(text))
	}
	if detail > 0 && in.Source != "" {
		fmt.Fprintf(&plain, "\n%s\n", in.Source)
		fmt.Fprintf(&page, "<pre>%s</pre>\n", html.EscapeString(in.Source))
	}
	if detail > 0 || in.Kind == "package" {
		for _, m := range in.Members {
			fmt.Fprintf(&plain, "  %s %s\n", m.Text, m.Signature)
		}
	}
	b := mime.Plain(plain.String())
	b.Data[mime.HTML] = page.String()
	return cell.Inspection{Found: true, Bundle: b}
}
