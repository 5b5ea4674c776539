package interp_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"attune/interp"
	"attune/interp/cell"
)

// mustRun runs a cell that has to go well.
func mustRun(t *testing.T, s *interp.Session, n int, code string) {
	t.Helper()
	if got := transcript(s, n, code); strings.Contains(got, "! ") {
		t.Fatalf("In[%d] %s answers %q", n, code, got)
	}
}

// TestCellsBeside runs small cells of a subshell beside a long one, over the same
// variables.
func TestCellsBeside(t *testing.T) {
	s := open(t)
	mustRun(t, s, 1, "import (\"fmt\"; \"sync/atomic\"; \"time\")\nvar n atomic.Int64\nvar enough atomic.Bool\nvar _ = time.Now\nvar _ = fmt.Sprint")
	long := begin(t, s, 2, "fmt.Println(\"begun\")\nfor !enough.Load() {\n\tn.Add(1)\n\ttime.Sleep(time.Millisecond)\n}\nfmt.Println(\"over\")")
	mustAnswer(t, s, 3, "n.Load() >= 0", "= true\n")
	mustAnswer(t, s, 4, "func double(x int) int { return 2 * x }\ny := double(21)\ny", "= 42\n")
	mustAnswer(t, s, 5, "fmt.Println(\"beside\")", "beside\n")
	if got := transcript(s, 6, "panic(\"on purpose\")"); !strings.Contains(got, "! panic: on purpose") {
		t.Errorf("%q", got)
	}
	if got := transcript(s, 7, "%reset"); !strings.Contains(got, "would end the cell that runs beside") {
		t.Errorf("%q", got)
	}
	mustRun(t, s, 8, "enough.Store(true)")
	if res := <-long.done; res.Err != nil {
		t.Fatalf("the long cell ended as %v", res.Err)
	}
	if got := long.text(); got != "begun\nover\n" {
		t.Errorf("the long cell wrote %q", got)
	}
	mustAnswer(t, s, 9, "double(y)", "= 84\n")
}

// TestPrintsBeside prints from one cell, of either engine, all the while others begin
// and end: each line is its own cell's.
func TestPrintsBeside(t *testing.T) {
	s := open(t)
	mustRun(t, s, 1, "import (\"fmt\"; \"sync/atomic\"; \"time\")\nvar enough atomic.Bool\nfunc wait() bool { time.Sleep(100 * time.Microsecond); return !enough.Load() }")
	for _, magic := range []string{"%%native\n", ""} {
		mustRun(t, s, 2, "enough.Store(false)")
		long := begin(t, s, 3, magic+"n := 0\nfor wait() { fmt.Println(\"long\"); n++ }")
		for i := range 60 {
			if got := transcript(s, 4+i, fmt.Sprintf("fmt.Println(\"short\", %d)", i)); got != fmt.Sprintf("short %d\n", i) {
				t.Errorf("a cell beside another writes %q", got)
			}
		}
		mustRun(t, s, 90, "enough.Store(true)")
		if res := <-long.done; res.Err != nil {
			t.Fatal(res.Err)
		}
		n := strings.Count(long.text(), "long\n")
		mustAnswer(t, s, 91, "n", fmt.Sprintf("= %d\n", n))
	}
}

// TestDisplaysBeside lets two cells display at one time: each has its own.
func TestDisplaysBeside(t *testing.T) {
	s := open(t)
	mustRun(t, s, 1, "import (\"attune/display\"; \"sync/atomic\"; \"time\")\nvar enough atomic.Bool\nvar _ = time.Now\nvar _ = display.Show")
	long := begin(t, s, 2, "for !enough.Load() {\n\tdisplay.Show(\"long\")\n\ttime.Sleep(time.Millisecond)\n}")
	beside := transcript(s, 3, "for i := 0; i < 20; i++ {\n\tdisplay.Show(\"beside\")\n\ttime.Sleep(time.Millisecond)\n}")
	mustRun(t, s, 4, "enough.Store(true)")
	<-long.done
	if strings.Count(beside, "display: \"beside\"\n") != 20 || strings.Contains(beside, "long") || strings.Contains(long.text(), "beside") {
		t.Errorf("beside: %q\nlong: %q", beside, long.text())
	}
}

// TestInterruptStopsAll interrupts two cells at once.
func TestInterruptStopsAll(t *testing.T) {
	s := open(t)
	one := begin(t, s, 1, "println(\"one\")\nfor {\n}")
	two := begin(t, s, 2, "println(\"two\")\nfor {\n}")
	s.Interrupt()
	for _, r := range []running{one, two} {
		if res := <-r.done; res.Err == nil || res.Err.Name != "Interrupted" {
			t.Errorf("%v", res.Err)
		}
	}
	mustAnswer(t, s, 3, "1 + 1", "= 2\n")
}

// TestCrashBeside ends the process from one of two cells: each says its part, and the
// session goes on.
func TestCrashBeside(t *testing.T) {
	s := open(t)
	mustRun(t, s, 1, "gone := 1\nfunc deep(n int) int { return deep(n+1) + 1 }")
	long := begin(t, s, 2, "println(\"begun\")\nfor {\n}")
	crash := transcript(s, 3, "deep(0)")
	res := <-long.done
	if res.Err == nil {
		t.Fatal("the long cell ended well")
	}
	both := crash + strings.Join(res.Err.Traceback, "\n")
	for _, want := range []string{"gone: gone", "a cell beside it ended it"} {
		if !strings.Contains(both, want) {
			t.Errorf("%q is not said in:\n%s", want, both)
		}
	}
	mustAnswer(t, s, 4, "1 + 1", "= 2\n")
}

// TestInputBeside asks for the cell that waits, not for the one beside it.
func TestInputBeside(t *testing.T) {
	s := open(t)
	mustRun(t, s, 1, "import (\"fmt\"; \"time\")\nvar _ = time.Now")
	out := asked{record(), ""}
	done := make(chan cell.Result, 1)
	code := "fmt.Println(\"begun\")\nvar name string\nfmt.Scanln(&name)"
	go func() {
		done <- s.Execute(context.Background(), cell.Request{Count: 2, Code: code, AllowStdin: true}, out)
	}()
	for !strings.Contains(out.text(), "asked") {
		<-out.wrote
	}
	mustAnswer(t, s, 3, "time.Sleep(100 * time.Millisecond)\n1 + 1", "= 2\n")
	s.Interrupt()
	if res := <-done; res.Err == nil || res.Err.Name != "Interrupted" || strings.Count(out.text(), "asked") != 1 {
		t.Errorf("%v, %q", res.Err, out.text())
	}
}

// TestWokenFromBeside lets a cell wait for what only a cell beside it, or a comm's
// message, can send: that is no deadlock.
func TestWokenFromBeside(t *testing.T) {
	s := open(t)
	mustRun(t, s, 1, "gate := make(chan int)")
	waiting := func(n int, beside func() bool) chan string {
		out := make(chan string, 1)
		go func() {
			r := record()
			res := s.Execute(context.Background(), cell.Request{Count: n, Code: "<-gate", Beside: beside}, r)
			if res.Err != nil {
				r.note("%s", res.Err.Value)
			}
			out <- r.text()
		}()
		return out
	}
	came := time.Now().Add(500 * time.Millisecond) // a subshell that comes later than the cell
	out := waiting(2, func() bool { return time.Now().After(came) })
	time.Sleep(3 * time.Second)
	mustRun(t, s, 3, "gate <- 7")
	if got := <-out; got != "= 7\n" {
		t.Errorf("%q", got)
	}
	mustRun(t, s, 4, "import \"attune/stdlib/comm\"\ncomm.Register(\"t\", func(*comm.Comm, comm.Message) { gate <- 8 })")
	out = waiting(5, nil)
	time.Sleep(3 * time.Second)
	s.Comm(context.Background(), cell.Comm{Kind: "open", ID: "a", Target: "t"}, commRecorder{record()})
	if got := <-out; got != "= 8\n" {
		t.Errorf("%q", got)
	}
}

// commRecorder keeps comm messages too.
type commRecorder struct{ *recorder }

func (r commRecorder) Comm(m cell.Comm) {
	r.note("comm %s %s %s %d\n", m.Kind, m.Target, m.Data, len(m.Buffers))
}

const commCell = `import ("attune/stdlib/comm"; "fmt"; "strings")
var last *comm.Comm
comm.Register("echo", func(c *comm.Comm, m comm.Message) {
	last = c
	fmt.Println("opened", string(m.Data))
	c.OnMessage(func(m comm.Message) {
		var said struct{ Say string }
		if err := m.Decode(&said); err != nil || said.Say == "panic" {
			panic("in the handler")
		}
		c.Send(map[string]string{"said": strings.ToUpper(said.Say)}, m.Buffers...)
	})
	c.OnClose(func(comm.Message) { fmt.Println("closed") })
})`

// TestComms opens a comm from the front end's side and from the session's.
func TestComms(t *testing.T) {
	s := open(t)
	mustRun(t, s, 1, commCell)
	send := func(m cell.Comm) string {
		r := commRecorder{record()}
		s.Comm(context.Background(), m, r)
		return colour.ReplaceAllString(r.text(), "")
	}
	data := func(text string) json.RawMessage { return json.RawMessage(text) }
	for _, c := range []struct {
		m    cell.Comm
		want string
	}{
		{cell.Comm{Kind: "open", ID: "x", Target: "nobody"}, "comm close  {} 0\n"},
		{cell.Comm{Kind: "msg", ID: "x"}, ""},
		{cell.Comm{Kind: "open", ID: "a", Target: "echo", Data: data(`{"n":1}`)}, "opened {\"n\":1}\n"},
		{cell.Comm{Kind: "msg", ID: "a", Data: data(`{"say":"hi"}`), Buffers: [][]byte{{1}, {2}}}, "comm msg  {\"said\":\"HI\"} 2\n"},
		{cell.Comm{Kind: "close", ID: "a"}, "closed\n"},
		{cell.Comm{Kind: "msg", ID: "a", Data: data(`{"say":"hi"}`)}, ""},
	} {
		if got := send(c.m); got != c.want {
			t.Errorf("%s %s: %q, want %q", c.m.Kind, c.m.ID, got, c.want)
		}
	}
	send(cell.Comm{Kind: "open", ID: "b", Target: "echo"})
	if got := send(cell.Comm{Kind: "msg", ID: "b", Data: data(`{"say":"panic"}`)}); !strings.Contains(got, "in the handler of a comm message") || !strings.Contains(got, "panic: in the handler") {
		t.Errorf("%q", got)
	}
	r := commRecorder{record()}
	run := func(n int, code string) {
		t.Helper()
		if res := s.Execute(context.Background(), cell.Request{Count: n, Code: code}, r); res.Err != nil {
			t.Fatalf("%s: %v", code, res.Err)
		}
	}
	run(2, `mine, err := comm.Open("page", map[string]int{"start": 3})`)
	run(3, `mine.Send(struct{ X int }{4}); mine.Close(nil)`)
	run(4, `fmt.Println(mine.Send(nil), err, last.ID())`)
	want := "comm open page {\"start\":3} 0\ncomm msg  {\"X\":4} 0\ncomm close  {} 0\nthe comm is closed <nil> b\n"
	if got := r.text(); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestCommsEndWithTheWorker crashes with a comm open.
func TestCommsEndWithTheWorker(t *testing.T) {
	s := open(t)
	mustRun(t, s, 1, "import \"attune/stdlib/comm\"\nfunc deep(n int) int { return deep(n+1) + 1 }")
	r := commRecorder{record()}
	for n, code := range []string{`c, err := comm.Open("page", nil); _, _ = c, err`, "deep(0)"} {
		s.Execute(context.Background(), cell.Request{Count: n + 2, Code: code}, r)
	}
	if got, want := r.text(), "comm open page {} 0\ncomm close   0\n"; !strings.HasPrefix(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// asked is a recorder whose user answers, or never does.
type asked struct {
	*recorder
	answer string
}

func (a asked) Input(ctx context.Context, prompt string, password bool) (string, error) {
	a.note("asked %q %v\n", prompt, password)
	if a.answer == "" {
		<-ctx.Done()
		return "", ctx.Err()
	}
	return a.answer, nil
}

// TestAsk asks by name, hidden and interrupted.
func TestAsk(t *testing.T) {
	s := open(t)
	mustRun(t, s, 1, "import (\"attune/stdlib/ask\"; \"fmt\")\nvar _ = ask.Line\nvar _ = fmt.Sprint")
	execute := func(n int, code string, out asked, allow bool) *cell.Error {
		return s.Execute(context.Background(), cell.Request{Count: n, Code: code, AllowStdin: allow}, out).Err
	}
	out := asked{record(), "gopher"}
	if err := execute(2, `fmt.Println(ask.Line("name? ")); fmt.Println(ask.Password("secret: "))`, out, true); err != nil {
		t.Fatal(err)
	}
	want := "asked \"name? \" false\ngopher <nil>\nasked \"secret: \" true\ngopher <nil>\n"
	if got := out.text(); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if err := execute(3, `_, err := ask.Line("x"); fmt.Println(err)`, out, false); err != nil || !strings.HasSuffix(out.text(), "ask: this front end cannot ask\n") {
		t.Errorf("%v, %q", err, out.text())
	}
	silent := asked{record(), ""}
	done := make(chan *cell.Error, 1)
	go func() { done <- execute(4, `ask.Password("?"); fmt.Println("never")`, silent, true) }()
	<-silent.wrote
	s.Interrupt()
	if err := <-done; err == nil || err.Name != "Interrupted" || strings.Contains(silent.text(), "never") {
		t.Errorf("%v, %q", err, silent.text())
	}
	mustAnswer(t, s, 5, fmt.Sprint("1 + ", 1), "= 2\n")
}

// TestAsksOnceForALine stops the worker for a while behind each answer: a line that
// was typed and is not read yet must not be asked for again.
func TestAsksOnceForALine(t *testing.T) {
	s := open(t)
	mustRun(t, s, 1, "import \"fmt\"")
	out := asked{record(), "gopher"}
	pid := s.Processes()[0].PID
	slow := slowAnswer{out, func() {
		_ = syscall.Kill(pid, syscall.SIGSTOP)
		time.AfterFunc(300*time.Millisecond, func() { _ = syscall.Kill(pid, syscall.SIGCONT) })
	}}
	code := "var a, b string\nfmt.Scanln(&a)\nfmt.Scanln(&b)\nfmt.Println(a, b)"
	if err := s.Execute(context.Background(), cell.Request{Count: 2, Code: code, AllowStdin: true}, slow).Err; err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out.text(), "asked"); n != 2 || !strings.HasSuffix(out.text(), "gopher gopher\n") {
		t.Errorf("asked %d times: %q", n, out.text())
	}
}

// slowAnswer does something just before the answer is given.
type slowAnswer struct {
	asked
	before func()
}

func (a slowAnswer) Input(ctx context.Context, prompt string, password bool) (string, error) {
	a.before()
	return a.asked.Input(ctx, prompt, password)
}
