package netstat

import (
	"net/netip"

	"github.com/sockeye-tools/sockeye/diag"
)

// listener is what the kernel finds a listener by.
type listener struct {
	local netip.AddrPort
	dev   uint32
}

func (t *Table) remember(s *diag.InetSocket) {
	if t.listeners == nil {
		t.listeners = map[listener]uint32{}
	}
	t.listeners[listener{s.Local, s.Interface}] = s.UID
}

// uid returns the user that owns a socket. sock_diag has none for SYN_RECV, where /proc/net/tcp has that of the listener. A
// listener comes before the rows of its requests.
func (t *Table) uid(s *diag.InetSocket) (uid uint32, ok bool) {
	if s.State != diag.SynRecv || s.Protocol != diag.TCP || s.Source != diag.FromNetlink {
		return s.UID, true
	}
	addrs := [...]netip.Addr{s.Local.Addr(), netip.IPv4Unspecified(), netip.IPv6Unspecified()}
	if s.Family == diag.IPv6 { // the wildcard of the other family has no part in it
		addrs[1] = addrs[2]
	}
	for _, a := range addrs {
		at := netip.AddrPortFrom(a, s.Local.Port())
		for _, dev := range [...]uint32{s.Interface, 0} {
			if uid, ok = t.listeners[listener{at, dev}]; ok {
				return uid, true
			}
		}
	}
	return 0, false
}
