package netstat

import (
	"net/netip"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/internal/inet"
)

// Route is a route as /proc/net/route and /proc/net/ipv6_route have it. Its numbers are shown as signed ones, as ever.
type Route struct {
	Dst     netip.Addr
	Mask    netip.Addr // of IPv4
	Bits    int        // length of the prefix, of IPv6
	Gateway netip.Addr
	Flags   uint32 // RTF_* (linux/route.h, linux/ipv6_route.h)
	Device  string // "*": none

	Metric, RefCount, Use uint32
	MTU, Window, IRTT     uint32 // of IPv4. MTU is the advertised MSS and 40; IRTT is in ms
}

// Flags that the packages for system calls do not have (linux/ipv6_route.h).
const (
	rtfNotCached = 0x400
	rtfExpires   = 0x400000
	rtfCache     = 0x1000000
)

// IsCached reports whether the route is a clone in the routing cache.
func (r *Route) IsCached() bool { return r.Flags&rtfCache != 0 }

type routeFlag struct {
	bit    uint32
	letter byte
}

var routeFlags4 = []routeFlag{
	{unix.RTF_HOST, 'H'}, {unix.RTF_REINSTATE, 'R'}, {unix.RTF_DYNAMIC, 'D'}, {unix.RTF_MODIFIED, 'M'}, {unix.RTF_DEFAULT, 'd'},
	{unix.RTF_ALLONLINK, 'a'}, {unix.RTF_ADDRCONF, 'c'}, {unix.RTF_NONEXTHOP, 'o'}, {rtfExpires, 'e'}, {rtfCache, 'c'},
	{unix.RTF_FLOW, 'f'}, {unix.RTF_POLICY, 'p'}, {unix.RTF_LOCAL, 'l'}, {unix.RTF_MTU, 'u'}, {unix.RTF_WINDOW, 'w'},
	{unix.RTF_IRTT, 'i'}, {rtfNotCached, 'n'},
}

var routeFlags6 = []routeFlag{
	{unix.RTF_UP, 'U'}, {unix.RTF_REJECT, '!'}, {unix.RTF_GATEWAY, 'G'}, {unix.RTF_HOST, 'H'}, {unix.RTF_DEFAULT, 'D'},
	{unix.RTF_ADDRCONF, 'A'}, {rtfCache, 'C'}, {unix.RTF_ALLONLINK, 'a'}, {rtfExpires, 'e'}, {unix.RTF_MODIFIED, 'm'},
	{unix.RTF_NONEXTHOP, 'n'}, {unix.RTF_FLOW, 'f'},
}

// Layout says which columns IPv4 routes have.
type Layout uint8

// Layouts.
const (
	MSSLayout    Layout = iota // without -e: MSS, Window, irtt
	MetricLayout               // -e: Metric, Ref, Use
	BothLayout                 // -ee
	NoLayout                   // -eee: nothing but the title, as net-tools has it
)

// LayoutOf returns the layout for so many -e. From four on net-tools takes the others in a turn of its own.
func LayoutOf(extend int) Layout {
	switch {
	case extend < 4:
		return Layout(extend)
	case extend%4 == 0:
		return MetricLayout
	case extend%4 == 1:
		return MSSLayout
	}
	return Layout(extend % 4)
}

// RouteTable writes routes.
type RouteTable struct {
	Layout Layout
	// Names of hosts and of IPv4 networks; where one is nil, numbers are shown.
	Host    func(netip.Addr) (string, bool)
	Network func(netip.Addr) (string, bool)
	Numeric bool // 0.0.0.0 instead of default, :: instead of [::]
}

// AppendHeader4 appends the title and the headings of IPv4 routes.
func (t *RouteTable) AppendHeader4(dst []byte) []byte {
	dst = append(dst, "Kernel IP routing table\n"...)
	switch t.Layout {
	case MSSLayout:
		dst = append(dst, "Destination     Gateway         Genmask         Flags   MSS Window  irtt Iface\n"...)
	case MetricLayout:
		dst = append(dst, "Destination     Gateway         Genmask         Flags Metric Ref    Use Iface\n"...)
	case BothLayout:
		dst = append(dst, "Destination     Gateway         Genmask         Flags Metric Ref    Use Iface    MSS   Window irtt\n"...)
	}
	return dst
}

// AppendCacheHeader4 appends the title and the headings of the IPv4 routing cache, which is empty since Linux 3.6.
func (t *RouteTable) AppendCacheHeader4(dst []byte) []byte {
	dst = append(dst, "Kernel IP routing cache\n"...)
	switch t.Layout {
	case MSSLayout:
		dst = append(dst, "Source          Destination     Gateway         Flags   MSS Window  irtt Iface\n"...)
	case MetricLayout:
		dst = append(dst, "Source          Destination     Gateway         Flags Metric Ref    Use Iface\n"...)
	case BothLayout:
		dst = append(dst, "Source          Destination     Gateway         Flags Metric Ref    Use Iface    MSS   Window irtt  TOS HHRef HHUptod     SpecDst\n"...)
	}
	return dst
}

// AppendHeader6 appends the title and the headings of IPv6 routes, or of those that are cached.
func (t *RouteTable) AppendHeader6(dst []byte, cached bool) []byte {
	if cached {
		dst = append(dst, "Kernel IPv6 routing cache\n"...)
	} else {
		dst = append(dst, "Kernel IPv6 routing table\n"...)
	}
	return append(dst, "Destination                    Next Hop                   Flag Met Ref  Use If\n"...)
}

// Append4 appends the line of an IPv4 route, or nothing if it is not up.
func (t *RouteTable) Append4(dst []byte, r *Route) []byte {
	if r.Flags&unix.RTF_UP == 0 || t.Layout == NoLayout {
		return dst
	}
	reject := r.Flags&unix.RTF_REJECT != 0
	dst = t.appendCell(dst, r, r.Dst, true)
	if reject {
		dst = append(dst, "-               "...)
	} else {
		dst = t.appendCell(dst, r, r.Gateway, false)
	}
	start := len(dst)
	dst = append(pad(inet.AppendIPv4(dst, r.Mask.As4()), start, 15), ' ')
	start = len(dst)
	dst = append(pad(appendFlags4(dst, r.Flags), start, 5), ' ')
	metric, refs, use := int64(int32(r.Metric)), int64(int32(r.RefCount)), int64(int32(r.Use))
	mtu, window, irtt := int64(int32(r.MTU)), int64(int32(r.Window)), int64(int32(r.IRTT))
	switch {
	case t.Layout == MSSLayout && reject:
		dst = append(dst, "    - -          - -"...)
	case t.Layout == MSSLayout:
		dst = append(appendRightInt(dst, mtu, 5), ' ')
		dst = append(appendLeftInt(dst, window, 5), ' ')
		dst = append(appendRightInt(dst, irtt, 6), ' ')
		dst = append(dst, r.Device...)
	case reject:
		dst = append(appendLeftInt(dst, metric, 6), " -  "...)
		dst = append(appendRightInt(dst, use, 7), " -"...)
		if t.Layout == BothLayout {
			dst = append(dst, "        -     -      -"...)
		}
	case t.Layout == MetricLayout:
		dst = append(appendLeftInt(dst, metric, 6), ' ')
		dst = append(appendLeftInt(dst, refs, 2), ' ')
		dst = append(appendRightInt(dst, use, 7), ' ')
		dst = append(dst, r.Device...)
	default:
		dst = append(appendLeftInt(dst, metric, 6), ' ')
		dst = append(appendLeftInt(dst, refs, 3), ' ')
		dst = append(appendRightInt(dst, use, 6), ' ')
		dst = append(appendLeft(dst, r.Device[:min(len(r.Device), 6)], 6), "   "...)
		dst = append(appendLeftInt(dst, mtu, 5), ' ')
		dst = append(appendLeftInt(dst, window, 6), ' ')
		dst = strconv.AppendInt(dst, irtt, 10)
	}
	return append(dst, '\n')
}

// appendCell appends a destination or a gateway, cut and padded to 15 columns, and a blank.
func (t *RouteTable) appendCell(dst []byte, r *Route, a netip.Addr, destination bool) []byte {
	start := len(dst)
	name, ok := t.name(r, a, destination)
	if ok {
		dst = append(dst, name...)
	} else {
		dst = inet.AppendIPv4(dst, a.As4())
	}
	if len(dst)-start > 15 {
		dst = dst[:start+15]
	}
	return append(pad(dst, start, 15), ' ')
}

func (t *RouteTable) name(r *Route, a netip.Addr, destination bool) (string, bool) {
	switch {
	case t.Numeric:
		return "", false
	case a.IsUnspecified():
		return "default", destination && r.Mask.IsUnspecified()
	case destination && r.ByNetwork():
		if t.Network != nil {
			return t.Network(a)
		}
	case t.Host != nil:
		return t.Host(a)
	}
	return "", false
}

// ByNetwork reports whether the destination, of IPv4, is named as a network and not as a host: one is that has no bits outside of its
// mask, unless the mask has all bits.
func (r *Route) ByNetwork() bool {
	a, m := r.Dst.As4(), r.Mask.As4()
	if m == [4]byte{255, 255, 255, 255} {
		return false
	}
	for i := range a {
		if a[i]&^m[i] != 0 {
			return false
		}
	}
	return true
}

// Append6 appends the line of an IPv6 route.
func (t *RouteTable) Append6(dst []byte, r *Route) []byte {
	start := len(dst)
	dst = t.appendHost6(dst, r.Dst)
	dst = append(dst, '/')
	dst = strconv.AppendInt(dst, int64(r.Bits), 10)
	dst = append(pad(dst, start, 30), ' ')
	start = len(dst)
	dst = append(pad(t.appendHost6(dst, r.Gateway), start, 26), ' ')
	start = len(dst)
	for _, f := range routeFlags6 {
		if r.Flags&f.bit != 0 {
			dst = append(dst, f.letter)
		}
	}
	dst = append(pad(dst, start, 4), ' ')
	dst = append(appendLeftInt(dst, int64(int32(r.Metric)), 3), ' ')
	dst = append(strconv.AppendInt(dst, int64(int32(r.RefCount)), 10), ' ')
	dst = append(appendRightInt(dst, int64(int32(r.Use)), 6), ' ')
	dst = append(dst, r.Device...)
	return append(dst, '\n')
}

func (t *RouteTable) appendHost6(dst []byte, a netip.Addr) []byte {
	host := Table{Options: Options{Host: t.Host}}
	if !t.Numeric && t.Host == nil {
		host.Host = func(netip.Addr) (string, bool) { return "", false }
	}
	return host.appendHost(dst, a)
}

func appendFlags4(dst []byte, flags uint32) []byte {
	if flags&unix.RTF_REJECT != 0 {
		dst = append(dst, '!')
	} else {
		dst = append(dst, 'U')
		if flags&unix.RTF_GATEWAY != 0 {
			dst = append(dst, 'G')
		}
	}
	for _, f := range routeFlags4 {
		if flags&f.bit != 0 {
			dst = append(dst, f.letter)
		}
	}
	return dst
}
