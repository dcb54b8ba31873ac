package scene

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestHelper(t *testing.T) {
	ns := NewNetNS(t)
	p, err := startHelper(ns, helperRole{Argv: "an argv", Comm: OddComm, UID: nobody, Listen: "127.0.0.1:7023", UDP: "[::1]:7023"})
	if err != nil {
		t.Fatal(err)
	}
	pid := p.cmd.Process.Pid
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("\nUid:\t%d\t%[1]d\t%[1]d\t%[1]d\n", nobody); !strings.Contains(string(status), want) {
		t.Errorf("status lacks %q:\n%s", want, status)
	}
	if p.state.Comm != OddComm || len(OddComm) != 15 {
		t.Errorf("comm %q, want %q of 15 bytes", p.state.Comm, OddComm)
	}
	for fd, inode := range map[int]uint32{p.state.Listener: p.state.ListenerInode, p.state.UDP: p.state.UDPInode} {
		to, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", pid, fd))
		if want := fmt.Sprintf("socket:[%d]", inode); err != nil || to != want {
			t.Errorf("descriptor %d is %q, %v; want %q", fd, to, err, want)
		}
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if p.cmd.ProcessState == nil { // its number may be another process's by now
		t.Error("Close did not wait for the helper")
	}
}

func TestHelperFails(t *testing.T) {
	ns := NewNetNS(t)
	if p, err := startHelper(ns, helperRole{Argv: "x", Listen: "192.0.2.99:1"}); err == nil {
		p.Close()
		t.Error("a helper listens on a foreign address")
	} else if !strings.Contains(err.Error(), unix.EADDRNOTAVAIL.Error()) {
		t.Errorf("error %q does not say why", err)
	}
}
