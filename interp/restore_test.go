package interp_test

import (
	"context"
	"strings"
	"testing"

	"attune/interp/cell"
)

// crash is a cell that ends the worker process from outside.
const crash = "syscall.Kill(syscall.Getpid(), syscall.SIGKILL); select {}"

// step is a cell and what its transcript holds, or with "not: " before it does not.
type step struct {
	code string
	want []string
}

func steps(t *testing.T, all ...step) {
	t.Helper()
	s := open(t)
	for i, st := range all {
		got := transcript(s, i+1, st.code)
		for _, want := range st.want {
			if text, not := strings.CutPrefix(want, "not: "); strings.Contains(got, text) == not {
				t.Errorf("In[%d] %q answers\n%s\nwant %q", i+1, st.code, got, want)
			}
		}
	}
}

// TestRestoreTwice restores after several crashes: what was restored stays a value of
// its own cell.
func TestRestoreTwice(t *testing.T) {
	again := []string{"In[1] again, for x", "In[2] again, for y", "In[3] again, for z", "not: undefined", "not: !"}
	steps(t,
		step{"import \"syscall\"\nx := 5", nil}, step{"y := 6", nil}, step{"z := []int{x, y}", nil},
		step{crash, []string{"gone: x, y, z"}},
		step{"%restore", again},
		step{crash, []string{"gone: x, y, z"}},
		step{"%restore\nw := 7", append(again, "not: In[5]")},
		step{"panic(z[0])", []string{"at In[8]:1"}},
		step{crash, []string{"gone: w, x, y, z"}},
		step{"%restore", append(again, "In[7] again, for w", "not: In[5]")},
		step{"[]int{w, x, y, z[0], z[1]}", []string{"= []int{7, 5, 6, 5, 6}"}},
		step{"%restore", []string{"nothing is lost"}},
	)
}

// TestRestoreFrames names the cell's own number and line in a panic after %restore.
func TestRestoreFrames(t *testing.T) {
	steps(t,
		step{"import \"syscall\"\nf := func(n int) int {\n\treturn 1 / n\n}", nil},
		step{crash, []string{"gone: f"}},
		step{"%restore", []string{"In[1] again, for f"}},
		step{"f(0)", []string{"at In[1]:3", "at In[4]:1"}},
		step{"%who", []string{"In[1]", "not: In[3]"}},
	)
}

// TestResetForgetsLost: after %reset there is nothing to restore.
func TestResetForgetsLost(t *testing.T) {
	steps(t,
		step{"import \"syscall\"\na := 1", nil}, step{crash, nil},
		step{"%reset", nil},
		step{"%restore", []string{"nothing is lost", "not: again"}},
		step{"a", []string{"undefined: a"}},
	)
}

// TestRestoreCrash goes on where a cell that %restore runs ends the process itself.
func TestRestoreCrash(t *testing.T) {
	s := open(t)
	dir := t.TempDir()
	for i, code := range []string{
		"import (\"os\"; \"syscall\")\nmark := \"" + dir + "/mark\"",
		"a := 1",
		"_, missing := os.Stat(mark)\nif missing == nil { " + crash + " }\nb := 2",
		"c := 3",
		"d := 1\nif _, err := os.Stat(mark); err == nil { panic(\"no d\") }\ne := 4",
		"os.WriteFile(mark, nil, 0o600);",
		crash,
	} {
		transcript(s, i+1, code)
	}
	check := func(n int, code string, wants ...string) {
		t.Helper()
		got := transcript(s, n, code)
		for _, want := range wants {
			if !strings.Contains(got, want) {
				t.Errorf("In[%d] %q answers\n%s\nwithout %q", n, code, got, want)
			}
		}
	}
	last := []string{"In[3] made b, missing and then ended the process: run it yourself", "not restored: e, because In[5] failed", "panic: no d"}
	check(8, "%restore", last...)
	check(9, "[]int{a, c, d}", "= []int{1, 3, 1}")
	check(10, crash, "gone: a, c, d, mark")
	check(11, "%restore", last...)
	check(12, "[]int{a, c, d}", "= []int{1, 3, 1}")
	check(13, "os.Remove(mark)", "")
	check(14, "%restore", "In[5] again, for e")
	check(15, "e", "= 4")
	res := s.Execute(context.Background(), cell.Request{Count: 16, Code: "%restore"}, record())
	if res.Err != nil {
		t.Error(res.Err)
	}
}

// TestRestoreChanges names the cells whose assignments did not come back.
func TestRestoreChanges(t *testing.T) {
	steps(t,
		step{"import \"syscall\"\nx, m, n := 5, map[int]int{}, 0", nil},
		step{"x = 7\nm[1] = 2\nn := 3\nn++", nil},
		step{"x++\ny := x", nil},
		step{"z := x + m[1]", nil},
		step{crash, []string{"gone: m, n, x, y, z"}},
		step{"%restore", []string{"In[2] again, for n", "not: changed"}},
		step{"x += 2", nil},
		step{crash, nil},
		step{"%restore", []string{"In[7] changed x later, and did not run again", "not: In[2] changed", "not: In[3] changed"}},
	)
}
