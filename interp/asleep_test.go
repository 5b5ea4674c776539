package interp_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"attune/interp/cell"
)

// TestDeadlock ends cells that nothing can wake, as the runtime ends a program, and
// keeps what the session holds.
func TestDeadlock(t *testing.T) {
	for name, c := range map[string]struct{ code, where string }{
		"receive":   {"\n<-gate", "at In[2]:2\n      <-gate"},
		"instant":   {"mu.Lock()\nmu.Lock()", "at In[2]:2\n      mu.Lock()"},
		"waitgroup": {"func wait() {\n\twg.Wait()\n}\nwg.Add(1)\ngo func() { <-gate; wg.Done() }()\nwait()", "at In[2]:2 in wait\n      wg.Wait()"},
		"select":    {"go func() { select { case <-gate: case more <- 1: } }()\nselect {}", "at In[2]:2\n      select {}"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			transcript(s, 1, "import (\"fmt\"; \"sync\"; \"time\")\ngate, more := make(chan int), make(chan int)\nvar mu sync.Mutex\nvar wg sync.WaitGroup\nkept := 1")
			const text = "! fatal error: all goroutines are asleep - deadlock!\n"
			if got := transcript(s, 2, c.code); !strings.HasPrefix(got, text) || !strings.Contains(got, c.where) || !strings.Contains(got, "values are kept") {
				t.Errorf("the cell answers %q", got)
			}
			if got := transcript(s, 3, "\n<-more"); !strings.HasPrefix(got, text) && !strings.HasPrefix(got, "= 1") {
				t.Errorf("the next such cell answers %q", got)
			}
			mustAnswer(t, s, 4, "close(gate)\ntime.Sleep(10 * time.Millisecond)\nkept", "= 1\n")
		})
	}
}

// TestNoDeadlock leaves cells alone that a timer, a process or the network will wake.
func TestNoDeadlock(t *testing.T) {
	for name, code := range map[string]string{
		"after":     "<-time.After(3 * time.Second);",
		"afterfunc": "c := make(chan int)\ntime.AfterFunc(3*time.Second, func() { close(c) })\n<-c;",
		"context":   "ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)\ndefer cancel()\n<-ctx.Done();",
		"process":   "c := make(chan error)\ngo func() { c <- exec.Command(\"sleep\", \"3\").Run() }()\n<-c;",
		"network":   "c := make(chan int)\nl, _ := net.Listen(\"tcp\", \"127.0.0.1:0\")\ngo func() { l.Accept(); close(c) }()\ncmd := exec.Command(\"bash\", \"-c\", \"sleep 3; echo > /dev/tcp/127.0.0.1/\"+l.Addr().String()[10:])\ncmd.Start()\n<-c;",
		"signal":    "c := make(chan os.Signal, 1)\nsignal.Notify(c, syscall.SIGUSR1)\ncmd := exec.Command(\"sh\", \"-c\", fmt.Sprint(\"sleep 3; kill -USR1 \", os.Getpid()))\ncmd.Start()\n<-c;",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			transcript(s, 1, "import (\"context\"; \"fmt\"; \"net\"; \"os\"; \"os/exec\"; \"os/signal\"; \"syscall\"; \"time\")")
			mustAnswer(t, s, 2, code+"\nfmt.Println(\"woken\")", "woken\n")
		})
	}
}

// slow is a front end that takes its time.
type slow struct{ *recorder }

func (s slow) Input(ctx context.Context, prompt string, password bool) (string, error) {
	time.Sleep(3 * time.Second)
	return s.recorder.Input(ctx, prompt, password)
}

func (s slow) Display(d cell.Display) {
	time.Sleep(3 * time.Second)
	s.recorder.Display(d)
}

// TestNoDeadlockWithTheFront leaves cells alone that wait for the user, or for a front
// end that is slow to show things.
func TestNoDeadlockWithTheFront(t *testing.T) {
	for name, c := range map[string]struct{ code, want string }{
		"ask":     {"name, err := ask.Line(\"name? \")\nfmt.Println(name, err)", "ann <nil>\n"},
		"scan":    {"var name string\nfmt.Scanln(&name)\nfmt.Println(name)", "ann\n"},
		"display": {"done := make(chan int)\ngo func() { display.Show(\"shown\"); close(done) }()\n<-done;", "display: \"shown\"\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			mustRun(t, s, 1, "import (\"attune/display\"; \"attune/stdlib/ask\"; \"fmt\")")
			mustRun(t, s, 2, "fmt.Print()")
			r := slow{record("ann")}
			res := s.Execute(context.Background(), cell.Request{Count: 3, Code: c.code, AllowStdin: true}, r)
			if got := r.text(); res.Err != nil || got != c.want {
				t.Errorf("the cell answers %q, %v", got, res.Err)
			}
		})
	}
}
