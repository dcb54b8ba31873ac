package netstat

import (
	"encoding/binary"
	"net/netip"
	"syscall"
	"time"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/render/names"
	render "github.com/sockeye-tools/sockeye/render/netstat"
)

// routes prints the main table, with -a the local one too.
func (b *bsdRun) routes() int {
	t := &render.BSDRouteTable{Numeric: b.o.numeric, Long: b.o.Long, Wide: b.o.Wide}
	if !b.o.numeric {
		t.Host, t.Network = b.names.host, b.names.network
	}
	b.buf = t.AppendTitle(b.buf)
	var devices names.Interfaces
	for _, f := range []diag.Family{diag.IPv4, diag.IPv6} {
		if b.o.Family != 0 && b.o.Family != f {
			continue
		}
		list, err := b.readBSDRoutes(f, b.o.All, &devices)
		if err != nil {
			if err := b.write(); err != nil {
				return writeFailed(b.env, err)
			}
			complain(b.env, program+": "+err.Error())
			return exitFailed
		}
		if len(list) == 0 {
			continue
		}
		b.nameRoutes(list)
		b.buf = t.AppendFamily(b.buf, f == diag.IPv6)
		for i := range list {
			b.buf = t.Append(b.buf, &list[i])
		}
	}
	if err := b.write(); err != nil {
		return writeFailed(b.env, err)
	}
	b.unanswered()
	return b.whole()
}

// nameRoutes looks up the hosts in the routes at the same time.
func (b *bsdRun) nameRoutes(list []render.BSDRoute) {
	if b.o.numeric {
		return
	}
	var addrs []netip.Addr
	for i := range list {
		if list[i].Gateway.IsValid() {
			addrs = append(addrs, list[i].Gateway)
		}
		if p := list[i].Dst; p.Bits() == p.Addr().BitLen() {
			addrs = append(addrs, p.Addr())
		}
	}
	b.names.lookUpAddrs(addrs)
}

// readBSDRoutes returns the routes of a family: one for each hop.
func (r *run) readBSDRoutes(family diag.Family, all bool, devices *names.Interfaces) (routes []render.BSDRoute, err error) {
	head := &nl.RtMsg{RtMsg: unix.RtMsg{Family: uint8(family)}}
	err = r.dump("routes", unix.RTM_GETROUTE, unix.RTM_NEWROUTE, head, func(m []byte, attrs []syscall.NetlinkRouteAttr) error {
		hops, err := parseBSDRoute(nl.DeserializeRtMsg(m), attrs, family, all)
		routes = append(routes, hops...)
		return err
	})
	for i := range routes {
		if routes[i].Index != 0 {
			routes[i].Device = string(devices.Append(nil, routes[i].Index))
		}
	}
	return routes, err
}

// parseBSDRoute reads struct rtmsg and its attributes (rtnetlink(7)). It returns nothing for routes that are not wanted.
func parseBSDRoute(head *nl.RtMsg, attrs []syscall.NetlinkRouteAttr, family diag.Family, all bool) ([]render.BSDRoute, error) {
	table := uint32(head.Table)
	r := render.BSDRoute{Type: head.Type, Protocol: head.Protocol}
	dst := netip.IPv4Unspecified()
	if family == diag.IPv6 {
		dst = netip.IPv6Unspecified()
	}
	var hops []byte
	for _, a := range attrs {
		switch a.Attr.Type {
		case unix.RTA_TABLE:
			table = word(a.Value)
		case unix.RTA_DST:
			dst, _ = netip.AddrFromSlice(a.Value)
		case unix.RTA_MULTIPATH:
			hops = a.Value
		case unix.RTA_CACHEINFO: // struct rta_cacheinfo: the third word is the time left, in hundredths of a second
			if len(a.Value) >= 12 {
				left := int32(binary.NativeEndian.Uint32(a.Value[8:]))
				r.Expires, r.Expiring = time.Duration(left)*10*time.Millisecond, left != 0
			}
		default:
			setHop(&r, a.Attr.Type, a.Value)
		}
	}
	if table != unix.RT_TABLE_MAIN && !(all && table == unix.RT_TABLE_LOCAL) || head.Flags&unix.RTM_F_CLONED != 0 {
		return nil, nil
	}
	if r.Dst = netip.PrefixFrom(dst, int(head.Dst_len)); !r.Dst.IsValid() {
		return nil, unix.EBADMSG
	}
	if hops == nil {
		return []render.BSDRoute{r}, nil
	}
	var list []render.BSDRoute
	for len(hops) >= unix.SizeofRtNexthop {
		size := int(binary.NativeEndian.Uint16(hops))
		if size < unix.SizeofRtNexthop || size > len(hops) {
			return nil, unix.EBADMSG
		}
		hop := r
		hop.Index = binary.NativeEndian.Uint32(hops[4:])
		attrs, err := nl.ParseRouteAttr(hops[unix.SizeofRtNexthop:size])
		if err != nil {
			return nil, err
		}
		for _, a := range attrs {
			setHop(&hop, a.Attr.Type, a.Value)
		}
		list = append(list, hop)
		hops = hops[min((size+3)&^3, len(hops)):]
	}
	return list, nil
}

// setHop sets what an attribute of a route or of one of its hops says.
func setHop(r *render.BSDRoute, attr uint16, value []byte) {
	switch attr {
	case unix.RTA_OIF:
		r.Index = word(value)
	case unix.RTA_GATEWAY:
		r.Gateway, _ = netip.AddrFromSlice(value)
	case unix.RTA_VIA: // struct rtvia: a gateway of another family
		if len(value) > 2 {
			r.Gateway, _ = netip.AddrFromSlice(value[2:])
		}
	}
}
