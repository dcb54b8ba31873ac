package netstat

import "github.com/sockeye-tools/sockeye/diag"

// Which says which sockets are shown.
type Which uint8

// Which sockets are shown.
const (
	Connected Which = iota // netstat's default
	Servers                // -l
	All                    // -a
)

func (w Which) heading() string {
	switch w {
	case Servers:
		return "(only servers)"
	case All:
		return "(servers and established)"
	}
	return "(w/o servers)"
}

// Shows reports whether a socket is shown. Servers are: of TCP, what is in LISTEN; of SCTP, endpoints; of the others, what has
// no remote address, whatever its remote port is.
func (w Which) Shows(s *diag.InetSocket) bool {
	if w == All {
		return true
	}
	server := false
	switch s.Protocol {
	case diag.TCP:
		server = s.State == diag.Listen
	case diag.SCTP:
		server = !isAssociation(s)
	default:
		server = s.Remote.Addr().IsUnspecified()
	}
	return server == (w == Servers)
}
