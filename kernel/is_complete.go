package kernel

import (
	"context"

	"attune/kernel/jupyter"
)

// isComplete answers is_complete_request.
func (s *Server) isComplete(_ context.Context, r *request) (any, error) {
	var req jupyter.IsCompleteRequest
	if err := jupyter.Parse(r.Content, &req); err != nil {
		return nil, err
	}
	c := s.runner.IsComplete(req.Code)
	return jupyter.IsCompleteReply{Status: c.Status, Indent: c.Indent}, nil
}
