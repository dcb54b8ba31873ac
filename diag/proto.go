package diag

import "strconv"

// Family is an address family (AF_* of linux/socket.h).
type Family uint8

// Address families.
const (
	Unspec Family = 0
	IPv4   Family = 2
	IPv6   Family = 10
)

// String returns the family's name as the kernel spells it, such as "inet6".
func (f Family) String() string {
	switch f {
	case Unspec:
		return "unspec"
	case IPv4:
		return "inet"
	case IPv6:
		return "inet6"
	}
	return "family-" + strconv.Itoa(int(f))
}

// Protocol is a transport protocol (IPPROTO_* of linux/in.h).
type Protocol uint16

// Protocols that inet_diag knows.
const (
	ICMP    Protocol = 1
	TCP     Protocol = 6
	UDP     Protocol = 17
	DCCP    Protocol = 33
	ICMPv6  Protocol = 58
	SCTP    Protocol = 132
	UDPLite Protocol = 136 // removed in Linux 7.1
	Raw     Protocol = 255 // IPPROTO_RAW: every raw socket, whatever its own protocol
	MPTCP   Protocol = 262 // asked for through INET_DIAG_REQ_PROTOCOL; Linux 5.9 and newer
)

// String returns the protocol's lower-case name, such as "tcp".
func (p Protocol) String() string {
	switch p {
	case ICMP:
		return "icmp"
	case TCP:
		return "tcp"
	case UDP:
		return "udp"
	case DCCP:
		return "dccp"
	case ICMPv6:
		return "icmp6"
	case SCTP:
		return "sctp"
	case UDPLite:
		return "udplite"
	case Raw:
		return "raw"
	case MPTCP:
		return "mptcp"
	}
	return "ipproto-" + strconv.Itoa(int(p))
}
