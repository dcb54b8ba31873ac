package check

import (
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
)

func TestSignals(t *testing.T) {
	end := func() syscall.WaitStatus {
		cmd := exec.Command("sh", "-c", "kill -HUP $$; exit 3")
		cmd.Run()
		return cmd.ProcessState.Sys().(syscall.WaitStatus)
	}
	signal.Ignore(syscall.SIGHUP)
	defer signal.Reset(syscall.SIGHUP)
	if status := end(); status.ExitStatus() != 3 {
		t.Fatalf("status %#x: SIGHUP is not ignored", status)
	}
	Signals(t, syscall.SIGHUP)
	if status := end(); !status.Signaled() || status.Signal() != syscall.SIGHUP {
		t.Errorf("status %#x: SIGHUP is ignored", status)
	}
}
