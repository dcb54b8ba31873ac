package netstat

import (
	"net/netip"
	"strconv"

	"github.com/sockeye-tools/sockeye/internal/inet"
)

const (
	endpointWidth = 23
	maxService    = 18 // of a port's text, where an endpoint is cut
)

// appendEndpoint appends ADDRESS:PORT, cut and padded to 23 characters: the address loses its end first.
func (t *Table) appendEndpoint(dst []byte, a netip.AddrPort, service string) []byte {
	start := len(dst)
	dst = t.appendHost(dst, a.Addr())
	colon := len(dst)
	dst = append(dst, ':')
	dst = appendPort(dst, a.Port(), service, t.Service)
	if len(dst)-start > endpointWidth && !t.Wide {
		port := min(len(dst)-colon-1, maxService)
		host := min(colon-start, endpointWidth-1-port)
		copy(dst[start+host:], dst[colon:colon+1+port])
		dst = dst[:start+host+1+port]
	}
	return pad(dst, start, endpointWidth)
}

// appendHost appends the name of an address, or the address as inet_ntop(3) writes it. Of an IPv4-mapped IPv6 address only the
// IPv4 address is shown, and the unspecified IPv6 address is "[::]" where names are wanted.
func (t *Table) appendHost(dst []byte, a netip.Addr) []byte {
	if t.Host != nil {
		switch a {
		case netip.IPv4Unspecified():
		case netip.IPv6Unspecified():
			return append(dst, "[::]"...)
		default:
			if name, ok := t.Host(a); ok {
				return append(dst, name...)
			}
		}
	}
	if a.Is4() || a.Is4In6() {
		return inet.AppendIPv4(dst, a.As4())
	}
	return appendIPv6(dst, a)
}

// appendPort appends the name that names knows for a port of a protocol, or its number. names can be nil.
func appendPort(dst []byte, port uint16, proto string, names func(port uint16, proto string) (string, bool)) []byte {
	if names != nil && port != 0 {
		if name, ok := names(port, proto); ok {
			return append(dst, name...)
		}
	}
	return appendNumber(dst, port)
}

func appendNumber(dst []byte, port uint16) []byte {
	if port == 0 {
		return append(dst, '*')
	}
	return strconv.AppendUint(dst, uint64(port), 10)
}

// appendIPv6 differs from netip's text (RFC 5952) in the addresses that RFC 4291 calls IPv4-compatible: inet_ntop(3) writes
// "::1.2.3.4".
func appendIPv6(dst []byte, a netip.Addr) []byte {
	b := a.As16()
	if [12]byte(b[:]) == [12]byte{} && (b[12] != 0 || b[13] != 0) {
		return inet.AppendIPv4(append(dst, ':', ':'), [4]byte(b[12:]))
	}
	return a.AppendTo(dst)
}
