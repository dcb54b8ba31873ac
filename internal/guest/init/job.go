package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/internal/guest/wire"
)

// piece is the most that one message carries.
const piece = 64 << 10

// job says that the guest is up, runs the programs, and sends the files.
func (h *host) job(missing []string) error {
	text, err := os.ReadFile(wire.JobPath)
	if err != nil {
		return err
	}
	var j wire.Job
	if err := json.Unmarshal(text, &j); err != nil {
		return fmt.Errorf("read %s: %w", wire.JobPath, err)
	}
	var uts unix.Utsname
	if err := unix.Uname(&uts); err != nil {
		return fmt.Errorf("uname: %w", err)
	}
	h.send(wire.Message{Boot: &wire.Boot{Release: unix.ByteSliceToString(uts.Release[:]), CPUs: runtime.NumCPU(), Missing: missing}})
	if j.NoFile != 0 {
		// Of syscall, not of unix: what package syscall raised at the start it would set back for programs that are started.
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: j.NoFile, Max: j.NoFile}); err != nil {
			return fmt.Errorf("limit of open files: %w", err)
		}
	}
	for i, p := range j.Programs {
		e := h.run(i, &p, j.Env)
		h.send(wire.Message{Exit: &e})
	}
	return h.files()
}

// run runs a program, with all that it leaves behind, to its end.
func (h *host) run(index int, p *wire.Program, env []string) (e wire.Exit) {
	e = wire.Exit{Program: index, Code: -1}
	start := time.Now()
	defer func() { e.Seconds = time.Since(start).Seconds() }()

	r, w, err := os.Pipe()
	if err != nil {
		e.Reason = err.Error()
		return e
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		r.Close()
		w.Close()
		e.Reason = err.Error()
		return e
	}
	pid, err := syscall.ForkExec(p.Path, append([]string{p.Path}, p.Args...), &syscall.ProcAttr{
		Dir:   p.Dir,
		Env:   append([]string{"PATH=/usr/bin", "HOME=/root", "USER=root"}, env...),
		Files: []uintptr{null.Fd(), w.Fd(), w.Fd()},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
	null.Close()
	w.Close()
	if err != nil {
		r.Close()
		e.Reason = fmt.Sprintf("start %s: %v", p.Path, err)
		return e
	}

	var copied sync.WaitGroup
	copied.Go(func() {
		defer r.Close()
		buf := make([]byte, piece)
		for {
			n, err := r.Read(buf)
			if n > 0 {
				h.send(wire.Message{Output: &wire.Output{Program: index, Data: buf[:n]}})
			}
			if err != nil {
				return
			}
		}
	})
	ended := make(chan struct{})
	var late atomic.Bool
	if p.Timeout > 0 {
		limit := time.AfterFunc(p.Timeout, func() {
			late.Store(true)
			unix.Kill(-pid, unix.SIGQUIT) // a Go program says what it was about
			select {
			case <-ended:
			case <-time.After(5 * time.Second):
				unix.Kill(-pid, unix.SIGKILL)
			}
		})
		defer limit.Stop()
	}
	status := reapUntil(pid)
	close(ended)
	if os.Getpid() == 1 {
		unix.Kill(-1, unix.SIGKILL) // all processes but this one
	}
	reapUntil(0)
	copied.Wait()
	switch {
	case late.Load():
		e.Reason = fmt.Sprintf("not done after %v", p.Timeout)
	case status.Exited():
		e.Code = status.ExitStatus()
	case status.Signaled():
		e.Reason = "killed by " + unix.SignalName(status.Signal())
	}
	return e
}

// reapUntil waits for all children, orphans of others too, until it has that one; with 0 until there are none.
func reapUntil(pid int) (status unix.WaitStatus) {
	for {
		got, err := unix.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil || got == pid:
			return status
		}
	}
}

// files sends what the programs left in the out folder.
func (h *host) files() error {
	buf := make([]byte, piece)
	return filepath.WalkDir(wire.OutPath, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		name, err := filepath.Rel(wire.OutPath, path)
		if err != nil {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		h.send(wire.Message{File: &wire.File{Name: name}}) // also of an empty one
		for {
			n, err := f.Read(buf)
			if n > 0 {
				h.send(wire.Message{File: &wire.File{Name: name, Data: buf[:n]}})
			}
			switch {
			case err == io.EOF:
				return nil
			case err != nil:
				return err
			}
		}
	})
}
