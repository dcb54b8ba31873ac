package netstat

import (
	"strconv"

	"github.com/sockeye-tools/sockeye/diag"
)

const stateWidth = 11

// proto returns the first column, six wide: the protocol, and 6 if the socket is an IPv6 one, whatever it talks.
func proto(p diag.Protocol, f diag.Family) string {
	v6 := f == diag.IPv6
	switch {
	case p == diag.TCP && v6:
		return "tcp6  "
	case p == diag.TCP:
		return "tcp   "
	case p == diag.UDP && v6:
		return "udp6  "
	case p == diag.UDP:
		return "udp   "
	case p == diag.UDPLite && v6:
		return "udpl6 "
	case p == diag.UDPLite:
		return "udpl  "
	case p == diag.Raw && v6:
		return "raw6  "
	}
	return "raw   "
}

// appendQueue appends a number of bytes, right-aligned in six columns.
func appendQueue(dst []byte, n uint32) []byte {
	if n == 0 {
		return append(dst, "     0"...)
	}
	for limit := uint32(100_000); limit > n; limit /= 10 {
		dst = append(dst, ' ')
	}
	return strconv.AppendUint(dst, uint64(n), 10)
}

// appendState appends the state. A raw socket's is the kernel's number; that of an unconnected UDP socket is empty.
func appendState(dst []byte, s *diag.InetSocket) []byte {
	switch s.Protocol {
	case diag.Raw:
		return strconv.AppendUint(dst, uint64(s.State), 10)
	case diag.UDP, diag.UDPLite:
		switch s.State {
		case diag.Established:
			return append(dst, "ESTABLISHED"...)
		case diag.Close:
			return dst
		}
		return append(dst, "UNKNOWN"...)
	}
	return appendTCPState(dst, s.State)
}

// appendTCPState appends the name of one of the states 1 to 11, which are all that /proc/net/tcp has.
func appendTCPState(dst []byte, state diag.State) []byte {
	if diag.ProcStates.Has(state) {
		return append(dst, state.String()...)
	}
	dst = append(dst, "UNKNOWN("...)
	dst = strconv.AppendUint(dst, uint64(state), 10)
	return append(dst, ')')
}

// appendUser appends the owner's name or number. The number is a signed one, as ever: 4294967294 is -2.
func (t *Table) appendUser(dst []byte, s *diag.InetSocket) []byte {
	uid, ok := t.uid(s)
	if !ok {
		return append(dst, '-')
	}
	if t.User != nil {
		if name, ok := t.User(uid); ok {
			return append(dst, name...)
		}
	}
	return strconv.AppendInt(dst, int64(int32(uid)), 10)
}

const blanks = "                                                                "

// pad fills what was appended since start up to a width of at most 64.
func pad(dst []byte, start, width int) []byte {
	if n := width - (len(dst) - start); n > 0 {
		dst = append(dst, blanks[:n]...)
	}
	return dst
}
