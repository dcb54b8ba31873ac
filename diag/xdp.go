package diag

import (
	"context"
	"encoding/binary"
	"iter"
	"slices"

	"golang.org/x/sys/unix"
)

// XDPShow says what a query for XDP sockets asks for beyond the inode (XDP_SHOW_* of linux/xdp_diag.h).
type XDPShow uint32

// What can be asked for.
const (
	XDPShowInfo    XDPShow = 1 << iota // Info, UID
	XDPShowRings                       // RXRing, TXRing, FillRing, CompletionRing
	XDPShowUmem                        // Umem
	XDPShowMemInfo                     // SKMemInfo
	XDPShowStats                       // Stats; Linux 5.9
)

// XDPQuery says what is wanted of all XDP sockets.
type XDPQuery struct{ Show XDPShow }

// XDPSocket is one socket of AF_XDP (Documentation/networking/af_xdp.rst), as the kernel reports it: struct xdp_diag_msg of
// linux/xdp_diag.h and the attributes behind it.
//
// One that comes from a query is valid until the next one is asked for: it borrows the receive buffer. Clone keeps it.
type XDPSocket struct {
	Type   SocketType // SockRaw
	Inode  uint32
	Cookie uint64 // identifies the socket for as long as the system runs

	attrs attrIndex
}

// Attributes of an XDP socket (XDP_DIAG_* of linux/xdp_diag.h).
const (
	xdpDiagInfo           = 1
	xdpDiagUID            = 2
	xdpDiagRXRing         = 3
	xdpDiagTXRing         = 4
	xdpDiagUmem           = 5
	xdpDiagFillRing       = 6
	xdpDiagCompletionRing = 7
	xdpDiagMemInfo        = 8
	xdpDiagStats          = 9

	sizeofXDPDiagReq   = 20
	sizeofXDPDiagMsg   = 16
	sizeofXDPDiagUmem  = 40
	sizeofXDPDiagStats = 48
)

// XDPUmem is struct xdp_diag_umem: the memory that packets lie in.
type XDPUmem struct {
	Size      uint64 // bytes
	ID        uint32
	Pages     uint32
	ChunkSize uint32 // bytes
	Headroom  uint32 // bytes
	Interface uint32 // index of the device
	Queue     uint32 // of the device
	Flags     uint32 // XDPZeroCopy
	Refs      uint32 // how many sockets share it
}

// XDPZeroCopy is the bit of XDPUmem.Flags that says that packets are not copied (XDP_DU_F_ZEROCOPY).
const XDPZeroCopy = 1

// XDPStats is struct xdp_diag_stats, in packets.
type XDPStats struct {
	RXDropped, RXInvalid, RXFull, FillRingEmpty, TXInvalid, TXRingEmpty uint64
}

// Info returns the index of the device, and the number of its queue, that the socket is bound to.
func (s *XDPSocket) Info() (index, queue uint32, ok bool) {
	b, _ := s.attrs.get(xdpDiagInfo)
	if len(b) < 8 {
		return 0, 0, false
	}
	return binary.NativeEndian.Uint32(b), binary.NativeEndian.Uint32(b[4:]), true
}

// UID returns the owning user.
func (s *XDPSocket) UID() (uint32, bool) { return s.attrs.u32(xdpDiagUID) }

// RXRing returns how many descriptors fit into the ring of received packets.
func (s *XDPSocket) RXRing() (entries uint32, ok bool) { return s.attrs.u32(xdpDiagRXRing) }

// TXRing returns how many descriptors fit into the ring of packets to send.
func (s *XDPSocket) TXRing() (entries uint32, ok bool) { return s.attrs.u32(xdpDiagTXRing) }

// FillRing returns how many descriptors fit into the ring that hands memory to the kernel.
func (s *XDPSocket) FillRing() (entries uint32, ok bool) { return s.attrs.u32(xdpDiagFillRing) }

// CompletionRing returns how many descriptors fit into the ring that hands memory back.
func (s *XDPSocket) CompletionRing() (entries uint32, ok bool) {
	return s.attrs.u32(xdpDiagCompletionRing)
}

// Umem returns the memory that packets lie in.
func (s *XDPSocket) Umem() (u XDPUmem, ok bool) {
	b, _ := s.attrs.get(xdpDiagUmem)
	if len(b) < sizeofXDPDiagUmem {
		return u, false
	}
	ne := binary.NativeEndian
	return XDPUmem{
		ne.Uint64(b), ne.Uint32(b[8:]), ne.Uint32(b[12:]), ne.Uint32(b[16:]), ne.Uint32(b[20:]), ne.Uint32(b[24:]),
		ne.Uint32(b[28:]), ne.Uint32(b[32:]), ne.Uint32(b[36:]),
	}, true
}

// Stats returns the socket's counters.
func (s *XDPSocket) Stats() (st XDPStats, ok bool) {
	b, _ := s.attrs.get(xdpDiagStats)
	if len(b) < sizeofXDPDiagStats {
		return st, false
	}
	ne := binary.NativeEndian
	return XDPStats{ne.Uint64(b), ne.Uint64(b[8:]), ne.Uint64(b[16:]), ne.Uint64(b[24:]), ne.Uint64(b[32:]), ne.Uint64(b[40:])}, true
}

// SKMemInfo returns the memory that the socket takes.
func (s *XDPSocket) SKMemInfo() (SKMemInfo, bool) { return s.attrs.skMemInfo(xdpDiagMemInfo) }

// Clone returns a copy that stays valid.
func (s *XDPSocket) Clone() *XDPSocket {
	c := *s
	c.attrs.msg = slices.Clone(s.attrs.msg)
	return &c
}

// XDP yields the XDP sockets of the Conn's network namespace. A socket is valid until the next one is asked for. Errors are as Inet
// has them. Needs XDP_SOCKETS_DIAG; Linux 5.1.
func (c *Conn) XDP(ctx context.Context, q XDPQuery) iter.Seq2[*XDPSocket, error] {
	return stream(ctx, c, query[XDPSocket]{
		ask:    q.asks()[0],
		decode: (*XDPSocket).decode,
	})
}

// request encodes struct xdp_diag_req.
func (q *XDPQuery) request() []byte {
	b := make([]byte, sizeofXDPDiagReq)
	b[0] = unix.AF_XDP
	binary.NativeEndian.PutUint32(b[8:], uint32(q.Show))
	return b
}

// ParseXDP decodes the payload of one message of a dump: struct xdp_diag_msg and the attributes behind it. The socket borrows b. It is
// for programs that have recorded a dump.
func ParseXDP(b []byte) (*XDPSocket, error) { return parse(b, "xdp_diag_msg", (*XDPSocket).decode) }

func (s *XDPSocket) decode(b []byte) error {
	if len(b) < sizeofXDPDiagMsg {
		return &MessageError{What: "xdp_diag_msg", Len: len(b), Want: sizeofXDPDiagMsg}
	}
	s.Type = SocketType(b[1])
	s.Inode = binary.NativeEndian.Uint32(b[4:])
	s.Cookie = cookie(b[8:])
	return s.attrs.set(b[sizeofXDPDiagMsg:])
}
