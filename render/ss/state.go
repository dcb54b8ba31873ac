package ss

import "github.com/sockeye-tools/sockeye/diag"

// rawKind is ss's number for a raw socket whose protocol the kernel does not tell.
const rawKind diag.Protocol = 0

// netid returns the word for a kind of socket. A raw socket whose protocol the kernel told is called after that; ss has no word for
// DCCP any more, which is used here for that table alone.
func netid(s *diag.InetSocket, kind diag.Protocol) string {
	switch kind {
	case rawKind:
		return "raw"
	case diag.TCP:
		return "tcp"
	case diag.UDP:
		return "udp"
	case diag.SCTP:
		return "sctp"
	case diag.DCCP:
		if s.Protocol == diag.Raw {
			break
		}
		return "dccp"
	case diag.ICMPv6:
		return "icmp6"
	case diag.MPTCP:
		return "mptcp"
	}
	return "???"
}

var states = [...]string{
	"UNKNOWN", "ESTAB", "SYN-SENT", "SYN-RECV", "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT",
	"UNCONN", "CLOSE-WAIT", "LAST-ACK", "LISTEN", "CLOSING", "UNDEF",
	"UNCONN", // kernels report TCP_CLOSE for bound sockets; ss names its own number so
}

// partOpen is DCCP_PARTOPEN, which has the number that BoundInactive has of TCP.
const partOpen = diag.BoundInactive

func state(s diag.State) string {
	if int(s) < len(states) {
		return states[s]
	}
	return "UNDEF"
}

// assocStates are the states of an SCTP association (enum sctp_state of the kernel's net/sctp/constants.h).
var assocStates = [...]string{
	"CLOSED", "COOKIE_WAIT", "COOKIE_ECHOED", "ESTAB", "SHUTDOWN_PENDING", "SHUTDOWN_SENT", "SHUTDOWN_RECEIVED", "ACK_SENT",
}

func assocState(s diag.State) string {
	if int(s) < len(assocStates) {
		return assocStates[s]
	}
	return "UNDEF"
}
