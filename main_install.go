package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"attune/kernel/logo"
)

// kernelSpec is kernel.json (jupyter_client, "Kernel specs").
type kernelSpec struct {
	Argv          []string `json:"argv"`
	DisplayName   string   `json:"display_name"`
	Language      string   `json:"language"`
	InterruptMode string   `json:"interrupt_mode"`
}

// specDir is the folder for the kernelspec that the flags ask for.
func specDir(args []string) (string, error) {
	prefix := ""
	for i := 0; i < len(args); i++ {
		switch {
		case args[i] == "--user":
		case args[i] == "--sys-prefix":
			out, err := exec.Command("python3", "-c", "import sys; print(sys.prefix)").Output()
			if err != nil {
				return "", fmt.Errorf("ask python3 for its prefix: %w", err)
			}
			prefix = strings.TrimSpace(string(out))
		case args[i] == "--prefix" && i+1 < len(args):
			i++
			prefix = args[i]
		case strings.HasPrefix(args[i], "--prefix="):
			prefix = strings.TrimPrefix(args[i], "--prefix=")
		default:
			return "", fmt.Errorf("unknown option %q; use --user, --sys-prefix or --prefix DIR", args[i])
		}
	}
	if prefix != "" {
		return filepath.Join(prefix, "share", "jupyter", "kernels", "attune"), nil
	}
	if dir := os.Getenv("JUPYTER_DATA_DIR"); dir != "" {
		return filepath.Join(dir, "kernels", "attune"), nil
	}
	data, err := dataHome()
	if err != nil {
		return "", err
	}
	return filepath.Join(data, "jupyter", "kernels", "attune"), nil
}

// dataHome is the folder for the user's data (XDG Base Directory Specification).
func dataHome() (string, error) {
	if data := os.Getenv("XDG_DATA_HOME"); data != "" {
		return data, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("find the user's folder: %w", err)
	}
	return filepath.Join(home, ".local", "share"), nil
}

func runInstall(args []string) error {
	dir, err := specDir(args)
	if err != nil {
		return err
	}
	at, err := locate()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make the kernelspec's folder: %w", err)
	}
	spec, err := json.MarshalIndent(kernelSpec{
		Argv:        []string{at.program, "kernel", "-f", "{connection_file}"},
		DisplayName: "Go (attune)", Language: "go", InterruptMode: "message",
	}, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "kernel.json"), append(spec, '\n'), 0o644); err != nil {
		return fmt.Errorf("write the kernelspec: %w", err)
	}
	for _, name := range []string{"logo-32x32.png", "logo-64x64.png", "logo-svg.svg"} {
		data, err := logo.Files.ReadFile(name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			return fmt.Errorf("write the kernelspec: %w", err)
		}
	}
	fmt.Println("attune install: kernelspec in", dir)
	return nil
}

func runUninstall(args []string) error {
	dir, err := specDir(args)
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(dir, "kernel.json")); errors.Is(err, os.ErrNotExist) {
		fmt.Println("attune uninstall: there is no kernelspec in", dir)
		return nil
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("remove the kernelspec: %w", err)
	}
	fmt.Println("attune uninstall: removed", dir)
	return nil
}
