package filter

import (
	"net/netip"

	"github.com/sockeye-tools/sockeye/diag"
)

// matcher compiles a tree to a function.
func matcher(n Node) func(*diag.InetSocket) bool {
	switch n := n.(type) {
	case And:
		fs := matchers(n)
		if len(fs) == 2 {
			a, b := fs[0], fs[1]
			return func(s *diag.InetSocket) bool { return a(s) && b(s) }
		}
		return func(s *diag.InetSocket) bool {
			for _, f := range fs {
				if !f(s) {
					return false
				}
			}
			return true
		}
	case Or:
		fs := matchers(n)
		if len(fs) == 2 {
			a, b := fs[0], fs[1]
			return func(s *diag.InetSocket) bool { return a(s) || b(s) }
		}
		return func(s *diag.InetSocket) bool {
			for _, f := range fs {
				if f(s) {
					return true
				}
			}
			return false
		}
	case Not:
		f := matcher(n.Node)
		return func(s *diag.InetSocket) bool { return !f(s) }
	case Host:
		return hostMatcher(n)
	case Port:
		return portMatcher(n)
	case Device:
		return func(s *diag.InetSocket) bool { return s.Interface == n.Index }
	case Mark:
		return func(s *diag.InetSocket) bool {
			m, _ := s.Mark()
			return m&n.Mask == n.Mark
		}
	case Cgroup:
		return func(s *diag.InetSocket) bool {
			id, _ := s.CgroupID()
			return id == n.ID
		}
	case Class:
		return func(s *diag.InetSocket) bool { return n.Has(s.Protocol, s.Family, s.State) }
	case Check:
		return n.Picks
	case Autobound:
		return func(s *diag.InetSocket) bool {
			p := s.Local.Port()
			return p >= n.Lo && p <= n.Hi
		}
	}
	return func(*diag.InetSocket) bool { return false } // Foreign
}

func matchers(nodes []Node) []func(*diag.InetSocket) bool {
	fs := make([]func(*diag.InetSocket) bool, len(nodes))
	for i, n := range nodes {
		fs[i] = matcher(n)
	}
	return fs
}

func hostMatcher(n Host) func(*diag.InetSocket) bool {
	side, prefixes := n.Side, n.Prefixes
	switch {
	case len(prefixes) == 0:
		return func(*diag.InetSocket) bool { return true }
	case len(prefixes) == 1 && side == Local:
		p := prefixes[0]
		return func(s *diag.InetSocket) bool { return holds(p, s.Local.Addr()) }
	case len(prefixes) == 1:
		p := prefixes[0]
		return func(s *diag.InetSocket) bool { return holds(p, s.Remote.Addr()) }
	}
	return func(s *diag.InetSocket) bool {
		a := s.Local.Addr()
		if side == Remote {
			a = s.Remote.Addr()
		}
		for _, p := range prefixes {
			if holds(p, a) {
				return true
			}
		}
		return false
	}
}

// holds reports whether p holds a as the kernel has it: an IPv4 prefix holds IPv4-mapped addresses too.
func holds(p netip.Prefix, a netip.Addr) bool {
	if a.Is4In6() && p.Addr().Is4() {
		a = a.Unmap()
	}
	return p.Contains(a)
}

func portMatcher(n Port) func(*diag.InetSocket) bool {
	p := n.Port
	switch n.Side {
	case Local:
		switch n.Cmp {
		case EQ:
			return func(s *diag.InetSocket) bool { return int32(s.Local.Port()) == p }
		case GE:
			return func(s *diag.InetSocket) bool { return int32(s.Local.Port()) >= p }
		}
		return func(s *diag.InetSocket) bool { return int32(s.Local.Port()) <= p }
	default:
		switch n.Cmp {
		case EQ:
			return func(s *diag.InetSocket) bool { return int32(s.Remote.Port()) == p }
		case GE:
			return func(s *diag.InetSocket) bool { return int32(s.Remote.Port()) >= p }
		}
		return func(s *diag.InetSocket) bool { return int32(s.Remote.Port()) <= p }
	}
}
