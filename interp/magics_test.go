package interp_test

import (
	"os"
	"strings"
	"testing"
)

// TestMagicsAlone says what a magic wants that stands alone, or with words that it
// does not know.
func TestMagicsAlone(t *testing.T) {
	steps(t,
		step{"x := 1", nil},
		step{"%plan", []string{"MagicError: %plan: want Go code below it"}},
		step{"%time\n", []string{"MagicError: %time: want Go code behind or below it"}},
		step{"%%native", []string{"MagicError: %%native: want Go code below it"}},
		step{"%%native x + 1", []string{"MagicError: %%native x + 1: want %%native alone"}},
		step{"%reset -f", []string{"MagicError: %reset -f: want %reset alone", "not: forgotten"}},
		step{"%who x", []string{"MagicError"}},
		step{"%restore x", []string{"MagicError: %restore x: x is not lost"}},
		step{"%restore -v", []string{"MagicError: %restore -v: want %restore, or names behind it"}},
		step{"%plan\n// nothing", []string{"engine: none"}},
		step{"x", []string{"= 1"}},
	)
}

// TestRestoreNames brings back what is asked for.
func TestRestoreNames(t *testing.T) {
	steps(t,
		step{"import \"syscall\"\nx := 5", nil}, step{"y := 6", nil}, step{"z := 7", nil},
		step{crash, []string{"gone: x, y, z"}},
		step{"%restore z, x", []string{"In[1] again, for x", "In[3] again, for z", "not: for y", "not: not restored"}},
		step{"y", []string{"undefined: y"}},
		step{"%restore", []string{"In[2] again, for y", "not: In[1]"}},
		step{"x + y + z", []string{"= 18"}},
	)
}

// TestShellFolder runs shell commands where the cells are.
func TestShellFolder(t *testing.T) {
	dir := t.TempDir()
	steps(t,
		step{"import \"os\"\nos.Chdir(\"" + dir + "\")", nil},
		step{"!pwd; echo $PWD", []string{dir + "\n" + dir + "\n"}},
		step{"os.Remove(\"" + dir + "\")", nil},
		step{"!echo still", []string{"still\n"}},
	)
}

// TestTimeWords does not say of compiled functions that they are interpreted.
func TestTimeWords(t *testing.T) {
	steps(t,
		step{"func twice(n int) int { return 2 * n }", nil},
		step{"%time twice(4)", []string{"= 8", "running (the cell: yaegi (instant); functions: compiled)"}},
		step{"%time func() int { return 3 }()", []string{"= 3", "running (native (compiled))"}},
	)
}

// TestMemoryWords says in the notebook that the limit is not understood.
func TestMemoryWords(t *testing.T) {
	for _, text := range []string{"lots", "-5"} {
		s := openWith(t, append(os.Environ(), "ATTUNE_MEMORY="+text))
		got := transcript(s, 1, "1 + 1")
		for _, want := range []string{"ATTUNE_MEMORY is \"" + text + "\"; it takes bytes, or a number with KiB, MiB or GiB", "; the usual limit holds: ", "= 2"} {
			if !strings.Contains(got, want) {
				t.Errorf("with %q the first cell answers\n%s\nwithout %q", text, got, want)
			}
		}
		if got := transcript(s, 2, "1 + 2"); got != "= 3\n" {
			t.Errorf("the second cell answers %q", got)
		}
	}
}
