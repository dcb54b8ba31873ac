package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag/diagtest/scene"
	"github.com/sockeye-tools/sockeye/internal/check"
	"github.com/sockeye-tools/sockeye/internal/counts"
	"github.com/sockeye-tools/sockeye/internal/peers"
)

// openTerminal returns both ends of a terminal of so many columns.
func openTerminal(t *testing.T, columns uint16) (keyboard, screen *os.File) {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("needs a terminal: %v", err)
	}
	t.Cleanup(func() { keyboard.Close() })
	fd := int(keyboard.Fd())
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		screen, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	}
	if err == nil {
		t.Cleanup(func() { screen.Close() })
		err = unix.IoctlSetWinsize(int(screen.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: columns})
	}
	if err != nil {
		t.Skipf("needs a terminal: %v", err)
	}
	return keyboard, screen
}

// On a terminal of 20 columns, or one that does not know its width, every socket is shown, with its whole address; list cuts its lines to
// the width unless they are to be wide.
func TestNarrowTerminal(t *testing.T) {
	bin := peers.Sockeye(t)
	for _, columns := range []uint16{20, 0, 1, 65535} {
		t.Run(fmt.Sprintf("%d columns", columns), func(t *testing.T) {
			s := scene.New(t) // some sockets of a scene end after 60 seconds
			for _, f := range churnFaces {
				args := slices.Clone(f.args)
				if args[0] == "list" {
					args = append(args, "--output", "wide")
				}
				plain := exec.Command(bin, args...)
				var want strings.Builder
				plain.Stdout = &want
				if err := s.Run(plain); err != nil {
					t.Fatal(err)
				}
				keyboard, screen := openTerminal(t, columns)
				cmd := exec.Command(bin, args...)
				cmd.Env = append(os.Environ(), "TERM=xterm", "NO_COLOR=1")
				var words strings.Builder
				cmd.Stdout, cmd.Stderr = screen, &words
				cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 1}
				shown := make(chan string, 1)
				go func() {
					b, _ := io.ReadAll(keyboard) // ends with EIO when the other end is closed
					shown <- string(b)
				}()
				if err := s.Run(cmd); err != nil {
					t.Fatalf("%v: %v: %s", args, err, words.String())
				}
				screen.Close()
				got := <-shown
				if words.Len() > 0 {
					t.Errorf("%v: stderr %q", args, words.String())
				}
				have := strings.Fields(got)
				for line := range strings.Lines(want.String()) {
					r, ok := f.read(strings.Fields(line))
					if !ok {
						continue
					}
					for _, what := range []string{r.local, r.remote} {
						i := slices.Index(have, what)
						if i < 0 {
							t.Errorf("%v: %s is not shown\n%s", args, what, got)
							return
						}
						have = slices.Delete(have, i, i+1)
					}
				}
			}
			if !t.Failed() {
				counts.Add(t, "privilege settings", 1)
			}
		})
	}
}

// A signal ends a program that waits for its reader, at once and without a word.
func TestSignals(t *testing.T) {
	check.Signals(t, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	s := scene.New(t)
	bin := peers.Sockeye(t)
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		for _, f := range churnFaces {
			var p [2]int
			if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
				t.Fatal(err)
			}
			r, w := os.NewFile(uintptr(p[0]), "pipe"), os.NewFile(uintptr(p[1]), "pipe")
			size, err := unix.FcntlInt(r.Fd(), unix.F_SETPIPE_SZ, 4096)
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(bin, f.args...)
			var words strings.Builder
			cmd.Stdout, cmd.Stderr = w, &words
			if err := s.Start(cmd); err != nil {
				t.Fatal(err)
			}
			w.Close()
			for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
				if n, err := unix.IoctlGetInt(int(r.Fd()), unix.TIOCINQ); err != nil || time.Now().After(end) {
					t.Fatalf("%v does not fill a pipe: %v", f.args, err)
				} else if n >= size {
					break
				}
			}
			cmd.Process.Signal(sig)
			late := time.AfterFunc(time.Minute, func() { cmd.Process.Kill() })
			cmd.Wait()
			late.Stop()
			r.Close()
			status := cmd.ProcessState.Sys().(syscall.WaitStatus)
			if !status.Signaled() || status.Signal() != sig || words.Len() > 0 {
				t.Errorf("%v: %v: status %#x, stderr %q", f.args, sig, status, words.String())
			}
		}
	}
	counts.Add(t, "privilege settings", 1)
}
