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

// packetBytes is struct packet_diag_msg and attributes.
func packetBytes(typ uint8, protocol uint16, attrs ...[]byte) []byte {
	b := native(uint8(unix.AF_PACKET), typ, protocol, uint32(14), uint32(2), uint32(1))
	return append(b, bytes.Join(attrs, nil)...)
}

// packetText is all that a packet socket tells.
func packetText(s *diag.PacketSocket) string {
	info, hasInfo := s.Info()
	index, hasIndex := s.Interface()
	uid, hasUID := s.UID()
	queue, hasQueue := s.Queue()
	rx, hasRX := s.RXRing()
	tx, hasTX := s.TXRing()
	id, typ, hasFanout := s.Fanout()
	filter, hasFilter := s.Filter()
	_, hasMem := s.SKMemInfo()
	return fmt.Sprint(s.Type, s.Protocol, " info", info, hasInfo, " index ", index, hasIndex, " uid ", uid, hasUID, " queue ", queue, hasQueue,
		" rx", rx, hasRX, " tx", tx, hasTX, " fanout ", id, typ, hasFanout, " filter", filter, hasFilter, " mem ", hasMem)
}

func TestParsePacket(t *testing.T) {
	s, err := diag.ParsePacket(packetBytes(unix.SOCK_RAW, unix.ETH_P_ARP,
		attr(0, []uint32{1, 2, 3, 4, 5, 6}), attr(2, []uint32{11, 12, 13, 14, 15, 16, 17}), attr(3, []uint32{21, 22, 23, 24, 25, 26, 27}),
		attr(4, uint32(3<<16|9)), attr(5, uint32(1000)), attr(6, []uint32{77, 2, 3, 4, 5, 6, 7, 8, 9}), attr(7, uint64(0))))
	if err != nil {
		t.Fatal(err)
	}
	if s.Inode != 14 || s.Cookie != 1<<32|2 || s.Source != diag.FromNetlink {
		t.Errorf("%+v", s)
	}
	for _, s := range []*diag.PacketSocket{s, s.Clone()} {
		const want = "RAW 2054 info{1 2 3 4 5 6} true index 1 true uid 1000 true queue 77 true rx{11 12 13 14 15 16 17} true " +
			"tx{21 22 23 24 25 26 27} true fanout 9 3 true filter[0 0 0 0 0 0 0 0] true mem true"
		if got := packetText(s); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	const none = "DGRAM 3 info{0 0 0 0 0 0} false index 0 false uid 0 false queue 0 false rx{0 0 0 0 0 0 0} false tx{0 0 0 0 0 0 0} false " +
		"fanout 0 0 false filter[] false mem false"
	for _, attrs := range [][]byte{nil, slices.Concat(attr(0, uint32(1)), attr(2, make([]uint32, 6)), attr(4), attr(5), attr(6, uint32(1)))} {
		s, err := diag.ParsePacket(packetBytes(unix.SOCK_DGRAM, unix.ETH_P_ALL, attrs))
		if err != nil {
			t.Fatal(err)
		}
		if got := packetText(s); got != none {
			t.Errorf("got  %s\nwant %s", got, none)
		}
	}
	if _, err := diag.ParsePacket(make([]byte, 15)); err == nil {
		t.Error("15 bytes were decoded")
	}
}

func TestPacketProc(t *testing.T) {
	const head = "sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n"
	// packet_seq_show of net/packet/af_packet.c
	c := withTables(t, map[string]string{"packet": head + "00000000deadbeef 3      3    88cc   5     1 4294967295 1000   14    \n"})
	for s, err := range c.Packet(t.Context(), diag.PacketQuery{Show: 0x3f}) {
		if err != nil {
			t.Fatal(err)
		}
		const want = "RAW 35020 info{0 0 0 0 0 0} false index 5 true uid 1000 true queue 4294967295 true rx{0 0 0 0 0 0 0} false " +
			"tx{0 0 0 0 0 0 0} false fanout 0 0 false filter[] false mem false"
		if got := packetText(s); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if s.Inode != 14 || s.Cookie != 0 || s.Source != diag.FromProc {
			t.Errorf("%+v", s)
		}
	}
	for _, line := range []string{"0 3 256 0003 1 1 0 0 7", "0 3 3 10003 1 1 0 0 7", "0 3 3 0003 x 1 0 0 7", "0 3 3 0003 1 1 0 0"} {
		c := withTables(t, map[string]string{"packet": head + line + "\n"})
		if n, err := count(c.Packet(t.Context(), diag.PacketQuery{})); n != 0 || !errors.Is(err, diag.ErrPartial) {
			t.Errorf("%s: %d sockets, %v", line, n, err)
		}
	}
}

func TestRealPacket(t *testing.T) {
	newNetNS(t)
	reject := []unix.SockFilter{{Code: unix.BPF_LD | unix.BPF_IMM, K: 7}, {Code: unix.BPF_RET | unix.BPF_K}}
	open := func(typ int, protocol uint16, index int) *sock {
		s := newSock(t, unix.AF_PACKET, typ, 0)
		s.check("filter", unix.SetsockoptSockFprog(s.fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: 2, Filter: &reject[0]}))
		s.check("bind", unix.Bind(s.fd, &unix.SockaddrLinklayer{Protocol: protocol<<8 | protocol>>8, Ifindex: index}))
		return s
	}
	ring := open(unix.SOCK_RAW, unix.ETH_P_ALL, 1)
	ring.set(unix.SOL_PACKET, unix.PACKET_VERSION, unix.TPACKET_V3)
	ring.set(unix.SOL_PACKET, unix.PACKET_AUXDATA, 1)
	ring.check("ring", unix.SetsockoptTpacketReq3(ring.fd, unix.SOL_PACKET, unix.PACKET_RX_RING,
		&unix.TpacketReq3{Block_size: 8192, Block_nr: 2, Frame_size: 2048, Frame_nr: 8, Retire_blk_tov: 60}))
	fan := open(unix.SOCK_DGRAM, unix.ETH_P_IP, 0)
	fan.set(unix.SOL_PACKET, unix.PACKET_FANOUT, unix.PACKET_FANOUT_CPU<<16|77)
	idle := newSock(t, unix.AF_PACKET, unix.SOCK_DGRAM, 0)

	read := func(c *diag.Conn, q diag.PacketQuery) map[uint32]*diag.PacketSocket {
		t.Helper()
		all := map[uint32]*diag.PacketSocket{}
		for s, err := range c.Packet(t.Context(), q) {
			if err != nil {
				needs(t, "PACKET_DIAG", err)
				t.Fatal(err)
			}
			all[s.Inode] = s.Clone()
		}
		if len(all) != 3 {
			t.Errorf("%d sockets, want 3", len(all))
		}
		return all
	}
	all := read(dial(t, nil), diag.PacketQuery{Show: 0x3f})
	program := fmt.Sprint(native(reject[0].Code, reject[0].Jt, reject[0].Jf, reject[0].K, reject[1].Code, reject[1].Jt, reject[1].Jf, reject[1].K))
	const noRing = "{0 0 0 0 0 0 0} false"
	for _, tt := range []struct {
		s    *sock
		want string
	}{
		{ring, "RAW 3 info{1 2 0 0 0 3} true index 1 true uid 0 true queue 0 true rx{8192 2 2048 8 60 0 0} true tx" + noRing +
			" fanout 0 0 false filter" + program + " true mem true"},
		{fan, "DGRAM 2048 info{0 0 0 0 0 1} true index 0 true uid 0 true queue 0 true rx" + noRing + " tx" + noRing +
			" fanout 77 2 true filter" + program + " true mem true"},
		{idle, "DGRAM 0 info{0 0 0 0 0 0} true index 0 true uid 0 true queue 0 true rx" + noRing + " tx" + noRing +
			" fanout 0 0 false filter[] false mem true"},
	} {
		p := all[tt.s.inode()]
		if p == nil {
			t.Errorf("no socket for %s", tt.want)
			continue
		}
		if got := packetText(p); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
		if p.Cookie != tt.s.cookie() {
			t.Errorf("cookie %x, want %x", p.Cookie, tt.s.cookie())
		}
	}
	for _, p := range read(dial(t, nil), diag.PacketQuery{}) {
		if _, ok := p.Info(); ok {
			t.Error("the details were not asked for")
		}
	}
	table, err := os.ReadFile("/proc/thread-self/net/packet")
	if err != nil {
		t.Fatal(err)
	}
	for inode, p := range read(withTables(t, map[string]string{"packet": string(table)}), diag.PacketQuery{}) {
		n := all[inode]
		index, _ := p.Interface()
		if n == nil || p.Type != n.Type || p.Protocol != n.Protocol {
			t.Errorf("/proc: %+v, netlink %+v", p, n)
		} else if want, _ := n.Interface(); index != want {
			t.Errorf("/proc: device %d, want %d", index, want)
		}
	}
}
