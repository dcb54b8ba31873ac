package main

import (
	"bytes"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// envInside makes the test binary the program that makes sockets in a network namespace, and counts them in all ways.
const envInside = "SOCKEYE_PEERS_TEST"

func TestMain(m *testing.M) {
	if os.Getenv(envInside) == "" {
		os.Exit(m.Run())
	}
	if err := inside(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

const connections = 20

// made is how many sockets inside makes: two listeners, and both ends of connections.
const made = 2 + 2*connections

func inside() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo); err != nil {
		return err
	}
	six, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		return err
	}
	defer six.Close()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer l.Close()
	for range connections {
		c, err := net.Dial("tcp4", l.Addr().String())
		if err != nil {
			return err
		}
		defer c.Close()
		a, err := l.Accept()
		if err != nil {
			return err
		}
		defer a.Close()
	}
	for _, name := range slices.Sorted(maps.Keys(peers)) {
		var b bytes.Buffer
		if err := run([]string{name}, &b); err != nil {
			return err
		}
		fmt.Printf("%s %s", name, b.String())
	}
	return nil
}

func TestCounts(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs CAP_SYS_ADMIN to make a network namespace")
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), envInside+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) != len(peers) {
		t.Errorf("%d answers of %d peers: %s", len(lines), len(peers), out)
	}
	for _, line := range lines {
		if !strings.HasSuffix(line, fmt.Sprintf(" %d", made)) {
			t.Errorf("%s, but there are %d", line, made)
		}
	}
}

func TestUsage(t *testing.T) {
	var b bytes.Buffer
	for _, args := range [][]string{nil, {"a", "b"}, {"nope"}} {
		if err := run(args, &b); err == nil || b.Len() > 0 || !strings.Contains(err.Error(), "vishvananda") {
			t.Errorf("%q: %v, output %q", args, err, b.String())
		}
	}
}
