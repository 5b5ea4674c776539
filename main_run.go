package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"attune/interp"
	"attune/kernel"
	"attune/kernel/notebook"
)

const runUsage = `usage: attune run IN.ipynb OUT.ipynb [OPTIONS]

Runs a notebook's cells in order and writes it with what they put out, before the first
cell, behind each and every five seconds. Stops at the first cell that fails, unless the
cell has the tag raises-exception. Exit status 0: all cells ran; 1: one failed.

  -p, --parameter NAME VALUE   set a parameter: a number, True or False, text, or a JSON
                               list or object. It goes behind the cell with the tag
                               "parameters", and keeps the type that is declared there
  -r, --raw NAME TEXT          the same, with a value that is text whatever it looks like
  --timeout DURATION           the most that a cell may take, as in 90s or 10m; a number
                               alone is seconds
  --allow-errors               go on behind a cell that fails
  --cwd DIR                    where the cells run; the notebook's own folder otherwise
  -q, --quiet                  no line for each cell
`

// runOptions are the command line of attune run.
type runOptions struct {
	notebook.Options
	dir  string
	help bool
}

func parseRun(args []string) (runOptions, error) {
	o := runOptions{Options: notebook.Options{Progress: os.Stderr}}
	var files []string
	for len(args) > 0 {
		word := args[0]
		args = args[1:]
		take := func(n int) ([]string, error) {
			if len(args) < n {
				return nil, fmt.Errorf("%s lacks what belongs behind it\n%s", word, runUsage)
			}
			values := args[:n]
			args = args[n:]
			return values, nil
		}
		if err := o.option(word, &files, take); err != nil {
			return o, err
		}
	}
	if len(files) != 2 && !o.help {
		return o, fmt.Errorf("a notebook to run and one to write are needed\n%s", runUsage)
	}
	if len(files) == 2 {
		o.Input, o.Output = files[0], files[1]
	}
	return o, nil
}

// option takes one word of the command line, and with take what belongs behind it.
func (o *runOptions) option(word string, files *[]string, take func(int) ([]string, error)) error {
	switch word {
	case "-h", "--help":
		o.help = true
	case "-q", "--quiet":
		o.Progress = io.Discard
	case "--allow-errors":
		o.AllowErrors = true
	case "--timeout", "--cwd":
		v, err := take(1)
		if err == nil && word == "--cwd" {
			o.dir = v[0]
		} else if err == nil {
			o.Timeout, err = duration(v[0])
		}
		return err
	case "-p", "--parameter", "-r", "--raw":
		v, err := take(2)
		if err != nil {
			return err
		}
		p, err := notebook.ParseParameter(v[0], v[1])
		if strings.Contains(word, "r") && word != "--parameter" {
			p, err = notebook.ParseParameter(v[0], "")
			p.Value = v[1]
		}
		o.Parameters = append(o.Parameters, p)
		return err
	default:
		if strings.HasPrefix(word, "-") && word != "-" {
			return fmt.Errorf("unknown option %s\n%s", word, runUsage)
		}
		*files = append(*files, word)
	}
	return nil
}

func duration(text string) (time.Duration, error) {
	if !strings.ContainsAny(text, "hms") {
		text += "s"
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("--timeout %s is no time, as 90s or 10m are", text)
	}
	return d, nil
}

// runNotebook is attune run.
func runNotebook(ctx context.Context, args []string) error {
	o, err := parseRun(args)
	if err != nil || o.help {
		if o.help {
			fmt.Print(runUsage)
		}
		return err
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt)
	defer stop()
	if err := o.goThere(); err != nil {
		return err
	}
	at, err := locate()
	if err != nil {
		return err
	}
	session, err := interp.Open(interp.Options{Lib: at.lib, Worker: at.worker, Root: at.root, Env: workerEnv(at)})
	if err != nil {
		return err
	}
	defer session.Close()
	if o.Language, err = json.Marshal(kernel.LanguageInfo(strings.TrimPrefix(runtime.Version(), "go"))); err != nil {
		return err
	}
	return notebook.Run(ctx, session, o.Options)
}

// goThere makes the files' paths whole and goes to the folder that the cells run in.
func (o *runOptions) goThere() error {
	for _, p := range []*string{&o.Input, &o.Output} {
		abs, err := filepath.Abs(*p)
		if err != nil {
			return err
		}
		*p = abs
	}
	if o.dir == "" {
		o.dir = filepath.Dir(o.Input)
	}
	if err := os.Chdir(o.dir); err != nil {
		return fmt.Errorf("go to the folder that the cells run in: %w", err)
	}
	return nil
}
