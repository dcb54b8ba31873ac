package ss

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// TestContexts: contexts come from where SELinux has them, here from files of our own.
func TestContexts(t *testing.T) {
	proc := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(proc, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const sshd = "system_u:system_r:sshd_t:s0-s0:c0.c1023"
	write("7/attr/current", sshd+"\x00")
	write("8/attr/current", sshd+"\n")
	write("9/attr/current", "")
	c := newContexts(proc)
	for pid, want := range map[int32]string{7: sshd, 8: sshd, 9: unavailable, 10: unavailable} {
		if got := c.process(pid); got != want {
			t.Errorf("process %d: %q, want %q", pid, got, want)
		}
	}
	write("7/attr/current", "other")
	if got := c.process(7); got != sshd {
		t.Errorf("read again: %q", got)
	}

	if got := c.socket(7, 3); got != unavailable {
		t.Errorf("no file: %q", got)
	}
	socket := write("7/fd/3", "")
	if got := c.socket(7, 3); got != unavailable {
		t.Errorf("no attribute: %q", got)
	}
	if err := unix.Setxattr(socket, "security.selinux", []byte(sshd+"\x00"), 0); err != nil {
		t.Skip("extended attributes of files, and CAP_SYS_ADMIN, are needed:", err)
	}
	if got := c.socket(7, 3); got != sshd {
		t.Errorf("attribute: %q", got)
	}
}

func TestSELinuxOptions(t *testing.T) {
	defer func(was func() bool) { selinuxEnabled = was }(selinuxEnabled)
	selinuxEnabled = func() bool { return false }
	for _, line := range []string{"-Z", "-z", "-tanz", "--context", "--contexts"} {
		if got, want := ours(t, "", line), (result{"", "ss: SELinux is not enabled.\n", 1}); got != want {
			t.Errorf("%s: %+v", line, got)
		}
	}
	selinuxEnabled = func() bool { return true }
	for line, want := range map[string][2]bool{
		"-t": {}, "-tZ": {true, false}, "-tz": {true, true}, "-tZz": {true, true}, "-t --contexts": {true, true}, "-t --context": {true, false},
	} {
		s, _, _ := newTestShow(t, line, noAnswer)
		if got := [2]bool{s.o.contexts, s.o.socketContexts}; got != want {
			t.Errorf("%s: %v, want %v", line, got, want)
		}
	}
}
