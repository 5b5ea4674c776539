package kernel

import (
	"context"
	"strings"
	"sync"

	"attune/interp/cell"
	"attune/kernel/jupyter"
)

// comms knows which comms are open, whoever opened them.
type comms struct {
	mu   sync.Mutex
	open map[string]string // target by id
}

// note follows a message, either way.
func (c *comms) note(m cell.Comm) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch m.Kind {
	case "open":
		c.open[m.ID] = m.Target
	case "close":
		delete(c.open, m.ID)
	}
}

// commInfo answers comm_info_request with the open comms, all or those of a target.
func (s *Server) commInfo(_ context.Context, r *request) (any, error) {
	var req jupyter.CommInfoRequest
	if err := jupyter.Parse(r.Content, &req); err != nil {
		return nil, err
	}
	reply := jupyter.CommInfoReply{Status: jupyter.OK, Comms: map[string]jupyter.CommInfo{}}
	s.comms.mu.Lock()
	defer s.comms.mu.Unlock()
	for id, target := range s.comms.open {
		if req.TargetName == "" || req.TargetName == target {
			reply.Comms[id] = jupyter.CommInfo{TargetName: target}
		}
	}
	return reply, nil
}

// handleComms hands comm messages to the session's code, one after the other and
// beside the cells.
func (s *Server) handleComms(ctx context.Context) {
	for {
		r := s.commQueue.pop()
		if r == nil || ctx.Err() != nil {
			return
		}
		s.opt.Busy()
		s.answer(ctx, r, s.comm)
		s.opt.Idle()
	}
}

// comm passes a comm message on. It gets no reply; a kernel that knows nothing of
// comms closes what is opened, as the spec asks.
func (s *Server) comm(ctx context.Context, r *request) (any, error) {
	var req jupyter.CommContent
	if err := jupyter.Parse(r.Content, &req); err != nil || req.CommID == "" {
		s.log.drop("shell", err)
		return nil, nil
	}
	m := cell.Comm{
		Kind: strings.TrimPrefix(r.Header.MsgType, "comm_"), ID: req.CommID, Target: req.TargetName,
		Data: req.Data, Metadata: r.Metadata, Buffers: r.Buffers,
	}
	out := newSink(s, r, jupyter.ExecuteRequest{}, 0)
	s.comms.note(m)
	if runner, ok := s.runner.(cell.Commer); ok {
		runner.Comm(ctx, m, out)
	} else if m.Kind == "open" {
		out.Comm(cell.Comm{Kind: "close", ID: m.ID})
	}
	out.end()
	return nil, nil
}

// Comm implements cell.CommSink.
func (k *sink) Comm(m cell.Comm) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.flush(false)
	k.s.comms.note(m)
	content := jupyter.CommContent{CommID: m.ID, Data: m.Data}
	if m.Kind == "open" {
		content.TargetName = m.Target
	}
	o := jupyter.Outgoing{
		Route: [][]byte{[]byte("comm_" + m.Kind)}, Type: "comm_" + m.Kind, Parent: k.r.RawHeader,
		Content: content, Buffers: m.Buffers,
	}
	if m.Metadata != nil {
		o.Metadata = m.Metadata
	}
	_ = k.s.send(k.r.out, o)
}
