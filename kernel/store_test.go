package kernel_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"attune/kernel"
	"attune/kernel/jupyter"
	"attune/kernel/kerneltest"
)

// remembered asks for history and returns it as the JSON that came.
func remembered(t *testing.T, c *kerneltest.Client, req string) string {
	t.Helper()
	var got struct{ History json.RawMessage }
	request(t, c, c.Shell, jupyter.Outgoing{Type: "history_request", Content: json.RawMessage(req)}, &got)
	return string(got.History)
}

// TestHistoryOfSessions runs kernels one after the other, and two at one time, on one
// file.
func TestHistoryOfSessions(t *testing.T) {
	file := filepath.Join(t.TempDir(), "deep", "history.jsonl")
	session := func(cells ...string) *kerneltest.Client {
		_, c := start(t, kernel.Options{History: file})
		for _, code := range cells {
			run(t, c, code)
		}
		return c
	}
	t.Run("first", func(t *testing.T) {
		_, c := start(t, kernel.Options{History: file})
		run(t, c, "say one")
		run(t, c, "result two")
	})
	c := session("say three", "say one")
	other := session("say four")
	for req, want := range map[string]string{
		`{"hist_access_type":"range","session":-1,"start":0}`:              `[[1,1,"say one"],[1,2,"result two"]]`,
		`{"hist_access_type":"range","session":1,"start":2,"output":true}`: `[[1,2,["result two","two"]]]`,
		`{"hist_access_type":"range","session":0,"start":1,"stop":2}`:      `[[2,1,"say three"]]`,
		`{"hist_access_type":"range","session":77,"start":0}`:              `[]`,
		`{"hist_access_type":"search","pattern":"say o*"}`:                 `[[1,1,"say one"],[2,2,"say one"]]`,
		`{"hist_access_type":"search","pattern":"say o*","unique":true}`:   `[[2,2,"say one"]]`,
		`{"hist_access_type":"search","pattern":"*e*","n":2,"raw":true}`:   `[[2,1,"say three"],[2,2,"say one"]]`,
	} {
		if got := remembered(t, c, req); got != want {
			t.Errorf("%s: %s, want %s", req, got, want)
		}
	}
	// What runs beside is there once it is stored.
	const want = `[[2,1,"say three"],[2,2,"say one"],[3,1,"say four"]]`
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		got := remembered(t, other, `{"hist_access_type":"tail","n":3}`)
		if got == want {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%s, want %s", got, want)
		}
	}
	for _, f := range []string{file, file + ".session", file + ".lock"} {
		if st, err := os.Stat(f); err != nil || st.Mode().Perm() != 0o600 {
			t.Errorf("%v, %v", st, err)
		}
	}
}

// TestHistoryAfterACut leaves half a line in the file, as a kill may.
func TestHistoryAfterACut(t *testing.T) {
	file := filepath.Join(t.TempDir(), "history.jsonl")
	if err := os.WriteFile(file, []byte(`{"s":1,"l":1,"i":"say whole"}`+"\n"+`{"s":1,"l":2,"i":"say ha`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file+".session", []byte("1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Run("writes", func(t *testing.T) {
		_, c := start(t, kernel.Options{History: file})
		run(t, c, "say new")
	})
	_, c := start(t, kernel.Options{History: file})
	if got, want := remembered(t, c, `{}`), `[[1,1,"say whole"],[2,1,"say new"]]`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestHistoryIsBounded starts on a file that has grown too long.
func TestHistoryIsBounded(t *testing.T) {
	file := filepath.Join(t.TempDir(), "history.jsonl")
	var text strings.Builder
	for i := range 17 {
		fmt.Fprintf(&text, `{"s":1,"l":%d,"i":"%s"}`+"\n", i, strings.Repeat("x", 1<<20))
	}
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	_, c := start(t, kernel.Options{History: file})
	got := remembered(t, c, `{"hist_access_type":"tail","n":100}`)
	if n := strings.Count(got, "[1,"); n != 8 || !strings.Contains(got, `[1,16,`) {
		t.Errorf("%d entries are kept", n)
	}
	if st, err := os.Stat(file); err != nil || st.Size() > 9<<20 {
		t.Error(st.Size(), err)
	}
}

// TestHistoryWithoutAPlace runs where the file cannot be.
func TestHistoryWithoutAPlace(t *testing.T) {
	_, c := start(t, kernel.Options{History: "/proc/nowhere/history.jsonl"})
	run(t, c, "say here")
	if got := remembered(t, c, `{}`); got != `[[1,1,"say here"]]` {
		t.Error(got)
	}
}
