package kernel

import (
	"context"
	"time"

	"attune/kernel/jupyter"
)

// askTime bounds a completion or inspection; nobody waits longer for a menu.
const askTime = 10 * time.Second

// complete answers complete_request.
func (s *Server) complete(ctx context.Context, r *request) (any, error) {
	var req jupyter.CompleteRequest
	if err := jupyter.Parse(r.Content, &req); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	c := s.runner.Complete(ctx, req.Code, byteOffset(req.Code, req.CursorPos))
	reply := jupyter.CompleteReply{
		Status: jupyter.OK, Matches: make([]string, 0, len(c.Items)),
		CursorStart: pointOffset(req.Code, c.Start), CursorEnd: pointOffset(req.Code, c.End),
	}
	for _, it := range c.Items {
		reply.Matches = append(reply.Matches, it.Text)
		reply.Metadata.Types = append(reply.Metadata.Types, jupyter.TypedMatch{
			Start: reply.CursorStart, End: reply.CursorEnd,
			Text: it.Text, Type: it.Type, Signature: it.Signature,
		})
	}
	return reply, nil
}
