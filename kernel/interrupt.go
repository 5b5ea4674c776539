package kernel

import (
	"context"

	"attune/kernel/jupyter"
)

// interrupt answers interrupt_request at once; what the interrupt did is in the
// running cell's own reply.
func (s *Server) interrupt(context.Context, *request) (any, error) {
	s.Interrupt()
	return jupyter.Done{Status: jupyter.OK}, nil
}
