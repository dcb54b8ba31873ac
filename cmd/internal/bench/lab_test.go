package bench

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

func isRoot() bool { return os.Geteuid() == 0 }

func TestLab(t *testing.T) {
	if !isRoot() {
		t.Skip("needs root to build a lab")
	}
	// The floor counts in the lab what the lab made.
	cmd := exec.Command(self(t), "bench", "lab", "--sockets", "300", "--shape", "listeners", "--ipv6", "50", "--procs", "2", "--", self(t), "bench", "floor", "--states", "0x400")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || string(out) != "300\n" || !strings.Contains(stderr.String(), "300 sockets, shape listeners") || !strings.Contains(stderr.String(), "inet6") {
		t.Errorf("%q, %v\n%s", out, err, stderr.String())
	}
	// The exit status is the command's, and its options are its own.
	err = exec.Command(self(t), "bench", "lab", "--sockets", "10", "sh", "-c", "exit 7").Run()
	if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != 7 {
		t.Errorf("a command that ends with 7: %v", err)
	}
	err = exec.Command(self(t), "bench", "lab", "--sockets", "10", "--", "/nonexistent/tool").Run()
	if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != 127 {
		t.Errorf("no such command: %v", err)
	}
}
