package scene

import (
	"fmt"
	"net/netip"
	"strconv"
)

// A Table is the kernel's table that a socket is in.
type Table uint8

// The tables.
const (
	TCP Table = iota + 1
	UDP
	UDPLite
	Raw
	MPTCP
	Unix
	Packet
	Netlink
	DCCP // only in [Families]
)

func (t Table) String() string {
	return named(t, "", "tcp", "udp", "udplite", "raw", "mptcp", "unix", "packet", "netlink", "dccp")
}

// A State is a socket state by its number in the kernel (include/net/tcp_states.h). Other protocols than TCP use
// Established and Close.
type State uint8

// The states. SYN-RECV is SynRecv in /proc/net/tcp and in the answers of sock_diag; NewSynRecv exists only in the kernel.
const (
	Established State = iota + 1
	SynSent
	SynRecv
	FinWait1
	FinWait2
	TimeWait
	Close
	CloseWait
	LastAck
	Listen
	Closing
	_
	BoundInactive // bound, neither listening nor connected; sock_diag only, Linux 6.8
)

func (s State) String() string {
	return named(s, "", "ESTABLISHED", "SYN-SENT", "SYN-RECV", "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT", "CLOSE",
		"CLOSE-WAIT", "LAST-ACK", "LISTEN", "CLOSING", "", "BOUND-INACTIVE")
}

// A Timer is what a TCP socket waits for, by its number in /proc/net/tcp and in idiag_timer.
type Timer uint8

// The timers.
const (
	TimerOff       Timer = iota
	TimerOn              // retransmission of data, SYN, SYN-ACK or FIN
	TimerKeepalive       // keepalive, or FIN-WAIT-2 of an orphan
	TimerTimeWait
	TimerProbe // zero window probe; ss calls it persist
)

func (t Timer) String() string {
	return named(t, "off", "on", "keepalive", "timewait", "probe")
}

// named is the name at index i, or the number where there is none.
func named[T ~uint8](i T, names ...string) string {
	if int(i) >= len(names) || names[i] == "" {
		return strconv.Itoa(int(i))
	}
	return names[i]
}

// Shutdown bits, as in the attribute INET_DIAG_SHUTDOWN.
const (
	ShutRead  = 1
	ShutWrite = 2
)

// An Owner is a process that holds a descriptor of a socket.
type Owner struct {
	PID  int
	FD   int
	Comm string // name of the process, up to 15 bytes (/proc/PID/comm)
	Argv string // its argv[0]
}

// An Expect is the truth about one socket of a scene.
type Expect struct {
	Name   string // what the socket is there to show; unique within the scene
	Table  Table
	Family int // AF_INET, AF_INET6, AF_UNIX, AF_PACKET, AF_NETLINK
	Type   int // SOCK_STREAM, ...; MPTCP and TCP are SOCK_STREAM
	State  State

	// Local and Remote are those of the inet tables. An IPv4-mapped address is kept as such; no address has a zone (see
	// Device). The port of a raw socket is its IP protocol.
	Local, Remote netip.AddrPort

	// Inode is 0 where the socket has none: SYN-RECV, TIME-WAIT, not yet accepted, orphaned.
	Inode uint32
	// Owners are all holders of the socket, ordered by PID, then FD.
	Owners []Owner
	UID    uint32

	Timer Timer // TCP only

	// RecvQ is the unread data in bytes, a received FIN counting 1; of a TCP listener the connections to be accepted; of
	// the other tables the memory that is charged for unread data. SendQ is the data that is unacknowledged or not yet
	// sent in bytes, SYN and FIN counting 1 each; of a TCP listener 0; of the other tables the memory charged.
	// MPTCP is one of the other tables but for its listeners, whose RecvQ is 0 here because none has connections waiting.
	// Of a unix listener RecvQ is the connections to be accepted. sock_diag says for a listener's send queue its backlog
	// instead: Backlog.
	RecvQ, SendQ uint32
	Backlog      uint32

	// Device is the name of the device that the socket is bound to, by SO_BINDTODEVICE or by a link-local address.
	// Of a packet socket it is the device bound to.
	Device string

	// What follows holds for sockets with a descriptor, and children of a listener have it from their listener.
	Mark       uint32 // SO_MARK
	V6Only     bool   // IPV6_V6ONLY
	TOS        uint8  // IP_TOS
	TClass     uint8  // IPV6_TCLASS
	Congestion string // TCP_CONGESTION; empty for other tables and for sockets without a descriptor
	Shutdown   uint8  // ShutRead, ShutWrite
	FastOpen   bool   // data went with the SYN and was accepted
	MD5Key     string // TCP_MD5SIG

	// Path is the name of a unix socket, an abstract one beginning with a NUL byte.
	Path string
	// Peer is the inode of the connected unix socket, 0 if there is none.
	Peer uint32
	// Protocol is that of a packet socket (ETH_P_*) or of a netlink socket (NETLINK_*).
	Protocol uint16
	// PortID and Groups are those of a netlink socket.
	PortID, Groups uint32
}

func (e *Expect) String() string {
	return fmt.Sprintf("%s (%v %v %v > %v)", e.Name, e.Table, e.State, e.Local, e.Remote)
}
