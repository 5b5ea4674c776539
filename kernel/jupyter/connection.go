// Package jupyter owns the Jupyter messaging protocol, version 5.5, as bytes: the
// connection file, the wire format with its signature, and a struct for every
// message's content. It knows no sockets and runs nothing. It imports display/mime
// and the standard library only. It is the one place where JSON is made by hand,
// so that a payload of many megabytes is copied once.
package jupyter

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
)

// ConnectionInfo is a connection file (Jupyter messaging, "connection files").
type ConnectionInfo struct {
	Transport       string `json:"transport"`
	IP              string `json:"ip"`
	ShellPort       int    `json:"shell_port"`
	IOPubPort       int    `json:"iopub_port"`
	StdinPort       int    `json:"stdin_port"`
	ControlPort     int    `json:"control_port"`
	HBPort          int    `json:"hb_port"`
	Key             string `json:"key"`
	SignatureScheme string `json:"signature_scheme"`
	KernelName      string `json:"kernel_name,omitempty"`
}

// curveKeys are what a connection file holds that asks for encryption.
type curveKeys struct {
	Public string `json:"curve_publickey"`
	Secret string `json:"curve_secretkey"`
}

// ErrCurve says that a connection file asks for CURVE encryption, which is not
// spoken here. Listening without it would expose what was meant to be encrypted.
var ErrCurve = errors.New("the connection file asks for CURVE encryption, which this kernel does not support")

// ReadConnectionFile reads and checks a connection file. warning, where it is not
// empty, is a sentence for the user: the file holds the key to run code, and
// others may read it.
func ReadConnectionFile(path string) (info ConnectionInfo, warning string, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return info, "", fmt.Errorf("read connection file: %w", err)
	}
	if info, err = ParseConnection(text); err != nil {
		return info, "", fmt.Errorf("read connection file %s: %w", path, err)
	}
	if st, err := os.Stat(path); err == nil && st.Mode().Perm()&0o077 != 0 {
		warning = fmt.Sprintf("connection file %s has mode %04o: other users may read its key (0600 would be right)",
			path, st.Mode().Perm())
	}
	return info, warning, nil
}

// ParseConnection reads a connection file's text and checks each field.
func ParseConnection(text []byte) (ConnectionInfo, error) {
	var info ConnectionInfo
	if err := json.Unmarshal(text, &info); err != nil {
		return info, fmt.Errorf("parse: %w", err)
	}
	var curve curveKeys
	if err := json.Unmarshal(text, &curve); err != nil {
		return info, fmt.Errorf("parse: %w", err)
	}
	if curve != (curveKeys{}) {
		return info, ErrCurve
	}
	if info.Transport == "" {
		info.Transport = "tcp"
	}
	if info.SignatureScheme == "" {
		info.SignatureScheme = schemeSHA256
	}
	return info, info.Check()
}

// Check says what of the fields cannot be used.
func (c ConnectionInfo) Check() error {
	if c.Transport != "tcp" && c.Transport != "ipc" {
		return fmt.Errorf("transport %q is neither tcp nor ipc", c.Transport)
	}
	if c.IP == "" {
		return errors.New("ip is missing")
	}
	if c.Key != "" && c.SignatureScheme != schemeSHA256 {
		return fmt.Errorf("signature_scheme %q is not %s", c.SignatureScheme, schemeSHA256)
	}
	seen := make(map[int]string)
	for _, p := range c.ports() {
		if p.number < 0 || p.number > 65535 {
			return fmt.Errorf("%s %d is not a port", p.name, p.number)
		}
		if c.Transport == "ipc" && p.number == 0 {
			return fmt.Errorf("%s is missing", p.name)
		}
		if other := seen[p.number]; other != "" && p.number != 0 {
			return fmt.Errorf("%s and %s are both %d", other, p.name, p.number)
		}
		seen[p.number] = p.name
	}
	return nil
}

type port struct {
	name   string
	number int
}

func (c ConnectionInfo) ports() []port {
	return []port{
		{"shell_port", c.ShellPort}, {"iopub_port", c.IOPubPort}, {"stdin_port", c.StdinPort},
		{"control_port", c.ControlPort}, {"hb_port", c.HBPort},
	}
}

// Endpoint is the ZeroMQ address of one of the ports. Over ipc the ip is a path's
// beginning and the port its end.
func (c ConnectionInfo) Endpoint(port int) string {
	if c.Transport == "ipc" {
		return "ipc://" + c.IP + "-" + strconv.Itoa(port)
	}
	return "tcp://" + net.JoinHostPort(c.IP, strconv.Itoa(port))
}

// Write writes the connection file, readable by its owner alone.
func (c ConnectionInfo) Write(path string) error {
	text, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return fmt.Errorf("write connection file: %w", err)
	}
	if err := os.WriteFile(path, append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("write connection file: %w", err)
	}
	return nil
}
