package diag_test

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/diagtest"
	"github.com/sockeye-tools/sockeye/internal/leak"
)

func TestDialErrors(t *testing.T) {
	for _, tt := range []struct {
		name  string
		cfg   diag.Config
		class string
		text  string
	}{
		{"no such namespace", diag.Config{NetNS: "/run/netns/no-such-namespace"}, "not-exist", "open network namespace: "},
		{"closed descriptor", diag.Config{NetNSFD: 1 << 20}, "", "open network namespace: bad file descriptor"},
		{"not permitted", diag.Config{Socket: func() (*netlink.Conn, error) { return nil, os.NewSyscallError("socket", unix.EPERM) }},
			"permission", "open sock_diag socket: operation not permitted"},
		{"too many files", diag.Config{Socket: func() (*netlink.Conn, error) { return nil, unix.EMFILE }}, "", "too many open files"},
	} {
		c, err := diag.Dial(&tt.cfg)
		if c != nil || err == nil || classOf(err) != tt.class || !strings.Contains(err.Error(), tt.text) {
			t.Errorf("%s: %v, %v (%s), want %s, %q", tt.name, c, err, classOf(err), tt.class, tt.text)
		}
	}
}

func TestDialNotANamespace(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: setns(2) is tried")
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if c, err := diag.Dial(&diag.Config{NetNS: file}); c != nil || !errors.Is(err, syscall.EINVAL) || !strings.HasPrefix(err.Error(), "enter network namespace: ") {
		t.Errorf("%v, %v, want EINVAL of entering it", c, err)
	}
}

// A kernel that refuses a filter says so with an errno, also where it is longer than what the kernel's messages are read into. Linux 4.3.
func TestRealLongFilterIsRefused(t *testing.T) {
	newNetNS(t)
	c := dial(t, nil)
	code := bytes.Repeat([]byte{0xee}, 40_000)
	for _, q := range []diag.InetQuery{{Bytecode: code}, {Bytecode: code, AnyOrder: true}} {
		if _, err := all(t.Context(), c, q); !errors.Is(err, syscall.EINVAL) {
			t.Errorf("any order %v: %v, want EINVAL", q.AnyOrder, err)
		}
	}
}

func TestClosed(t *testing.T) {
	k := diagtest.NewKernel(t, func(r diagtest.Request) []diagtest.Datagram {
		return []diagtest.Datagram{socks(nil, r, 0, 2), diagtest.Datagram{}.Done(r)}
	})
	c := dial(t, k.Config())
	n := 0
	for _, err := range c.Inet(t.Context(), diag.InetQuery{Family: diag.IPv4}) { // what runs comes to its end
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 1 {
			c.Close()
		}
	}
	if n != 2 {
		t.Errorf("%d sockets, want 2", n)
	}
	for range 2 {
		if socks, err := all(t.Context(), c, diag.InetQuery{}); socks != nil || classOf(err) != "closed" {
			t.Errorf("dump on a closed Conn: %d sockets, %v", len(socks), err)
		}
		if _, err := c.LookupInet(t.Context(), diag.InetKey{Local: loopback(1), Remote: loopback(2)}); classOf(err) != "closed" {
			t.Errorf("lookup on a closed Conn: %v", err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	if n := len(k.Requests()); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
}

func TestCloseWhileDumping(t *testing.T) {
	k := diagtest.NewKernel(t, func(r diagtest.Request) []diagtest.Datagram {
		return []diagtest.Datagram{socks(nil, r, 0, 2), diagtest.Datagram{}.Done(r)}
	})
	for range 50 {
		c := dial(t, k.Config())
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if socks, err := all(t.Context(), c, diag.InetQuery{Family: diag.IPv4}); len(socks) != 2 && !errors.Is(err, os.ErrClosed) {
					t.Errorf("%d sockets, %v", len(socks), err)
				}
			})
		}
		wg.Go(func() { c.Close() })
		wg.Wait()
	}
}

// Dumps that end, that are broken off and that fail leave no file open but the Conn's own.
func TestNoDescriptorsAreLeft(t *testing.T) {
	k := diagtest.NewKernel(t, func(r diagtest.Request) []diagtest.Datagram {
		if r.States() == 2 {
			return []diagtest.Datagram{socks(nil, r, 0, 2).Error(r, unix.EPERM)}
		}
		return []diagtest.Datagram{socks(nil, r, 0, 2), diagtest.Datagram{}.Done(r)}
	})
	left := leak.Left(func() {
		c := dial(t, k.Config())
		defer c.Close()
		for range 20 {
			all(t.Context(), c, diag.InetQuery{})
			all(t.Context(), c, diag.InetQuery{States: 2})
			for range c.Inet(t.Context(), diag.InetQuery{}) {
				break
			}
			c.LookupInet(t.Context(), diag.InetKey{Local: loopback(1), Remote: loopback(2)})
		}
	})
	if len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}

// Where there is no sock_diag at all, what /proc has is read.
func TestNoSockDiag(t *testing.T) {
	for _, errno := range []syscall.Errno{unix.EPROTONOSUPPORT, unix.EAFNOSUPPORT} {
		c := dial(t, &diag.Config{Socket: func() (*netlink.Conn, error) { return nil, os.NewSyscallError("socket", errno) }})
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		port := uint16(l.Addr().(*net.TCPAddr).Port)
		found := 0
		for _, s := range mustAll(t, c, diag.InetQuery{States: diag.StatesOf(diag.Listen)}) {
			if s.Source != diag.FromProc || s.State != diag.Listen {
				t.Errorf("%v %v %v", s.Source, s.State, s.Local)
			}
			if s.Local == loopback(port) && s.Family == diag.IPv4 {
				found++
			}
		}
		if found != 1 {
			t.Errorf("the listener is there %d times", found)
		}
		if _, err := all(t.Context(), c, diag.InetQuery{Protocol: diag.SCTP}); classOf(err) != "unsupported" || !errors.Is(err, errno) {
			t.Errorf("%v", err)
		}
		if _, err := c.LookupInet(t.Context(), diag.InetKey{Local: loopback(1), Remote: loopback(2)}); classOf(err) != "unsupported" {
			t.Errorf("%v", err)
		}
	}
}

// The socket that a dump has come to the end of is used by the next.
func TestSocketIsUsedAgain(t *testing.T) {
	dials := 0
	k := diagtest.NewKernel(t, func(r diagtest.Request) []diagtest.Datagram {
		return []diagtest.Datagram{socks(nil, r, 0, 2).Done(r)}
	})
	cfg := k.Config()
	open := cfg.Socket
	cfg.Socket = func() (*netlink.Conn, error) {
		dials++
		return open()
	}
	c := dial(t, cfg)
	for range 5 {
		mustAll(t, c, diag.InetQuery{})
	}
	seqs := map[string]bool{}
	for _, r := range k.Requests() {
		seqs[fmt.Sprint(r.Seq)] = true
	}
	if dials != 1 || len(seqs) != 10 {
		t.Errorf("%d sockets, %d sequence numbers, want 1 and 10", dials, len(seqs))
	}
}

// Only the kernel is believed: what another process sends to the socket is passed over.
func TestForgedMessages(t *testing.T) {
	newNetNS(t)
	s := newSock(t, unix.AF_INET, unix.SOCK_DGRAM, 0).bind("127.0.0.1:0")
	var port uint32
	c := dial(t, &diag.Config{Socket: func() (*netlink.Conn, error) {
		nl, err := netlink.Dial(unix.NETLINK_SOCK_DIAG, nil)
		if err != nil {
			return nil, err
		}
		raw, err := nl.SyscallConn()
		if err != nil {
			return nil, err
		}
		return nl, raw.Control(func(fd uintptr) {
			if sa, err := unix.Getsockname(int(fd)); err == nil {
				port = sa.(*unix.SockaddrNetlink).Pid
			}
		})
	}})
	forger := newSock(t, unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_SOCK_DIAG)
	for _, forged := range []string{"short", strings.Repeat("x", 100)} {
		if err := unix.Sendto(forger.fd, []byte(forged), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Pid: port}); err != nil {
			t.Fatal(err)
		}
	}
	if got := mustAll(t, c, diag.InetQuery{Protocol: diag.UDP}); len(got) != 1 || got[0].Cookie != s.cookie() {
		t.Errorf("%s\nwant the socket", text(got))
	}
}
