package filter

import (
	"net/netip"
	"slices"

	"github.com/sockeye-tools/sockeye/diag"
)

// Other is what a filter looks at in a socket of another family than IPv4 and IPv6. What a family does not have is 0.
type Other struct {
	Family diag.Family
	// Name is the name of a unix socket, the NULs of an abstract one as @; nil if it has none.
	Name []byte
	// Addr and Port are the ethertype and the index of the device of a packet socket, protocol and port id (which has a sign) of a
	// netlink socket, and the queue (Port) of an XDP socket. Of unix sockets it is the inode (Port), of vsock sockets the port.
	Addr, Port int64
	// PeerPort is the port of a vsock socket's peer, the inode of a unix socket's, and -1 for a netlink socket.
	PeerPort int64
	// Interface is the index of the device that the socket is bound to; 0: none.
	Interface uint32
}

// MatchOther reports whether the filter picks a socket of another family than IPv4 and IPv6, as ss has it: the name of a unix
// socket's peer and the address of a packet or netlink socket's are not known, the context ids of vsock sockets are not looked
// at, and operands of another family pick nothing. It does not allocate.
func (f *Filter) MatchOther(s *Other) bool { return f.tree == nil || s.picked(f.tree) }

// picked evaluates a tree.
func (s *Other) picked(n Node) bool {
	switch n := n.(type) {
	case And:
		for _, n := range n {
			if !s.picked(n) {
				return false
			}
		}
		return true
	case Or:
		return slices.ContainsFunc(n, s.picked)
	case Not:
		return !s.picked(n.Node)
	case Foreign:
		return n.Family == s.Family && s.ends(&n)
	case Device:
		return s.Interface == n.Index
	case Mark: // they tell none
		return n.Mark == 0
	case Cgroup:
		return n.ID == 0
	case Autobound:
		return s.autobound(n)
	case Host: // any address is of any family
		return len(n.Prefixes) == 0 || slices.ContainsFunc(n.Prefixes, func(p netip.Prefix) bool { return p.Bits() == 0 })
	case Port: // an operand of IPv4 and IPv6, or of none
		return s.ends(&Foreign{Side: n.Side, Port: int64(n.Port), Addr: -1, Cmp: n.Cmp})
	}
	return false
}

func (s *Other) ends(n *Foreign) bool {
	if n.Family == famUnix && n.Cmp == EQ {
		// The kernel does not tell the name of the peer.
		name := s.Name
		if n.Side == Remote {
			name = nil
		}
		return fnmatch(n.Name, name)
	}
	addr, port := s.Addr, s.Port
	if n.Side == Remote {
		addr, port = 0, s.PeerPort
	}
	switch n.Cmp {
	case GE:
		return port >= n.Port
	case LE:
		return port <= n.Port
	}
	return (n.Port == -1 || n.Port == port) && (n.Addr == -1 || n.Addr == addr || s.Family == famVSock)
}

func (s *Other) autobound(n Autobound) bool {
	switch s.Family {
	case famUnix:
		if s.Name == nil {
			return true
		}
		if len(s.Name) != 6 || s.Name[0] != '@' {
			return false
		}
		for _, c := range s.Name[1:] {
			if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
				return false
			}
		}
		return true
	case famLink:
		return s.Port == 0 && s.Addr == 0
	case famNetlink:
		return s.Port < 0
	case famVSock:
		return s.Port > 1023
	}
	return s.Port >= int64(n.Lo) && s.Port <= int64(n.Hi)
}
