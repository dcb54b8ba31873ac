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

// What the command left running ends with the lab, in a session of its own too.
func TestRunEndsWhatIsLeft(t *testing.T) {
	needRoot(t)
	for _, detach := range []string{"", "setsid "} {
		dir := t.TempDir()
		pid := filepath.Join(dir, "pid")
		exit, err := Run(t.Context(), Config{Sockets: 10, SmallHash: true},
			[]string{"sh", "-c", detach + "sh -c 'echo $$ >" + pid + "; exec sleep 600' >/dev/null 2>&1 & until [ -s " + pid + " ]; do sleep 0.01; done; exit 3"}, nil, io.Discard, io.Discard)
		if exit != 3 || err != nil {
			t.Errorf("exit %d, %v", exit, err)
		}
		b, err := os.ReadFile(pid)
		if err != nil {
			t.Fatal(err)
		}
		n, err := strconv.Atoi(strings.TrimSpace(string(b)))
		if err != nil {
			t.Fatal(err)
		}
		if p := procOf(n); p.running() {
			t.Errorf("%ssleep is left", detach)
			syscall.Kill(n, syscall.SIGKILL)
		}
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
func descendants(pid int) []proc {
	var out []proc
	tasks, _ := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/*/children")
	for _, f := range tasks {
		b, _ := os.ReadFile(f)
		for s := range strings.FieldsSeq(string(b)) {
			if n, err := strconv.Atoi(s); err == nil {
				out = append(append(out, procOf(n)), descendants(n)...)
			}
		}
	}
	return out
}

// gone waits until none of the processes runs; zombies wait for whoever inherited them. To end takes its time with thousands of sockets.
func gone(t *testing.T, procs []proc) {
	t.Helper()
	for _, p := range procs {
		for i := 0; p.running(); i++ {
			if i == 6000 {
				t.Errorf("process %d is left", p.pid)
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
}

func TestSignalsEndTheLab(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGKILL} {
		t.Run(sig.String()+"/build", func(t *testing.T) {
			for try := 1; !endedBuilding(t, sig) && !t.Failed(); try++ {
				if try == 10 {
					t.Fatal("the lab was always there before the signal was")
				}
			}
		})
		t.Run(sig.String()+"/command", func(t *testing.T) {
			cmd, stdout, stderr := subprocess(t, Config{Sockets: 2000, Shape: Mixed, SmallHash: true}, "sh", "-c", "echo $$; exec sleep 600")
			line, err := stdout.ReadString('\n')
			if err != nil {
				t.Fatalf("%v: %s", err, stderr)
			}
			procs := descendants(cmd.Process.Pid)
			if len(procs) < 20 {
				t.Fatalf("only %d processes", len(procs))
			}
			inode := holdNetNS(t, "/proc/"+strings.TrimSpace(line)+"/ns/net")
			if rest := endBy(t, sig, cmd, stdout, stderr, procs, inode); rest != "" {
				t.Errorf("stdout %q", rest)
			}
		})
	}
}

// endedBuilding ends a lab while it is built; met is whether it came to that.
func endedBuilding(t *testing.T, sig syscall.Signal) (met bool) {
	t.Helper()
	cfg := Config{Sockets: 150_000, Shape: Mixed} // mostly long enough to be met in the middle
	needRoom(t, cfg)
	cmd, stdout, stderr := subprocess(t, cfg, "echo", "built")
	var procs []proc
	for i := 0; len(procs) < 5 && i < 6000; i++ {
		time.Sleep(5 * time.Millisecond)
		procs = descendants(cmd.Process.Pid)
	}
	if len(procs) < 5 {
		t.Fatalf("%d workers were started: %s", len(procs), stderr)
	}
	ns := "/proc/" + strconv.Itoa(procs[0].pid) + "/ns/net"
	if _, err := os.Stat(ns); err != nil {
		return false // over already
	}
	return endBy(t, sig, cmd, stdout, stderr, procs, holdNetNS(t, ns)) == ""
}

// endBy sends a signal to what subprocess started, and returns what it wrote from then on. Nothing may be left of it.
func endBy(t *testing.T, sig syscall.Signal, cmd *exec.Cmd, stdout io.Reader, stderr *bytes.Buffer, procs []proc, inode uint64) string {
	t.Helper()
	if err := cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(stdout)
	if err != nil {
		t.Error(err)
	}
	err = cmd.Wait()
	exited, ok := errors.AsType[*exec.ExitError](err)
	switch want := 128 + int(sig); {
	case len(rest) > 0 && err == nil: // the command came to its end before
	case !ok:
		t.Fatalf("ended with %v", err)
	case sig != syscall.SIGKILL && exited.ExitCode() != want:
		t.Errorf("exit status %d, want %d: %s", exited.ExitCode(), want, stderr)
	}
	gone(t, procs)
	left := inNetNS(t, inode)
	for i := 0; sig == syscall.SIGKILL && len(left) > 0 && i < 6000; i++ { // some were started after the look at procs
		time.Sleep(10 * time.Millisecond)
		left = inNetNS(t, inode)
	}
	if len(left) > 0 {
		t.Errorf("left in the namespace: %q", left)
	}
	return string(rest)
}
