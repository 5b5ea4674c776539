package kernel

import (
	"context"

	"attune/kernel/jupyter"
)

// commInfo answers comm_info_request: this kernel has no comm targets, so none
// are open.
func (s *Server) commInfo(context.Context, *request) (any, error) {
	return jupyter.CommInfoReply{Status: jupyter.OK, Comms: map[string]jupyter.CommInfo{}}, nil
}

// commOpen closes a comm whose target is unknown, as the spec asks.
func (s *Server) commOpen(_ context.Context, r *request) (any, error) {
	var req jupyter.CommOpen
	if err := jupyter.Parse(r.Content, &req); err != nil {
		s.log.drop("shell", err)
		return nil, nil
	}
	s.publish(r, "comm_close", jupyter.CommClose{CommID: req.CommID})
	return nil, nil
}
