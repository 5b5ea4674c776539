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
		LanguageInfo: LanguageInfo(s.opt.GoVersion),
		Banner:       s.opt.Banner, HelpLinks: links,
		// Features are named once they are there; "debugger" is not yet.
		SupportedFeatures: []string{"kernel subshells"},
	}, nil
}

// LanguageInfo is what front ends are told of the language, and keep in notebooks.
func LanguageInfo(version string) jupyter.LanguageInfo {
	return jupyter.LanguageInfo{
		Name: "go", Version: version, Mimetype: "text/x-go", FileExtension: ".go",
		PygmentsLexer: "go", CodemirrorMode: "go", NBConvert: "script",
	}
}
