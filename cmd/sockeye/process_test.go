package main

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sockeye-tools/sockeye/internal/check"
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

// Text that cannot be written is an error too, whatever it is that is printed.
func TestFullDisk(t *testing.T) {
	bin := peers.Sockeye(t)
	for _, line := range []string{"--help", "--version", "version", "fields", "fields rtt", "schema", "help", "help states", "explain rtt>1ms", "explain --help",
		"list --help", "counters --help", "bench --help", "bench run --help"} {
		full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		if err != nil {
			t.Skipf("needs /dev/full: %v", err)
		}
		var words strings.Builder
		cmd := exec.Command(bin, strings.Fields(line)...)
		cmd.Stdout, cmd.Stderr = full, &words
		cmd.Run()
		full.Close()
		if status := cmd.ProcessState.ExitCode(); status != exitFailed || words.String() != "sockeye: write /dev/stdout: no space left on device\n" {
			t.Errorf("%s: status %d, %q", line, status, words.String())
		}
	}
}

// SIGINT ends it at once, also where it would go on for ever.
func TestInterrupt(t *testing.T) {
	check.Signals(t, os.Interrupt)
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
	kill := time.AfterFunc(time.Minute, func() { cmd.Process.Kill() })
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

// publicCopy returns a copy of a program that every user can run.
func publicCopy(t *testing.T, program string) string {
	t.Helper()
	b, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), filepath.Base(program))
	if err := os.WriteFile(path, b, 0o755); err != nil {
		t.Fatal(err)
	}
	for dir := filepath.Dir(path); strings.Count(dir, "/") > 1; dir = filepath.Dir(dir) {
		os.Chmod(dir, 0o755) // the test's own, up to the system's
	}
	return path
}
