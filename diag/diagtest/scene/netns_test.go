package scene

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func readSysctl(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("/proc/sys", path))
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("scene: kernel has no sysctl", path)
	}
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(b))
}

func TestNetNSHash(t *testing.T) {
	ns := NewNetNS(t)
	host := readSysctl(t, "net/ipv4/tcp_child_ehash_entries")
	var got []byte
	var err error
	if e := ns.Do(func() { got, err = os.ReadFile("/proc/sys/net/ipv4/tcp_ehash_entries") }); e != nil || err != nil {
		t.Fatal(e, err)
	}
	// A shared hash would be told by a negative number.
	if n := strings.TrimSpace(string(got)); n != strconv.Itoa(ehashEntries) {
		t.Errorf("tcp_ehash_entries = %s, want %d", n, ehashEntries)
	}
	if after := readSysctl(t, "net/ipv4/tcp_child_ehash_entries"); after != host {
		t.Errorf("the host's tcp_child_ehash_entries is %s, was %s", after, host)
	}
}

func TestNetNSDo(t *testing.T) {
	ns := NewNetNS(t)
	var l net.Listener
	var inside uint64
	var err, statErr error
	if e := ns.Do(func() {
		var st unix.Stat_t
		statErr = unix.Stat("/proc/thread-self/ns/net", &st)
		inside = st.Ino
		l, err = net.Listen("tcp", "127.0.0.1:22")
	}); e != nil {
		t.Fatal(e)
	}
	if err := errors.Join(err, statErr); err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var host unix.Stat_t
	if err := unix.Stat("/proc/self/ns/net", &host); err != nil {
		t.Fatal(err)
	}
	ino, err := ns.Inode()
	if err != nil {
		t.Fatal(err)
	}
	if inside != ino || host.Ino == ino {
		t.Errorf("namespace inode: %d inside, %d by FD, %d of the host", inside, ino, host.Ino)
	}
	var byPath unix.Stat_t
	if err := unix.Stat(ns.Path(), &byPath); err != nil || byPath.Ino != ino {
		t.Errorf("namespace inode by path: %d, %v; want %d", byPath.Ino, err, ino)
	}
}

func TestNetNSDoExit(t *testing.T) {
	ns := NewNetNS(t)
	if err := ns.Do(runtime.Goexit); !errors.Is(err, errExited) {
		t.Errorf("Do(Goexit) = %v, want %v", err, errExited)
	}
}

func TestNetNSRun(t *testing.T) {
	ns := NewNetNS(t)
	var out bytes.Buffer
	cmd := exec.Command("/bin/readlink", "/proc/self/ns/net")
	cmd.Stdout = &out
	if err := ns.Run(cmd); err != nil {
		t.Fatal(err)
	}
	ino, err := ns.Inode()
	if err != nil {
		t.Fatal(err)
	}
	if want := "net:[" + strconv.FormatUint(ino, 10) + "]\n"; out.String() != want {
		t.Errorf("namespace of a command: %q, want %q", out.String(), want)
	}
	var exit *exec.ExitError
	if err := ns.Run(exec.Command("/bin/sh", "-c", "exit 7")); !errors.As(err, &exit) || exit.ExitCode() != 7 {
		t.Errorf("exit 7 gives %v", err)
	}
}

func TestNetNSCloseKills(t *testing.T) {
	ns := NewNetNS(t)
	cmd := exec.Command("/bin/sleep", "600")
	if err := ns.Start(cmd); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	if err := ns.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-done:
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
			t.Errorf("command ended with %v, want SIGKILL", err)
		}
	case <-time.After(patience):
		t.Error("command outlives its namespace")
		cmd.Process.Kill()
	}
}

func TestNetNSMount(t *testing.T) {
	ns := NewNetNS(t)
	// A name that a dead process left: its pid cannot exist.
	if err := os.MkdirAll(netnsDir, 0o755); err != nil {
		t.Fatal(err)
	}
	stale := filepath.Join(netnsDir, fmt.Sprintf("%s1073741824-%d", mountPrefix, os.Getpid()))
	if err := os.WriteFile(stale, nil, 0o444); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(stale)
	name, err := ns.Mount()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := ns.Mount(); again != name || err != nil {
		t.Errorf("second Mount: %q, %v; want %q", again, err, name)
	}
	if _, err := os.Stat(stale); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("stale name: %v", err)
	}
	path := filepath.Join(netnsDir, name)
	ino, err := ns.Inode()
	if err != nil {
		t.Fatal(err)
	}
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil || st.Ino != ino {
		t.Errorf("%s is inode %d, %v; want %d", path, st.Ino, err, ino)
	}
	if err := ns.Close(); err != nil {
		t.Fatal(err)
	}
	names, err := os.ReadDir(netnsDir)
	if err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(names, func(e os.DirEntry) bool { return e.Name() == name }) {
		t.Errorf("%s outlives its namespace", path)
	}
}
