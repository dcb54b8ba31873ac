package diag

import (
	"bufio"
	"context"
	"encoding/binary"
	"io"
	"iter"
	"math/bits"
	"slices"

	"golang.org/x/sys/unix"
)

// NetlinkShow says what a query for netlink sockets asks for beyond protocol, port and inode (NDIAG_SHOW_* of
// linux/netlink_diag.h).
type NetlinkShow uint32

// What can be asked for.
const (
	NetlinkShowMemInfo NetlinkShow = 1 << 0 // SKMemInfo, Queues
	NetlinkShowGroups  NetlinkShow = 1 << 1 // Groups
	NetlinkShowFlags   NetlinkShow = 1 << 3 // Flags; Linux 4.7
)

// NetlinkAll is the protocol that stands for all (NDIAG_PROTO_ALL).
const NetlinkAll = 255

// NetlinkQuery says which netlink sockets are wanted.
type NetlinkQuery struct {
	// Protocol is one protocol (NETLINK_* of linux/netlink.h, 0 is NETLINK_ROUTE), or NetlinkAll.
	Protocol uint8
	Show     NetlinkShow
}

// NetlinkSocket is one socket of AF_NETLINK (netlink(7)), as the kernel reports it: struct netlink_diag_msg of
// linux/netlink_diag.h and the attributes behind it. The kernel's own ends are among them.
//
// One that comes from a query is valid until the next one is asked for: it borrows the receive buffer. Clone keeps it.
type NetlinkSocket struct {
	Type     SocketType // SockRaw or SockDgram; 0, which is none, in rows that were read from /proc
	Protocol uint8      // NETLINK_*
	State    State      // Established if the socket is connected, otherwise Close
	// PortID is the socket's address. 0 is the kernel's; any other is often, but need not be, the number of a process.
	PortID uint32
	// DstPortID and DstGroup are what the socket is connected to: a port, and the number of a multicast group, or 0. Rows that were
	// read from /proc do not tell, and have 0 and Close.
	DstPortID, DstGroup uint32
	// Inode is the socket's inode number; 0 for the kernel's ends.
	Inode uint32
	// Cookie identifies the socket for as long as the system runs; 0 in rows that were read from /proc.
	Cookie uint64
	Source Source

	attrs attrIndex
	proc  procNetlink
}

// procNetlink is what rows of /proc/net/netlink tell in their own way.
type procNetlink struct {
	addr       uint64
	groups     uint32
	rmem, wmem uint32
	dumping    bool
}

// Attributes of a netlink socket (NETLINK_DIAG_* of linux/netlink_diag.h).
const (
	netlinkDiagMemInfo = 0
	netlinkDiagGroups  = 1
	netlinkDiagFlags   = 4

	netlinkConnected = 1 // NETLINK_CONNECTED of net/netlink/af_netlink.h; it is Close before it was connected, and 0 after

	sizeofNetlinkDiagReq = 24
	sizeofNetlinkDiagMsg = 28
)

// bigLong is what the number of a byte in an array of the kernel's longs is changed by, to count from the lowest bits on.
var bigLong = map[bool]int{true: bits.UintSize/8 - 1}[binary.NativeEndian.Uint16([]byte{0, 1}) == 1]

// Groups appends the numbers of the multicast groups that the socket has joined, from 1 on, and reports whether the kernel told
// them. Rows that were read from /proc tell of the first 32 groups alone.
func (s *NetlinkSocket) Groups(dst []uint32) ([]uint32, bool) {
	if s.Source == FromProc {
		for m := s.proc.groups; m != 0; m &= m - 1 {
			dst = append(dst, uint32(bits.TrailingZeros32(m))+1)
		}
		return dst, true
	}
	b, ok := s.attrs.get(netlinkDiagGroups)
	for i := range len(b) {
		at := i ^ bigLong
		if at >= len(b) {
			continue
		}
		for m := b[at]; m != 0; m &= m - 1 {
			dst = append(dst, uint32(8*i+bits.TrailingZeros8(m))+1)
		}
	}
	return dst, ok
}

// Queues returns the memory that unread messages take, and the memory of a dump that is being sent, in bytes.
func (s *NetlinkSocket) Queues() (recv, send uint32, ok bool) {
	if s.Source == FromProc {
		return s.proc.rmem, s.proc.wmem, true
	}
	m, ok := s.SKMemInfo()
	return m.RMemAlloc, m.WMemAlloc, ok
}

// SKMemInfo returns the memory that the socket takes.
func (s *NetlinkSocket) SKMemInfo() (SKMemInfo, bool) { return s.attrs.skMemInfo(netlinkDiagMemInfo) }

// Bits of NetlinkSocket.Flags (NDIAG_FLAG_* of linux/netlink_diag.h).
const (
	NetlinkDumping        = 1 << iota // a dump is running
	NetlinkPktInfo                    // NETLINK_PKTINFO
	NetlinkBroadcastError             // NETLINK_BROADCAST_ERROR
	NetlinkNoENOBUFS                  // NETLINK_NO_ENOBUFS
	NetlinkListenAllNSID              // NETLINK_LISTEN_ALL_NSID
	NetlinkCapAck                     // NETLINK_CAP_ACK
)

// Flags returns the socket's options.
func (s *NetlinkSocket) Flags() (uint32, bool) { return s.attrs.u32(netlinkDiagFlags) }

// Proc returns what only rows tell that were read from /proc: the kernel's address of the socket, hashed unless the reader may know
// it, and whether a dump is running.
func (s *NetlinkSocket) Proc() (addr uint64, dumping, ok bool) {
	return s.proc.addr, s.proc.dumping, s.Source == FromProc
}

// Clone returns a copy that stays valid.
func (s *NetlinkSocket) Clone() *NetlinkSocket {
	c := *s
	c.attrs.msg = slices.Clone(s.attrs.msg)
	return &c
}

// Netlink yields the netlink sockets that q asks for, of the Conn's network namespace. A socket is valid until the next one is
// asked for. One that has joined groups comes twice: it is in two of the kernel's tables, and the Cookie tells. Errors are as
// Inet has them. Where the kernel has no handler (NETLINK_DIAG), /proc/net/netlink is read.
func (c *Conn) Netlink(ctx context.Context, q NetlinkQuery) iter.Seq2[*NetlinkSocket, error] {
	return stream(ctx, c, query[NetlinkSocket]{
		ask:    q.asks()[0],
		decode: (*NetlinkSocket).decode,
		table:  "netlink",
		split:  bufio.ScanLines,
		parse:  (*NetlinkSocket).parseProc,
		keep:   func(s *NetlinkSocket) bool { return q.Protocol == NetlinkAll || s.Protocol == q.Protocol },
	})
}

// ReadNetlink yields the sockets of a table that was copied from /proc/net/netlink. A socket is valid until the next one is asked for.
func ReadNetlink(r io.Reader) iter.Seq2[*NetlinkSocket, error] {
	return readTable(r, "netlink", bufio.ScanLines, (*NetlinkSocket).parseProc)
}

// request encodes struct netlink_diag_req.
func (q *NetlinkQuery) request() []byte {
	b := make([]byte, sizeofNetlinkDiagReq)
	b[0], b[1] = unix.AF_NETLINK, q.Protocol
	binary.NativeEndian.PutUint32(b[8:], uint32(q.Show))
	return b
}

// ParseNetlink decodes the payload of one message of a dump: struct netlink_diag_msg and the attributes behind it. The socket
// borrows b. It is for programs that have recorded a dump.
func ParseNetlink(b []byte) (*NetlinkSocket, error) {
	return parse(b, "netlink_diag_msg", (*NetlinkSocket).decode)
}

func (s *NetlinkSocket) decode(b []byte) error {
	if len(b) < sizeofNetlinkDiagMsg {
		return &MessageError{What: "netlink_diag_msg", Len: len(b), Want: sizeofNetlinkDiagMsg}
	}
	ne := binary.NativeEndian
	s.Type, s.Protocol, s.State = SocketType(b[1]), b[2], Close
	if b[3] == netlinkConnected {
		s.State = Established
	}
	s.PortID = ne.Uint32(b[4:])
	s.DstPortID, s.DstGroup = ne.Uint32(b[8:]), ne.Uint32(b[12:])
	s.Inode = ne.Uint32(b[16:])
	s.Cookie = cookie(b[20:])
	s.Source = FromNetlink
	return s.attrs.set(b[sizeofNetlinkDiagMsg:])
}

// parseProc reads a line of /proc/net/netlink (net/netlink/af_netlink.c):
//
//	sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode
func (s *NetlinkSocket) parseProc(line []byte) bool {
	w := fields{rest: line}
	*s = NetlinkSocket{State: Close, Source: FromProc}
	s.proc.addr = w.hex(1<<64 - 1)
	protocol := w.decimal()
	s.Protocol = uint8(protocol)
	s.PortID = uint32(w.decimal())
	s.proc.groups = uint32(w.hex(1<<32 - 1))
	s.proc.rmem, s.proc.wmem = uint32(w.decimal()), uint32(w.decimal())
	s.proc.dumping = w.hex(1<<64-1) != 0
	w.next() // references
	w.next() // drops
	s.Inode = uint32(w.decimal())
	return !w.bad && protocol < 1<<8
}
