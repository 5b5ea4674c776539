package kernel

import (
	"context"

	"attune/kernel/jupyter"
)

// shutdown answers shutdown_request: the reply, its copy on iopub and idle are
// queued before anything ends, and Serve lets them leave.
func (s *Server) shutdown(_ context.Context, r *request) (any, error) {
	var req jupyter.ShutdownRequest
	if err := jupyter.Parse(r.Content, &req); err != nil {
		return nil, err
	}
	reply := jupyter.ShutdownReply{Status: jupyter.OK, Restart: req.Restart}
	s.publish(r, "shutdown_reply", reply)
	r.then = func() { s.stopping.Do(func() { close(s.stop) }) }
	return reply, nil
}
