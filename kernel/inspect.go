package kernel

import (
	"context"

	"attune/kernel/jupyter"
)

// inspect answers inspect_request.
func (s *Server) inspect(ctx context.Context, r *request) (any, error) {
	var req jupyter.InspectRequest
	if err := jupyter.Parse(r.Content, &req); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	i := s.runner.Inspect(ctx, req.Code, byteOffset(req.Code, req.CursorPos), req.DetailLevel)
	return jupyter.InspectReply{Found: i.Found, Bundle: i.Bundle}, nil
}
