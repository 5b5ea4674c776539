package interp_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"attune/display/mime"

	"github.com/rogpeppe/go-internal/txtar"
)

// cursor stands for the cursor in what is typed.
const cursor = "‸"

func typed(code string) (string, int) {
	before, after, _ := strings.Cut(code, cursor)
	return before + after, len(before)
}

// TestTyping plays each file of testdata/typing as one session. Its sections are "In",
// a cell that runs; "Inspect" and "Inspect 1", text with a cursor whose page, at detail
// 0 or 1, stands in the section "Out" behind it, as do "HTML" and "Markdown"; and
// "Complete", whose first ten candidates do.
func TestTyping(t *testing.T) {
	files, err := filepath.Glob("testdata/typing/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no files: ", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) { playTyping(t, file) })
	}
}

func playTyping(t *testing.T, file string) {
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s := open(t)
	ctx := context.Background()
	fresh := &txtar.Archive{Comment: archive.Comment}
	n := 0
	for i, f := range archive.Files {
		code, offset := typed(strings.TrimSuffix(string(f.Data), "\n"))
		inspect := func(detail int, form string) string {
			in := s.Inspect(ctx, code, offset, detail)
			if !in.Found {
				return "nothing\n"
			}
			return strings.TrimRight(in.Bundle.Data[form], "\n") + "\n"
		}
		got := ""
		switch f.Name {
		case "Out":
			continue
		case "In":
			n++
			got = transcript(s, n, code)
		case "Inspect":
			got = inspect(0, mime.Text)
		case "Inspect 1":
			got = inspect(1, mime.Text)
		case "HTML":
			got = inspect(0, mime.HTML)
		case "Markdown":
			got = inspect(0, mime.Markdown)
		case "Complete":
			c := s.Complete(ctx, code, offset)
			for _, it := range c.Items[:min(len(c.Items), 10)] {
				got += strings.TrimRight(code[:c.Start]+it.Text+code[c.End:]+"   "+it.Type+"   "+it.Signature, " ") + "\n"
			}
		default:
			t.Fatalf("%s: no such section: %s", file, f.Name)
		}
		want := ""
		if i+1 < len(archive.Files) && archive.Files[i+1].Name == "Out" {
			want = string(archive.Files[i+1].Data)
		}
		if got != want && !*update {
			t.Errorf("%s:\n%s\ngot:\n%s\nwant:\n%s", f.Name, f.Data, got, want)
		}
		fresh.Files = append(fresh.Files, f, txtar.File{Name: "Out", Data: []byte(got)})
	}
	if *update {
		if err := os.WriteFile(file, txtar.Format(fresh), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestTypingWhileACellRuns asks while a loop changes the very value that is asked for.
func TestTypingWhileACellRuns(t *testing.T) {
	s := open(t)
	mustAnswer(t, s, 1, "import \"fmt\"\ntype spot struct{ X, Y int }\nxs, text := []spot{{1, 2}}, \"a\"\nm := map[string]int{\"a\": 1}", "")
	r := begin(t, s, 2, "fmt.Println(\"begun\")\nfor i := 0; ; i++ {\n\txs = append(xs[:i%1000], spot{i, i})\n\ttext = text[:i%(len(text)+1)] + \"bc\"\n\tm[text] = i\n}")
	ctx := context.Background()
	for end := time.Now().Add(time.Second); time.Now().Before(end); {
		for name, want := range map[string]string{"xs": "var xs []spot", "text": "var text string", "m": "var m map[string]int"} {
			in := s.Inspect(ctx, name, len(name), 0)
			if page := in.Bundle.Data[mime.Text]; !strings.HasPrefix(page, want) || !strings.Contains(page, "\nsize: ") {
				t.Fatalf("%s is shown as %q", name, page)
			}
		}
		if c := s.Complete(ctx, "xs[0].", 6); len(c.Items) != 2 {
			t.Fatalf("offered %v", c.Items)
		}
		if c := s.IsComplete("for {"); c.Status != "incomplete" {
			t.Fatalf("called %v", c)
		}
	}
	r.mustStop(t, s)
	mustAnswer(t, s, 3, "len(xs) > 0", "= true\n")
}
