package diag_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/internal/check"
)

// What the tests against the real kernel share: network namespaces, and sockets in them.

// newNetNS moves the test into a network namespace of its own, with the loopback device up and a small table of connections, and
// returns it. The thread belongs to the test from then on and ends with it. Subtests and other goroutines are not in it.
func newNetNS(t testing.TB) *os.File {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: CAP_SYS_ADMIN for a network namespace")
	}
	runtime.LockOSThread()
	for _, table := range []bool{true, false} {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			t.Skipf("needs CAP_SYS_ADMIN for a network namespace: %v", err)
		}
		if table { // counts for the namespaces that are made from this one; Linux 6.1
			os.WriteFile("/proc/sys/net/ipv4/tcp_child_ehash_entries", []byte("4096"), 0)
		}
	}
	if err := check.LoopbackUp(); err != nil {
		t.Fatal(err)
	}
	ns, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ns.Close() })
	return ns
}

// setSysctl writes a setting of the test's own network namespace.
func setSysctl(t testing.TB, name, value string) {
	t.Helper()
	if err := os.WriteFile("/proc/sys/net/"+name, []byte(value), 0); err != nil {
		t.Fatal(err)
	}
}

// sock is a socket that a test holds.
type sock struct {
	t  testing.TB
	fd int
}

// newSock opens a socket in the namespace of the calling thread.
func newSock(t testing.TB, family, typ, proto int) *sock {
	t.Helper()
	fd, err := unix.Socket(family, typ|unix.SOCK_CLOEXEC, proto)
	if err != nil {
		t.Fatalf("socket(%d, %d, %d): %v", family, typ, proto, err)
	}
	s := &sock{t, fd}
	t.Cleanup(s.close)
	return s
}

func (s *sock) close() {
	if s.fd >= 0 {
		unix.Close(s.fd)
		s.fd = -1
	}
}

func (s *sock) check(what string, err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatalf("%s: %v", what, err)
	}
}

func (s *sock) set(level, opt, v int) *sock {
	s.t.Helper()
	s.check(fmt.Sprintf("setsockopt(%d, %d)", level, opt), unix.SetsockoptInt(s.fd, level, opt, v))
	return s
}

func (s *sock) get(level, opt int) int {
	s.t.Helper()
	v, err := unix.GetsockoptInt(s.fd, level, opt)
	s.check("getsockopt", err)
	return v
}

// asked returns what an ioctl tells.
func (s *sock) asked(request uint) uint32 {
	s.t.Helper()
	n, err := unix.IoctlGetInt(s.fd, request)
	s.check("ioctl", err)
	return uint32(n)
}

func (s *sock) bind(addr string) *sock {
	s.t.Helper()
	s.check("bind "+addr, unix.Bind(s.fd, sockaddr(addr)))
	return s
}

func (s *sock) listen(backlog int) *sock {
	s.t.Helper()
	s.check("listen", unix.Listen(s.fd, backlog))
	return s
}

func (s *sock) connect(to netip.AddrPort) *sock {
	s.t.Helper()
	s.check("connect "+to.String(), unix.Connect(s.fd, sockaddr(to.String())))
	return s
}

func (s *sock) accept() *sock {
	s.t.Helper()
	fd, _, err := unix.Accept4(s.fd, unix.SOCK_CLOEXEC)
	s.check("accept", err)
	c := &sock{s.t, fd}
	s.t.Cleanup(c.close)
	return c
}

// awaitQueue waits until n connections wait to be accepted: connect(2) returns before the listener has the last segment of the handshake.
func (s *sock) awaitQueue(n uint32) {
	s.t.Helper()
	eventually(s.t, fmt.Sprintf("connections to be accepted: %d", n), func() bool {
		info, err := unix.GetsockoptTCPInfo(s.fd, unix.IPPROTO_TCP, unix.TCP_INFO)
		s.check("TCP_INFO", err)
		return info.Unacked == n // of a listener: sk_ack_backlog
	})
}

func (s *sock) write(n int) {
	s.t.Helper()
	m, err := unix.Write(s.fd, make([]byte, n))
	s.check("write", err)
	if m != n {
		s.t.Fatalf("wrote %d bytes of %d", m, n)
	}
}

func (s *sock) local() netip.AddrPort {
	s.t.Helper()
	sa, err := unix.Getsockname(s.fd)
	s.check("getsockname", err)
	return addrPort(sa)
}

func (s *sock) remote() netip.AddrPort {
	s.t.Helper()
	sa, err := unix.Getpeername(s.fd)
	s.check("getpeername", err)
	return addrPort(sa)
}

func (s *sock) cookie() uint64 {
	s.t.Helper()
	v, err := unix.GetsockoptUint64(s.fd, unix.SOL_SOCKET, unix.SO_COOKIE)
	s.check("SO_COOKIE", err)
	return v
}

func (s *sock) inode() uint32 {
	s.t.Helper()
	var st unix.Stat_t
	s.check("fstat", unix.Fstat(s.fd, &st))
	return uint32(st.Ino)
}

func sockaddr(addr string) unix.Sockaddr {
	a := netip.MustParseAddrPort(addr)
	if a.Addr().Is4() {
		return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}
	}
	return &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
}

func addrPort(sa unix.Sockaddr) netip.AddrPort {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(sa.Addr), uint16(sa.Port))
	}
	return netip.AddrPort{}
}

// pair is a TCP connection and its listener.
type pair struct{ listener, client, server *sock }

// newPair connects over the loopback device: listener on addr with port 0, client from any port.
func newPair(t testing.TB, family int, addr string) pair {
	t.Helper()
	l := newSock(t, family, unix.SOCK_STREAM, 0).bind(addr).listen(16)
	c := newSock(t, family, unix.SOCK_STREAM, 0).connect(l.local())
	return pair{l, c, l.accept()}
}

// dial opens a Conn that is closed when the test ends.
func dial(t testing.TB, cfg *diag.Config) *diag.Conn {
	t.Helper()
	c, err := diag.Dial(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// all collects copies of the sockets, and the error that ended them.
func all(ctx context.Context, c *diag.Conn, q diag.InetQuery) (socks []*diag.InetSocket, err error) {
	for s, e := range c.Inet(ctx, q) {
		if e != nil {
			return socks, e
		}
		socks = append(socks, s.Clone())
	}
	return socks, nil
}

// mustAll is all, without an error.
func mustAll(t testing.TB, c *diag.Conn, q diag.InetQuery) []*diag.InetSocket {
	t.Helper()
	socks, err := all(t.Context(), c, q)
	if err != nil {
		t.Fatal(err)
	}
	return socks
}

// find returns the socket with the cookie of s, and fails the test where it is not there once.
func find(t testing.TB, socks []*diag.InetSocket, s *sock) *diag.InetSocket {
	t.Helper()
	var found *diag.InetSocket
	for _, d := range socks {
		if d.Cookie == s.cookie() {
			if found != nil {
				t.Fatalf("cookie %#x twice", d.Cookie)
			}
			found = d
		}
	}
	if found == nil {
		t.Fatalf("socket %v (cookie %#x) is not among %s", s.local(), s.cookie(), text(socks))
	}
	return found
}

func text(socks []*diag.InetSocket) string {
	var b strings.Builder
	for _, s := range socks {
		fmt.Fprintf(&b, "\n\t%v %v %v > %v cookie %#x", s.Protocol, s.State, s.Local, s.Remote, s.Cookie)
	}
	return b.String()
}

// eventually polls what the kernel needs a moment for.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(2 * time.Millisecond) {
		if ok() {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("waited a minute: %s", what)
		}
	}
}

// withoutGC counts allocations while no garbage collection empties the pools of what is to be used again.
func withoutGC(t testing.TB) {
	percent := debug.SetGCPercent(-1)
	t.Cleanup(func() { debug.SetGCPercent(percent) })
}

// needs skips the test where the kernel lacks a feature.
func needs(t testing.TB, feature string, err error) {
	t.Helper()
	for _, e := range []error{unix.ENOPROTOOPT, unix.EPROTONOSUPPORT, unix.EAFNOSUPPORT, unix.EOPNOTSUPP, unix.ENOENT} {
		if errors.Is(err, e) {
			t.Skipf("needs %s: %v", feature, err)
		}
	}
	if err != nil {
		t.Fatalf("%s: %v", feature, err)
	}
}
