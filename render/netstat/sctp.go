package netstat

import (
	"net/netip"
	"slices"

	"github.com/sockeye-tools/sockeye/diag"
)

// isAssociation reports whether an SCTP row is an association, and not an endpoint: only those have peers.
func isAssociation(s *diag.InetSocket) bool {
	_, ok := s.Attr(diag.AttrPeers)
	return ok
}

// appendSCTP appends the lines of an endpoint or an association: each further pair of addresses has a line of its own, and the
// columns behind the state are on the last. Ports are always numbers, and nothing is cut.
func (t *Table) appendSCTP(dst []byte, s *diag.InetSocket) []byte {
	association := isAssociation(s)
	t.locals = slices.AppendSeq(t.locals[:0], s.Locals())
	t.peers = slices.AppendSeq(t.peers[:0], s.Peers())
	if len(t.locals) == 0 {
		t.locals = append(t.locals, s.Local)
	}
	for i := range max(len(t.locals), len(t.peers)) {
		switch {
		case i > 0:
			dst = append(dst, '\n')
			dst = append(dst, blanks[:20]...)
		case association:
			dst = append(dst, "sctp  "...)
			dst = appendQueue(dst, s.RQueue)
			dst = append(dst, ' ')
			dst = appendQueue(dst, s.WQueue)
			dst = append(dst, ' ')
		default:
			dst = append(dst, "sctp"...)
			dst = append(dst, blanks[:16]...)
		}
		if association {
			dst = t.appendSCTPAddr(dst, t.locals, i, s.Local.Port(), i == 0, endpointWidth)
			dst = append(dst, ' ')
			dst = t.appendSCTPAddr(dst, t.peers, i, s.Remote.Port(), i == 0, endpointWidth)
		} else {
			dst = t.appendSCTPAddr(dst, t.locals, i, s.Local.Port(), true, 2*endpointWidth+1)
		}
		dst = append(dst, ' ')
		start := len(dst)
		if i == 0 {
			dst = appendTCPState(dst, sctpState(s, association))
		}
		dst = pad(dst, start, stateWidth)
	}
	return t.appendTail(dst, s)
}

// appendSCTPAddr appends the i-th address, if there is one, with the port if that is wanted.
func (t *Table) appendSCTPAddr(dst []byte, addrs []netip.AddrPort, i int, port uint16, withPort bool, width int) []byte {
	start := len(dst)
	if i < len(addrs) {
		dst = t.appendHost(dst, addrs[i].Addr())
		if withPort {
			dst = append(dst, ':')
			dst = appendNumber(dst, port)
		}
	}
	return pad(dst, start, width)
}

// sctpState returns an association's state in TCP's words. The kernel gives enum sctp_state of include/net/sctp/constants.h for
// associations, and TCP's numbers for endpoints.
func sctpState(s *diag.InetSocket, association bool) diag.State {
	if !association {
		return s.State
	}
	switch s.State {
	case 0, 1, 2: // CLOSED, COOKIE_WAIT, COOKIE_ECHOED
		return diag.Close
	case 3, 4, 5: // ESTABLISHED, SHUTDOWN_PENDING, SHUTDOWN_SENT
		return diag.Established
	case 6, 7: // SHUTDOWN_RECEIVED, SHUTDOWN_ACK_SENT
		return diag.CloseWait
	}
	return s.State
}
