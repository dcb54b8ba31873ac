package guest

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/owner"
	"github.com/sockeye-tools/sockeye/internal/check"
	"github.com/sockeye-tools/sockeye/internal/release"
)

// The tests in this file say what the library makes use of in the running kernel, and check that it is so. They run on any kernel; the
// facts that they log make the table of guests.

func fact(t *testing.T, name, format string, args ...any) {
	t.Helper()
	t.Logf("fact: %s: %s", name, fmt.Sprintf(format, args...))
}

// since reports whether the kernel is of that version or a later one.
func since(major, minor int) bool { return release.Running() >= release.Of(major, minor) }

// inNetNS moves the test into a network namespace of its own, with the loopback device up.
func inNetNS(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root, for a network namespace of its own")
	}
	runtime.LockOSThread() // the thread ends with the test
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Skip("needs a network namespace of its own:", err)
	}
	if err := check.LoopbackUp(); err != nil {
		t.Fatal(err)
	}
}

// On a host with many sockets a dump is split where the kernel runs dumps in parallel, and all parts together have each socket once.
func TestDumpsInParallel(t *testing.T) {
	inNetNS(t)
	cookies := map[uint64]bool{}
	for range 250 {
		server, client := pair(t)
		cookies[server], cookies[client] = true, true
	}
	// The kernel is the real one; only how many sockets there are is made up.
	proc := t.TempDir()
	dir := filepath.Join(proc, "thread-self", "net")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"sockstat":  "sockets: used 1\nTCP: inuse 999990 orphan 0 tw 0 alloc 999990 mem 1\nUDP: inuse 0 mem 0\n",
		"sockstat6": "TCP6: inuse 10\nUDP6: inuse 0\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	c, err := diag.Dial(&diag.Config{Proc: proc})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	parallel := false
	for _, step := range c.Plan(t.Context(), diag.InetQuery{States: diag.AllStates &^ (1 << diag.Listen)}, 2) {
		t.Log(step.Why)
		ports := 0
		for _, q := range step.Queries {
			if len(q.Bytecode) > 0 {
				ports++
			}
			for s, err := range c.Inet(t.Context(), q) {
				if err != nil {
					t.Fatal(err)
				}
				if !cookies[s.Cookie] {
					t.Errorf("%v > %v: not of this test, or shown twice", s.Local, s.Remote)
				}
				delete(cookies, s.Cookie)
			}
		}
		parallel = parallel || ports > 1
	}
	if len(cookies) > 0 {
		t.Errorf("%d sockets are in no part", len(cookies))
	}
	if want := since(6, 9); parallel != want {
		t.Errorf("dumps in parallel: %v, want %v", parallel, want)
	}
	fact(t, "dumps", "%s", map[bool]string{true: "parallel", false: "one by one"}[parallel])
}

// pair is a loopback connection, which lasts as long as the test, by the cookies of its ends.
func pair(t *testing.T) (server, client uint64) {
	t.Helper()
	fds := [3]int{}
	for i := range 2 {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { unix.Close(fd) })
		fds[i] = fd
	}
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(unix.Bind(fds[0], &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	check(unix.Listen(fds[0], 1))
	at, err := unix.Getsockname(fds[0])
	check(err)
	check(unix.Connect(fds[1], at))
	fds[2], _, err = unix.Accept4(fds[0], unix.SOCK_CLOEXEC)
	check(err)
	t.Cleanup(func() { unix.Close(fds[2]) })
	for i, to := range []*uint64{2: &server, 1: &client} {
		if to != nil {
			*to, err = unix.GetsockoptUint64(fds[i], unix.SOL_SOCKET, unix.SO_COOKIE)
			check(err)
		}
	}
	return server, client
}

// Both ways to find owners find this process.
func TestOwnersFound(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	f, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, b := range []owner.Backend{owner.BPF, owner.Proc} {
		table, err := owner.Resolve(t.Context(), &owner.Config{Backend: b}, []uint32{uint32(st.Ino)})
		if b == owner.BPF && (errors.Is(err, errors.ErrUnsupported) || errors.Is(err, os.ErrPermission)) {
			if _, e := os.Stat("/sys/kernel/btf/vmlinux"); os.Geteuid() == 0 && since(5, 11) && e == nil {
				t.Errorf("%v, as root: %v", b, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%v: %v", b, err)
			continue
		}
		if got := table.Owners(nil, uint32(st.Ino)); len(got) != 2 || got[0].PID != int32(os.Getpid()) { // the listener's descriptor and the copy
			t.Errorf("%v: owners %v, want two descriptors of %d", b, got, os.Getpid())
		}
		found = append(found, b.String())
	}
	fact(t, "owners", "%s", strings.Join(found, ", "))
}

// Sockets that are only bound are shown where the kernel has the state for them.
func TestBoundInactive(t *testing.T) {
	inNetNS(t)
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	c, err := diag.Dial(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	n := 0
	for s, err := range c.Inet(t.Context(), diag.InetQuery{States: diag.StatesOf(diag.BoundInactive)}) {
		if err != nil {
			t.Fatal(err)
		}
		t.Log(s.Local, s.State)
		n++
	}
	if want := map[bool]int{true: 1}[since(6, 8)]; n != want {
		t.Errorf("%d sockets, want %d", n, want)
	}
	fact(t, "bound-inactive", "%s", map[bool]string{true: "yes", false: "no"}[n > 0])
}

// Which protocols and families the kernel has a handler for. For the others there may be a table in /proc/net, or nothing.
func TestHandlers(t *testing.T) {
	inNetNS(t)
	for _, s := range [][3]int{ // where there is a table, a socket tells where it was read
		{unix.AF_INET, unix.SOCK_STREAM, 0}, {unix.AF_INET, unix.SOCK_DGRAM, 0}, {unix.AF_INET, unix.SOCK_DGRAM, unix.IPPROTO_UDPLITE},
		{unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP}, {unix.AF_UNIX, unix.SOCK_DGRAM, 0}, {unix.AF_PACKET, unix.SOCK_RAW, 0},
	} {
		fd, err := unix.Socket(s[0], s[1]|unix.SOCK_CLOEXEC, s[2])
		if err != nil {
			continue // TestHandlers is about what is there
		}
		defer unix.Close(fd)
		switch {
		case s[1] == unix.SOCK_STREAM:
			err = unix.Listen(fd, 1)
		case s[0] == unix.AF_INET && s[1] == unix.SOCK_DGRAM:
			err = unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	c, err := diag.Dial(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx := t.Context()
	var have, lack []string
	report := func(name string, n int, source diag.Source, err error) {
		t.Helper()
		t.Logf("%s: %d sockets, source %v, error %v", name, n, source, err)
		switch {
		case err != nil && !errors.Is(err, errors.ErrUnsupported):
			t.Errorf("%s: %v", name, err)
		case err != nil || n > 0 && source == diag.FromProc:
			lack = append(lack, name)
		default:
			have = append(have, name)
		}
	}
	for _, p := range []diag.Protocol{diag.TCP, diag.UDP, diag.UDPLite, diag.Raw, diag.MPTCP, diag.SCTP, diag.DCCP} {
		n, source, err := collect(c.Inet(ctx, diag.InetQuery{Protocol: p}), func(s *diag.InetSocket) diag.Source { return s.Source })
		report(p.String(), n, source, err)
	}
	n, source, err := collect(c.Unix(ctx, diag.UnixQuery{}), func(s *diag.UnixSocket) diag.Source { return s.Source })
	report("unix", n, source, err)
	n, source, err = collect(c.Netlink(ctx, diag.NetlinkQuery{Protocol: diag.NetlinkAll}), func(s *diag.NetlinkSocket) diag.Source { return s.Source })
	report("netlink", n, source, err)
	n, source, err = collect(c.Packet(ctx, diag.PacketQuery{}), func(s *diag.PacketSocket) diag.Source { return s.Source })
	report("packet", n, source, err)
	n, source, err = collect(c.VSock(ctx, diag.VSockQuery{}), func(*diag.VSockSocket) diag.Source { return diag.FromNetlink })
	report("vsock", n, source, err)
	n, source, err = collect(c.XDP(ctx, diag.XDPQuery{}), func(*diag.XDPSocket) diag.Source { return diag.FromNetlink })
	report("xdp", n, source, err)
	n, source, err = collect(c.TIPC(ctx, diag.TIPCQuery{}), func(*diag.TIPCSocket) diag.Source { return diag.FromNetlink })
	report("tipc", n, source, err)
	fact(t, "handlers", "%s", strings.Join(have, " "))
	fact(t, "no handler", "%s", strings.Join(lack, " "))
}

func collect[S any](list func(func(*S, error) bool), from func(*S) diag.Source) (n int, source diag.Source, err error) {
	list(func(s *S, e error) bool {
		if err = e; e == nil {
			n++
			source = max(source, from(s))
		}
		return true
	})
	return n, source, err
}
