package diag

import (
	"net/netip"
	"slices"
	"time"
)

// InetSocket is one IPv4 or IPv6 socket as the kernel reports it (struct inet_diag_msg of linux/inet_diag.h and the attributes
// behind it).
//
// One that comes from a query is valid until the next one is asked for: it borrows the receive buffer. Clone keeps it.
type InetSocket struct {
	Family   Family
	Protocol Protocol // what was asked for; see RawProtocol for a raw socket's own
	State    State
	Timer    Timer
	// Retrans counts, by Timer: retransmissions (TimerOn) or unanswered probes (TimerKeepalive, TimerProbe). The kernel leaves it
	// 0 otherwise.
	Retrans uint8
	// Local and Remote have no zone: the device that the socket is bound to is Interface.
	Local, Remote netip.AddrPort
	// Interface is the index of the device that the socket is bound to, or 0.
	Interface uint32
	// Cookie identifies the socket for as long as the system runs; 0 in rows that were read from /proc.
	Cookie uint64
	// Expires is the time until Timer fires, to the millisecond (to 10 ms in rows that were read from /proc).
	Expires time.Duration
	// RQueue: bytes received and not read (UDP, raw: memory that they take). In Listen: connections not yet accepted.
	RQueue uint32
	// WQueue: bytes not acknowledged (UDP, raw: memory that they take). In Listen: the limit of the accept queue (absent,
	// so 0, in rows that were read from /proc).
	WQueue uint32
	// UID is the owning user; 0 for TIME_WAIT and SYN_RECV, which have none.
	UID uint32
	// Inode is the socket's inode number, or 0 where no process can hold it: TIME_WAIT, SYN_RECV, connections not yet accepted,
	// and sockets that were closed and still have data to send.
	Inode uint32
	// Source says where the row came from.
	Source Source

	msg  []byte // the attributes, borrowed
	have uint32 // bit 1<<Attr
	pos  [attrMax]span
}

// Source is where a row came from.
type Source uint8

// Sources.
const (
	FromNetlink Source = iota // NETLINK_SOCK_DIAG
	FromProc                  // a table in /proc/net: no attributes, no cookie, no device
)

type span struct{ off, len uint16 }

// Attr returns the value of an attribute as the kernel sent it, and whether it was sent. The bytes are borrowed.
func (s *InetSocket) Attr(a Attr) ([]byte, bool) {
	if a >= attrMax || s.have&(1<<a) == 0 {
		return nil, false
	}
	p := s.pos[a]
	return s.msg[p.off : int(p.off)+int(p.len)], true
}

// Clone returns a copy that stays valid.
func (s *InetSocket) Clone() *InetSocket {
	c := *s
	c.msg = slices.Clone(s.msg)
	return &c
}

func (s *InetSocket) u8(a Attr) (uint8, bool) {
	b, _ := s.Attr(a)
	return num8(b)
}

func (s *InetSocket) u32(a Attr) (uint32, bool) {
	b, _ := s.Attr(a)
	return num32(b)
}

// TOS returns the IP_TOS option of the socket. Asked for by ExtTOS.
func (s *InetSocket) TOS() (uint8, bool) { return s.u8(AttrTOS) }

// TClass returns the IPV6_TCLASS option of an IPv6 socket. Asked for by ExtTClass.
func (s *InetSocket) TClass() (uint8, bool) { return s.u8(AttrTClass) }

// ClassID returns the class id of the socket's net_cls cgroup, or its SO_PRIORITY where there is none. Asked for by ExtTClass;
// Linux 4.12.
func (s *InetSocket) ClassID() (uint32, bool) { return s.u32(AttrClassID) }

// Shutdown bits (include/net/sock.h).
const (
	RcvShutdown  = 1
	SendShutdown = 2
)

// Shutdown returns which directions were shut down: a set of RcvShutdown and SendShutdown.
func (s *InetSocket) Shutdown() (uint8, bool) { return s.u8(AttrShutdown) }

// V6Only returns the IPV6_V6ONLY option. The kernel reports it for IPv6 sockets in Listen and Close.
func (s *InetSocket) V6Only() (v6only, ok bool) {
	v, ok := s.u8(AttrSKV6Only)
	return v != 0, ok
}

// Mark returns the SO_MARK option. The kernel tells it only to who has CAP_NET_ADMIN. Linux 4.10.
func (s *InetSocket) Mark() (uint32, bool) { return s.u32(AttrMark) }

// CgroupID returns the id of the socket's cgroup (v2): the inode number of its directory. Linux 5.8.
func (s *InetSocket) CgroupID() (uint64, bool) {
	b, _ := s.Attr(AttrCgroupID)
	return num64(b)
}

// RawProtocol returns the IP protocol of a raw socket (INET_DIAG_PROTOCOL), or what kind of socket the kernel says it is.
func (s *InetSocket) RawProtocol() (Protocol, bool) {
	v, ok := s.u8(AttrProtocol)
	return Protocol(v), ok
}

// Cong returns the name of the congestion control algorithm, such as "cubic". Asked for by ExtCong. The bytes are borrowed.
func (s *InetSocket) Cong() ([]byte, bool) {
	b, ok := s.Attr(AttrCong)
	return cstring(b), ok
}

// cstring cuts b at its first NUL.
func cstring(b []byte) []byte {
	for i, c := range b {
		if c == 0 {
			return b[:i]
		}
	}
	return b
}
