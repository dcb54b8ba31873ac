package diag

import (
	"bufio"
	"context"
	"encoding/binary"
	"io"
	"iter"
	"slices"

	"golang.org/x/sys/unix"
)

// PacketShow says what a query for packet sockets asks for beyond type, protocol and inode (PACKET_SHOW_* of linux/packet_diag.h).
type PacketShow uint32

// What can be asked for.
const (
	PacketShowInfo    PacketShow = 1 << 0 // Info, Interface, UID
	PacketShowRings   PacketShow = 1 << 2 // RXRing, TXRing
	PacketShowFanout  PacketShow = 1 << 3 // Fanout
	PacketShowMemInfo PacketShow = 1 << 4 // SKMemInfo, Queue; Linux 3.10
	PacketShowFilter  PacketShow = 1 << 5 // Filter; Linux 3.10
)

// PacketQuery says what is wanted of all packet sockets.
type PacketQuery struct{ Show PacketShow }

// PacketSocket is one socket of AF_PACKET (packet(7)), as the kernel reports it: struct packet_diag_msg of linux/packet_diag.h and
// the attributes behind it.
//
// One that comes from a query is valid until the next one is asked for: it borrows the receive buffer. Clone keeps it.
type PacketSocket struct {
	Type SocketType // SockRaw, SockDgram, or 10: the SOCK_PACKET of old
	// Protocol is the ethertype of the packets that it gets (ETH_P_* of linux/if_ether.h); 3 (ETH_P_ALL): all, 0: none.
	Protocol uint16
	Inode    uint32
	// Cookie identifies the socket for as long as the system runs; 0 in rows that were read from /proc.
	Cookie uint64
	Source Source

	attrs attrIndex
	proc  procPacket
}

// procPacket is what rows of /proc/net/packet tell in their own way.
type procPacket struct {
	index, rmem, uid uint32
}

// Attributes of a packet socket (PACKET_DIAG_* of linux/packet_diag.h).
const (
	packetDiagInfo    = 0
	packetDiagRXRing  = 2
	packetDiagTXRing  = 3
	packetDiagFanout  = 4
	packetDiagUID     = 5
	packetDiagMemInfo = 6
	packetDiagFilter  = 7

	sizeofPacketDiagReq  = 20
	sizeofPacketDiagMsg  = 16
	sizeofPacketDiagInfo = 24
	sizeofPacketDiagRing = 28
)

// PacketInfo is struct packet_diag_info.
type PacketInfo struct {
	Interface     uint32 // index of the device that it is bound to; 0: all
	Version       uint32 // of the ring's headers: TPACKET_V1 is 0, TPACKET_V2 is 1, TPACKET_V3 is 2
	Reserve       uint32 // PACKET_RESERVE, bytes
	CopyThreshold uint32 // PACKET_COPY_THRESH
	Timestamp     uint32 // PACKET_TIMESTAMP
	Flags         uint32 // Packet* bits
}

// Bits of PacketInfo.Flags (PDI_*).
const (
	PacketRunning = 1 << iota // it gets packets
	PacketAuxData             // PACKET_AUXDATA
	PacketOrigDev             // PACKET_ORIGDEV
	PacketVNetHdr             // PACKET_VNET_HDR
	PacketLoss                // PACKET_LOSS
)

// PacketRing is struct packet_diag_ring: a ring of frames that the socket shares with its process (PACKET_RX_RING, PACKET_TX_RING).
type PacketRing struct {
	BlockSize     uint32 // bytes
	Blocks        uint32
	FrameSize     uint32 // bytes
	Frames        uint32
	RetireTimeout uint32 // TPACKET_V3: milliseconds after which a block is handed over
	PrivateSize   uint32 // TPACKET_V3: bytes of each block for the process's own use
	Features      uint32 // TPACKET_V3: TP_FT_REQ_*
}

// Info returns what the socket is bound to, and its options.
func (s *PacketSocket) Info() (i PacketInfo, ok bool) {
	b, _ := s.attrs.get(packetDiagInfo)
	if len(b) < sizeofPacketDiagInfo {
		return i, false
	}
	ne := binary.NativeEndian
	return PacketInfo{ne.Uint32(b), ne.Uint32(b[4:]), ne.Uint32(b[8:]), ne.Uint32(b[12:]), ne.Uint32(b[16:]), ne.Uint32(b[20:])}, true
}

// Interface returns the index of the device that the socket is bound to; 0: all.
func (s *PacketSocket) Interface() (index uint32, ok bool) {
	if s.Source == FromProc {
		return s.proc.index, true
	}
	i, ok := s.Info()
	return i.Interface, ok
}

// UID returns the owning user.
func (s *PacketSocket) UID() (uint32, bool) {
	if s.Source == FromProc {
		return s.proc.uid, true
	}
	return s.attrs.u32(packetDiagUID)
}

// Queue returns the memory that unread packets take, in bytes.
func (s *PacketSocket) Queue() (uint32, bool) {
	if s.Source == FromProc {
		return s.proc.rmem, true
	}
	m, ok := s.SKMemInfo()
	return m.RMemAlloc, ok
}

// RXRing returns the ring that packets are received in.
func (s *PacketSocket) RXRing() (PacketRing, bool) { return s.ring(packetDiagRXRing) }

// TXRing returns the ring that packets are sent from.
func (s *PacketSocket) TXRing() (PacketRing, bool) { return s.ring(packetDiagTXRing) }

func (s *PacketSocket) ring(n int) (r PacketRing, ok bool) {
	b, _ := s.attrs.get(n)
	if len(b) < sizeofPacketDiagRing {
		return r, false
	}
	ne := binary.NativeEndian
	return PacketRing{
		ne.Uint32(b), ne.Uint32(b[4:]), ne.Uint32(b[8:]), ne.Uint32(b[12:]), ne.Uint32(b[16:]), ne.Uint32(b[20:]), ne.Uint32(b[24:]),
	}, true
}

// Fanout returns the number of the group that the socket shares packets with, and how they are shared (PACKET_FANOUT_* of
// linux/if_packet.h).
func (s *PacketSocket) Fanout() (id, typ uint16, ok bool) {
	v, ok := s.attrs.u32(packetDiagFanout)
	return uint16(v), uint16(v >> 16), ok
}

// SKMemInfo returns the memory that the socket takes.
func (s *PacketSocket) SKMemInfo() (SKMemInfo, bool) { return s.attrs.skMemInfo(packetDiagMemInfo) }

// Filter returns the socket's classic BPF filter, as an array of struct sock_filter (linux/filter.h): code u16, jt u8, jf u8, k u32.
// It is empty if the kernel would not tell, not even whether there is one: that takes CAP_NET_ADMIN. The bytes are borrowed.
func (s *PacketSocket) Filter() ([]byte, bool) { return s.attrs.get(packetDiagFilter) }

// Clone returns a copy that stays valid.
func (s *PacketSocket) Clone() *PacketSocket {
	c := *s
	c.attrs.msg = slices.Clone(s.attrs.msg)
	return &c
}

// Packet yields the packet sockets of the Conn's network namespace. A socket is valid until the next one is asked for. Errors are as
// Inet has them. Where the kernel has no handler (PACKET_DIAG), /proc/net/packet is read.
func (c *Conn) Packet(ctx context.Context, q PacketQuery) iter.Seq2[*PacketSocket, error] {
	return stream(ctx, c, query[PacketSocket]{
		ask:    q.asks()[0],
		decode: (*PacketSocket).decode,
		table:  "packet",
		split:  bufio.ScanLines,
		parse:  (*PacketSocket).parseProc,
	})
}

// ReadPacket yields the sockets of a table that was copied from /proc/net/packet. A socket is valid until the next one is asked for.
func ReadPacket(r io.Reader) iter.Seq2[*PacketSocket, error] {
	return readTable(r, "packet", bufio.ScanLines, (*PacketSocket).parseProc)
}

// request encodes struct packet_diag_req.
func (q *PacketQuery) request() []byte {
	b := make([]byte, sizeofPacketDiagReq)
	b[0] = unix.AF_PACKET
	binary.NativeEndian.PutUint32(b[8:], uint32(q.Show))
	return b
}

// ParsePacket decodes the payload of one message of a dump: struct packet_diag_msg and the attributes behind it. The socket borrows b.
// It is for programs that have recorded a dump.
func ParsePacket(b []byte) (*PacketSocket, error) {
	return parse(b, "packet_diag_msg", (*PacketSocket).decode)
}

func (s *PacketSocket) decode(b []byte) error {
	if len(b) < sizeofPacketDiagMsg {
		return &MessageError{What: "packet_diag_msg", Len: len(b), Want: sizeofPacketDiagMsg}
	}
	ne := binary.NativeEndian
	s.Type, s.Protocol = SocketType(b[1]), ne.Uint16(b[2:])
	s.Inode = ne.Uint32(b[4:])
	s.Cookie = cookie(b[8:])
	s.Source = FromNetlink
	return s.attrs.set(b[sizeofPacketDiagMsg:])
}

// parseProc reads a line of /proc/net/packet (net/packet/af_packet.c):
//
//	sk RefCnt Type Proto Iface R Rmem User Inode
func (s *PacketSocket) parseProc(line []byte) bool {
	w := fields{rest: line}
	*s = PacketSocket{Source: FromProc}
	w.next() // address
	w.next() // references
	typ := w.decimal()
	s.Type = SocketType(typ)
	s.Protocol = uint16(w.hex(0xffff))
	s.proc.index = uint32(w.decimal())
	w.next() // running
	s.proc.rmem, s.proc.uid = uint32(w.decimal()), uint32(w.decimal())
	s.Inode = uint32(w.decimal())
	return !w.bad && typ < 1<<8
}
