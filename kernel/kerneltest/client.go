package kerneltest

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"attune/kernel/jupyter"
	"attune/kernel/socket"
)

// Client is a client of a kernel, raw: it sends what it is told and hands out
// what comes, unsorted.
type Client struct {
	// Shell, Control, Stdin and IOPub are the connections themselves.
	Shell, Control, Stdin, IOPub *socket.Client
	// Session signs and checks.
	Session *jupyter.Session
	// Schemas, where it is set, makes Recv refuse messages that are not as the
	// protocol has them.
	Schemas *Schemas
}

// Dial connects to all of a kernel's channels but the heartbeat and subscribes to
// everything.
func Dial(info jupyter.ConnectionInfo) (*Client, error) {
	session, err := jupyter.NewSession(info.Key, "tester")
	if err != nil {
		return nil, err
	}
	c := &Client{Session: session}
	for _, d := range []struct {
		to   **socket.Client
		role socket.Role
		port int
	}{
		{&c.IOPub, socket.Subscriber, info.IOPubPort},
		{&c.Shell, socket.Dealer, info.ShellPort},
		{&c.Control, socket.Dealer, info.ControlPort},
		{&c.Stdin, socket.Dealer, info.StdinPort},
	} {
		if *d.to, err = socket.Dial(d.role, info.Endpoint(d.port), session.ID()); err != nil {
			return nil, errors.Join(err, c.Close())
		}
	}
	if err := c.IOPub.Subscribe(""); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// Ready waits until iopub is heard: what a request causes before that is lost. It
// asks for kernel_info until something comes, as front ends do, because not every
// kernel sends iopub_welcome. Answers to it may still be under way afterwards.
func (c *Client) Ready(limit time.Duration) error {
	for end := time.Now().Add(limit); ; {
		if _, err := c.Send(c.Shell, "kernel_info_request", nil); err != nil {
			return err
		}
		_, err := c.Recv(c.IOPub, 200*time.Millisecond)
		if err == nil {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("wait for iopub: %w", err)
		}
	}
}

// Send sends a request and returns its msg_id. content is a struct of
// kernel/jupyter or a json.RawMessage.
func (c *Client) Send(on *socket.Client, kind string, content any) (string, error) {
	return c.SendMessage(on, jupyter.Outgoing{Type: kind, Content: content})
}

// SendMessage is Send for messages with more than a content.
func (c *Client) SendMessage(on *socket.Client, o jupyter.Outgoing) (string, error) {
	frames, err := c.Session.Encode(o)
	if err != nil {
		return "", err
	}
	var h jupyter.Header
	if err := json.Unmarshal(frames[2], &h); err != nil {
		return "", fmt.Errorf("read own header: %w", err)
	}
	return h.MsgID, on.Send(frames)
}

// Recv waits for the next message of a channel.
func (c *Client) Recv(on *socket.Client, limit time.Duration) (*jupyter.Message, error) {
	frames, err := on.Recv(limit)
	if err != nil {
		return nil, err
	}
	m, err := c.Session.Decode(frames)
	if err != nil || c.Schemas == nil {
		return m, err
	}
	channel := "reply"
	switch on {
	case c.IOPub:
		channel = "iopub"
	case c.Stdin:
		channel = "stdin"
	}
	return m, c.Schemas.Check(channel, m)
}

// Close ends all connections.
func (c *Client) Close() error {
	var errs []error
	for _, s := range []*socket.Client{c.Shell, c.Control, c.Stdin, c.IOPub} {
		if s != nil {
			errs = append(errs, s.Close())
		}
	}
	return errors.Join(errs...)
}
