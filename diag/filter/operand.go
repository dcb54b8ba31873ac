package filter

import (
	"math"
	"net/netip"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag"
)

// Families whose operands the language knows.
const (
	famUnix    = diag.Family(unix.AF_UNIX)
	famLink    = diag.Family(unix.AF_PACKET)
	famNetlink = diag.Family(unix.AF_NETLINK)
	famVSock   = diag.Family(unix.AF_VSOCK)
)

// familyNames are the prefixes of operands.
var familyNames = map[diag.Family]string{
	famUnix: "unix", famLink: "link", famNetlink: "netlink", famVSock: "vsock", diag.IPv4: "inet", diag.IPv6: "inet6",
}

// operandError is the error of an operand that cannot be read: the lines of its cause, then ss's last line.
func operandError(err error, lines ...string) *SSError {
	return &SSError{Text: strings.Join(lines, "\n"), Status: 1, Err: err}
}

func addressError(err error, cause ...string) *SSError {
	return operandError(err, append(cause, "Cannot parse dst/src address.")...)
}

// parseAddress reads an operand of src and dst or, if isPort, of sport and dport. It returns the family that the operand has by its
// prefix or by the preferred family.
func parseAddress(w string, side Side, isPort bool, env *Env) (Node, diag.Family, error) {
	family := env.Preferred
	if prefix, rest, ok := strings.Cut(w, ":"); ok {
		for f, name := range familyNames {
			if prefix == name {
				family, w = f, rest
			}
		}
	}
	switch family {
	case famUnix:
		return Foreign{Family: family, Side: side, Name: w, Addr: -1, Port: -1}, family, nil
	case famLink, famNetlink, famVSock:
		n, ok := parseForeign(w, family, side, isPort, env)
		if !ok {
			return nil, family, addressError(nil)
		}
		return n, family, nil
	}
	n, err := parseInet(w, family, side, isPort, env)
	return n, family, err
}

// parseInet reads an operand of an inet family; of both, if family is Unspec.
func parseInet(w string, family diag.Family, side Side, isPort bool, env *Env) (Node, error) {
	addr, port := w, ""
	switch {
	case strings.HasPrefix(w, "["):
		var ok bool
		if addr, port, ok = strings.Cut(w[1:], "]"); !ok {
			return nil, addressError(nil)
		}
	case strings.HasPrefix(w, "*"):
		addr, port = "", w[1:]
	default:
		// The last colon, but those of an IPv6 address with a prefix length are not it.
		from := max(strings.IndexByte(w, '/'), 0)
		if i := strings.LastIndexByte(w[from:], ':'); i >= 0 {
			addr, port = w[:from+i], w[from+i:]
		}
	}
	if isPort {
		port, addr = w, ""
		if strings.HasPrefix(w, "[") {
			port, _, _ = strings.Cut(w[1:], "]")
		}
	}

	var all And
	if port = strings.TrimPrefix(port, ":"); port != "" && port[0] != '*' {
		n, err := parsePort(port, env)
		if err != nil {
			return nil, err
		}
		if n != anyPort {
			all = append(all, Port{Side: side, Port: n})
		}
	}
	host := Host{Side: side}
	if addr != "" && addr[0] != '*' {
		var err error
		if host.Prefixes, err = parseHost(addr, family, env); err != nil {
			return nil, err
		}
	}
	if len(host.Prefixes) > 0 || len(all) == 0 {
		all = append(all, host)
	}
	if len(all) == 1 {
		return all[0], nil
	}
	return all, nil
}

// anyPort is the port that stands for any.
const anyPort = -1

// parsePort reads a port: a number, or the name of a service. A number outside of 32 bits becomes the nearest in it, which is no port
// either.
func parsePort(w string, env *Env) (int32, error) {
	if v, ok := cLong(w); ok {
		return int32(min(max(v, math.MinInt32), math.MaxInt32)), nil
	}
	var port uint16
	for _, t := range [...]struct {
		selected bool
		proto    string
	}{{env.UDP, "udp"}, {env.TCP, "tcp"}} {
		if !t.selected {
			continue
		}
		p, ok := env.service(w, t.proto)
		if ok && port != 0 && p != port {
			return 0, addressError(nil, `Error: ambiguous port "`+w+`".`)
		}
		if ok {
			port = p
		}
	}
	if port == 0 {
		return 0, addressError(nil, `Error: "`+w+`" does not look like a port.`)
	}
	return int32(port), nil
}

// parseHost reads an address, a prefix or a host name. No prefixes stand for any address.
func parseHost(w string, family diag.Family, env *Env) ([]netip.Prefix, error) {
	switch w {
	case "default", "any", "all":
		switch family {
		case diag.IPv4:
			return []netip.Prefix{netip.PrefixFrom(netip.IPv4Unspecified(), 0)}, nil
		case diag.IPv6:
			return []netip.Prefix{netip.PrefixFrom(netip.IPv6Unspecified(), 0)}, nil
		}
		return nil, nil
	}
	if p, ok := parsePrefix(w, family); ok {
		return []netip.Prefix{p}, nil
	}
	addrs, err := env.hosts(w, family)
	var prefixes []netip.Prefix
	for _, a := range addrs {
		if a = a.WithZone(""); a.IsValid() {
			prefixes = append(prefixes, netip.PrefixFrom(a, a.BitLen()))
		}
	}
	if len(prefixes) == 0 {
		return nil, addressError(err, `Error: an inet prefix is expected rather than "`+w+`".`)
	}
	return prefixes, nil
}

// parsePrefix reads ADDRESS or ADDRESS/LENGTH, where LENGTH is a number or a dotted netmask.
func parsePrefix(w string, family diag.Family) (netip.Prefix, bool) {
	none := netip.Prefix{}
	addr, length, slash := strings.Cut(w, "/")
	a, ok := parseAddr(addr, family)
	if !ok {
		return none, false
	}
	bits := a.BitLen()
	if slash {
		if family != diag.Unspec && family != diag.IPv4 && family != diag.IPv6 {
			return none, false
		}
		n, ok := cUnsigned(length)
		if !ok {
			if n, ok = maskLen(length); !ok {
				return none, false
			}
		}
		if n > uint64(bits) {
			return none, false
		}
		bits = int(n)
	}
	return netip.PrefixFrom(a, bits).Masked(), true
}

// parseAddr reads an address: IPv6 if there is a colon in it, otherwise IPv4 of one to four numbers (the rest are 0), which may be
// hexadecimal or octal.
func parseAddr(w string, family diag.Family) (netip.Addr, bool) {
	none := netip.Addr{}
	if strings.ContainsRune(w, ':') {
		a, err := netip.ParseAddr(w)
		return a, err == nil && a.Zone() == "" && (family == diag.Unspec || family == diag.IPv6)
	}
	switch family {
	case diag.Unspec, diag.IPv4:
	case diag.IPv6:
		return none, false
	default: // resolved as a host is, which takes an address in full
		a, err := netip.ParseAddr(w)
		return a, err == nil
	}
	var a [4]byte
	for i := range a {
		v, rest, ok := cUlong(w)
		if !ok || v > 255 {
			return none, false
		}
		a[i] = byte(v)
		if rest == "" {
			return netip.AddrFrom4(a), true
		}
		if rest[0] != '.' {
			return none, false
		}
		w = rest[1:]
	}
	return none, false
}

// maskLen returns the length of a dotted netmask.
func maskLen(w string) (uint64, bool) {
	a, ok := parseAddr(w, diag.IPv4)
	if !ok {
		return 0, false
	}
	n := uint64(0)
	b := a.As4()
	m := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	for ; m&(1<<31) != 0; m <<= 1 {
		n++
	}
	return n, m == 0
}

// parseDevice reads the name or the index of a device.
func parseDevice(w string, env *Env) (Node, error) {
	if i, ok := env.device(w); ok {
		return Device{Index: i, Name: w}, nil
	}
	v, ok := cUnsigned(w)
	if !ok {
		return nil, operandError(nil, "Cannot parse device.")
	}
	return Device{Index: uint32(v), Name: w}, nil
}

// parseMark reads MARK or MARK/MASK. What follows is not looked at, as scanf(3) has it.
func parseMark(w string) (Node, error) {
	mark, rest, ok := scanInt(w)
	mask := int64(-1)
	if ok && strings.ContainsRune(w, '/') {
		if ok = strings.HasPrefix(rest, "/"); ok {
			mask, _, ok = scanInt(rest[1:])
		}
	}
	if !ok {
		return nil, operandError(nil, "Cannot parse mark "+w+".")
	}
	return Mark{Mark: uint32(mark), Mask: uint32(mask)}, nil
}

// parseCgroup reads the path of a cgroup.
func parseCgroup(w string, env *Env) (Node, error) {
	id, err := env.cgroup(w)
	if err != nil {
		lines := []string{"Cannot parse cgroup " + w + "."}
		if why := cgroupReason(err); why != "" {
			lines = []string{why, lines[0]}
		}
		return nil, operandError(err, lines...)
	}
	return Cgroup{ID: id, Path: w}, nil
}
