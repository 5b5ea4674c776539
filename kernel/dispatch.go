package kernel

import (
	"context"
	"fmt"
	"runtime/debug"
	"strings"

	"attune/kernel/jupyter"
	"attune/kernel/socket"
)

// request is a message on its way through the kernel.
type request struct {
	*jupyter.Message
	from socket.Socket
	// out is where its iopub messages go: a cell's wait while a subscriber is
	// behind, what is answered beside it does not. soon is for those that another
	// follows.
	out, soon socket.Sender
	// then runs once the request was answered and idle is out.
	then func()
}

// handler answers one type of request: with a content for the reply, nil for
// none, or an error, which becomes a reply of status "error".
type handler func(ctx context.Context, r *request) (any, error)

const executeRequest = "execute_request"

// ofComm tells whether a message belongs to a comm.
func ofComm(msgType string) bool {
	return msgType == "comm_open" || msgType == "comm_msg" || msgType == "comm_close"
}

// maxSide is how many completions, inspections and the like may be under way.
const maxSide = 32

// table says who answers what. What goes to a queue is not in it: execute_request and
// the messages of comms.
func (s *Server) table() map[string]handler {
	return map[string]handler{
		"kernel_info_request": s.kernelInfo,
		"complete_request":    s.complete,
		"inspect_request":     s.inspect,
		"is_complete_request": s.isComplete,
		"history_request":     s.searchHistory,
		"comm_info_request":   s.commInfo,
		"interrupt_request":   s.interrupt,
		"shutdown_request":    s.shutdown,
		"usage_request":       s.usageRequest,
		"debug_request":       s.debug,

		"create_subshell_request": s.createSubshell,
		"delete_subshell_request": s.deleteSubshell,
		"list_subshell_request":   s.listSubshells,
	}
}

// beside lists the requests that ask the runner and may take a moment: they are
// answered in goroutines of their own, so that the channel's loop goes on.
func beside(msgType string) bool {
	switch msgType {
	case "complete_request", "inspect_request", "is_complete_request", "history_request":
		return true
	}
	return false
}

// receive is the loop of one request channel. It never waits for a cell.
func (s *Server) receive(ctx context.Context, from socket.Socket, channel string) {
	for {
		frames, err := from.Recv()
		if err != nil {
			return
		}
		msg, err := s.session.Decode(frames)
		if err != nil {
			s.log.drop(channel, err)
			continue
		}
		r := &request{Message: msg, from: from, out: s.iopub.Urgent(), soon: s.iopub.Urgent()}
		if msg.Header.MsgType == executeRequest || ofComm(msg.Header.MsgType) {
			r.out, r.soon = s.iopub, s.iopub.Soon()
		}
		s.dispatch(ctx, r)
	}
}

func (s *Server) dispatch(ctx context.Context, r *request) {
	switch kind := r.Header.MsgType; {
	case s.shells.find(r.Header.SubshellID) == nil:
		s.refuse(ctx, r, noSubshell(r.Header.SubshellID))
	case kind == executeRequest:
		q := s.shells.find(r.Header.SubshellID)
		if q != nil && q.overtaken(r) {
			r.out, r.soon = s.iopub.Urgent(), s.iopub.Urgent()
			s.abort(r)
			return
		}
		if q == nil || !q.push(r) {
			s.refuse(ctx, r, fmt.Errorf("%d cells wait to run already", maxQueue))
			return
		}
		if r.Header.SubshellID == "" && q.behind() {
			s.foresee()
		}
	case ofComm(kind):
		if !s.commQueue.push(r) {
			s.log.drop("shell", fmt.Errorf("%d comm messages wait already", maxQueue))
		}
	case beside(kind):
		select {
		case s.side <- struct{}{}:
			go func() {
				defer func() { <-s.side }()
				s.answer(ctx, r, s.handlers[kind])
			}()
		case <-ctx.Done():
		}
	default:
		h, ok := s.handlers[kind]
		if !ok {
			h = unknown
		}
		s.answer(ctx, r, h)
	}
}

// refuse answers a request with an error, where its type gets an answer at all.
func (s *Server) refuse(ctx context.Context, r *request, why error) {
	s.answer(ctx, r, func(context.Context, *request) (any, error) {
		if ofComm(r.Header.MsgType) {
			return nil, nil
		}
		return nil, why
	})
}

// unknown answers what this kernel does not speak; a request gets an error, so
// that its sender need not wait for ever.
func unknown(_ context.Context, r *request) (any, error) {
	if strings.HasSuffix(r.Header.MsgType, "_request") {
		return nil, fmt.Errorf("%s is not supported", r.Header.MsgType)
	}
	return nil, nil
}

// answer wraps a handler in busy and idle. Whatever happens inside, the reply and
// then idle go out.
func (s *Server) answer(ctx context.Context, r *request, h handler) {
	s.busy(r)
	content, err := s.protect(ctx, r, h)
	if err != nil {
		content = jupyter.Fail("KernelError", err.Error())
	}
	if content != nil {
		s.reply(r, content, nil)
	}
	s.idle(r)
	if r.then != nil {
		r.then()
	}
}

// protect turns a panic into an error: a defect in one answer must not take the
// user's variables with it.
func (s *Server) protect(ctx context.Context, r *request, h handler) (content any, err error) {
	defer func() {
		if p := recover(); p != nil {
			s.log.note("panic", fmt.Errorf("answering %s: %v\n%s", r.Header.MsgType, p, debug.Stack()))
			content, err = nil, fmt.Errorf("answering %s failed inside the kernel: %v", r.Header.MsgType, p)
		}
	}()
	return h(ctx, r)
}

// reply answers on the channel and to the identity that asked.
func (s *Server) reply(r *request, content, metadata any) {
	kind := strings.TrimSuffix(r.Header.MsgType, "_request") + "_reply"
	_ = s.send(r.from, jupyter.Outgoing{
		Route: r.Identities, Type: kind, Parent: r.RawHeader, Content: content, Metadata: metadata,
	})
}

// small is up to how many bytes a message may wait for another.
const small = 16 << 10

// publish puts a message that r caused on iopub; its type is its topic. Something
// follows it, if only idle.
func (s *Server) publish(r *request, kind string, content any) {
	frames, err := s.published(r, kind, content)
	if err != nil {
		return
	}
	to := r.soon
	if len(frames[len(frames)-1]) > small {
		to = r.out
	}
	_ = to.Send(frames)
}

func (s *Server) published(r *request, kind string, content any) ([][]byte, error) {
	frames, err := s.session.Encode(jupyter.Outgoing{
		Route: [][]byte{[]byte(kind)}, Type: kind, Parent: r.RawHeader, Content: content,
	})
	if err != nil {
		s.log.note("encode", err)
	}
	return frames, err
}

// send encodes and queues a message. Most senders do not care whether the peer is
// still there.
func (s *Server) send(to socket.Sender, o jupyter.Outgoing) error {
	frames, err := s.session.Encode(o)
	if err != nil {
		s.log.note("encode", err)
		return err
	}
	return to.Send(frames)
}

func (s *Server) busy(r *request) {
	s.publish(r, "status", jupyter.Status{ExecutionState: "busy"})
}

func (s *Server) idle(r *request) {
	if frames, err := s.published(r, "status", jupyter.Status{ExecutionState: "idle"}); err == nil {
		_ = r.out.Send(frames)
	}
}

// announce publishes a state that answers no request.
func (s *Server) announce(state string) {
	_ = s.send(s.iopub, jupyter.Outgoing{
		Route: [][]byte{[]byte("status")}, Type: "status", Content: jupyter.Status{ExecutionState: state},
	})
}

// welcome tells a new subscriber that its subscription stands (JEP 65).
func (s *Server) welcome(topic string) [][]byte {
	frames, err := s.session.Encode(jupyter.Outgoing{
		Route: [][]byte{[]byte(topic)}, Type: "iopub_welcome",
		Content: jupyter.Welcome{Subscription: topic},
	})
	if err != nil {
		s.log.note("encode", err)
		return nil
	}
	return frames
}
