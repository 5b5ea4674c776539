package interp_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"attune/display/mime"
	"attune/interp"
	"attune/interp/cell"

	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "write what the sessions answer into testdata")

// build is the folder with what ./install.sh builds: the worker and the packages.
const build = "../.build"

// open starts a session.
func open(t testing.TB) *interp.Session {
	t.Helper()
	return openWith(t, nil)
}

func openWith(t testing.TB, env []string) *interp.Session {
	t.Helper()
	return openTo(t, interp.Options{Env: env})
}

// openTo starts a session with the built parts, and with opt where it says more.
func openTo(t testing.TB, opt interp.Options) *interp.Session {
	t.Helper()
	if _, err := os.Stat(filepath.Join(build, "lib", "stamp.json")); err != nil {
		t.Skip("the packages for cells are not built: run ./install.sh test")
	}
	abs, err := filepath.Abs(build)
	if err != nil {
		t.Fatal(err)
	}
	opt.Lib, opt.Worker = filepath.Join(abs, "lib"), filepath.Join(abs, "bin", "attune-worker")
	if opt.Cache == "" {
		opt.Cache = filepath.Join(abs, "test-cells")
	}
	s, err := interp.Open(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// recorder is a Sink that keeps what it gets as a transcript.
type recorder struct {
	mu      sync.Mutex
	lines   strings.Builder
	answers []string
	prompts []string
	wrote   chan struct{} // gets a token with everything that comes
}

func record(answers ...string) *recorder {
	return &recorder{answers: answers, wrote: make(chan struct{}, 1)}
}

func (r *recorder) note(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fmt.Fprintf(&r.lines, format, args...)
	select {
	case r.wrote <- struct{}{}:
	default:
	}
}

func (r *recorder) text() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lines.String()
}

func (r *recorder) Stream(to cell.Stream, text []byte) {
	if to == cell.Stderr {
		r.note("stderr: %s", text)
		return
	}
	r.note("%s", text)
}

func (r *recorder) Display(d cell.Display) {
	what := "display"
	if d.Update {
		what = "update"
	}
	r.note("%s: %s\n", what, d.Bundle.Data[mime.Text])
}

func (r *recorder) Result(b mime.Bundle) { r.note("= %s\n", b.Data[mime.Text]) }
func (r *recorder) Clear(bool)           { r.note("clear\n") }

func (r *recorder) Input(ctx context.Context, prompt string, _ bool) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.prompts = append(r.prompts, prompt)
	if len(r.answers) == 0 {
		return "", errors.New("no answer is left")
	}
	a := r.answers[0]
	r.answers = r.answers[1:]
	return a, nil
}

var colour = regexp.MustCompile("\x1b\\[[0-9;]*m")

// transcript runs a cell and tells all that came of it.
func transcript(s *interp.Session, n int, code string) string {
	r := record()
	res := s.Execute(context.Background(), cell.Request{Count: n, Code: code}, r)
	out := r.text()
	if out != "" && !strings.HasSuffix(out, "\n") {
		out += "\n"
	}
	if res.Err != nil {
		out += "! " + res.Err.Name + ": " + res.Err.Value + "\n" + strings.Join(res.Err.Traceback, "\n") + "\n"
	}
	return colour.ReplaceAllString(out, "")
}

// exchange is a cell and its transcript.
type exchange struct{ code, want string }

// answer runs cells in turn, the first as In[1].
func answer(t *testing.T, s *interp.Session, cells []exchange) {
	t.Helper()
	for i, c := range cells {
		if got := transcript(s, i+1, c.code); got != c.want {
			t.Errorf("In[%d] %s\nanswers %q, want %q", i+1, c.code, got, c.want)
		}
	}
}

// TestConversations runs each file of testdata as one session: the sections "In"
// are cells, and the section "Out" behind each is all that it must answer.
func TestConversations(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no conversations: ", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			converse(t, file)
		})
	}
}

func converse(t *testing.T, file string) {
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s := open(t)
	fresh := &txtar.Archive{Comment: archive.Comment}
	n := 0
	for i, f := range archive.Files {
		if f.Name != "In" {
			continue
		}
		n++
		got := transcript(s, n, strings.TrimSuffix(string(f.Data), "\n"))
		want := ""
		if i+1 < len(archive.Files) && archive.Files[i+1].Name == "Out" {
			want = string(archive.Files[i+1].Data)
		}
		if got != want && !*update {
			t.Errorf("In[%d]:\n%s\ngot:\n%s\nwant:\n%s", n, f.Data, got, want)
		}
		fresh.Files = append(fresh.Files, f, txtar.File{Name: "Out", Data: []byte(got)})
	}
	if *update {
		if err := os.WriteFile(file, txtar.Format(fresh), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// ready waits until the cell has written something.
func (r *recorder) ready(t *testing.T) {
	t.Helper()
	select {
	case <-r.wrote:
	case <-time.After(30 * time.Second):
		t.Fatal("the cell wrote nothing")
	}
}

// TestInterrupt stops cells that would not end, and finds their values kept.
func TestInterrupt(t *testing.T) {
	for name, code := range map[string]string{
		"loop":      `for { kept++ }`,
		"nested":    `for { for i := range 10 { kept += i } }`,
		"function":  "spin := func() { for { kept++ } }\nspin()",
		"goroutine": "go func() { for { kept++ } }()\nfor { runtime.Gosched() }",
		"sleep":     `time.Sleep(time.Hour)`,
		"channel":   `<-make(chan int)`,
		"select":    `select {}`,
		"mutex":     "var mu sync.Mutex\nmu.Lock()\nmu.Lock()",
		"recursion": "var f func(int) int\nf = func(n int) int { if n == 0 { return 1 }; return f(n-1) + f(n-1) }\nf(100)",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			transcript(s, 1, "import (\"fmt\"; \"runtime\"; \"sync\"; \"time\")\nkept := 1")
			r := record()
			done := make(chan cell.Result)
			go func() {
				done <- s.Execute(context.Background(), cell.Request{Count: 2, Code: "fmt.Println(\"begun\")\n" + code}, r)
			}()
			r.ready(t)
			s.Interrupt()
			res := <-done
			if res.Err == nil || res.Err.Name != "Interrupted" {
				t.Fatalf("got %v, want an interruption", res.Err)
			}
			if got := transcript(s, 3, "kept > 0"); got != "= true\n" {
				t.Errorf("after the interrupt the session answers %q", got)
			}
		})
	}
}

// TestInput answers what a cell reads, however it reads.
func TestInput(t *testing.T) {
	s := open(t)
	for i, c := range []struct{ code, want string }{
		{"import (\"bufio\"; \"fmt\"; \"os\"; \"os/exec\")\nfmt.Print(\"name? \")\nvar name string\nfmt.Scan(&name)\nfmt.Println(\"hello\", name)", "name? hello ann\n"},
		{"sc := bufio.NewScanner(os.Stdin)\nsc.Scan()\nfmt.Println(\"line:\", sc.Text())", "line: ann\n"},
		{"c := exec.Command(\"head\", \"-n1\")\nc.Stdin, c.Stdout = os.Stdin, os.Stdout\nc.Run();", "ann\n"},
	} {
		r := record("ann")
		res := s.Execute(context.Background(), cell.Request{Count: i + 1, Code: c.code, AllowStdin: true}, r)
		if res.Err != nil || r.text() != c.want {
			t.Errorf("got %q, %v; want %q", r.text(), res.Err, c.want)
		}
		if len(r.prompts) != 1 || r.prompts[0] != "" {
			t.Errorf("prompts are %q; what the cell printed is one already", r.prompts)
		}
	}
	if got := transcript(s, 4, "var again string\nfmt.Scan(&again)"); !strings.Contains(got, "InputError") {
		t.Errorf("without a front end that can ask, reading answers %q", got)
	}
	if got := transcript(s, 5, "fmt.Println(6 * 7)"); got != "42\n" {
		t.Errorf("the next cell answers %q", got)
	}
}

// TestLateGoroutine reports a panic of a goroutine whose cell is over, and keeps
// every value.
func TestLateGoroutine(t *testing.T) {
	s := open(t)
	r := record()
	res := s.Execute(context.Background(), cell.Request{Count: 1,
		Code: "import \"time\"\nkept := 7\ngo func() { time.Sleep(200 * time.Millisecond); panic(\"late\") }()"}, r)
	if res.Err != nil {
		t.Fatal(res.Err)
	}
	r.ready(t)
	if !strings.Contains(r.text(), "late") || !strings.Contains(r.text(), "In[1]:3") {
		t.Errorf("the panic is reported as %q", r.text())
	}
	if got := transcript(s, 2, "kept"); got != "= 7\n" {
		t.Errorf("after it the session answers %q", got)
	}
}

// TestKilledWorker loses the worker to the outside world.
func TestKilledWorker(t *testing.T) {
	s := open(t)
	transcript(s, 1, "x := 5\nfunc twice(n int) int { return 2 * n }")
	for _, p := range s.Processes() {
		proc, err := os.FindProcess(p.PID)
		if err != nil {
			t.Fatal(err)
		}
		if err := proc.Kill(); err != nil {
			t.Fatal(err)
		}
	}
	got := transcript(s, 2, "twice(21)")
	if !strings.Contains(got, "gone: x") {
		t.Errorf("the cell after the loss answers %q", got)
	}
	if got := transcript(s, 3, "twice(4)"); got != "= 8\n" {
		t.Errorf("the function answers %q", got)
	}
}

// TestCompiledCellsAreKept finds the cells of an earlier session again.
func TestCompiledCellsAreKept(t *testing.T) {
	for range 2 {
		s := open(t)
		if got := transcript(s, 1, "func triple(n int) int { return 3 * n }\ntriple(5)"); got != "= 15\n" {
			t.Errorf("got %q", got)
		}
		s.Close()
	}
}

// TestMemoryLimit ends a cell that takes all memory, and not the session.
func TestMemoryLimit(t *testing.T) {
	s := openWith(t, append(os.Environ(), "ATTUNE_MEMORY=400MiB"))
	got := transcript(s, 1, "var blocks [][]byte\nfor {\n\tb := make([]byte, 64<<20)\n\tfor i := range b {\n\t\tb[i] = 1\n\t}\n\tblocks = append(blocks, b)\n}")
	if !strings.Contains(got, "out of memory: the session held") || !strings.Contains(got, "gone: blocks") {
		t.Errorf("the cell answers %q", got)
	}
	if got := transcript(s, 2, "6 * 7"); got != "= 42\n" {
		t.Errorf("the next cell answers %q", got)
	}
}

// TestGoRoot tells cells where Go is, as `go run` does, where the environment does not.
func TestGoRoot(t *testing.T) {
	s := openWith(t, slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "GOROOT=") }))
	got := transcript(s, 1, "import (\"fmt\"; \"go/build\"; \"os\"; \"runtime\")\n"+
		"_, err := os.Stat(runtime.GOROOT() + \"/src/fmt\")\nfmt.Println(err, build.Default.GOROOT == runtime.GOROOT())")
	if got != "<nil> true\n" {
		t.Errorf("got %q", got)
	}
}

// TestOutlivingGoroutine gives what a goroutine puts out to the cell that started it,
// while other cells run, and lets its end end no other.
func TestOutlivingGoroutine(t *testing.T) {
	s := open(t)
	first, second := record(), record()
	run := func(n int, r *recorder, code string) {
		if res := s.Execute(context.Background(), cell.Request{Count: n, Code: code}, r); res.Err != nil {
			t.Fatal(res.Err.Traceback)
		}
	}
	run(1, first, "import (\"attune/display\"; \"fmt\"; \"log\"; \"os\")\ngo_on, done := make(chan int), make(chan int)\nlog.SetFlags(0)\n"+
		"say := func(n int) {\n\tfmt.Println(\"printed\", n)\n\tfmt.Print(\"and\\n\")\n\tfmt.Printf(\"%d\\n\", n)\n\tlog.Print(\"logged\")\n\tdisplay.Show(\"shown\")\n}\n"+
		"go func() {\n\tfor n := range go_on {\n\t\tsay(n)\n\t\tdone <- n\n\t}\n\tdefer close(done)\n\tpanic(\"the end\")\n}()\nsay(1)")
	run(2, second, "go_on <- 2\n<-done\nclose(go_on)\n<-done\nfmt.Println(\"second\")\n_ = os.Args")
	const each = "printed %d\nand\n%[1]d\nstderr: logged\ndisplay: \"shown\"\n"
	got := colour.ReplaceAllString(first.text(), "")
	// What the goroutine prints itself and what the first cell printed have streams of their own.
	for _, want := range []string{fmt.Sprintf("printed %d\nand\n%[1]d\n", 1), fmt.Sprintf(each, 2), "panic: the end in a goroutine that the cell started\n  at In[1]:17"} {
		if !strings.Contains(got, want) {
			t.Errorf("the first cell's output lacks %q:\n%s", want, got)
		}
	}
	if got := second.text(); got != "second\n" {
		t.Errorf("the second cell's output is %q", got)
	}
	r := record()
	run(3, r, "gate := make(chan int)\ngo func() { <-gate; os.Exit(3) }()")
	run(4, record(), "close(gate)")
	r.ready(t)
	if got := r.text(); got != "stderr: os.Exit(3): the goroutine ended here\n" {
		t.Errorf("the third cell's output is %q", got)
	}
}

// TestCrashLeavesChild reports the end of a worker whose child lives on.
func TestCrashLeavesChild(t *testing.T) {
	s := open(t)
	mustRun(t, s, 1, "import \"os/exec\"\nchild := exec.Command(\"sleep\", \"1000\")\nchild.Start()\nfunc deep(n int) int { return deep(n+1) + 1 }")
	got := make(chan string, 1)
	go func() { got <- transcript(s, 2, "deep(0)") }()
	select {
	case text := <-got:
		if !strings.Contains(text, "stack overflow") {
			t.Errorf("the cell answers %q", text)
		}
	case <-time.After(time.Minute):
		t.Fatal("the crash is not reported while the child runs")
	}
}

// TestRedirectedGoroutine prints, from a goroutine of an earlier cell, to where the
// user has sent standard output.
func TestRedirectedGoroutine(t *testing.T) {
	s := open(t)
	mustRun(t, s, 1, "import (\"fmt\"; \"io\"; \"os\")\ngate, done := make(chan int), make(chan int)\ngo func() {\n\tfor range gate {\n\t\tfmt.Println(\"caught\")\n\t\tdone <- 1\n\t}\n}()")
	mustAnswer(t, s, 2, "old := os.Stdout\nr, w, _ := os.Pipe()\nos.Stdout = w\ngate <- 1\n<-done\nw.Close()\nos.Stdout = old\nall, _ := io.ReadAll(r)\nfmt.Printf(\"%q\", all)", "\"caught\\n\"\n")
}
