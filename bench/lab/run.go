package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// grace is how long a command has to end after a signal.
const grace = 5 * time.Second

// Run builds a lab, runs argv inside it and takes it down again, also on SIGINT, SIGTERM and SIGHUP,
// which are passed on to the command. Progress and the truth are written to
// stderr, or the progress to cfg.Progress.
//
// The exit status is the command's own, 128 plus the number of the signal that ended it or the lab,
// 127 when there is no such command, 126 when it cannot be run, and 125 when
// the lab failed, as with env(1). The error is not nil for the last three, and when the lab lost a worker
// while the command ran.
func Run(ctx context.Context, cfg Config, argv []string, stdin io.Reader, stdout, stderr io.Writer) (exit int, err error) {
	if len(argv) == 0 {
		return exitLab, errors.New("lab: no command to run")
	}
	if _, err := exec.LookPath(argv[0]); err != nil {
		return notRun(err), fmt.Errorf("lab: %w", err)
	}
	if cfg.Progress == nil {
		cfg.Progress = stderr
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := &stopper{}
	sigs := make(chan os.Signal, 4)
	signal.Notify(sigs, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(sigs)
	go func() {
		for {
			select {
			case s := <-sigs:
				stop.signal(s.(syscall.Signal))
				cancel()
			case <-ctx.Done():
				return
			}
		}
	}()

	l, err := Build(ctx, cfg)
	if err != nil {
		if s := stop.first(); s != 0 {
			return 128 + int(s), nil
		}
		return exitLab, err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	truth := l.Truth()
	if err := truth.WriteText(stderr); err != nil {
		return exitLab, fmt.Errorf("lab: %w", err)
	}
	return l.run(ctx, stop, argv, stdin, stdout, stderr)
}

func (l *Lab) run(ctx context.Context, stop *stopper, argv []string, stdin io.Reader, stdout, stderr io.Writer) (int, error) {
	cmd := l.Command(argv[0], argv[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, stdout, stderr
	cmd.WaitDelay = grace // for copies that a grandchild keeps open
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := l.ns.do(cmd.Start); err != nil {
		return notRun(err), fmt.Errorf("lab: %w", err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		cmd.Process.Signal(stop.or(syscall.SIGTERM))
		select {
		case err = <-done:
		case <-time.After(grace):
			cmd.Process.Kill()
			err = <-done
		}
	}
	if exited, ok := errors.AsType[*exec.ExitError](err); ok {
		if ws, ok := exited.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
			return 128 + int(ws.Signal()), nil
		}
		return exited.ExitCode(), nil
	}
	if err != nil { // the copying of its input or output
		return exitLab, fmt.Errorf("lab: %w", err)
	}
	return 0, nil
}

func notRun(err error) int {
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		return 127
	}
	return 126
}

// stopper keeps the first signal that came.
type stopper struct {
	mu  sync.Mutex
	sig syscall.Signal
}

func (s *stopper) signal(sig syscall.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sig == 0 {
		s.sig = sig
	}
}

func (s *stopper) first() syscall.Signal {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sig
}

func (s *stopper) or(other syscall.Signal) syscall.Signal {
	if sig := s.first(); sig != 0 {
		return sig
	}
	return other
}
