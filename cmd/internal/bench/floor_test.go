package bench

import (
	"os/exec"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func TestFloor(t *testing.T) {
	if !isRoot() {
		t.Skip("needs CAP_SYS_ADMIN to make a network namespace")
	}
	cmd := exec.Command(self(t), "bench", "floor", "--ext", "0xe", "--states", "0x480", "--sport", "22")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET}
	if out, err := cmd.Output(); err != nil || string(out) != "0\n" {
		t.Errorf("in an empty network namespace: %q, %v", out, err)
	}
}
