// Package data owns the data sets that notebooks learn from: where their files lie,
// how they are read into typed Go values, and how examples are shuffled, split and
// dealt into batches. It imports the standard library only.
//
//	digits, err := data.Digits()
//	train, test := digits.Split(0.8, 1)
//	for batch := range train.Batches(rng, 32) {
//		fmt.Println(batch.Len(), batch.Shape(), batch.Labels)
//	}
//
// Files are fetched when attune is installed; nothing here goes to the network.
package data

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Env names the environment variable that holds the folder of the data files.
const Env = "ATTUNE_DATA"

// NotFoundError says that a data file is nowhere and what to do about it. It is
// fs.ErrNotExist to errors.Is.
type NotFoundError struct {
	Name string
	// Looked are the paths that were tried, in order.
	Looked []string
	// Fetch is the command that fetches it; "" means ./install.sh.
	Fetch string
}

func (e *NotFoundError) Error() string {
	fetch := e.Fetch
	if fetch == "" {
		fetch = "./install.sh"
	}
	return fmt.Sprintf("find the data file %s: it is not at %s; run %s to fetch it, or set %s to the folder that has it",
		e.Name, strings.Join(e.Looked, " nor at "), fetch, Env)
}

// Unwrap makes the error one of a missing file.
func (e *NotFoundError) Unwrap() error { return fs.ErrNotExist }

// Path is where the data file of that name lies: in the folder that ATTUNE_DATA
// names, else in the folder data beside the one that holds the running program.
// Where it is in neither, the error is a *NotFoundError.
func Path(name string) (string, error) {
	var dirs []string
	if dir := os.Getenv(Env); dir != "" {
		dirs = append(dirs, dir)
	}
	// A program that cannot tell where it is has no data beside it.
	if exe, err := os.Executable(); err == nil {
		dirs = append(dirs, filepath.Join(filepath.Dir(filepath.Dir(exe)), "data"))
	}
	return find(name, dirs)
}

func find(name string, dirs []string) (string, error) {
	missing := &NotFoundError{Name: name}
	for _, dir := range dirs {
		path := filepath.Join(dir, name)
		_, err := os.Stat(path)
		if err == nil {
			return path, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("find the data file %s: %w", name, err)
		}
		missing.Looked = append(missing.Looked, path)
	}
	return "", missing
}
