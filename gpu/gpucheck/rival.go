package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"
)

// rival is bench/gpu_torch.py, kept running: PyTorch takes seconds to start.
type rival struct {
	o       options
	cmd     *exec.Cmd
	in      io.WriteCloser
	answers chan rivalAnswer
	gone    string // why there is none
	tries   int
	// last is what was asked for last, and the answer: the forms of a row have one.
	last    string
	seconds map[string]float64
	why     string
}

type rivalAnswer struct {
	// About is what it is, in its first line. Seconds are by backend, Errors why one of
	// them has none.
	About   string             `json:"about"`
	Seconds map[string]float64 `json:"seconds"`
	Errors  map[string]string  `json:"errors"`
	err     error
}

// startRival starts it, and waits for nothing.
func startRival(o options) *rival {
	r := &rival{o: o}
	if o.torch == "" {
		r.gone = "not asked for (-torch)"
		return r
	}
	r.start()
	return r
}

func (r *rival) start() {
	r.tries++
	args := []string{r.o.torch}
	if r.o.tiny {
		args = append(args, "--tiny")
	}
	r.cmd = exec.Command(r.o.python, args...)
	dieWithUs(r.cmd)
	words := new(head)
	r.cmd.Stderr = words
	var out io.ReadCloser
	var err error
	if r.in, err = r.cmd.StdinPipe(); err == nil {
		if out, err = r.cmd.StdoutPipe(); err == nil {
			err = r.cmd.Start()
		}
	}
	if err != nil {
		r.gone = err.Error()
		return
	}
	r.answers = make(chan rivalAnswer, 1)
	go func(cmd *exec.Cmd, answers chan<- rivalAnswer) {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			var a rivalAnswer
			if a.err = json.Unmarshal(lines.Bytes(), &a); a.err != nil {
				a.err = fmt.Errorf("PyTorch said %q", lines.Text())
			}
			answers <- a
		}
		_ = cmd.Wait() // it says more by its words
		answers <- rivalAnswer{err: errors.New(strings.TrimSuffix("PyTorch's process ended: "+words.line(), ": "))}
	}(r.cmd, r.answers)
}

// about waits until it has started, and says what it is.
func (r *rival) about(wait time.Duration) string {
	if r.gone != "" {
		return r.gone
	}
	a := r.answer(wait)
	if a.err == nil && a.About == "" {
		a.err = errors.New("PyTorch's process did not say what it is")
	}
	if a.err != nil {
		r.stop(a.err.Error())
		return r.gone
	}
	return a.About
}

func (r *rival) answer(wait time.Duration) rivalAnswer {
	select {
	case a := <-r.answers:
		return a
	case <-time.After(wait):
		return rivalAnswer{err: fmt.Errorf("no answer from PyTorch in %v", wait)}
	}
}

// ask has it measure a case. A process that does not answer is started anew, twice.
func (r *rival) ask(c *rivalCase, wait time.Duration) (map[string]float64, string) {
	if r.gone != "" {
		return nil, ""
	}
	own := *c
	own.Goals = nil
	line, err := json.Marshal(&own)
	if err == nil && string(line) == r.last {
		return r.seconds, r.why
	}
	if err == nil {
		_, err = r.in.Write(append(line, '\n'))
	}
	var a rivalAnswer
	if a.err = err; err == nil {
		a = r.answer(wait)
	}
	if a.err != nil {
		r.stop("ended: " + a.err.Error())
		if r.tries < 3 {
			r.gone = ""
			r.start()
			r.about(min(60*time.Second, 3*wait))
		}
		return nil, a.err.Error()
	}
	why := ""
	for name, e := range a.Errors {
		why += name + ": " + e + "; "
	}
	r.last, r.seconds, r.why = string(line), a.Seconds, why
	return a.Seconds, why
}

// prepare has it do a case for nothing but what is remembered of it, as compiled code.
func (r *rival) prepare(c *rivalCase, wait time.Duration) {
	r.ask(c, wait)
	r.last = ""
}

// stop ends it.
func (r *rival) stop(why string) {
	r.gone = why
	if r.cmd != nil {
		endGroup(r.cmd) // and does not wait: a device may keep its process for long
	}
}
