package kernel

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"attune/interp/cell"
	"attune/kernel/jupyter"
)

// executeAll runs a shell's queue, one cell after the other.
func (s *Server) executeAll(ctx context.Context, q *queue) {
	for {
		r := q.pop()
		if r == nil || ctx.Err() != nil {
			return
		}
		s.awaitSubscriber(ctx)
		s.foresee()
		s.opt.Busy()
		s.execute(ctx, r, q)
		s.opt.Idle()
	}
}

// foresee tells the runner what waits behind the main shell's running cell, so that it can get
// ready. A front end that runs a whole notebook sends all of its cells at once.
func (s *Server) foresee() {
	f, ok := s.runner.(cell.Foreseer)
	if !ok {
		return
	}
	var codes []string
	for _, content := range s.shells.find("").waiting() {
		if req, err := jupyter.ParseExecute(content); err == nil {
			codes = append(codes, req.Code)
		}
	}
	f.Foresee(codes)
}

// awaitSubscriber lets the first cell wait a bounded moment for somebody on
// iopub: output that nobody hears is lost, and some front ends subscribe late.
func (s *Server) awaitSubscriber(ctx context.Context) {
	s.heard.Do(func() {
		limit := time.NewTimer(s.opt.FirstSubscriber)
		defer limit.Stop()
		select {
		case <-s.iopub.Subscribed():
		case <-limit.C:
		case <-ctx.Done():
		}
	})
}

func (s *Server) execute(ctx context.Context, r *request, q *queue) {
	var failed bool
	var skipped []*request
	s.busy(r)
	req, err := jupyter.ParseExecute(r.Content)
	if err != nil {
		s.reply(r, jupyter.Fail("KernelError", err.Error()), nil)
	} else {
		failed = s.executeCell(ctx, r, req)
	}
	if failed && req.StopOnError {
		skipped = q.fail()
	}
	s.idle(r)
	for _, r := range skipped {
		s.abort(r)
	}
}

// executeCell runs a cell and replies. It says whether the cell failed.
func (s *Server) executeCell(ctx context.Context, r *request, req jupyter.ExecuteRequest) bool {
	started := time.Now().UTC().Format(time.RFC3339Nano)
	count := s.nextCount(req.StoreHistory)
	if !req.Silent {
		s.publish(r, "execute_input", jupyter.ExecuteInput{Code: req.Code, ExecutionCount: count})
	}
	out := newSink(s, r, req, count)
	res := s.runProtected(ctx, cell.Request{
		Count: count, Code: req.Code, Silent: req.Silent,
		AllowStdin: req.AllowStdin, Expressions: req.UserExpressions,
		Beside: func() bool { return len(s.shells.list()) > 0 },
	}, out)
	out.end()
	if req.StoreHistory {
		s.history.add(count, req.Code, out.shown())
	}
	if res.Err != nil {
		f := failure(res.Err)
		s.publish(r, "error", jupyter.ErrorContent{
			Ename: f.Ename, Evalue: f.Evalue, Traceback: f.Traceback,
		})
		f.ExecutionCount = &count
		f.UserExpressions, f.Payload = &jupyter.Expressions{}, &[]jupyter.Page{}
		s.reply(r, f, jupyter.ExecuteMetadata{Started: started, Status: f.Status})
		return true
	}
	s.reply(r, executeReply(count, res), jupyter.ExecuteMetadata{Started: started, Status: jupyter.OK})
	return false
}

// nextCount is the execution count of a cell that begins now.
func (s *Server) nextCount(stored bool) int {
	s.countMu.Lock()
	defer s.countMu.Unlock()
	if stored {
		s.count++
	}
	return s.count
}

// runProtected makes a panic of the runner the cell's error.
func (s *Server) runProtected(ctx context.Context, req cell.Request, out cell.Sink) (res cell.Result) {
	defer func() {
		if p := recover(); p != nil {
			s.log.note("panic", fmt.Errorf("running a cell: %v\n%s", p, debug.Stack()))
			res = cell.Result{Err: &cell.Error{
				Name: "KernelError", Value: fmt.Sprintf("running the cell failed inside the kernel: %v", p),
			}}
		}
	}()
	return s.runner.Execute(ctx, req, out)
}

func executeReply(count int, res cell.Result) jupyter.ExecuteReply {
	reply := jupyter.ExecuteReply{
		Status: jupyter.OK, ExecutionCount: count,
		UserExpressions: make(jupyter.Expressions, len(res.Expressions)),
		Payload:         make([]jupyter.Page, 0, len(res.Pages)),
	}
	for name, v := range res.Expressions {
		e := jupyter.Expression{Bundle: v.Bundle}
		if v.Err != nil {
			f := failure(v.Err)
			e.Err = &f
		}
		reply.UserExpressions[name] = e
	}
	for _, p := range res.Pages {
		reply.Payload = append(reply.Payload, jupyter.Page{Bundle: p})
	}
	return reply
}

// failure is a cell's error as the protocol says it. A traceback is never empty:
// front ends show nothing else.
func failure(e *cell.Error) jupyter.Failure {
	f := jupyter.Fail(e.Name, e.Value)
	if len(e.Traceback) > 0 {
		f.Traceback = e.Traceback
	}
	return f
}

// abort answers a cell that is skipped because one before it failed.
func (s *Server) abort(r *request) {
	s.busy(r)
	s.reply(r, jupyter.Failure{Status: "aborted", Traceback: []string{}}, nil)
	s.idle(r)
}
