package main

import "time"

// section is a part of the report, in order of worth: what comes last is what may be
// left out for want of time.
type section struct {
	name, title string
	// most is what it may take; what it leaves is for those behind it.
	most time.Duration
	// kind says how its rows are shown.
	kind kind
	// items are its rows, made in a process of its own; nil where the section runs
	// other programs.
	items func(*bench) ([]item, error)
	// special is in place of a process that goes row by row.
	special func(*run, section)
}

type kind int

const (
	facts  kind = iota // what, figure, goal
	checks             // summed up by group, each that fails in a row
	rates              // times, rates, PyTorch
)

// sections lists them. Their times add up to less than ten minutes.
func sections() []section {
	return []section{
		{"device", "Device", 10 * time.Second, facts, deviceItems, nil},
		{"start", "Start-up, and compilation of all kernels", 60 * time.Second, facts, nil, startUp},
		{"kernels", "Each kernel beside the CPU", 40 * time.Second, checks, kernelItems, nil},
		{"peaks", "What the device reaches", 15 * time.Second, rates, peakItems, nil},
		{"forward", "Attention forward", 60 * time.Second, rates, forwardItems, nil},
		{"backward", "Attention backward", 60 * time.Second, rates, backwardItems, nil},
		{"rest", "Decoding, products, optimizers, copies and rows", 45 * time.Second, rates, restItems, nil},
		{"calls", "Layers, options and optimizers beside the CPU", 45 * time.Second, checks, callItems, nil},
		{"memory", "Memory, calls and the management library", 20 * time.Second, facts, memoryItems, nil},
		{"sanitizer", "compute-sanitizer", 60 * time.Second, facts, nil, sanitize},
		{"tuning", "Choices, beside others", 40 * time.Second, facts, tuningItems, nil},
		{"step", "A training step", 45 * time.Second, rates, stepItems, nil},
		{"ncu", "Hardware counters", 40 * time.Second, facts, nil, counters},
	}
}

func sectionNamed(name string) (section, bool) {
	for _, s := range append(sections(), hidden()...) {
		if s.name == name {
			return s, true
		}
	}
	return section{}, false
}

// hidden are what the others run in processes of their own.
func hidden() []section {
	return []section{
		{name: "session", items: sessionItems},
		{name: "compile", items: compileItems},
		{name: "hottest", items: hottestItems},
	}
}
