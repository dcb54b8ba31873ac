package diag_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag"
)

// netlinkBytes is struct netlink_diag_msg and attributes.
func netlinkBytes(protocol, state uint8, attrs ...[]byte) []byte {
	b := native(uint8(unix.AF_NETLINK), uint8(unix.SOCK_RAW), protocol, state, uint32(11), uint32(12), uint32(13), uint32(14), uint32(2), uint32(1))
	return append(b, bytes.Join(attrs, nil)...)
}

func TestParseNetlink(t *testing.T) {
	s, err := diag.ParseNetlink(netlinkBytes(16, 1, attr(0, []uint32{1, 2, 3, 4, 5, 6, 7, 8, 9}), attr(1, uint64(1<<63|1<<32|5)), attr(4, uint32(33))))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []*diag.NetlinkSocket{s, s.Clone()} {
		groups, _ := s.Groups([]uint32{99})
		recv, send, queues := s.Queues()
		m, _ := s.SKMemInfo()
		flags, _ := s.Flags()
		_, _, proc := s.Proc()
		got := fmt.Sprint(s.Type, s.Protocol, s.State, s.PortID, s.DstPortID, s.DstGroup, s.Inode, s.Cookie, s.Source, groups, recv, send, queues,
			m.Drops, flags, proc)
		if want := "RAW 16 ESTABLISHED 11 12 13 14 4294967298 0 [99 1 3 33 64] 1 3 true 9 33 false"; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	for state, want := range map[uint8]diag.State{0: diag.Close, 1: diag.Established, 7: diag.Close} {
		s, err := diag.ParseNetlink(netlinkBytes(0, state))
		if err != nil {
			t.Fatal(err)
		}
		_, groups := s.Groups(nil)
		_, _, queues := s.Queues()
		_, mem := s.SKMemInfo()
		_, flags := s.Flags()
		if s.State != want || groups || queues || mem || flags {
			t.Errorf("state %d: %v, %v %v %v %v", state, s.State, groups, queues, mem, flags)
		}
	}
	if _, err := diag.ParseNetlink(make([]byte, 27)); err == nil {
		t.Error("27 bytes were decoded")
	}
}

func TestNetlinkProc(t *testing.T) {
	const head = "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode\n"
	// netlink_native_seq_show of net/netlink/af_netlink.c
	c := withTables(t, map[string]string{"netlink": head +
		"00000000deadbeef 0   4294967295 80000003 11       12       1     2        13       14      \n" +
		"0000000000000001 16  0          00000000 0        0        0     2        0        4294967295\n"})
	var got []string
	for s, err := range c.Netlink(t.Context(), diag.NetlinkQuery{Protocol: diag.NetlinkAll}) {
		if err != nil {
			t.Fatal(err)
		}
		groups, _ := s.Groups(nil)
		recv, send, _ := s.Queues()
		addr, dumping, ok := s.Proc()
		_, mem := s.SKMemInfo()
		got = append(got, fmt.Sprint(s.Protocol, s.State, s.PortID, s.Inode, s.Cookie, s.Source, groups, recv, send, mem, addr, dumping, ok))
	}
	want := []string{
		"0 CLOSE 4294967295 14 0 1 [1 2 32] 11 12 false 3735928559 true true",
		"16 CLOSE 0 4294967295 0 1 [] 0 0 false 1 false true",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if n, err := count(c.Netlink(t.Context(), diag.NetlinkQuery{Protocol: 16})); n != 1 || err != nil {
		t.Errorf("protocol 16: %d, %v", n, err)
	}
	for _, line := range []string{"x 0 0 0 0 0 0 0 0 0", "0 256 0 0 0 0 0 0 0 0", "0 0 0 0 0 0 0 0 0"} {
		c := withTables(t, map[string]string{"netlink": head + line + "\n"})
		if n, err := count(c.Netlink(t.Context(), diag.NetlinkQuery{})); n != 0 || !errors.Is(err, diag.ErrPartial) {
			t.Errorf("%s: %d sockets, %v", line, n, err)
		}
	}
}

func TestRealNetlink(t *testing.T) {
	newNetNS(t)
	open := func(protocol int, port, groups uint32) *sock {
		s := newSock(t, unix.AF_NETLINK, unix.SOCK_DGRAM, protocol)
		s.check("bind", unix.Bind(s.fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Pid: port, Groups: groups}))
		return s
	}
	plain := open(unix.NETLINK_ROUTE, 1<<31+7, 0)
	member := open(unix.NETLINK_ROUTE, 1<<30, 1<<31|1)
	member.set(unix.SOL_NETLINK, unix.NETLINK_ADD_MEMBERSHIP, 33)
	connected := open(unix.NETLINK_GENERIC, 1<<30, 0)
	connected.set(unix.SOL_NETLINK, unix.NETLINK_NO_ENOBUFS, 1)
	connected.check("connect", unix.Connect(connected.fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Pid: 77, Groups: 1 << 4}))

	read := func(c *diag.Conn, q diag.NetlinkQuery) (all map[uint32]*diag.NetlinkSocket, kernel int) {
		t.Helper()
		all = map[uint32]*diag.NetlinkSocket{}
		for s, err := range c.Netlink(t.Context(), q) {
			if err != nil {
				needs(t, "NETLINK_DIAG", err)
				t.Fatal(err)
			}
			if s.PortID == 0 {
				kernel++
			}
			all[s.Inode] = s.Clone()
		}
		return all, kernel
	}
	all, kernel := read(dial(t, nil), diag.NetlinkQuery{Protocol: diag.NetlinkAll, Show: diag.NetlinkShowMemInfo | diag.NetlinkShowGroups | diag.NetlinkShowFlags})
	if kernel < 2 {
		t.Errorf("%d ends of the kernel's own", kernel)
	}
	for _, tt := range []struct {
		s      *sock
		want   string
		groups []uint32
	}{
		{plain, "DGRAM 0 CLOSE 2147483655 0 0 0", nil},
		{member, "DGRAM 0 CLOSE 1073741824 0 0 0", []uint32{1, 32, 33}},
		{connected, "DGRAM 16 ESTABLISHED 1073741824 77 5 8", nil},
	} {
		n := all[tt.s.inode()]
		if n == nil {
			t.Errorf("no socket for %s", tt.want)
			continue
		}
		flags, _ := n.Flags()
		if got := fmt.Sprint(n.Type, n.Protocol, n.State, n.PortID, n.DstPortID, n.DstGroup, flags); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
		if groups, _ := n.Groups(nil); !slices.Equal(groups, tt.groups) {
			t.Errorf("%s: groups %v, want %v", tt.want, groups, tt.groups)
		}
		if m, ok := n.SKMemInfo(); !ok || int(m.RcvBuf) != tt.s.get(unix.SOL_SOCKET, unix.SO_RCVBUF) {
			t.Errorf("%s: memory %+v, %v", tt.want, m, ok)
		}
		if n.Cookie != tt.s.cookie() {
			t.Errorf("%s: cookie %x, want %x", tt.want, n.Cookie, tt.s.cookie())
		}
	}
	some, _ := read(dial(t, nil), diag.NetlinkQuery{Protocol: unix.NETLINK_GENERIC})
	if some[connected.inode()] == nil || some[plain.inode()] != nil {
		t.Errorf("generic netlink alone: %v", some)
	}
	if _, ok := some[connected.inode()].Groups(nil); ok {
		t.Error("groups were not asked for")
	}

	table, err := os.ReadFile("/proc/thread-self/net/netlink")
	if err != nil {
		t.Fatal(err)
	}
	listed, _ := read(withTables(t, map[string]string{"netlink": string(table)}), diag.NetlinkQuery{Protocol: diag.NetlinkAll})
	for _, s := range []*sock{plain, member, connected} {
		p, n := listed[s.inode()], all[s.inode()]
		if p == nil || p.Protocol != n.Protocol || p.PortID != n.PortID {
			t.Errorf("/proc: %+v, netlink %+v", p, n)
			continue
		}
		got, _ := p.Groups(nil)
		want, _ := n.Groups(nil)
		if want = slices.DeleteFunc(want, func(g uint32) bool { return g > 32 }); !slices.Equal(got, want) {
			t.Errorf("/proc: groups %v, want %v", got, want)
		}
	}
}
