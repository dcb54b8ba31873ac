package diag_test

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/diagtest"
)

func loopback(port uint16) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port)
}

func TestLookupRequest(t *testing.T) {
	k := diagtest.NewKernel(t, func(r diagtest.Request) []diagtest.Datagram {
		return []diagtest.Datagram{diagtest.Datagram{}.Append(r, 20, 0, payload(r.Family(), 7))}
	})
	c := dial(t, k.Config())
	v6 := func(s string) []byte { a := netip.MustParseAddr(s).As16(); return a[:] }
	for _, tt := range []struct {
		key                diag.InetKey
		family             diag.Family
		sport, dport       uint16
		src, dst           []byte
		cookieLo, cookieHi uint32
	}{
		{diag.InetKey{Local: netip.MustParseAddrPort("192.0.2.1:80"), Remote: netip.MustParseAddrPort("192.0.2.2:4660"), Interface: 5, Ext: diag.ExtInfo},
			diag.IPv4, 80, 4660, []byte{192, 0, 2, 1}, []byte{192, 0, 2, 2}, 1<<32 - 1, 1<<32 - 1},
		{diag.InetKey{Local: netip.MustParseAddrPort("[2001:db8::1]:80"), Remote: netip.MustParseAddrPort("[2001:db8::2]:4660"), Cookie: 0x0123456789abcdef},
			diag.IPv6, 80, 4660, v6("2001:db8::1"), v6("2001:db8::2"), 0x89abcdef, 0x01234567},
		{diag.InetKey{Local: netip.MustParseAddrPort("[::ffff:192.0.2.1]:80"), Remote: netip.MustParseAddrPort("[::ffff:192.0.2.2]:4660")},
			diag.IPv6, 80, 4660, v6("::ffff:192.0.2.1"), v6("::ffff:192.0.2.2"), 1<<32 - 1, 1<<32 - 1},
		// UDP is asked for as the packet goes.
		{diag.InetKey{Protocol: diag.UDP, Local: netip.MustParseAddrPort("192.0.2.1:80"), Remote: netip.MustParseAddrPort("192.0.2.2:4660")},
			diag.IPv4, 4660, 80, []byte{192, 0, 2, 2}, []byte{192, 0, 2, 1}, 1<<32 - 1, 1<<32 - 1},
	} {
		s, err := c.LookupInet(t.Context(), tt.key)
		if err != nil || s.Inode != 7 {
			t.Fatalf("%+v: %v, %v", tt.key, s, err)
		}
		rs := k.Requests()
		r := rs[len(rs)-1]
		id := make([]byte, 48) // struct inet_diag_sockid
		binary.BigEndian.PutUint16(id, tt.sport)
		binary.BigEndian.PutUint16(id[2:], tt.dport)
		copy(id[4:], tt.src)
		copy(id[20:], tt.dst)
		binary.NativeEndian.PutUint32(id[36:], tt.key.Interface)
		binary.NativeEndian.PutUint32(id[40:], tt.cookieLo)
		binary.NativeEndian.PutUint32(id[44:], tt.cookieHi)
		if r.Flags != unix.NLM_F_REQUEST || r.Family() != tt.family || r.Ext() != tt.key.Ext || string(r.Data[8:]) != string(id) {
			t.Errorf("%+v: request %+v\nwant id %v", tt.key, r, id)
		}
	}
}

func TestLookupFaults(t *testing.T) {
	key := diag.InetKey{Local: loopback(1), Remote: loopback(2)}
	found := func(r diagtest.Request) diagtest.Datagram { return diagtest.Datagram{}.Append(r, 20, 0, payload(2, 7)) }
	// noEntry answers a lookup ENOENT, and a dump as given.
	noEntry := func(dump syscall.Errno) func(diagtest.Request) []diagtest.Datagram {
		return func(r diagtest.Request) []diagtest.Datagram {
			switch {
			case r.Flags&unix.NLM_F_DUMP == 0:
				return []diagtest.Datagram{diagtest.Datagram{}.Error(r, unix.ENOENT)}
			case r.States() != 0:
				return []diagtest.Datagram{diagtest.Datagram{}.Error(r, unix.EINVAL)} // more than was needed
			case dump != 0:
				return []diagtest.Datagram{diagtest.Datagram{}.Error(r, dump)}
			}
			return []diagtest.Datagram{diagtest.Datagram{}.Done(r)}
		}
	}
	fails := func(errno syscall.Errno) func(diagtest.Request) []diagtest.Datagram {
		return func(r diagtest.Request) []diagtest.Datagram {
			return []diagtest.Datagram{diagtest.Datagram{}.Error(r, errno)}
		}
	}
	for _, tt := range []struct {
		name   string
		answer func(diagtest.Request) []diagtest.Datagram
		class  string
		is     error
		text   string
	}{
		{"found", func(r diagtest.Request) []diagtest.Datagram { return []diagtest.Datagram{found(r)} }, "-", nil, ""},
		{"found behind what is not for us", func(r diagtest.Request) []diagtest.Datagram {
			other := r
			other.Seq++
			return []diagtest.Datagram{found(other), diagtest.Datagram{}.Error(other, unix.EPERM), found(r)}
		}, "-", nil, ""},
		{"no such socket", noEntry(0), "not-exist", unix.ENOENT, "look up tcp socket: no such file or directory"},
		{"no handler", noEntry(unix.ENOENT), "unsupported", unix.ENOENT, "no handler"},
		{"wrong cookie, by UDP", fails(unix.ESTALE), "not-exist", unix.ENOENT, ""},
		{"not permitted", fails(unix.EPERM), "permission", unix.EPERM, ""},
		{"the kernel's words", func(r diagtest.Request) []diagtest.Datagram {
			return []diagtest.Datagram{withWords(r, unix.EINVAL, "not so")}
		}, "", unix.EINVAL, "invalid argument: not so"},
		{"acknowledged without a socket", fails(0), "not-exist", nil, ""},
		{"broken message", func(r diagtest.Request) []diagtest.Datagram {
			return []diagtest.Datagram{diagtest.Datagram{}.Append(r, 20, 0, payload(2, 7)[:60])}
		}, "", nil, "broken inet_diag_msg"},
		{"closed", func(r diagtest.Request) []diagtest.Datagram { return []diagtest.Datagram{nil} }, "", nil, "closed the connection"},
		{"no answer", func(r diagtest.Request) []diagtest.Datagram { return nil }, "deadline", nil, "no answer"},
	} {
		k := diagtest.NewKernel(t, tt.answer)
		cfg := k.Config()
		if cfg.Timeout = 30 * time.Second; tt.class == "deadline" {
			cfg.Timeout = 100 * time.Millisecond
		}
		c := dial(t, cfg)
		for range 2 { // an error does not spoil the next
			s, err := c.LookupInet(t.Context(), key)
			if tt.class == "-" {
				if err != nil || s.Inode != 7 || s.Protocol != diag.TCP {
					t.Errorf("%s: %+v, %v", tt.name, s, err)
				}
				continue
			}
			if s != nil || err == nil || classOf(err) != tt.class || tt.is != nil && !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("%s: %v, %v (%s), want %s, %q", tt.name, s, err, classOf(err), tt.class, tt.text)
			}
		}
	}
}

func TestLookupKeyMustBeComplete(t *testing.T) {
	k := diagtest.NewKernel(t, func(r diagtest.Request) []diagtest.Datagram { return nil })
	c := dial(t, k.Config())
	for _, key := range []diag.InetKey{
		{}, {Local: loopback(1)}, {Remote: loopback(1)}, {Local: loopback(1), Remote: netip.MustParseAddrPort("[::1]:2")},
	} {
		if s, err := c.LookupInet(t.Context(), key); s != nil || err == nil || !strings.Contains(err.Error(), "of one family") {
			t.Errorf("%+v: %v, %v", key, s, err)
		}
	}
	// Without its device the kernel would not find the socket, and so say that there is none.
	zone := diag.InetKey{Local: netip.MustParseAddrPort("[fe80::1%eth0]:1"), Remote: netip.MustParseAddrPort("[fe80::2]:2")}
	if s, err := c.LookupInet(t.Context(), zone); s != nil || err == nil || !strings.Contains(err.Error(), "zone") {
		t.Errorf("%+v: %v, %v", zone, s, err)
	}
	if n := len(k.Requests()); n != 0 {
		t.Errorf("%d requests", n)
	}
}

func TestLookupRealSockets(t *testing.T) {
	newNetNS(t)
	c := dial(t, nil)
	nobody := loopback(9)
	lookup := func(s *sock, k diag.InetKey) {
		t.Helper()
		got, err := c.LookupInet(t.Context(), k)
		if err != nil {
			t.Errorf("%+v: %v", k, err)
		} else if got.Cookie != s.cookie() || got.Local != s.local() || got.Inode != s.inode() {
			t.Errorf("%+v: %s, want cookie %#x", k, text([]*diag.InetSocket{got}), s.cookie())
		}
	}
	missing := func(k diag.InetKey) {
		t.Helper()
		if s, err := c.LookupInet(t.Context(), k); s != nil || classOf(err) != "not-exist" {
			t.Errorf("%+v: %v, %v, want ErrNotExist", k, s, err)
		}
	}
	for _, tt := range []struct {
		family  int
		addr    string
		nobody  netip.AddrPort
		another diag.Protocol
	}{
		{unix.AF_INET, "127.0.0.1:0", nobody, diag.UDP},
		{unix.AF_INET6, "[::1]:0", netip.MustParseAddrPort("[::1]:9"), diag.UDP},
	} {
		p := newPair(t, tt.family, tt.addr)
		k := diag.InetKey{Local: p.client.local(), Remote: p.client.remote()}
		lookup(p.client, k)
		lookup(p.server, diag.InetKey{Local: k.Remote, Remote: k.Local})
		lookup(p.listener, diag.InetKey{Local: p.listener.local(), Remote: tt.nobody})
		k.Cookie = p.client.cookie()
		lookup(p.client, k)
		k.Cookie++
		missing(k)
		missing(diag.InetKey{Local: tt.nobody, Remote: p.client.local()})
		missing(diag.InetKey{Protocol: tt.another, Local: p.listener.local(), Remote: tt.nobody})

		server := newSock(t, tt.family, unix.SOCK_DGRAM, 0).bind(tt.addr)
		client := newSock(t, tt.family, unix.SOCK_DGRAM, 0).connect(server.local())
		u := diag.InetKey{Protocol: diag.UDP, Local: client.local(), Remote: client.remote()}
		lookup(client, u)
		lookup(server, diag.InetKey{Protocol: diag.UDP, Local: server.local(), Remote: client.local()})
		u.Cookie = client.cookie() + 1
		missing(u)
	}
	if s, err := c.LookupInet(t.Context(), diag.InetKey{Protocol: 99, Local: loopback(1), Remote: nobody}); s != nil || classOf(err) != "unsupported" {
		t.Errorf("protocol 99: %v, %v, want ErrUnsupported", s, err)
	}
}
