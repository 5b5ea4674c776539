package interp

import (
	"fmt"
	"go/doc/comment"
	"html"
	"strings"

	"attune/display/mime"
	"attune/interp/cell"
	"attune/interp/check"
	"attune/interp/worker"
)

// page is what Shift-Tab shows: what is known of a name, in three forms.
type page struct {
	info   check.Info
	detail int
	doc    string
	source string
	value  *worker.Item // what a variable holds
}

func (p page) inspection() cell.Inspection {
	if !p.info.Found {
		return cell.Inspection{}
	}
	b := mime.Plain(p.plain())
	b.Data[mime.HTML], b.Data[mime.Markdown] = p.html(), p.markdown()
	return cell.Inspection{Found: true, Bundle: b}
}

// head is the signature; that of the call where the cursor stands among its arguments
// and on no other name.
func (p page) head() (text string, call bool) {
	c := p.info.Call
	if c.Signature != "" && (p.info.Kind == "func" && p.called() || p.info.Signature == c.Signature) {
		return c.Signature, true
	}
	return p.info.Signature, false
}

// called tells whether the function described is the one that is called.
func (p page) called() bool {
	return p.info.Name[strings.LastIndexByte(p.info.Name, '.')+1:] == p.info.Call.Name
}

// facts are the lines between the signature and the documentation.
func (p page) facts() []string {
	in := p.info
	var lines []string
	if d := in.Decl; d != nil {
		lines = append(lines, fmt.Sprintf("declared in In[%d], line %d", d.Cell, d.Line))
		if d.Stale != "" {
			lines = append(lines, "no longer compiles: "+d.Stale)
		}
	}
	if v := p.value; v != nil {
		if v.Text != "" {
			lines = append(lines, "value: "+v.Text)
		}
		lines = append(lines, "size: "+byteSize(v.Bytes))
	} else if in.Size >= 0 {
		lines = append(lines, "size: "+byteSize(in.Size))
	}
	if in.Kind == "type" && p.detail == 0 {
		var names []string
		for _, m := range in.Members {
			if m.Type == "method" {
				names = append(names, m.Text)
			}
		}
		if n := len(names); n > 12 {
			names = append(names[:12], fmt.Sprintf("and %d more", n-12))
		}
		if len(names) > 0 {
			lines = append(lines, "methods: "+strings.Join(names, ", "))
		}
	}
	return lines
}

// words are the documentation: of a package its first paragraph, unless all is asked for.
func (p page) words() *comment.Doc {
	// [Name] is a link, and not to be shown in brackets.
	parser := comment.Parser{LookupSym: func(string, string) bool { return p.info.Decl == nil }}
	d := parser.Parse(p.doc)
	if p.info.Kind == "package" && p.detail == 0 && len(d.Content) > 1 {
		d.Content = d.Content[:1]
	}
	return d
}

// members are listed when all is asked for.
func (p page) members() []string {
	var lines []string
	if p.detail > 0 {
		for _, m := range p.info.Members {
			lines = append(lines, strings.TrimSpace(m.Text+" "+m.Signature))
		}
	}
	return lines
}

// printer writes documentation, with links to where it can be read at length.
func (p page) printer() *comment.Printer {
	return &comment.Printer{DocLinkURL: func(l *comment.DocLink) string {
		if l.ImportPath == "" {
			l.ImportPath = p.info.Path
		}
		return l.DefaultURL("https://pkg.go.dev")
	}}
}

func (p page) plain() string {
	var b strings.Builder
	head, call := p.head()
	b.WriteString(head + "\n")
	if call {
		b.WriteString(carets(p.info.Call))
	}
	for _, f := range p.facts() {
		b.WriteString(f + "\n")
	}
	if c := p.info.Call; c.Signature != "" && !call {
		b.WriteString("\nas an argument of\n" + c.Signature + "\n" + carets(c))
	}
	if text := p.printer().Text(p.words()); len(text) > 0 {
		b.WriteString("\n" + string(text))
	}
	if p.detail > 0 && p.source != "" {
		b.WriteString("\n" + p.source + "\n")
	}
	if list := p.members(); len(list) > 0 {
		b.WriteString("\n  " + strings.Join(list, "\n  ") + "\n")
	}
	return b.String()
}

// carets mark the parameter at the cursor on the line below a signature.
func carets(c check.Call) string {
	if c.To <= c.From {
		return ""
	}
	n := len([]rune(c.Signature[:c.From]))
	return strings.Repeat(" ", n) + strings.Repeat("^", len([]rune(c.Signature[c.From:c.To]))) + "\n"
}

// marked is a signature with the parameter at the cursor between two marks.
func marked(c check.Call, open, shut string, escape func(string) string) string {
	if c.To <= c.From {
		return escape(c.Signature)
	}
	return escape(c.Signature[:c.From]) + open + escape(c.Signature[c.From:c.To]) + shut + escape(c.Signature[c.To:])
}

func (p page) html() string {
	var b strings.Builder
	head, call := p.head()
	if call {
		b.WriteString("<pre>" + marked(p.info.Call, "<b>", "</b>", html.EscapeString) + "</pre>\n")
	} else {
		b.WriteString("<pre><b>" + html.EscapeString(head) + "</b></pre>\n")
	}
	if facts := p.facts(); len(facts) > 0 {
		for i := range facts {
			facts[i] = html.EscapeString(facts[i])
		}
		b.WriteString("<p>" + strings.Join(facts, "<br>\n") + "</p>\n")
	}
	if c := p.info.Call; c.Signature != "" && !call {
		b.WriteString("<p>as an argument of</p>\n<pre>" + marked(c, "<b>", "</b>", html.EscapeString) + "</pre>\n")
	}
	b.Write(p.printer().HTML(p.words()))
	if p.detail > 0 && p.source != "" {
		b.WriteString("<pre>" + html.EscapeString(p.source) + "</pre>\n")
	}
	if list := p.members(); len(list) > 0 {
		b.WriteString("<pre>" + html.EscapeString(strings.Join(list, "\n")) + "</pre>\n")
	}
	return b.String()
}

func (p page) markdown() string {
	var b strings.Builder
	fence := func(text string) { b.WriteString("```go\n" + text + "\n```\n\n") }
	head, call := p.head()
	fence(head)
	c := p.info.Call
	if c.To > c.From && call {
		b.WriteString("here: `" + c.Signature[c.From:c.To] + "`\n")
	}
	for _, f := range p.facts() {
		b.WriteString("- " + f + "\n")
	}
	if c.Signature != "" && !call {
		b.WriteString("\nas an argument of\n\n")
		fence(c.Signature)
		if c.To > c.From {
			b.WriteString("here: `" + c.Signature[c.From:c.To] + "`\n")
		}
	}
	if text := p.printer().Markdown(p.words()); len(text) > 0 {
		b.WriteString("\n" + string(text) + "\n")
	}
	if p.detail > 0 && p.source != "" {
		fence(p.source)
	}
	if list := p.members(); len(list) > 0 {
		fence(strings.Join(list, "\n"))
	}
	return b.String()
}
