// Package ask asks the user of a notebook for a line: Line shows what is typed,
// Password does not. Reading os.Stdin asks too, but can neither name a prompt nor hide
// the answer. It imports the standard library only.
package ask

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
)

// question is how the session asks; nil in a program without a kernel.
var question atomic.Pointer[func(prompt string, password bool) (string, error)]

// Use makes f the way to ask. The worker calls it before any cell runs.
func Use(f func(prompt string, password bool) (string, error)) { question.Store(&f) }

// Line asks for a line and returns it without its end. An interrupt, and a front end
// that cannot ask, are errors.
func Line(prompt string) (string, error) { return ask(prompt, false) }

// Password is Line with an answer that is not shown and is kept in no notebook. In a
// program without a kernel it refuses, since it could not hide what is typed.
func Password(prompt string) (string, error) { return ask(prompt, true) }

func ask(prompt string, password bool) (string, error) {
	if f := question.Load(); f != nil {
		return (*f)(prompt, password)
	}
	if password {
		return "", errors.New("ask for a password: there is no front end that could hide it")
	}
	fmt.Print(prompt)
	var line []byte
	for one := make([]byte, 1); ; { // no byte beyond the line: it may be another reader's
		n, err := os.Stdin.Read(one)
		if n == 1 && one[0] == '\n' {
			break
		}
		line = append(line, one[:n]...)
		if err == io.EOF && len(line) > 0 {
			break
		}
		if err != nil {
			return "", fmt.Errorf("ask for a line: %w", err)
		}
	}
	return strings.TrimSuffix(string(line), "\r"), nil
}
