package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
)

// paste puts a section between its marks in a file.
func paste(path string, section []byte) error {
	const begin, end = "<!-- gpucheck: begin -->\n", "<!-- gpucheck: end -->"
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("write the section: %w", err)
	}
	head, rest, ok := bytes.Cut(text, []byte(begin))
	_, tail, ok2 := bytes.Cut(rest, []byte(end))
	if !ok || !ok2 {
		return fmt.Errorf("write the section: %w", errors.New(path+" has no place for it: the comments gpucheck: begin and gpucheck: end"))
	}
	out := bytes.Join([][]byte{head, []byte(begin), section, []byte(end), tail}, nil)
	if err := os.WriteFile(path, out, 0o644); err != nil {
		return fmt.Errorf("write the section: %w", err)
	}
	return nil
}
