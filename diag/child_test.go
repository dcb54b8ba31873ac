package diag_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/internal/leak"
)

// What the test program does as a child of itself, as another user or in another cgroup.
const childEnv = "DIAG_TEST_CHILD"

const nobody = 65534

func TestMain(m *testing.M) {
	if what := os.Getenv(childEnv); what != "" {
		if err := child(what); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(leak.Wrap(m).Run())
}

func child(what string) error {
	switch what {
	case "listen": // and hold the socket until the parent has looked
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
		if err != nil {
			return err
		}
		if err := unix.Bind(fd, sockaddr("127.0.0.1:0")); err != nil {
			return err
		}
		if err := unix.Listen(fd, 1); err != nil {
			return err
		}
		cookie, err := unix.GetsockoptUint64(fd, unix.SOL_SOCKET, unix.SO_COOKIE)
		if err != nil {
			return err
		}
		fmt.Println(cookie)
		io.Copy(io.Discard, os.Stdin)
	case "dump":
		c, err := diag.Dial(nil)
		if err != nil {
			return err
		}
		defer c.Close()
		for _, p := range []diag.Protocol{diag.TCP, diag.UDP, diag.Raw} {
			for s, err := range c.Inet(context.Background(), diag.InetQuery{Protocol: p, Ext: 0xff}) {
				if err != nil {
					return err
				}
				var ulp diag.ULP
				var info diag.TCPInfo
				_, mark := s.Mark()
				keys := 0
				for range s.MD5Sigs() {
					keys++
				}
				s.ULP(&ulp)
				fmt.Println(p, s.Inode, s.UID, s.TCPInfo(&info), mark, keys, ulp.MPTCP.HasMapSeq())
			}
		}
	}
	return nil
}

// start runs the test program as a child, in the namespace of the calling thread.
func start(t *testing.T, what string, attr *syscall.SysProcAttr) *bufio.Scanner {
	t.Helper()
	cmd := exec.Command("/proc/self/exe") // its path may be closed to other users
	cmd.Env = append(os.Environ(), childEnv+"="+what)
	cmd.Dir = "/"
	cmd.SysProcAttr = attr
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("child: %v", err)
		}
	})
	return bufio.NewScanner(out)
}

// listening starts a child that listens and returns its socket as the kernel reports it.
func listening(t *testing.T, c *diag.Conn, attr *syscall.SysProcAttr) *diag.InetSocket {
	t.Helper()
	out := start(t, "listen", attr)
	var cookie uint64
	if !out.Scan() {
		t.Fatal("the child says nothing")
	}
	if _, err := fmt.Sscan(out.Text(), &cookie); err != nil {
		t.Fatalf("%q: %v", out.Text(), err)
	}
	for _, d := range mustAll(t, c, diag.InetQuery{States: diag.StatesOf(diag.Listen)}) {
		if d.Cookie == cookie {
			return d
		}
	}
	t.Fatal("the child's socket is not there")
	return nil
}

func TestRealUID(t *testing.T) {
	newNetNS(t)
	c := dial(t, nil)
	attr := &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	if d := listening(t, c, attr); d.UID != nobody || d.Inode == 0 {
		t.Errorf("uid %d, inode %d, want %d", d.UID, d.Inode, nobody)
	}
	if d := listening(t, c, nil); d.UID != 0 {
		t.Errorf("uid %d, want 0", d.UID)
	}
}

func TestRealCgroupID(t *testing.T) {
	newNetNS(t)
	c := dial(t, nil)
	root := cgroup2(t)
	dir, err := os.MkdirTemp(root, "diag-test-")
	if err != nil {
		t.Skipf("needs a cgroup2 tree that can be written: %v", err)
	}
	t.Cleanup(func() { // when the child is gone
		eventually(t, "the cgroup is removed", func() bool { return os.Remove(dir) == nil })
	})
	f, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d := listening(t, c, &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(f.Fd())})
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		t.Fatal(err)
	}
	if id, ok := d.CgroupID(); !ok || id != st.Ino {
		t.Errorf("cgroup id %d, %v, want %d, the inode of %s", id, ok, st.Ino, filepath.Base(dir))
	}
}

// cgroup2 returns where the unified hierarchy is mounted.
func cgroup2(t *testing.T) string {
	t.Helper()
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Skipf("needs /proc: %v", err)
	}
	for line := range strings.Lines(string(mounts)) {
		if f := strings.Fields(line); len(f) > 2 && f[2] == "cgroup2" {
			return f[1]
		}
	}
	t.Skip("needs a cgroup2 mount")
	return ""
}

// Any user may ask; some of the answers are for CAP_NET_ADMIN alone.
func TestRealUnprivileged(t *testing.T) {
	newNetNS(t)
	p := newPair(t, unix.AF_INET, "127.0.0.1:0")
	p.client.set(unix.SOL_SOCKET, unix.SO_MARK, 7)
	u := newSock(t, unix.AF_INET, unix.SOCK_DGRAM, 0).bind("127.0.0.1:0")
	raw := newSock(t, unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP)
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, unix.IPPROTO_MPTCP)
	mptcp := err == nil
	if mptcp {
		l := (&sock{t, fd}).bind("127.0.0.1:0").listen(1)
		t.Cleanup(l.close)
		newSock(t, unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_MPTCP).connect(l.local())
	}
	dump := func(attr *syscall.SysProcAttr) (inodes map[string]bool, all string) {
		out := start(t, "dump", attr)
		inodes = map[string]bool{}
		for out.Scan() {
			f := strings.Fields(out.Text())
			inodes[f[0]+" "+f[1]] = true
			all += out.Text() + "\n"
		}
		return inodes, all
	}
	asRoot, privileged := dump(nil)
	asNobody, plain := dump(&syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}})
	for _, want := range []string{
		fmt.Sprint("tcp ", p.listener.inode()), fmt.Sprint("tcp ", p.client.inode()), fmt.Sprint("tcp ", p.server.inode()),
		fmt.Sprint("udp ", u.inode()), fmt.Sprint("raw ", raw.inode()),
	} {
		if !asNobody[want] || !asRoot[want] {
			t.Errorf("%s: seen by nobody %v, by root %v\n%s", want, asNobody[want], asRoot[want], plain)
		}
	}
	if len(asNobody) != len(asRoot) {
		t.Errorf("nobody sees %d sockets, root %d", len(asNobody), len(asRoot))
	}
	client := func(mark bool) string { return fmt.Sprintf("tcp %d 0 true %v 0 false\n", p.client.inode(), mark) }
	if !strings.Contains(privileged, client(true)) || !strings.Contains(plain, client(false)) {
		t.Errorf("root sees\n%s\nnobody sees\n%s", privileged, plain)
	}
	if seq := " true\n"; strings.Contains(plain, seq) || mptcp && !strings.Contains(privileged, seq) {
		t.Errorf("sequence numbers of MPTCP are for root: root sees\n%s\nnobody sees\n%s", privileged, plain)
	}
}
