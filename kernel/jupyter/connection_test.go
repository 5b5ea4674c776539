package jupyter

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const goodFile = `{"transport":"tcp","ip":"127.0.0.1","shell_port":1,"iopub_port":2,"stdin_port":3,
"control_port":4,"hb_port":5,"key":"k","signature_scheme":"hmac-sha256","kernel_name":"attune"}`

func TestParseConnection(t *testing.T) {
	c, err := ParseConnection([]byte(goodFile))
	if err != nil {
		t.Fatal(err)
	}
	if c.HBPort != 5 || c.Endpoint(c.ShellPort) != "tcp://127.0.0.1:1" {
		t.Errorf("%+v", c)
	}
	c.IP = "::1"
	if e := c.Endpoint(7); e != "tcp://[::1]:7" {
		t.Error(e)
	}
	c.Transport, c.IP = "ipc", "/tmp/k"
	if e := c.Endpoint(7); e != "ipc:///tmp/k-7" {
		t.Error(e)
	}
}

func TestBadConnectionFiles(t *testing.T) {
	for name, c := range map[string]struct{ from, to, want string }{
		"no JSON":      {goodFile, "{", "parse"},
		"transport":    {`"tcp"`, `"udp"`, `transport "udp"`},
		"no ip":        {`"127.0.0.1"`, `""`, "ip is missing"},
		"scheme":       {"hmac-sha256", "hmac-md5", `signature_scheme "hmac-md5"`},
		"port":         {`"shell_port":1`, `"shell_port":70000`, "shell_port 70000"},
		"two the same": {`"iopub_port":2`, `"iopub_port":1`, "shell_port and iopub_port are both 1"},
		"ipc no port":  {`"tcp","ip":"127.0.0.1","shell_port":1`, `"ipc","ip":"/tmp/k"`, "shell_port is missing"},
		"port a text":  {`"hb_port":5`, `"hb_port":"5"`, "parse"},
	} {
		_, err := ParseConnection([]byte(strings.Replace(goodFile, c.from, c.to, 1)))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCurveIsRefused(t *testing.T) {
	text := strings.Replace(goodFile, `"key"`, `"curve_publickey":"p","curve_secretkey":"s","key"`, 1)
	if _, err := ParseConnection([]byte(text)); !errors.Is(err, ErrCurve) {
		t.Fatal(err)
	}
}

func TestConnectionFileMode(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.json")
	want, err := ParseConnection([]byte(goodFile))
	if err != nil {
		t.Fatal(err)
	}
	if err := want.Write(path); err != nil {
		t.Fatal(err)
	}
	got, warning, err := ReadConnectionFile(path)
	if err != nil || warning != "" || got != want {
		t.Fatalf("%+v, %q, %v", got, warning, err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, warning, err = ReadConnectionFile(path); err != nil || !strings.Contains(warning, "0644") {
		t.Fatalf("%q, %v", warning, err)
	}
	if _, _, err := ReadConnectionFile(path + "x"); !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
}

func FuzzParseConnection(f *testing.F) {
	f.Add([]byte(goodFile))
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := ParseConnection(b); err == nil && c.Check() != nil {
			t.Fatal("accepted what Check refuses")
		}
	})
}
