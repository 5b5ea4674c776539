package kernel

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"attune/kernel/jupyter"
)

const (
	maxStore  = 16 << 20 // bytes of the file; then its older half goes
	maxStored = 64 << 10 // bytes of an output that is kept
)

// store is the history of all sessions: a file of JSON lines to which every kernel of
// the user appends. Beside it lie a lock, which whoever writes holds, and the number
// of the newest session. A line that was cut short, by a full disk or a kill, is
// passed over. (A database would hold its file for one process, or cost the start of
// the kernel more than all else together.)
type store struct {
	path    string
	session int
}

// stored is a line.
type stored struct {
	Session int     `json:"s"`
	Line    int     `json:"l"`
	Input   string  `json:"i"`
	Output  *string `json:"o,omitempty"`
}

// openStore opens or makes the file and takes the next session's number.
func openStore(path string) (*store, error) {
	st := &store{path: path}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("open history: %w", err)
	}
	err := st.locked(func() error {
		text, err := os.ReadFile(path + ".session")
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		n, err := strconv.Atoi(strings.TrimSpace(string(text)))
		if err != nil { // lost or spoilt: the file tells
			if err := st.others(func(e jupyter.HistoryEntry) { n = max(n, e.Session) }); err != nil {
				return err
			}
		}
		st.session = n + 1
		if err := os.WriteFile(path+".session", []byte(strconv.Itoa(st.session)+"\n"), 0o600); err != nil {
			return err
		}
		return st.shorten()
	})
	if err != nil {
		return nil, fmt.Errorf("open history: %w", err)
	}
	return st, nil
}

// locked calls f while no other kernel writes.
func (st *store) locked(f func() error) error {
	lock, err := os.OpenFile(st.path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = lock.Close() }() // which lets go of the lock
	for {
		if err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != syscall.EINTR {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("lock %s: %w", lock.Name(), err)
	}
	return f()
}

// shorten keeps the newer half of a file that has grown too long.
func (st *store) shorten() error {
	info, err := os.Stat(st.path)
	if err != nil || info.Size() <= maxStore {
		return nil // not there yet, or short
	}
	text, err := os.ReadFile(st.path)
	if err != nil {
		return err
	}
	text = text[len(text)/2:]
	text = text[bytes.IndexByte(text, '\n')+1:]
	if err := os.WriteFile(st.path+".new", text, 0o600); err != nil {
		return err
	}
	return os.Rename(st.path+".new", st.path)
}

// write appends entries of this session. Each begins on a line of its own, even
// behind one that was cut short.
func (st *store) write(entries []jupyter.HistoryEntry) error {
	var text []byte
	for _, e := range entries {
		s := stored{Session: st.session, Line: e.Line, Input: e.Input, Output: e.Output}
		if s.Output != nil && len(*s.Output) > maxStored {
			short := strings.ToValidUTF8((*s.Output)[:maxStored], "") + "…"
			s.Output = &short
		}
		line, err := json.Marshal(s)
		if err != nil {
			return fmt.Errorf("write history: %w", err)
		}
		text = append(append(text, line...), '\n')
	}
	err := st.locked(func() error {
		f, err := os.OpenFile(st.path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
		if err != nil {
			return err
		}
		if end, err := f.Seek(0, 2); err == nil && end > 0 {
			var last [1]byte
			if _, err := f.ReadAt(last[:], end-1); err == nil && last[0] != '\n' {
				text = append([]byte{'\n'}, text...)
			}
		}
		_, err = f.Write(text)
		return errors.Join(err, f.Close())
	})
	if err != nil {
		return fmt.Errorf("write history: %w", err)
	}
	return nil
}

// others calls f with each entry of other sessions, in the order they were written.
func (st *store) others(f func(jupyter.HistoryEntry)) error {
	file, err := os.Open(st.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read history: %w", err)
	}
	defer func() { _ = file.Close() }()
	for r := bufio.NewReaderSize(file, 64<<10); ; {
		line, err := r.ReadBytes('\n')
		var s stored
		if err == nil && json.Unmarshal(line, &s) == nil && s.Session != st.session {
			f(jupyter.HistoryEntry{Session: s.Session, Line: s.Line, Input: s.Input, Output: s.Output})
		}
		if err != nil {
			return nil // the end, or what cannot be read
		}
	}
}
