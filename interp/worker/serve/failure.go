package serve

import (
	"bufio"
	"bytes"
	"runtime"
	"strconv"
	"strings"

	"attune/interp/worker"
	"attune/interp/yaegi"
)

// straightFailure describes a panic under the instant engine: the frames of
// compiled cells from the stack, then the statement's own line.
func straightFailure(p *yaegi.Panic) *worker.Failure {
	f := &worker.Failure{Text: panicText(p.Value)}
	_, f.Runtime = p.Value.(runtime.Error)
	f.Frames = stackFrames(p.Stack)
	f.Frames = append(f.Frames, worker.Frame{Func: cellFunc, File: p.File, Line: p.Line, Col: p.Column})
	return f
}

// cellFunc stands for the cell's own statements, as compiled cells call them.
const cellFunc = "main.Ξrun_0000000000000000"

func panicText(v any) string {
	defer func() { _ = recover() }()
	return wordPanic(v)
}

// stackFrames reads the frames of debug.Stack that lie below the panic.
func stackFrames(stack []byte) []worker.Frame {
	var all []worker.Frame
	sc := bufio.NewScanner(bytes.NewReader(stack))
	name, after := "", false
	for sc.Scan() {
		line := sc.Text()
		pos, isPos := strings.CutPrefix(line, "\t")
		if !isPos {
			name = line
			if i := strings.LastIndexByte(name, '('); i > 0 {
				name = name[:i]
			}
			if name == "panic" {
				after = true
			}
			continue
		}
		if !after || name == "panic" {
			continue
		}
		pos, _, _ = strings.Cut(pos, " +0x")
		if i := strings.LastIndexByte(pos, ':'); i > 0 {
			n, _ := strconv.Atoi(pos[i+1:])
			all = append(all, worker.Frame{Func: name, File: pos[:i], Line: n})
		}
	}
	return all
}
