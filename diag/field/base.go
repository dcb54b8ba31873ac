package field

import (
	"net/netip"
	"strconv"
	"time"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/internal/inet"
)

// baseFields are those that every answer has.
func baseFields() []*Field {
	fixed := func(get func(*diag.InetSocket) string) func(*Context, *diag.InetSocket) (string, bool) {
		return func(_ *Context, s *diag.InetSocket) (string, bool) {
			v := get(s)
			return v, v != ""
		}
	}
	number := func(get func(*diag.InetSocket) (uint64, bool)) func(*Context, *diag.InetSocket) (uint64, bool) {
		return func(_ *Context, s *diag.InetSocket) (uint64, bool) { return get(s) }
	}
	all := []*Field{
		{Name: "netid", Aliases: []string{"net_id"}, Kind: Text, Shown: true, Where: InMask, Doc: "protocol, with a 6 behind it for IPv6", word: fixed(netid)},
		{Name: "proto", Aliases: []string{"protocol"}, Kind: Text, Where: InMask, Values: "tcp udp", Doc: "transport protocol",
			word: fixed(func(s *diag.InetSocket) string { return s.Protocol.String() })},
		{Name: "family", Aliases: []string{"af"}, Kind: Text, Where: InMask, Values: "ipv4 ipv6", Doc: "address family", word: fixed(familyName)},
		{Name: "state", Kind: Text, Where: InMask,
			Values: "established syn-sent syn-recv fin-wait-1 fin-wait-2 time-wait unconnected close-wait last-ack listen closing bound",
			Doc:    "state; unconnected: UDP without a peer; bound: TCP with an address and nothing else (6.8)", word: fixed(StateName)},
		{Name: "recv_q", Aliases: []string{"recvq", "rcvq", "rcv_q"}, Kind: Number, Unit: Bytes, Where: Here, unless: listens,
			Doc:    "received and not read (UDP: the memory it takes); of a TCP listener, connections: see accept_q",
			number: number(func(s *diag.InetSocket) (uint64, bool) { return uint64(s.RQueue), true })},
		{Name: "send_q", Aliases: []string{"sendq", "sndq", "snd_q"}, Kind: Number, Unit: Bytes, Where: Here, unless: listens,
			Doc:    "sent and not acknowledged, or not sent (UDP: the memory it takes); of a TCP listener, its limit: see backlog",
			number: number(func(s *diag.InetSocket) (uint64, bool) { return uint64(s.WQueue), true })},
		{Name: "accept_q", Aliases: []string{"acceptq"}, Kind: Number, Unit: Connections, Where: Here, Doc: "of a listener: connections that wait for accept(2)",
			number: number(func(s *diag.InetSocket) (uint64, bool) { return uint64(s.RQueue), listens(s) })},
		{Name: "backlog", Aliases: []string{"accept_limit"}, Kind: Number, Unit: Connections, Where: Here, Doc: "of a listener: limit of accept_q, the smaller of listen(2)'s and net.core.somaxconn",
			number: number(func(s *diag.InetSocket) (uint64, bool) {
				return uint64(s.WQueue), listens(s) && s.Source == diag.FromNetlink
			})},
		{Name: "accept_full", Kind: Flag, Where: Here, Doc: "of a listener: the accept queue is full, so new connections are dropped",
			number: number(func(s *diag.InetSocket) (uint64, bool) {
				return flag(s.RQueue > s.WQueue), listens(s) && s.Source == diag.FromNetlink
			})},
		{Name: "local", Aliases: []string{"src", "source"}, Kind: Text, Where: InBytecode, Shown: true, Doc: "local ADDRESS:PORT; in filters: an address, prefix, host, [ADDRESS]:PORT",
			text: func(_ *Context, dst []byte, s *diag.InetSocket) ([]byte, bool) {
				return AppendAddrPort(dst, s.Local), true
			}},
		{Name: "local_addr", Aliases: []string{"laddr", "saddr"}, Kind: Address, Where: InBytecode, Doc: "local address", addr: func(s *diag.InetSocket) netip.Addr { return s.Local.Addr() }},
		{Name: "local_port", Aliases: []string{"sport", "lport"}, Kind: Number, Where: InBytecode, Doc: "local port; in filters also the name of a service, or a range A-B",
			number: number(func(s *diag.InetSocket) (uint64, bool) { return uint64(s.Local.Port()), s.Local.Port() != 0 })},
		{Name: "peer", Aliases: []string{"dst", "remote", "dest", "destination"}, Kind: Text, Where: InBytecode, Shown: true, Doc: "peer's ADDRESS:PORT; in filters as local",
			text: func(_ *Context, dst []byte, s *diag.InetSocket) ([]byte, bool) {
				if NoPeer(s) {
					return dst, false
				}
				return AppendAddrPort(dst, s.Remote), true
			}},
		{Name: "peer_addr", Aliases: []string{"raddr", "daddr", "paddr"}, Kind: Address, Where: InBytecode, Doc: "peer's address", addr: func(s *diag.InetSocket) netip.Addr {
			if NoPeer(s) {
				return netip.Addr{}
			}
			return s.Remote.Addr()
		}},
		{Name: "peer_port", Aliases: []string{"dport", "rport", "pport"}, Kind: Number, Where: InBytecode, Doc: "peer's port; in filters as local_port",
			number: number(func(s *diag.InetSocket) (uint64, bool) { return uint64(s.Remote.Port()), s.Remote.Port() != 0 })},
		{Name: "dev", Aliases: []string{"device", "interface"}, Kind: Text, Where: InBytecode, Doc: "device that the socket is bound to",
			text: func(c *Context, dst []byte, s *diag.InetSocket) ([]byte, bool) {
				if s.Interface == 0 {
					return dst, false
				}
				if c.Device != nil {
					if name, ok := c.Device(s.Interface); ok {
						return append(dst, name...), true
					}
				}
				return strconv.AppendUint(append(dst, "if"...), uint64(s.Interface), 10), true
			}},
		{Name: "ifindex", Kind: Number, Where: Here, Doc: "index of that device",
			number: number(func(s *diag.InetSocket) (uint64, bool) { return uint64(s.Interface), s.Interface != 0 })},
		{Name: "timer", Kind: Text, Where: Here, Values: "on keepalive timewait persist delack", Doc: "the timer that runs; see sockeye help timers",
			word: func(_ *Context, s *diag.InetSocket) (string, bool) { return s.Timer.String(), s.Timer != diag.TimerOff }},
		{Name: "expires", Kind: Number, Unit: Milliseconds, Where: Here, Doc: "until the timer fires",
			number: number(func(s *diag.InetSocket) (uint64, bool) {
				return uint64(s.Expires / time.Millisecond), s.Timer != diag.TimerOff
			})},
		{Name: "retransmits", Aliases: []string{"retries"}, Kind: Number, Where: Here, Doc: "how often the timer fired in vain: retransmissions, or probes without an answer",
			number: number(func(s *diag.InetSocket) (uint64, bool) {
				return uint64(s.Retrans), s.Timer == diag.TimerOn || s.Timer == diag.TimerKeepalive || s.Timer == diag.TimerProbe
			})},
		{Name: "uid", Kind: Number, Where: Here, Doc: "user who made the socket", number: number(uid)},
		{Name: "user", Kind: Text, Where: Here, Doc: "name of that user, or the number",
			word: func(c *Context, s *diag.InetSocket) (string, bool) {
				id, ok := uid(s)
				if !ok {
					return "", false
				}
				return c.userName(uint32(id)), true
			}},
		{Name: "inode", Aliases: []string{"ino"}, Kind: Number, Where: Here, Doc: "inode of the socket; absent where no process can hold it",
			number: number(func(s *diag.InetSocket) (uint64, bool) { return uint64(s.Inode), s.Inode != 0 })},
		{Name: "cookie", Kind: Number, Where: Here, Doc: "identifies the socket for as long as the system runs",
			number: number(func(s *diag.InetSocket) (uint64, bool) { return s.Cookie, s.Cookie != 0 })},
		{Name: "mark", Attr: true, Aliases: []string{"fwmark"}, Kind: Number, Where: InBytecode, Since: "4.10", Doc: "SO_MARK; told only with CAP_NET_ADMIN. fwmark = MARK/MASK is ss's",
			number: number(func(s *diag.InetSocket) (uint64, bool) {
				v, ok := s.Mark()
				return uint64(v), ok
			})},
		{Name: "cgroup", Attr: true, Kind: Text, Where: InBytecode, Since: "5.8", Doc: "path of the socket's control group (v2); in filters = and != are the kernel's",
			word: func(c *Context, s *diag.InetSocket) (string, bool) {
				id, ok := s.CgroupID()
				if !ok || id == 0 || c.Cgroup == nil {
					return "", false
				}
				return c.Cgroup(id)
			}},
		{Name: "cgroup_id", Attr: true, Kind: Number, Where: Here, Since: "5.8", Doc: "id of that control group",
			number: number(func(s *diag.InetSocket) (uint64, bool) {
				id, ok := s.CgroupID()
				return id, ok && id != 0
			})},
		{Name: "netns", Kind: Text, Where: Here, Doc: "network namespace, with --all-netns",
			word: func(c *Context, _ *diag.InetSocket) (string, bool) { return c.NetNS, c.NetNS != "" }},
	}
	for _, f := range all {
		f.key()
	}
	return all
}

// listens reports a TCP listener, whose queues count connections.
func listens(s *diag.InetSocket) bool {
	return s.State == diag.Listen && (s.Protocol == diag.TCP || s.Protocol == diag.MPTCP)
}

// NoPeer reports that the socket has no peer.
func NoPeer(s *diag.InetSocket) bool {
	return s.Remote.Port() == 0 && s.Remote.Addr().IsUnspecified()
}

// small names the record that the kernel keeps in place of a socket, which has no user, inode or descriptor: "time-wait" or
// "syn-recv"; "" for a socket.
func small(s *diag.InetSocket) string {
	switch s.State {
	case diag.TimeWait:
		return "time-wait"
	case diag.SynRecv, diag.NewSynRecv:
		return "syn-recv"
	case diag.FinWait2:
		if s.Timer == diag.TimerTimeWait {
			return "time-wait"
		}
	}
	return ""
}

// uid is the socket's user.
func uid(s *diag.InetSocket) (uint64, bool) {
	if small(s) != "" {
		return 0, false
	}
	return uint64(s.UID), true
}

func netid(s *diag.InetSocket) string {
	if s.Family != diag.IPv6 {
		return s.Protocol.String()
	}
	switch s.Protocol {
	case diag.TCP:
		return "tcp6"
	case diag.UDP:
		return "udp6"
	}
	return s.Protocol.String() + "6"
}

func familyName(s *diag.InetSocket) string {
	switch s.Family {
	case diag.IPv4:
		return "ipv4"
	case diag.IPv6:
		return "ipv6"
	}
	return s.Family.String()
}

// StateName is the state's name in small letters, such as "fin-wait-1"; "" for one that is not known.
func StateName(s *diag.InetSocket) string {
	switch s.State {
	case diag.Established:
		return "established"
	case diag.SynSent:
		return "syn-sent"
	case diag.SynRecv, diag.NewSynRecv:
		return "syn-recv"
	case diag.FinWait1:
		return "fin-wait-1"
	case diag.FinWait2:
		return "fin-wait-2"
	case diag.TimeWait:
		return "time-wait"
	case diag.Close:
		if s.Protocol == diag.TCP || s.Protocol == diag.MPTCP {
			return "bound"
		}
		return "unconnected"
	case diag.CloseWait:
		return "close-wait"
	case diag.LastAck:
		return "last-ack"
	case diag.Listen:
		return "listen"
	case diag.Closing:
		return "closing"
	}
	return ""
}

// AppendAddrPort appends ADDRESS:PORT, an IPv6 address in brackets.
func AppendAddrPort(dst []byte, ap netip.AddrPort) []byte {
	a := ap.Addr()
	if a.Is4() {
		dst = AppendAddr(dst, a)
	} else {
		dst = append(a.AppendTo(append(dst, '[')), ']')
	}
	return strconv.AppendUint(append(dst, ':'), uint64(ap.Port()), 10)
}

// AppendAddr appends an address.
func AppendAddr(dst []byte, a netip.Addr) []byte {
	if !a.Is4() {
		return a.AppendTo(dst)
	}
	return inet.AppendIPv4(dst, a.As4())
}
