package diag_test

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"net/netip"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/diagtest"
)

func TestDestroyRequest(t *testing.T) {
	k := diagtest.NewKernel(t, func(r diagtest.Request) []diagtest.Datagram {
		return []diagtest.Datagram{diagtest.Datagram{}.Error(r, 0)}
	})
	c := dial(t, k.Config())
	raw := func(p byte) *diag.InetSocket {
		b := append(payload(diag.IPv4, 7), native(uint16(5), uint16(10), p, [3]byte{})...) // INET_DIAG_PROTOCOL
		s, err := diag.ParseInet(b, diag.Raw)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for _, tt := range []struct {
		socket   *diag.InetSocket
		protocol diag.Protocol
		raw      byte
	}{
		{&diag.InetSocket{Family: diag.IPv4, Protocol: diag.TCP, Local: loopback(80), Remote: loopback(81), Interface: 3, Cookie: 1<<40 + 5}, diag.TCP, 0},
		{&diag.InetSocket{Family: diag.IPv6, Protocol: diag.UDP, Local: netip.MustParseAddrPort("[::1]:53"), Remote: netip.MustParseAddrPort("[::ffff:1.2.3.4]:9")}, diag.UDP, 0},
		{&diag.InetSocket{Family: diag.IPv4, Protocol: diag.MPTCP, Local: loopback(80), Remote: loopback(81)}, diag.MPTCP, 0},
		{raw(unix.IPPROTO_ICMP), diag.Raw, unix.IPPROTO_ICMP},
	} {
		s := tt.socket
		if err := c.Destroy(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		rs := k.Requests()
		r := rs[len(rs)-1]
		id := make([]byte, 48)
		binary.BigEndian.PutUint16(id, s.Local.Port())
		binary.BigEndian.PutUint16(id[2:], s.Remote.Port())
		copy(id[4:], s.Local.Addr().AsSlice())
		copy(id[20:], s.Remote.Addr().AsSlice())
		binary.NativeEndian.PutUint32(id[36:], s.Interface)
		binary.NativeEndian.PutUint32(id[40:], uint32(s.Cookie))
		binary.NativeEndian.PutUint32(id[44:], uint32(s.Cookie>>32))
		if r.Type != 21 || r.Flags != unix.NLM_F_REQUEST|unix.NLM_F_ACK || r.Family() != s.Family || r.Protocol() != tt.protocol ||
			r.Data[3] != tt.raw || !slices.Equal(r.Data[8:56], id) {
			t.Errorf("%+v: request %+v\nwant id %v", s, r, id)
		}
	}
}

func TestDestroyFaults(t *testing.T) {
	s := &diag.InetSocket{Family: diag.IPv4, Protocol: diag.TCP, Local: loopback(80), Remote: loopback(81)}
	var errno atomic.Uintptr
	k := diagtest.NewKernel(t, func(r diagtest.Request) []diagtest.Datagram {
		if r.Type == 20 { // what tells a protocol that the kernel lacks from a socket that is not there
			return []diagtest.Datagram{diagtest.Datagram{}.Done(r)}
		}
		other := r
		other.Seq++
		return []diagtest.Datagram{diagtest.Datagram{}.Error(other, unix.EIO), diagtest.Datagram{}.Error(r, syscall.Errno(errno.Load()))}
	})
	c := dial(t, k.Config())
	for e, is := range map[syscall.Errno]error{
		unix.EPERM: fs.ErrPermission, unix.ENOENT: fs.ErrNotExist, unix.ESTALE: fs.ErrNotExist, unix.EOPNOTSUPP: errors.ErrUnsupported,
		unix.EINVAL: unix.EINVAL,
	} {
		errno.Store(uintptr(e))
		for range 2 { // an error does not spoil the next
			if err := c.Destroy(t.Context(), s); !errors.Is(err, is) {
				t.Errorf("%v: %v, want %v", e, err, is)
			}
		}
	}
	before := len(k.Requests())
	odd := *s
	odd.Family = diag.Unspec
	if err := c.Destroy(t.Context(), &odd); !errors.Is(err, errors.ErrUnsupported) || len(k.Requests()) != before {
		t.Errorf("no family: %v", err)
	}
	s.Source = diag.FromProc
	if err := c.Destroy(t.Context(), s); !errors.Is(err, errors.ErrUnsupported) || len(k.Requests()) != before {
		t.Errorf("row of /proc: %v", err)
	}
	c.Close()
	s.Source = diag.FromNetlink
	if err := c.Destroy(t.Context(), s); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}

// canDestroy skips the test where the kernel was built without INET_DIAG_DESTROY.
func canDestroy(t *testing.T, c *diag.Conn, s *diag.InetSocket) {
	t.Helper()
	if err := c.Destroy(t.Context(), s); errors.Is(err, errors.ErrUnsupported) {
		t.Skip("needs INET_DIAG_DESTROY:", err)
	} else if err != nil {
		t.Fatal(err)
	}
}

// A protocol that the kernel has no handler for is not a socket that is gone.
func TestDestroyOddProtocols(t *testing.T) {
	newNetNS(t)
	c := dial(t, nil)
	for _, p := range []diag.Protocol{0, 77, 254, 300} {
		for _, local := range []string{"127.0.0.1:80", "[::1]:80"} {
			s := &diag.InetSocket{Family: diag.IPv4, Protocol: p, Local: netip.MustParseAddrPort(local), Cookie: 5}
			if s.Local.Addr().Is6() {
				s.Family = diag.IPv6
			}
			s.Remote = netip.AddrPortFrom(s.Local.Addr(), 81)
			if err := c.Destroy(t.Context(), s); !errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%v %v: %v", p, local, err)
			}
		}
	}
}

// What a socket's owner sees is what tells that it was closed.
func TestDestroyRealSockets(t *testing.T) {
	newNetNS(t)
	c := dial(t, nil)
	for _, over := range []struct {
		family int
		addr   string
	}{{unix.AF_INET, "127.0.0.1:0"}, {unix.AF_INET6, "[::1]:0"}} {
		p := newPair(t, over.family, over.addr)
		bystander := newSock(t, over.family, unix.SOCK_STREAM, 0).connect(p.listener.local())
		p.listener.accept()
		socks := mustAll(t, c, diag.InetQuery{})

		canDestroy(t, c, find(t, socks, p.client))
		buf := make([]byte, 1)
		if _, err := unix.Read(p.client.fd, buf); err != unix.ECONNABORTED {
			t.Errorf("%s: the client reads %v, want ECONNABORTED", over.addr, err)
		}
		if _, err := unix.Read(p.server.fd, buf); err != unix.ECONNRESET {
			t.Errorf("%s: the server reads %v, want ECONNRESET", over.addr, err)
		}
		if err := c.Destroy(t.Context(), find(t, socks, p.client)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: again: %v", over.addr, err)
		}
		// A cookie that is not that of the socket: another socket in its place must not be closed.
		wrong := find(t, socks, bystander)
		wrong.Cookie++
		if err := c.Destroy(t.Context(), wrong); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: wrong cookie: %v", over.addr, err)
		}
		if n, err := unix.Write(bystander.fd, buf); n != 1 {
			t.Errorf("%s: the bystander writes %v", over.addr, err)
		}
		if err := c.Destroy(t.Context(), find(t, socks, p.listener)); err != nil {
			t.Errorf("%s: listener: %v", over.addr, err)
		}
		if err := unix.Connect(newSock(t, over.family, unix.SOCK_STREAM, 0).fd, sockaddr(p.listener.local().String())); err != unix.ECONNREFUSED {
			t.Errorf("%s: connecting to the closed listener: %v", over.addr, err)
		}

		u := newSock(t, over.family, unix.SOCK_DGRAM, 0).bind(over.addr)
		v := newSock(t, over.family, unix.SOCK_DGRAM, 0).connect(u.local())
		udp := mustAll(t, c, diag.InetQuery{Protocol: diag.UDP})
		for _, s := range []*sock{u, v} {
			if err := c.Destroy(t.Context(), find(t, udp, s)); err != nil {
				t.Errorf("%s: udp: %v", over.addr, err)
			}
			if e := s.get(unix.SOL_SOCKET, unix.SO_ERROR); syscall.Errno(e) != unix.ECONNABORTED {
				t.Errorf("%s: udp: SO_ERROR %v", over.addr, syscall.Errno(e))
			}
		}
	}
}
