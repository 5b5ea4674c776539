// Package typing measures how long completion, inspection and is_complete take, asked
// over the kernel's sockets as a front end asks, while nothing runs and while a cell
// does. It owns nothing and imports interp and kernel.
package typing

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"attune/interp"
	"attune/kernel"
	"attune/kernel/jupyter"
	"attune/kernel/kerneltest"
)

// limit is what is aimed at for each median; a benchmark does not fail for it.
const limit = 10 * time.Millisecond

const declared = `import ("fmt"; "time"; "strings"; "gonum.org/v1/gonum/mat")
type Point struct{ X, Y float64 }
func (p Point) Len() float64 { return p.X }
func Scale(ps []Point, by float64) []Point { return ps }
points, text := []Point{{1, 2}}, "hello"
m := mat.NewDense(2, 2, nil)
var _, _ = fmt.Sprint, time.Now
var _ = strings.ToUpper`

// questions are what is asked; ‸ is the cursor.
var questions = []struct{ name, kind, code string }{
	{"complete a name", "complete", "total := 0\nfor _, p := range poi‸"},
	{"complete a member", "complete", "for _, p := range points {\n\tp.‸\n}"},
	{"complete in a package", "complete", "x := m.T()\nmat.‸"},
	{"complete in a package not imported", "complete", "sort.‸"},
	{"complete a struct's keys", "complete", "Point{‸}"},
	{"inspect a variable", "inspect", "fmt.Println(poi‸nts)"},
	{"inspect a call", "inspect", "Scale(points, ‸)"},
	{"inspect a function of a package", "inspect", "strings.Repea‸t(text, 2)"},
	{"inspect a type of gonum", "inspect", "mat.Den‸se{}"},
	{"is_complete, a function", "is_complete", "func f(x int) int {\n\tif x > 1 {\n\t\treturn f(x - 1)‸"},
	{"is_complete, a call", "is_complete", "fmt.Println(Scale(points, 2)‸"},
	{"complete in 2,000 lines of functions", "complete", strings.Repeat("func f_N_(x int) int {\n\ty := x * 2\n\tfor i := range y {\n\t\ty += i % 3\n\t}\n\tfmt.Println(\"f\", y)\n\treturn y\n}\n\n\n", 200) + "points[0].‸"},
	{"complete in 2,000 lines of statements", "complete", strings.Repeat("a_N_ := len(text) + 3\n", 2000) + "points[0].‸"},
	{"complete a name in 2,000 lines of statements", "complete", strings.Repeat("a_N_ := len(text) + 3\n", 2000) + "poin‸"},
	{"inspect in 2,000 lines of functions", "inspect", strings.Repeat("func f_N_(x int) int {\n\ty := x * 2\n\tfor i := range y {\n\t\ty += i % 3\n\t}\n\tfmt.Println(\"f\", y)\n\treturn y\n}\n\n\n", 200) + "poi‸nts"},
	{"is_complete, 2,000 lines", "is_complete", strings.Repeat("func f_N_(x int) int {\n\ty := x * 2\n\tfor i := range y {\n\t\ty += i % 3\n\t}\n\tfmt.Println(\"f\", y)\n\treturn y\n}\n\n\n", 200) + "for {‸"},
}

// asker is a client of a kernel of this process.
type asker struct {
	b      *testing.B
	client *kerneltest.Client
}

func begin(b *testing.B) *asker {
	at, err := filepath.Abs("../../.build")
	if err != nil {
		b.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(at, "lib", "stamp.json")); err != nil {
		b.Skip("the packages for cells are not built: run ./install.sh test")
	}
	root := filepath.Dir(at)
	s, err := interp.Open(interp.Options{
		Lib: filepath.Join(at, "lib"), Worker: filepath.Join(at, "bin", "attune-worker"), Cache: b.TempDir(), Root: root,
	})
	if err != nil {
		b.Fatal(err)
	}
	server, err := kernel.New(jupyter.ConnectionInfo{
		Transport: "tcp", IP: "127.0.0.1", Key: "secret", SignatureScheme: "hmac-sha256",
	}, s, kernel.Options{Log: io.Discard, Version: "1", GoVersion: "1.26"})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx) }()
	b.Cleanup(func() {
		cancel()
		<-served
	})
	client, err := kerneltest.Dial(server.Connection())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = client.Close() })
	if err := client.Ready(20 * time.Second); err != nil {
		b.Fatal(err)
	}
	return &asker{b, client}
}

// ask sends a request and waits for its reply.
func (a *asker) ask(kind string, content any) *jupyter.Message {
	id, err := a.client.Send(a.client.Shell, kind+"_request", content)
	if err != nil {
		a.b.Fatal(err)
	}
	for {
		m, err := a.client.Recv(a.client.Shell, time.Minute)
		if err != nil {
			a.b.Fatal(err)
		}
		if m.Parent.MsgID == id {
			return m
		}
	}
}

// question makes the request; n tells one from the next, as typing would.
func question(kind, code string, n int) any {
	before, after, _ := strings.Cut(code, "‸")
	var lines strings.Builder
	for i, part := range strings.Split(before, "_N_") {
		if i > 0 {
			fmt.Fprint(&lines, i)
		}
		lines.WriteString(part)
	}
	before = fmt.Sprintf("// %d\n", n) + lines.String()
	at := len([]rune(before))
	switch kind {
	case "complete":
		return jupyter.CompleteRequest{Code: before + after, CursorPos: &at}
	case "inspect":
		return jupyter.InspectRequest{Code: before + after, CursorPos: &at}
	}
	return jupyter.IsCompleteRequest{Code: before + after}
}

// medians asks each question several times, in turns.
func (a *asker) medians(rounds int) []time.Duration {
	took := make([][]time.Duration, len(questions))
	for n := range rounds {
		for i, q := range questions {
			content := question(q.kind, q.code, n)
			start := time.Now()
			m := a.ask(q.kind, content)
			took[i] = append(took[i], time.Since(start))
			if text := string(m.Content); strings.Contains(text, `"found":false`) || strings.Contains(text, `"matches":[]`) || strings.Contains(text, `"status":"error"`) {
				a.b.Fatalf("%s: %s", q.name, text)
			}
		}
	}
	var out []time.Duration
	for _, t := range took {
		out = append(out, slices.Sorted(slices.Values(t))[len(t)/2])
	}
	return out
}

// BenchmarkTyping prints a table; -benchtime 1x is enough.
func BenchmarkTyping(b *testing.B) {
	a := begin(b)
	a.ask("execute", jupyter.ExecuteRequest{Code: declared})
	for b.Loop() {
		idle := a.medians(21)
		id, err := a.client.Send(a.client.Shell, "execute_request", jupyter.ExecuteRequest{Code: "fmt.Println(\"begun\")\nfor i := 0; ; i++ {\n\ttext = text[:i%(len(text)+1)] + \"bc\"\n}"})
		if err != nil {
			b.Fatal(err)
		}
		for { // until the cell runs
			m, err := a.client.Recv(a.client.IOPub, time.Minute)
			if err != nil {
				b.Fatal(err)
			}
			if m.Parent.MsgID == id && m.Header.MsgType == "stream" {
				break
			}
		}
		busy := a.medians(21)
		if _, err := a.client.Send(a.client.Control, "interrupt_request", struct{}{}); err != nil {
			b.Fatal(err)
		}
		fmt.Printf("| median of 21, ms (to reach: %v) | idle | while a cell runs |\n|---|---|---|\n", limit)
		over := 0
		for i, q := range questions {
			fmt.Printf("| %s | %.2f | %.2f |\n", q.name, ms(idle[i]), ms(busy[i]))
			if busy[i] > limit {
				over++
			}
		}
		b.ReportMetric(float64(over), "over-the-limit")
		b.ReportMetric(0, "ns/op")
	}
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
