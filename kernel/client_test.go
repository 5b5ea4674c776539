package kernel_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"attune/kernel/kerneltest"
)

// TestMain lets the test binary be the echo kernel too: what the real clients
// start is the code under test, race detector included.
func TestMain(m *testing.M) {
	if os.Getenv("ATTUNE_TEST_ECHO") == "" {
		flag.Parse()
		os.Exit(m.Run())
	}
	if err := kerneltest.Serve(os.Args[len(os.Args)-1]); err != nil {
		fmt.Fprintln(os.Stderr, "echo kernel:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// TestJupyterClient runs testdata/client.py: the real jupyter_client against the
// echo kernel. ATTUNE_PYTHON names the Python that has it.
func TestJupyterClient(t *testing.T) {
	python := os.Getenv("ATTUNE_PYTHON")
	if python == "" {
		python = "python3"
	}
	if out, err := exec.Command(python, "-c", "import jupyter_client").CombinedOutput(); err != nil {
		t.Skipf("%s has no jupyter_client (%v): %s", python, err, bytes.TrimSpace(out))
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, python, "testdata/client.py", "-v")
	cmd.Env = append(os.Environ(), "ATTUNE_TEST_ECHO=1", "ATTUNE_ECHO_KERNEL="+self, "JUPYTER_PLATFORM_DIRS=1")
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatal(err)
	}
}
