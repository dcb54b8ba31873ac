package main

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sockeye-tools/sockeye/diag/diagtest/scene"
	"github.com/sockeye-tools/sockeye/internal/peers"
)

// A reader that has seen enough ends the program, without a word.
func TestClosedPipe(t *testing.T) {
	bin := peers.Sockeye(t)
	for _, args := range [][]string{{"ss", "-a", "-t", "-u", "-n"}, {"netstat", "-tuan"}, {"list"}} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		r.Close() // the first write fails
		cmd := exec.Command(bin, args...)
		var words strings.Builder
		cmd.Stdout, cmd.Stderr = w, &words
		err = cmd.Run()
		w.Close()
		status := cmd.ProcessState.Sys().(syscall.WaitStatus)
		if words.Len() > 0 || !status.Signaled() || status.Signal() != syscall.SIGPIPE {
			t.Errorf("%v: %v, %q; want an end by SIGPIPE, and silence", args, err, words.String())
		}
	}
}

// SIGINT ends it at once, also where it would go on for ever.
func TestInterrupt(t *testing.T) {
	cmd := exec.Command(peers.Sockeye(t), "netstat", "-tln", "-c")
	var words strings.Builder
	cmd.Stderr = &words
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill := time.AfterFunc(20*time.Second, func() { cmd.Process.Kill() })
	defer kill.Stop()
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	cmd.Process.Signal(os.Interrupt)
	io.Copy(io.Discard, out)
	cmd.Wait()
	status := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if words.Len() > 0 || !status.Signaled() || status.Signal() != syscall.SIGINT {
		t.Errorf("status %#x, %q; want an end by SIGINT, and silence", status, words.String())
	}
}

// One who is not root sees all sockets, and one line that says why owners are missing.
func TestUnprivileged(t *testing.T) {
	s := scene.New(t)
	bin := t.TempDir() + "/sockeye"
	b, err := os.ReadFile(peers.Sockeye(t))
	if err == nil {
		err = os.WriteFile(bin, b, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	for dir := bin; len(dir) > 1; dir = dir[:strings.LastIndexByte(dir, '/')] {
		os.Chmod(dir, 0o755) // nobody has to get there; the directories are the test's own, up to the system's
		if strings.Count(dir, "/") <= 2 {
			break
		}
	}
	run := func(uid uint32, args ...string) (out, words string) {
		cmd := exec.Command(bin, args...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
		var o, w strings.Builder
		cmd.Stdout, cmd.Stderr = &o, &w
		if err := s.Run(cmd); err != nil {
			t.Fatalf("%v: %v: %s", args, err, w.String())
		}
		return o.String(), w.String()
	}
	for _, tt := range []struct {
		args []string
		hint string
	}{
		{[]string{"list"}, "sockeye: hint: the descriptors of "},
		{[]string{"ss", "-tuanp"}, "ss: owners of other users' sockets are not shown: run as root\n"},
		{[]string{"netstat", "-tuanp"}, "(No info could be read for \"-p\": geteuid()=65534 but you should be root.)\n"},
	} {
		all, _ := run(0, tt.args...)
		got, words := run(65534, tt.args...)
		if a, b := strings.Count(all, "\n"), strings.Count(got, "\n"); a != b || a < 60 {
			t.Errorf("%v: %d lines, and %d for root", tt.args, b, a)
		}
		if !strings.HasPrefix(words, tt.hint) || strings.Count(words, "\n") != 1 {
			t.Errorf("%v: stderr %q, want %q once", tt.args, words, tt.hint)
		}
	}
}
