package kernel

import (
	"context"

	"attune/kernel/jupyter"
)

// kernelInfo answers kernel_info_request, on shell and control alike.
func (s *Server) kernelInfo(context.Context, *request) (any, error) {
	links := s.opt.HelpLinks
	if links == nil {
		links = []jupyter.HelpLink{}
	}
	return jupyter.KernelInfoReply{
		Status: jupyter.OK, ProtocolVersion: jupyter.Version,
		Implementation: "attune", ImplementationVersion: s.opt.Version,
		LanguageInfo: jupyter.LanguageInfo{
			Name: "go", Version: s.opt.GoVersion, Mimetype: "text/x-go", FileExtension: ".go",
			PygmentsLexer: "go", CodemirrorMode: "go", NBConvert: "script",
		},
		Banner: s.opt.Banner, HelpLinks: links,
		// Features are named once they are there; "debugger" is not yet.
		SupportedFeatures: []string{"kernel subshells"},
	}, nil
}
