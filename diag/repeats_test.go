package diag_test

import (
	"encoding/binary"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/diagtest"
)

// tellers are dumps whose sockets are told apart by cookie: a message without one, where it goes, and how it is read.
var tellers = []struct {
	name    string
	message []byte
	off     int
	cookies func(t testing.TB, c *diag.Conn) []uint64
}{
	{"tcp", rowOf(unix.AF_INET), 44, inetCookies(diag.InetQuery{Family: diag.IPv4})},
	{"tcp in one walk", rowOf(unix.AF_INET6), 44, inetCookies(diag.InetQuery{AnyOrder: true})},
	{"udp", rowOf(unix.AF_INET6), 44, inetCookies(diag.InetQuery{Protocol: diag.UDP, Family: diag.IPv6})},
	{"mptcp", rowOf(unix.AF_INET), 44, inetCookies(diag.InetQuery{Protocol: diag.MPTCP, Family: diag.IPv4})},
	{"unix", native(uint8(1), uint8(1), uint8(1), uint8(0), uint32(1), uint64(0)), 8, func(t testing.TB, c *diag.Conn) (list []uint64) {
		for s, err := range c.Unix(t.Context(), diag.UnixQuery{}) {
			list = append(list, cookieOf(t, s, err, func(s *diag.UnixSocket) uint64 { return s.Cookie }))
		}
		return list
	}},
	{"packet", native(uint8(17), uint8(3), uint16(3), make([]uint32, 3)), 8, func(t testing.TB, c *diag.Conn) (list []uint64) {
		for s, err := range c.Packet(t.Context(), diag.PacketQuery{}) {
			list = append(list, cookieOf(t, s, err, func(s *diag.PacketSocket) uint64 { return s.Cookie }))
		}
		return list
	}},
	{"vsock", native(uint8(40), uint8(1), uint8(1), uint8(0), make([]uint32, 7)), 24, func(t testing.TB, c *diag.Conn) (list []uint64) {
		for s, err := range c.VSock(t.Context(), diag.VSockQuery{}) {
			list = append(list, cookieOf(t, s, err, func(s *diag.VSockSocket) uint64 { return s.Cookie }))
		}
		return list
	}},
	{"xdp", native(uint8(44), uint8(3), uint16(0), make([]uint32, 3)), 8, func(t testing.TB, c *diag.Conn) (list []uint64) {
		for s, err := range c.XDP(t.Context(), diag.XDPQuery{}) {
			list = append(list, cookieOf(t, s, err, func(s *diag.XDPSocket) uint64 { return s.Cookie }))
		}
		return list
	}},
}

func rowOf(family byte) []byte {
	return append([]byte{family, byte(diag.Established)}, make([]byte, 70)...)
}

func cookieOf[S any](t testing.TB, s *S, err error, get func(*S) uint64) uint64 {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return get(s)
}

func inetCookies(q diag.InetQuery) func(t testing.TB, c *diag.Conn) []uint64 {
	return func(t testing.TB, c *diag.Conn) (list []uint64) {
		for s, err := range c.Inet(t.Context(), q) {
			list = append(list, cookieOf(t, s, err, func(s *diag.InetSocket) uint64 { return s.Cookie }))
		}
		return list
	}
}

// withCookie returns a message with a cookie in it, the low word first.
func withCookie(m []byte, off int, cookie uint64) []byte {
	m = slices.Clone(m)
	binary.NativeEndian.PutUint32(m[off:], uint32(cookie))
	binary.NativeEndian.PutUint32(m[off+4:], uint32(cookie>>32))
	return m
}

// What the kernel sends again, where a message begins or within one, is seen once; what has no cookie is never taken for a repeat.
func TestRepeats(t *testing.T) {
	const high = 1 << 40
	none := ^uint64(0) // INET_DIAG_NOCOOKIE
	datagrams := [][]uint64{{1, 2, 3, high + 1, 0, none}, {3, high + 1, 4, 0, none}, {5, 6, 5, 6, 7, 4}, {7, 8}}
	want := []uint64{1, 2, 3, high + 1, 0, none, 4, 0, none, 5, 6, 7, 8}
	for _, f := range tellers {
		t.Run(f.name, func(t *testing.T) {
			k := diagtest.NewKernel(t, func(r diagtest.Request) (answer []diagtest.Datagram) {
				for i, cookies := range datagrams {
					var d diagtest.Datagram
					for _, c := range cookies {
						d = d.Append(r, 20, unix.NLM_F_MULTI, withCookie(f.message, f.off, c))
					}
					if i == len(datagrams)-1 {
						d = d.Done(r)
					}
					answer = append(answer, d)
				}
				return answer
			})
			c := dial(t, k.Config())
			for round := range 2 { // what one dump had is no repeat in the next
				if got := f.cookies(t, c); !slices.Equal(got, want) {
					t.Errorf("round %d: %d, want %d", round, got, want)
				}
			}
		})
	}
}

// The associations of an SCTP socket have its cookie, all of them.
func TestRepeatsNotOfSCTP(t *testing.T) {
	k := diagtest.NewKernel(t, func(r diagtest.Request) []diagtest.Datagram {
		m := withCookie(rowOf(unix.AF_INET), 44, 5)
		return []diagtest.Datagram{diagtest.Datagram{}.Append(r, 20, 2, m).Append(r, 20, 2, m).Done(r)}
	})
	got := inetCookies(diag.InetQuery{Protocol: diag.SCTP, Family: diag.IPv4})(t, dial(t, k.Config()))
	if !slices.Equal(got, []uint64{5, 5}) {
		t.Errorf("%d", got)
	}
}

// A datagram can be full of the shortest messages.
func TestRepeatsInFullDatagrams(t *testing.T) {
	const n = 1024
	k := diagtest.NewKernel(t, func(r diagtest.Request) []diagtest.Datagram {
		list := make([]diagtest.Datagram, 3)
		for i := range list {
			for j := range n {
				// Half of those of the message before come again.
				list[i] = list[i].Append(r, 20, unix.NLM_F_MULTI, withCookie(tellers[4].message, 8, uint64(1+i*n/2+j)))
			}
		}
		return append(list, diagtest.Datagram{}.Done(r))
	})
	got := tellers[4].cookies(t, dial(t, k.Config()))
	for i, c := range got {
		if c != uint64(i+1) {
			t.Fatalf("socket %d has cookie %d", i, c)
		}
	}
	if len(got) != 2*n {
		t.Errorf("%d sockets, want %d", len(got), 2*n)
	}
}
