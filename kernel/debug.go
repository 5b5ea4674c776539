package kernel

import (
	"context"

	"attune/kernel/jupyter"
)

// debug answers debug_request: there is no debugger, and front ends are told so
// in both protocols that they may read it by.
func (s *Server) debug(_ context.Context, r *request) (any, error) {
	var req jupyter.DebugRequest
	if err := jupyter.Parse(r.Content, &req); err != nil {
		return nil, err
	}
	const why = "debugging is not supported"
	return jupyter.DebugReply{
		Failure: jupyter.Fail("NotSupported", why),
		Type:    "response", RequestSeq: req.Seq, Command: req.Command, Message: why,
	}, nil
}
