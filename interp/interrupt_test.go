package interp_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"attune/interp"
	"attune/interp/cell"
)

// running is a cell on its way, and what it wrote.
type running struct {
	*recorder
	done chan cell.Result
}

// begin runs a cell that writes when it has begun, and waits for that.
func begin(t *testing.T, s *interp.Session, n int, code string) running {
	t.Helper()
	r := running{record(), make(chan cell.Result, 1)}
	go func() { r.done <- s.Execute(context.Background(), cell.Request{Count: n, Code: code}, r) }()
	select {
	case <-r.wrote:
	case res := <-r.done:
		t.Fatalf("the cell ended before it began: %v", res.Err)
	}
	return r
}

// mustStop interrupts the cell and returns what its error says.
func (r running) mustStop(t *testing.T, s *interp.Session) string {
	t.Helper()
	s.Interrupt()
	res := <-r.done
	if res.Err == nil || res.Err.Name != "Interrupted" {
		t.Fatalf("the cell ended with %v, want an interruption", res.Err)
	}
	return res.Err.Value
}

func mustAnswer(t *testing.T, s *interp.Session, n int, code, want string) {
	t.Helper()
	if got := transcript(s, n, code); got != want {
		t.Errorf("In[%d] %s answers %q, want %q", n, code, got, want)
	}
}

// openApart starts a session whose library and built cells are in folders of their
// own: lib "" is the one that was built.
func openApart(t testing.TB, lib, cache string) *interp.Session {
	t.Helper()
	if _, err := os.Stat(filepath.Join(build, "lib", "stamp.json")); err != nil {
		t.Skip("the packages for cells are not built: run ./install.sh test")
	}
	abs, err := filepath.Abs(build)
	if err != nil {
		t.Fatal(err)
	}
	if lib == "" {
		lib = filepath.Join(abs, "lib")
	}
	s, err := interp.Open(interp.Options{Lib: lib, Worker: filepath.Join(abs, "bin", "attune-worker"), Cache: cache})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

const interruptImports = "import (\"fmt\"; \"os\"; \"sort\"; \"sync\"; \"syscall\"; \"time\"; \"gonum.org/v1/gonum/mat\")\nkept := 1\nvar step = func() int { kept++; return kept }\nticks := make(chan int)\n" +
	"go func() { for { time.Sleep(time.Millisecond); ticks <- 1 } }()"

// eager interrupts the session at the first text that comes, which it holds up.
type eager struct {
	*recorder
	first *sync.Once
	s     *interp.Session
}

func (e eager) Stream(cell.Stream, []byte) {
	e.first.Do(func() {
		time.Sleep(50 * time.Millisecond)
		e.s.Interrupt()
	})
}

// TestInterruptAtTheStart interrupts a cell that is about to be sent.
func TestInterruptAtTheStart(t *testing.T) {
	s := open(t)
	mustRun(t, s, 1, "import \"os\"\ngo func() { for { os.Stdout.WriteString(\"x\") } }()")
	done := make(chan cell.Result, 1)
	go func() {
		done <- s.Execute(context.Background(), cell.Request{Count: 2, Code: "for {\n}"}, eager{record(), &sync.Once{}, s})
	}()
	select {
	case res := <-done:
		if res.Err == nil || res.Err.Name != "Interrupted" {
			t.Errorf("the cell ended with %v", res.Err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("the interrupt is lost")
	}
}

// TestInterruptBlocked stops cells that are in a call, and finds values, closures
// and the goroutines of earlier cells as they were.
func TestInterruptBlocked(t *testing.T) {
	for name, code := range map[string]string{
		"receive":   `<-make(chan int)`,
		"send":      `make(chan int) <- 1`,
		"range":     `for range make(chan int) {}`,
		"select":    `c := make(chan int); select { case <-c: case c <- 1: }`,
		"waitgroup": `var wg sync.WaitGroup; wg.Add(1); wg.Wait()`,
		"rwmutex":   `var mu sync.RWMutex; mu.RLock(); mu.Lock()`,
		"cond":      `mu := &sync.Mutex{}; c := sync.NewCond(mu); mu.Lock(); c.Wait()`,
		"once":      `var once sync.Once; once.Do(func() { for {} })`,
		"pipe":      `r, w, _ := os.Pipe(); defer w.Close(); r.Read(make([]byte, 1))`,
		"read":      `r, w, _ := os.Pipe(); defer w.Close(); syscall.Read(int(r.Fd()), make([]byte, 1))`,
		"sleeps":    `for { time.Sleep(time.Millisecond) }`,
		"sort":      `for { x := make([]int, 1e7); for i := range x { x[i] = (i * 7919) % 10000019 }; sort.Ints(x) }`,
		"mul":       `a := mat.NewDense(1500, 1500, nil); var b mat.Dense; for { b.Mul(a, a) }`,
		"callback":  `sort.Slice(make([]int, 1e8), func(i, j int) bool { for kept > 0 {}; return false })`,
		"recursion": `func() { var down func(n int) int; down = func(n int) int { if n%1000 == 0 { time.Sleep(time.Millisecond) }; return down(n+1) + 1 }; down(1) }()`,
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			transcript(s, 1, interruptImports)
			r := begin(t, s, 2, "fmt.Println(\"begun\")\n"+code)
			r.mustStop(t, s)
			mustAnswer(t, s, 3, "step()", "= 2\n")
			mustAnswer(t, s, 4, "<-ticks", "= 1\n")
			mustAnswer(t, s, 5, "func next() int { return step() }\nnext()", "= 3\n")
		})
	}
}

// TestInterruptIsNotRecovered has cells that try to go on.
func TestInterruptIsNotRecovered(t *testing.T) {
	for name, code := range map[string]string{
		"recover":     `func() { defer func() { recover() }(); for {} }(); kept = 100`,
		"again":       `for { func() { defer func() { _ = recover() }(); for {} }() }`,
		"library":     "type slow struct{}\nfunc (slow) String() string { for {} }\n_ = fmt.Sprint(slow{}); kept = 100",
		"nested":      `func() { defer func() { defer func() { recover() }(); for {} }(); for {} }(); kept = 100`,
		"new panic":   `func() { defer func() { if r := recover(); r != nil { panic("other") } }(); for {} }()`,
		"in deferred": `func() { defer func() { for {} }(); for {} }(); kept = 100`,
		"goexit":      `go func() { defer func() { recover(); for {} }(); for {} }(); for {}`,
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			transcript(s, 1, "import \"fmt\"\nkept := 1")
			begun := "fmt.Println(\"begun\")\n"
			if decl, body, ok := strings.Cut(code, "}\n_"); ok {
				transcript(s, 2, decl+"}")
				code = "_" + body
			}
			begin(t, s, 3, begun+code).mustStop(t, s)
			mustAnswer(t, s, 4, "kept", "= 1\n")
		})
	}
}

// TestInterruptRunsDeferred lets deferred functions do their work, loops included.
func TestInterruptRunsDeferred(t *testing.T) {
	s := open(t)
	transcript(s, 1, "import \"fmt\"\nclosed := 0")
	r := begin(t, s, 2, "func() { defer func() { for range 10 { closed++ } }(); fmt.Println(\"begun\"); for {} }()")
	r.mustStop(t, s)
	mustAnswer(t, s, 3, "closed", "= 10\n")
}

// TestPanicWhileInterrupted reports a panic that a deferred function adds.
func TestPanicWhileInterrupted(t *testing.T) {
	s := open(t)
	transcript(s, 1, "import \"fmt\"\nkept := 1")
	r := begin(t, s, 2, "func() { defer func() { panic(\"the file is gone\") }(); fmt.Println(\"begun\"); for {} }()")
	s.Interrupt()
	if res := <-r.done; res.Err == nil || !strings.Contains(res.Err.Value, "the file is gone") {
		t.Errorf("the cell ended with %v", res.Err)
	}
	mustAnswer(t, s, 3, "kept", "= 1\n")
}

// TestInterruptGoroutines stops what the cell started, children of children
// included, and nothing else.
func TestInterruptGoroutines(t *testing.T) {
	s := open(t)
	transcript(s, 1, "import (\"fmt\"; \"sync/atomic\"; \"time\")\nvar old, young atomic.Int64\ngo func() { for { old.Add(1); time.Sleep(100 * time.Microsecond) } }()")
	r := begin(t, s, 2, "go func() { go func() { for { young.Add(1) } }() }()\nfmt.Println(\"begun\")\nfor { time.Sleep(time.Millisecond) }")
	r.mustStop(t, s)
	mustAnswer(t, s, 3, "func stands(n *atomic.Int64) bool { for range 1000 { before := n.Load(); time.Sleep(20 * time.Millisecond); if n.Load() == before { return true } }; return false }", "")
	mustAnswer(t, s, 4, "stands(&young)", "= true\n")
	mustAnswer(t, s, 5, "before := old.Load()\nfor old.Load() == before { time.Sleep(time.Millisecond) }\nold.Load() > before", "= true\n")
}

// TestDetachedIsMuted wakes a cell that an interrupt had to let go.
func TestDetachedIsMuted(t *testing.T) {
	for name, wait := range map[string]string{
		"receive": "<-gate", "mutex": "mu.Lock()", "read": "_, err := r.Read(make([]byte, 1))\nif err != nil { panic(err) }",
		"select": "select { case <-gate: fmt.Println(\"woken\") }", "function": "func() { <-gate; fmt.Println(\"woken\") }()",
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			transcript(s, 1, "import (\"attune/display\"; \"fmt\"; \"os\"; \"sync\"; \"time\")\ngate := make(chan int)\nvar mu sync.Mutex\nmu.Lock()\nr, w, _ := os.Pipe()\nended := make(chan int, 1)")
			code := "defer func() { ended <- 1 }()\ngo func() { time.Sleep(50 * time.Millisecond); fmt.Println(\"begun\") }()\n" + wait +
				"\nfmt.Println(\"woken\")\ndisplay.Show(\"woken\")\npanic(\"woken\")"
			r := begin(t, s, 2, code)
			for !strings.Contains(r.mustStop(t, s), "in the background") { // it was not blocked yet
				mustAnswer(t, s, 3, "<-ended", "= 1\n")
				r = begin(t, s, 2, code)
			}
			mustAnswer(t, s, 3, "close(gate); mu.Unlock(); w.Write([]byte{1})\n<-ended\ntime.Sleep(10 * time.Millisecond)\nfmt.Println(\"over\")", "over\n")
			if strings.Contains(r.text(), "woken") {
				t.Errorf("the cell that was let go wrote %q", r.text())
			}
		})
	}
}

// TestDetachedInstantIsMuted is the same for a cell of the instant engine.
func TestDetachedInstantIsMuted(t *testing.T) {
	s := open(t)
	transcript(s, 1, "import (\"fmt\"; \"sync\"; \"time\")\nvar mu sync.Mutex\nreached := 0\nmu.Lock()")
	const code = "fmt.Println(\"begun\")\nmu.Lock()\nfmt.Println(\"woken\")\nreached = 1"
	if plan := transcript(s, 2, "%plan\n"+code); !strings.Contains(plan, "instant") {
		t.Fatalf("the cell is not for the instant engine: %s", plan)
	}
	r := begin(t, s, 3, code)
	for !strings.Contains(r.mustStop(t, s), "in the background") { // it was not blocked yet
		r = begin(t, s, 3, code)
		time.Sleep(50 * time.Millisecond)
	}
	mustAnswer(t, s, 4, "mu.Unlock()\ntime.Sleep(50 * time.Millisecond)\nfmt.Println(\"over\")", "over\n")
	mustAnswer(t, s, 5, "reached", "= 0\n")
	if strings.Contains(r.text(), "woken") {
		t.Errorf("the cell that was let go wrote %q", r.text())
	}
}

// TestSecondInterrupt ends the process of a cell that does not stop.
func TestSecondInterrupt(t *testing.T) {
	s := open(t)
	transcript(s, 1, "kept := 1\nfunc twice(n int) int { return 2 * n }")
	r := begin(t, s, 2, "import \"fmt\"\nfmt.Println(\"begun\")\nselect {}")
	s.Interrupt()
	s.Interrupt()
	res := <-r.done
	if res.Err == nil || !strings.Contains(res.Err.Value, "process was ended") {
		t.Fatalf("the cell ended with %v", res.Err)
	}
	if text := strings.Join(res.Err.Traceback, "\n"); !strings.Contains(text, "gone: kept") {
		t.Errorf("the error says %q, not which variables are gone", text)
	}
	mustAnswer(t, s, 3, "twice(4)", "= 8\n")
}

// TestInterruptCompile stops the compiler, and nothing of the cell has run.
func TestInterruptCompile(t *testing.T) {
	cache := t.TempDir()
	s := openApart(t, "", cache)
	transcript(s, 1, "kept := 1")
	var code strings.Builder
	fmt.Fprintf(&code, "import \"net/http\"\n_ = http.DefaultClient\n")
	for i := range 400 {
		fmt.Fprintf(&code, "func f%d(m map[string][]int) (n int) { for k, v := range m { n += len(k) + len(v) + %d }; return n }\n", i, i)
	}
	code.WriteString("kept = f1(nil) + 5")
	done := make(chan cell.Result)
	go func() {
		done <- s.Execute(context.Background(), cell.Request{Count: 2, Code: code.String()}, record())
	}()
	for {
		if at, _ := filepath.Glob(filepath.Join(cache, "*", "cell-*", "cell.go")); len(at) > 0 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	s.Interrupt()
	if res := <-done; res.Err == nil || !strings.Contains(res.Err.Value, "being compiled") {
		t.Fatalf("the cell ended with %v", res.Err)
	}
	mustAnswer(t, s, 3, "kept", "= 1\n")
	if left, _ := filepath.Glob(filepath.Join(cache, "*", "cell-*")); len(left) > 0 {
		t.Errorf("the compiler left %v", left)
	}
	mustAnswer(t, s, 4, "func f1() int { return 3 }\nf1()", "= 3\n")
}

// TestInterruptShell ends a command and what it started, one that will not listen
// included.
func TestInterruptShell(t *testing.T) {
	s := open(t)
	dir := t.TempDir()
	for i, command := range []string{"sleep 1000", "trap '' TERM; sleep 1000"} {
		pid := filepath.Join(dir, fmt.Sprint(i))
		r := begin(t, s, 2*i+1, "!echo begun; echo $$ > "+pid+"; ("+command+") & echo $! > "+pid+"; wait")
		for { // the number is there soon after the word
			if text, err := os.ReadFile(pid); err == nil && strings.HasSuffix(string(text), "\n") {
				break
			}
			time.Sleep(time.Millisecond)
		}
		r.mustStop(t, s)
		text, err := os.ReadFile(pid)
		if err != nil {
			t.Fatal(err)
		}
		for range 5000 {
			if gone(strings.TrimSpace(string(text))) {
				break
			}
			time.Sleep(time.Millisecond)
		}
		if !gone(strings.TrimSpace(string(text))) {
			t.Errorf("after the interrupt of %q its child %s lives on", command, text)
		}
		mustAnswer(t, s, 2*i+2, "6 * 7", "= 42\n")
	}
}

// gone tells whether process pid is over; one that waits to be collected is.
func gone(pid string) bool {
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	return err != nil || strings.Contains(string(stat), ") Z ")
}

// patient is a front end whose user does not answer.
type patient struct {
	*recorder
	asked chan struct{}
}

func (p patient) Input(ctx context.Context, _ string, _ bool) (string, error) {
	close(p.asked)
	<-ctx.Done()
	return "", ctx.Err()
}

// TestInterruptInput stops a cell whose question nobody answers.
func TestInterruptInput(t *testing.T) {
	for name, code := range map[string]string{
		"scan":    "var name string\nfmt.Scan(&name)",
		"scanner": "sc := bufio.NewScanner(os.Stdin)\nfor sc.Scan() {}\nkept = 100",
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			transcript(s, 1, "import (\"bufio\"; \"fmt\"; \"os\")\nkept := 1")
			p := patient{record(), make(chan struct{})}
			done := make(chan cell.Result)
			go func() {
				done <- s.Execute(context.Background(), cell.Request{Count: 2, Code: code, AllowStdin: true}, p)
			}()
			<-p.asked
			s.Interrupt()
			if res := <-done; res.Err == nil || res.Err.Name != "Interrupted" {
				t.Errorf("the cell ended with %v", res.Err)
			}
			mustAnswer(t, s, 3, "kept", "= 1\n")
			r := record("ann")
			res := s.Execute(context.Background(), cell.Request{Count: 4, Code: "var who string\nfmt.Scan(&who)\nfmt.Println(who)", AllowStdin: true}, r)
			if res.Err != nil || r.text() != "ann\n" {
				t.Errorf("input after the interrupt: %q, %v", r.text(), res.Err)
			}
		})
	}
}

// TestInterruptReachesLibraries: a library's loop has no safepoint, but may ask.
func TestInterruptReachesLibraries(t *testing.T) {
	s := open(t)
	transcript(s, 1, "import (\"attune/display\"; \"fmt\"; \"io\"; \"os\"; \"strings\"; \"text/template\")\nsaw := &strings.Builder{}\n"+
		"poll := template.Must(template.New(\"\").Funcs(template.FuncMap{\"stopping\": display.Stopping}).Parse(`begun{{range .}}{{if stopping}}saw{{break}}{{end}}{{end}}`))")
	r := begin(t, s, 2, "poll.Execute(io.MultiWriter(os.Stdout, saw), make([]struct{}, 1<<40))")
	if said := r.mustStop(t, s); strings.Contains(said, "let go") {
		t.Error(said)
	}
	mustAnswer(t, s, 3, "saw.String() + fmt.Sprint(display.Stopping())", "= \"begunsawfalse\"\n")
}
