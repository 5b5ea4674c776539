// Command rawbench measures a running kernel, of any make, through plain
// connections: what a trivial cell takes from its request to its reply and idle,
// with no client library in between. It imports kernel/jupyter and
// kernel/kerneltest.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"slices"
	"time"

	"attune/kernel/jupyter"
	"attune/kernel/kerneltest"
)

func main() {
	file := flag.String("f", "", "connection `file` of the kernel")
	code := flag.String("code", "", "the cell to run")
	n := flag.Int("n", 500, "how often")
	flag.Parse()
	if err := measure(*file, *code, *n); err != nil {
		fmt.Fprintln(os.Stderr, "rawbench:", err)
		os.Exit(1)
	}
}

func measure(file, code string, n int) error {
	info, _, err := jupyter.ReadConnectionFile(file)
	if err != nil {
		return err
	}
	c, err := kerneltest.Dial(info)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	if err := c.Ready(10 * time.Second); err != nil {
		return err
	}
	took := make([]time.Duration, 0, n)
	for i := range n + n/10 {
		d, err := once(c, code)
		if err != nil {
			return err
		}
		if i >= n/10 { // the first ones warm up
			took = append(took, d)
		}
	}
	slices.Sort(took)
	fmt.Printf("median %.3f ms, 90th percentile %.3f ms, %d cells\n", ms(took[n/2]), ms(took[n*9/10]), n)
	return nil
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// once runs the cell and waits for its idle and its reply.
func once(c *kerneltest.Client, code string) (time.Duration, error) {
	const patience = 30 * time.Second
	start := time.Now()
	id, err := c.Send(c.Shell, "execute_request", jupyter.ExecuteRequest{Code: code, StoreHistory: true})
	if err != nil {
		return 0, err
	}
	for idle := false; !idle; {
		m, err := c.Recv(c.IOPub, patience)
		if err != nil {
			return 0, err
		}
		idle = m.Parent.MsgID == id && m.Header.MsgType == "status" && bytes.Contains(m.Content, []byte(`idle`))
	}
	for {
		m, err := c.Recv(c.Shell, patience)
		if err != nil {
			return 0, err
		}
		if m.Parent.MsgID == id {
			return time.Since(start), nil
		}
	}
}
