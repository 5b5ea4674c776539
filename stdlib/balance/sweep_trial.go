package balance

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"

	"attune/stdlib/apart"
)

// Trial is one call of a Sweep's function, as that function sees it.
type Trial struct {
	// Number is the trial's, from 0: the same on each rung of a halving.
	Number int
	// Seed is the trial's own, for whatever needs chance.
	Seed uint64
	// Steps is how far to train: epochs, updates, or what the function takes it for.
	Steps int

	values map[string]any
	mu     sync.Mutex
	out    *json.Encoder
	err    error
}

// value is a parameter's; one that is not in the space fails the trial.
func value[T any](t *Trial, name, kind string) (out T) {
	v, ok := t.values[name]
	if !ok {
		t.fail(fmt.Errorf("the space has no parameter %q", name))
		return out
	}
	if out, ok = v.(T); !ok {
		t.fail(fmt.Errorf("parameter %q is %v, not %s", name, v, kind))
	}
	return out
}

// Float is a parameter's number. Whatever is asked for and is not in the space fails
// the trial when its function returns.
func (t *Trial) Float(name string) float64 { return value[float64](t, name, "a number") }

// Int is a parameter's whole number.
func (t *Trial) Int(name string) int {
	x := value[float64](t, name, "a number")
	if x != math.Trunc(x) {
		t.fail(fmt.Errorf("parameter %q is %v, not a whole number", name, x))
	}
	return int(x)
}

// Text is a parameter's text.
func (t *Trial) Text(name string) string { return value[string](t, name, "a text") }

// Bool is a parameter's truth.
func (t *Trial) Bool(name string) bool { return value[bool](t, name, "true or false") }

func (t *Trial) fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.err = errors.Join(t.err, err)
}

// Report tells the score so far, which the plot shows at once.
func (t *Trial) Report(step int, score float64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.out != nil {
		_ = t.out.Encode(message{Step: step, Score: number(score)}) // nobody hears it: the session is gone
	}
}

// order is what a process is told of its trial.
type order struct {
	Number, Steps int
	Seed          uint64
	Values        map[string]any
}

// message is a line of what a process answers.
type message struct {
	Step  int     `json:",omitempty"`
	Score number  `json:",omitempty"`
	Error *string `json:",omitempty"`
	Done  bool    `json:",omitempty"`
}

// number is a float64 that JSON can carry whatever it is.
type number float64

func (n number) MarshalText() ([]byte, error) { return fmt.Append(nil, float64(n)), nil }

func (n *number) UnmarshalText(text []byte) error {
	_, err := fmt.Sscan(string(text), (*float64)(n))
	return err
}

// Perform is a process's part of a Sweep: it reads the trial from in, calls f with it,
// and writes what f reports and returns to out. explain words a panic.
func Perform(f any, in io.Reader, out io.Writer, explain func(v any) string) error {
	train, ok := f.(func(*Trial) (float64, error))
	if !ok {
		return fmt.Errorf("perform a trial: the function is a %T", f)
	}
	var o order
	if err := json.NewDecoder(in).Decode(&o); err != nil {
		return fmt.Errorf("perform a trial: %w", err)
	}
	t := &Trial{Number: o.Number, Seed: o.Seed, Steps: o.Steps, values: o.Values, out: json.NewEncoder(out)}
	m := message{Done: true}
	score, err := func() (score float64, err error) {
		defer func() {
			if v := recover(); v != nil {
				err = errors.New(explain(v))
			}
		}()
		return train(t)
	}()
	t.mu.Lock()
	defer t.mu.Unlock()
	if err = errors.Join(err, t.err); err != nil {
		text := err.Error()
		m.Error = &text
	}
	m.Score = number(score)
	return t.out.Encode(m)
}

// run runs the trial at a place of the result. Its own end, whatever it is, is no
// error; that no process can be started is one.
func (s *sweep) run(at int, stop <-chan struct{}) error {
	s.mu.Lock()
	t := s.result.Trials[at]
	s.mu.Unlock()
	cmd, job, err := apart.Command(s.train)
	if err != nil {
		return err
	}
	o := order{Number: t.Number, Steps: t.Steps, Seed: s.o.Seed + uint64(t.Number)*0x9e3779b97f4a7c15, Values: map[string]any{}}
	for i, p := range s.result.Params {
		o.Values[p.Name] = t.Values[i]
	}
	var in bytes.Buffer
	if err := errors.Join(json.NewEncoder(&in).Encode(job), json.NewEncoder(&in).Encode(o)); err != nil {
		return fmt.Errorf("write the trial: %w", err)
	}
	results, theirs, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("start a trial: %w", err)
	}
	defer results.Close()
	said := &tail{}
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = &in, said, said, []*os.File{theirs}
	// What a child of the trial holds open must not keep the trial from ending.
	cmd.WaitDelay = time.Second
	cmd.Env = os.Environ()
	if s.o.Memory > 0 {
		cmd.Env = append(cmd.Env, fmt.Sprintf("ATTUNE_MEMORY=%d", s.o.Memory/int64(s.o.Parallel)))
	}
	start := time.Now()
	err = cmd.Start()
	theirs.Close()
	if err != nil {
		return fmt.Errorf("start a trial: %w", err)
	}
	s.change(at, func(t *TrialResult) { t.State = Running })
	why, end := s.guard(cmd.Process, stop)
	last := s.listen(at, results)
	err = cmd.Wait()
	end()
	s.change(at, func(t *TrialResult) {
		t.Time, t.Output = time.Since(start), said.String()
		if u, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
			t.Memory = u.Maxrss << 10
		}
		t.end(last, why(), err)
	})
	return nil
}

// guard kills the process when the sweep is to stop or the trial takes too long; why
// says which.
func (s *sweep) guard(p *os.Process, stop <-chan struct{}) (why func() string, end func()) {
	over, done, reason := make(chan struct{}), make(chan struct{}), ""
	var late <-chan time.Time
	if s.o.Timeout > 0 {
		late = time.After(s.o.Timeout)
	}
	go func() {
		defer close(done)
		select {
		case <-stop:
			reason = "interrupted"
		case <-late:
			reason = fmt.Sprintf("it took longer than %v", s.o.Timeout)
		case <-over:
			return
		}
		_ = p.Kill() // it may have ended by itself
	}()
	end = sync.OnceFunc(func() { close(over); <-done })
	return func() string { end(); return reason }, end
}

// listen takes what a trial reports until its end, and returns its last word, nil if it
// had none.
func (s *sweep) listen(at int, results io.Reader) *message {
	lines := bufio.NewScanner(results)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var m message
		if json.Unmarshal(lines.Bytes(), &m) != nil {
			continue // cut off by the process's end
		}
		if m.Done {
			return &m
		}
		s.change(at, func(t *TrialResult) {
			t.Curve = append(t.Curve, Point{m.Step, float64(m.Score)})
		})
	}
	return nil
}

func (s *sweep) change(at int, f func(*TrialResult)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(&s.result.Trials[at])
}

// end notes how the trial came out: by its last word, why it was killed, or how its
// process ended.
func (t *TrialResult) end(last *message, why string, err error) {
	t.State = Failed
	switch {
	case last != nil && last.Error != nil:
		t.Error = *last.Error
	case last != nil && math.IsNaN(float64(last.Score)):
		t.Error = "the score is not a number"
	case last != nil:
		t.State, t.Score = Done, float64(last.Score)
	case why != "":
		t.State, t.Error = Killed, why
	default:
		t.State, t.Error = Crashed, "its process ended"
		if err != nil {
			t.Error = err.Error()
		}
		if m := lastWords.FindStringSubmatch(t.Output); m != nil {
			t.Error = m[1]
		}
	}
}

// lastWords is how the runtime, the memory's limit and the process itself begin the
// report of an end.
var lastWords = regexp.MustCompile(`(?m)^((?:panic|fatal error|attune-worker|unexpected fault address|runtime: goroutine stack exceeds).*)$`)

// tail keeps the beginning and the end of what a process says.
type tail struct {
	mu         sync.Mutex
	head, rest []byte
}

const tailBytes = 4 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(p)
	if k := min(len(p), tailBytes-len(t.head)); k > 0 {
		t.head, p = append(t.head, p[:k]...), p[k:]
	}
	t.rest = append(t.rest, p...)
	if over := len(t.rest) - tailBytes; over > 0 {
		t.rest = append(t.rest[:0], t.rest[over:]...)
	}
	return n, nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.ToValidUTF8(string(t.head)+string(t.rest), "�")
}
