package lab

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestRunExitStatus(t *testing.T) {
	needRoot(t)
	for _, tt := range []struct {
		argv []string
		exit int
		fail bool
	}{
		{[]string{"true"}, 0, false},
		{[]string{"sh", "-c", "exit 7"}, 7, false},
		{[]string{"sh", "-c", "kill -9 $$"}, 137, false},
		{[]string{"no-such-command-at-all"}, 127, true},
		{[]string{"/etc/passwd"}, 126, true},
		{nil, 125, true},
	} {
		exit, err := Run(t.Context(), Config{Sockets: 10, SmallHash: true}, tt.argv, nil, io.Discard, io.Discard)
		if exit != tt.exit || (err != nil) != tt.fail {
			t.Errorf("%q: exit %d, %v; want %d", tt.argv, exit, err, tt.exit)
		}
	}
	if exit, err := Run(t.Context(), Config{Sockets: -1}, []string{"true"}, nil, io.Discard, io.Discard); exit != 125 || err == nil {
		t.Errorf("impossible lab: exit %d, %v; want 125", exit, err)
	}
}

func TestRunPassesStreams(t *testing.T) {
	needRoot(t)
	var out, errs bytes.Buffer
	exit, err := Run(t.Context(), Config{Sockets: 70, SmallHash: true}, []string{"sh", "-c", "cat; echo to-stderr >&2"}, strings.NewReader("input"), &out, &errs)
	if exit != 0 || err != nil {
		t.Fatalf("exit %d, %v", exit, err)
	}
	if out.String() != "input" {
		t.Errorf("stdout %q", out.String())
	}
	if s := errs.String(); !strings.Contains(s, "lab: 70 sockets, shape pairs") || !strings.Contains(s, "to-stderr") {
		t.Errorf("stderr %q", s)
	}
}

// subprocess starts this test binary as a program that calls Run.
func subprocess(t *testing.T, cfg Config, argv ...string) (*exec.Cmd, *bufio.Reader, *bytes.Buffer) {
	t.Helper()
	needRoot(t)
	b, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/proc/self/exe", argv...)
	cmd.Env = append(os.Environ(), envRun+"="+string(b))
	// When the test binary dies, so does this, and then its own children.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	runtime.LockOSThread() // Pdeathsig is about the thread
	t.Cleanup(runtime.UnlockOSThread)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return cmd, bufio.NewReader(stdout), &stderr
}

// descendants is all processes below pid.
func descendants(pid int) []int {
	var out []int
	tasks, _ := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/*/children")
	for _, f := range tasks {
		b, _ := os.ReadFile(f)
		for s := range strings.FieldsSeq(string(b)) {
			if n, err := strconv.Atoi(s); err == nil {
				out = append(append(out, n), descendants(n)...)
			}
		}
	}
	return out
}

// gone waits until none of the processes runs; zombies wait for whoever inherited them.
func gone(t *testing.T, pids []int) {
	t.Helper()
	running := func(pid int) bool {
		b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if err != nil {
			return false
		}
		_, after, _ := strings.Cut(string(b), ") ")
		return !strings.HasPrefix(after, "Z") && !strings.HasPrefix(after, "X")
	}
	for _, pid := range pids {
		for i := 0; running(pid); i++ {
			if i == 1000 {
				t.Errorf("process %d is left", pid)
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
}

func TestSignalsEndTheLab(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGKILL} {
		for _, when := range []string{"build", "command"} {
			t.Run(sig.String()+"/"+when, func(t *testing.T) {
				cfg := Config{Sockets: 2000, Shape: Mixed, SmallHash: true}
				if when == "build" {
					cfg.Sockets, cfg.SmallHash = 150_000, false // long enough to be met in the middle
				}
				cmd, stdout, stderr := subprocess(t, cfg, "sh", "-c", "readlink /proc/self/ns/net; exec sleep 100")
				var pids []int
				var inode uint64
				if when == "build" {
					for i := 0; len(pids) < 5 && i < 6000; i++ {
						time.Sleep(5 * time.Millisecond)
						pids = descendants(cmd.Process.Pid)
					}
					if len(pids) == 0 {
						t.Fatal("no worker was started")
					}
					s, err := os.Readlink("/proc/" + strconv.Itoa(pids[0]) + "/ns/net")
					if err != nil {
						t.Fatal(err)
					}
					inode = parseNS(t, s)
				} else {
					line, err := stdout.ReadString('\n')
					if err != nil {
						t.Fatalf("%v: %s", err, stderr)
					}
					inode = parseNS(t, line)
					if pids = descendants(cmd.Process.Pid); len(pids) < 20 {
						t.Fatalf("only %d processes", len(pids))
					}
				}
				if err := cmd.Process.Signal(sig); err != nil {
					t.Fatal(err)
				}
				rest, err := io.ReadAll(stdout)
				if err != nil || len(rest) > 0 {
					t.Errorf("stdout %q, %v", rest, err)
				}
				exited, ok := errors.AsType[*exec.ExitError](cmd.Wait())
				if !ok {
					t.Fatal("exit status 0")
				}
				if want := 128 + int(sig); sig != syscall.SIGKILL && exited.ExitCode() != want {
					t.Errorf("exit status %d, want %d: %s", exited.ExitCode(), want, stderr)
				}
				gone(t, pids)
				if left := inNetNS(t, inode); len(left) > 0 {
					t.Errorf("left in the namespace: %q", left)
				}
			})
		}
	}
}

func parseNS(t *testing.T, link string) uint64 {
	t.Helper()
	s := strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(link), "net:["), "]")
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
