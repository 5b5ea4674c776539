package interp_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"attune/interp/cell"
)

// TestLiteralsCompileNothing edits the constants of a compiled cell: the text that
// the compiler sees stays, and so do the built cells.
func TestLiteralsCompileNothing(t *testing.T) {
	s := open(t)
	run := func(n int, code, want string) {
		t.Helper()
		if got := transcript(s, n, code); got != want {
			t.Errorf("In[%d] %s\nanswers %q, want %q", n, code, got, want)
		}
	}
	run(1, `import ("fmt"; "time"; "strings")
type Celsius float32
func train(lr float64, steps int, name string) string { return fmt.Sprint(name, ":", lr*float64(steps)) }`, "")
	const shape = `%%native
lr = 1.5
fs := []func() string{}
for step := 0; step < 3; step++ {
	fs = append(fs, func() string { return fmt.Sprint(step%2, 40+step, "a") })
}
var c Celsius = 0.1
m := map[string]int{"k": 7}
xs := [3]int{1: 10}
d := 2 * time.Second
r, z, u := 'x', 2i, uint8(200)
fmt.Println(train(lr, 10, "run"), fs[1](), c, m, xs, d, r, z, u, 1<<xs[1], strings.Repeat("é", 2), -5)
lr * 2`
	run(2, "lr := 0.5", "")
	run(3, shape, "run:15 1 41a 0.1 map[k:7] [0 10 0] 2s 120 (0+2i) 200 1024 éé -5\n= 3\n")
	before := builtCells(t)
	edited := strings.NewReplacer("lr = 1.5", "lr = 0.25", "< 3", "< 2", `"a"`, `"b"`, "40+", "50+", "0.1", "16777217", `"k": 7`, `"key": 1000000007`,
		"1: 10", "1: 20", "2 * time", "3 * time", "'x'", "'\\n'", "2i", "0.5i", "200", "0xff", "1<<", "3<<", `"é", 2`, `"\t", 0`, "-5", "-7",
		`10, "run"`, `1, "walk"`, "lr * 2", "lr * 4").Replace(shape)
	run(4, edited, "walk:0.25 1 51b 1.6777216e+07 map[key:1000000007] [0 20 0] 3s 10 (0+0.5i) 255 3145728  -7\n= 1\n")
	if after := builtCells(t); after != before {
		t.Errorf("%d cells are built after an edit of constants, %d before", after, before)
	}
	run(5, shape, "run:15 1 41a 0.1 map[k:7] [0 10 0] 2s 120 (0+2i) 200 1024 éé -5\n= 3\n")
}

// TestLiteralsOfAnEarlierRun: what an earlier run made keeps its constants, and a
// panic shows the text that ran.
func TestLiteralsOfAnEarlierRun(t *testing.T) {
	s := open(t)
	answer(t, s, []exchange{
		{"var keep []func() int", ""},
		{"%%native\nkeep = append(keep, func() int { n := 1; return n + 100 })", ""},
		{"%%native\nkeep = append(keep, func() int { n := 2; return n + 200 })", ""},
		{"%%native\nkeep[0]() * 1000 + keep[1]()", "= 101202\n"},
		{"%%native\nxs := []int{1, 2}\ni := 4\nxs[i]", "! runtime error: index out of range [4] with length 2\nruntime error: index out of range [4] with length 2\n  at In[5]:4\n      xs[i]\n      ^^^^^\n"},
		{"%%native\nxs := []int{1, 2}\ni := 5\nxs[i]", "! runtime error: index out of range [5] with length 2\nruntime error: index out of range [5] with length 2\n  at In[6]:4\n      xs[i]\n      ^^^^^\n"},
	})
}

// TestLiteralsThatStay are constants that Go wants constant.
func TestLiteralsThatStay(t *testing.T) {
	s := open(t)
	answer(t, s, []exchange{
		{"%%native\nxs := [4]int{3: 1}\nconst k = 3\nvar ys [k + 1]string\nlen(xs) + len(ys)", "= 8\n"},
		{"%%native\nanswer := \"no\"\nswitch x := 3; x {\ncase 1, 2:\ncase 3:\n\tanswer = \"yes\"\n}\nanswer", "= \"yes\"\n"},
		{"%%native\nf := func() int { const c = 5; type T struct { A [2]int `json:\"a\"` }; return c + len(T{}.A) }\nf()", "= 7\n"},
		{"%%native\nvar way []int\nif 1 < 2 { goto end }\nway = append(way, 1)\nend:\nway = append(way, 2)\nway", "= []int{2}\n"},
		{"%%native\nvar i any = 1\n_, isInt := i.(int)\nvar f any = 1.0\n_, isFloat := f.(float64)\nisInt && isFloat", "= true\n"},
		{"%%native\nvar n uint8 = 7\nn << 6 >> 6", "= 3\n"},
		{"%%native\nn := 0\nfunc() { var a [3]int; n = len(a) + 1 }()\nfor range 2 { p := new([5]int); n += len(p) * 2 }\nn", "= 24\n"},
		{"%%native\nmax(3, 2.5)", "= 3\n"},
		{"%%native\nvar big uint64 = 18446744073709551615\nbig", "= 18446744073709551615\n"},
	})
}

// TestRestoreAfterEdit: %restore runs the text that made a value, not the newest of
// its shape.
func TestRestoreAfterEdit(t *testing.T) {
	s := open(t)
	for i, code := range []string{"%%native\na := len(\"abc\") + 1", "%%native\na := len(\"abcd\") + 1\nb := a", "%%native\na, c := 9, 10"} {
		if got := transcript(s, i+1, code); got != "" {
			t.Fatal(got)
		}
	}
	transcript(s, 4, "import \"syscall\"\n%%native\nsyscall.Kill(syscall.Getpid(), syscall.SIGKILL)")
	res := s.Execute(context.Background(), cell.Request{Count: 5, Code: "%restore"}, record())
	if res.Err != nil {
		t.Fatal(res.Err)
	}
	if got, want := transcript(s, 6, "[]int{a, b, c}"), "= []int{9, 5, 10}\n"; got != want {
		t.Errorf("restored %q, want %q", got, want)
	}
}

func builtCells(t *testing.T) int {
	t.Helper()
	n := 0
	_ = filepath.WalkDir(filepath.Join(build, "test-cells"), func(_ string, d os.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(d.Name(), ".so") {
			n++
		}
		return nil
	})
	return n
}
