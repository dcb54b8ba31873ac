package ss

import (
	"net/netip"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/internal/inet"
)

// appendAddr appends an address and the colon behind it: a host's name, dotted, or in brackets; * for :: unless the socket is
// known to be for IPv6 only.
func (p *Writer) appendAddr(b []byte, a netip.Addr, ifindex uint32, v6only bool) []byte {
	if a.Is6() && !v6only && a.IsUnspecified() {
		b = append(b, '*')
	} else if name, ok := p.host(a); ok {
		b = append(b, name...)
	} else if a.Is4() {
		b = inet.AppendIPv4(b, a.As4())
	} else {
		b = append(appendIPv6(append(b, '['), a.As16()), ']')
	}
	if ifindex != 0 {
		b = p.opt.Interfaces.Append(append(b, '%'), ifindex)
	}
	return append(b, ':')
}

// appendHost appends an address as it stands where no port follows.
func (p *Writer) appendHost(b []byte, a netip.Addr) []byte {
	if name, ok := p.host(a); ok {
		return append(b, name...)
	}
	if a.Is4() {
		return inet.AppendIPv4(b, a.As4())
	}
	return appendIPv6(b, a.As16())
}

func (p *Writer) host(a netip.Addr) (string, bool) {
	if p.opt.Host == nil {
		return "", false
	}
	return p.opt.Host(a)
}

// appendIPv6 is inet_ntop(3): as RFC 5952 has it, with the last 32 bits of IPv4-mapped addresses and those of ::/96 dotted.
func appendIPv6(b []byte, a [16]byte) []byte {
	var word [8]uint16
	for i := range word {
		word[i] = uint16(a[2*i])<<8 | uint16(a[2*i+1])
	}
	from, to := 0, 0 // the longest run of zeros
	for i := 0; i < len(word); i++ {
		j := i
		for j < len(word) && word[j] == 0 {
			j++
		}
		if j-i > to-from && j-i > 1 {
			from, to = i, j
		}
		i = j
	}
	for i := 0; i < len(word); i++ {
		if i == from && to > from {
			b = append(b, ':', ':')
			if i = to; i == len(word) {
				break
			}
		} else if i > 0 {
			b = append(b, ':')
		}
		if i == 6 && from == 0 && (to == 6 || to == 5 && word[5] == 0xffff) {
			return inet.AppendIPv4(b, [4]byte(a[12:]))
		}
		b = appendHex(b, uint64(word[i]))
	}
	return b
}

// appendPort appends a port, named unless numbers are wanted or it is one that the kernel hands out by itself.
func (p *Writer) appendPort(b []byte, proto diag.Protocol, port uint16) []byte {
	if port == 0 {
		return append(b, '*')
	}
	if p.opt.Numeric {
		return appendUint(b, uint64(port))
	}
	service := p.opt.Proto
	switch proto {
	case diag.Raw:
		if port < 256 {
			if name, ok := p.opt.Protocols.Lookup(uint8(port)); ok {
				return append(b, name...)
			}
		}
		return appendUint(append(b, "ipproto-"...), uint64(port))
	case diag.TCP:
		service = "tcp"
	case diag.UDP:
		service = "udp"
	}
	if p.opt.AnyProto {
		service = ""
	}
	if name, ok := p.opt.RPC[RPCPort{port, service}]; ok {
		if name == "" {
			return appendUint(b, uint64(port))
		}
		return append(b, name...)
	}
	if port >= p.opt.EphemeralMin && port <= p.opt.EphemeralMax {
		return appendUint(b, uint64(port))
	}
	return p.opt.Services.Append(b, port, service)
}
