package netstat

import (
	"net/netip"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/internal/inet"
)

// BSDRoute is a route as the kernel reports it (rtnetlink(7)): one hop of it, where there are several.
type BSDRoute struct {
	Dst      netip.Prefix // IPv4 or IPv6; 0 bits: the default
	Gateway  netip.Addr   // not valid: on the link
	Index    uint32       // of the device; 0: none
	Device   string       // its name, fit for a terminal
	Type     uint8        // RTN_*
	Protocol uint8        // RTPROT_*
	Expires  time.Duration
	Expiring bool // Expires is known
}

// BSDRouteTable writes routes as the netstat of macOS does.
type BSDRouteTable struct {
	Numeric bool // -n: IPv6 addresses have room, and nothing is cut
	Long    bool // -l: the same
	Wide    bool // -W: the same, with more room

	// Names of hosts, and of IPv4 networks; where one is nil, numbers are shown.
	Host    func(netip.Addr) (string, bool)
	Network func(netip.Addr) (string, bool)
}

// AppendTitle appends the first line.
func (t *BSDRouteTable) AppendTitle(dst []byte) []byte { return append(dst, "Routing tables\n"...) }

func (t *BSDRouteTable) width(six bool) int {
	switch {
	case !six:
		return 18
	case t.Wide:
		return 53
	case t.Long, t.Numeric:
		return 39
	}
	return 18
}

// AppendFamily appends the headings of the routes of a family.
func (t *BSDRouteTable) AppendFamily(dst []byte, six bool) []byte {
	if six {
		dst = append(dst, "\nInternet6:\n"...)
	} else {
		dst = append(dst, "\nInternet:\n"...)
	}
	width := t.width(six)
	dst = append(appendLeft(dst, "Destination", width), ' ')
	dst = append(appendLeft(dst, "Gateway", width), ' ')
	return append(dst, "Flags               Netif Expire\n"...)
}

// Append appends the line of a route. A gateway "link#N" is the device with that index, "-" is none.
func (t *BSDRouteTable) Append(dst []byte, r *BSDRoute) []byte {
	six := r.Dst.Addr().Is6()
	start := len(dst)
	dst = t.endCell(t.appendDestination(dst, r), start, six)
	start = len(dst)
	switch {
	case r.Gateway.IsValid():
		dst = t.appendRouteHost(dst, r, r.Gateway)
	case r.Index != 0:
		dst = strconv.AppendUint(append(dst, "link#"...), uint64(r.Index), 10)
	default:
		dst = append(dst, '-')
	}
	dst = t.endCell(dst, start, six)
	start = len(dst)
	dst = append(pad(appendBSDFlags(dst, r), start, 10), ' ')
	device := r.Device
	if device == "" {
		device = "-"
	}
	dst = appendRight(dst, []byte(device), 14)
	if r.Expiring {
		dst = appendRightInt(append(dst, ' '), int64(r.Expires/time.Second), 6)
	} else {
		dst = append(dst, "       "...)
	}
	return append(dst, '\n')
}

func (t *BSDRouteTable) endCell(dst []byte, start int, six bool) []byte {
	width := t.width(six)
	if !t.Numeric && !t.Long && !t.Wide && len(dst)-start > width {
		dst = dst[:start+width]
	}
	return append(pad(dst, start, width), ' ')
}

func (t *BSDRouteTable) appendDestination(dst []byte, r *BSDRoute) []byte {
	a, bits := r.Dst.Addr(), r.Dst.Bits()
	switch {
	case bits == 0 && a.IsUnspecified():
		return append(dst, "default"...)
	case bits == a.BitLen():
		return t.appendRouteHost(dst, r, a)
	case a.Is4():
		if t.Network != nil {
			if name, ok := t.Network(a); ok {
				return append(dst, name...)
			}
		}
		return appendBSDNetwork(dst, a, bits)
	}
	dst = appendRouteZone(appendIPv6(dst, a), r, a)
	return strconv.AppendInt(append(dst, '/'), int64(bits), 10)
}

func (t *BSDRouteTable) appendRouteHost(dst []byte, r *BSDRoute, a netip.Addr) []byte {
	if t.Host != nil {
		if name, ok := t.Host(a); ok {
			return append(dst, name...)
		}
	}
	if a.Is4() {
		return inet.AppendIPv4(dst, a.As4())
	}
	return appendRouteZone(appendIPv6(dst, a), r, a)
}

func appendRouteZone(dst []byte, r *BSDRoute, a netip.Addr) []byte {
	if r.Device != "" && ofOneDevice(a) {
		dst = append(append(dst, '%'), r.Device...)
	}
	return dst
}

// appendBSDNetwork appends an IPv4 network: octets at its end that are 0 are left out, as far as its class (A, B, C) allows, and the
// length of the prefix is where it is not that of the class: "127", "192.168.1", "10.1/16".
func appendBSDNetwork(dst []byte, network netip.Addr, bits int) []byte {
	a := network.As4()
	classBits := 24
	switch {
	case a[0] < 128:
		classBits = 8
	case a[0] < 192:
		classBits = 16
	}
	octets := len(a)
	for octets > classBits/8 && a[octets-1] == 0 {
		octets--
	}
	for i := range octets {
		if i > 0 {
			dst = append(dst, '.')
		}
		dst = strconv.AppendUint(dst, uint64(a[i]), 10)
	}
	if bits != classBits {
		dst = strconv.AppendInt(append(dst, '/'), int64(bits), 10)
	}
	return dst
}

// appendBSDFlags appends the letters of BSD's flags: up, gateway, host, reject, dynamic (by a redirect), multicast, static (by hand),
// blackhole, broadcast.
func appendBSDFlags(dst []byte, r *BSDRoute) []byte {
	dst = append(dst, 'U')
	for _, f := range [...]struct {
		set    bool
		letter byte
	}{
		{r.Gateway.IsValid(), 'G'},
		{r.Dst.Bits() == r.Dst.Addr().BitLen(), 'H'},
		{r.Type == unix.RTN_UNREACHABLE || r.Type == unix.RTN_PROHIBIT, 'R'},
		{r.Protocol == unix.RTPROT_REDIRECT, 'D'},
		{r.Type == unix.RTN_MULTICAST, 'm'},
		{r.Protocol == unix.RTPROT_BOOT || r.Protocol == unix.RTPROT_STATIC, 'S'},
		{r.Type == unix.RTN_BLACKHOLE, 'B'},
		{r.Type == unix.RTN_BROADCAST, 'b'},
	} {
		if f.set {
			dst = append(dst, f.letter)
		}
	}
	return dst
}
