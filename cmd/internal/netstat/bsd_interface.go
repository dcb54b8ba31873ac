package netstat

import (
	"net/netip"
	"slices"
	"syscall"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	render "github.com/sockeye-tools/sockeye/render/netstat"
)

// interfaces prints the network devices, or the one that is wanted.
func (b *bsdRun) interfaces() int {
	list, err := b.readBSDInterfaces()
	if err != nil {
		complain(b.env, program+": "+err.Error())
		return exitFailed
	}
	if b.o.only != "" {
		list = slices.DeleteFunc(list, func(i render.BSDInterface) bool { return i.Name != b.o.only })
		if len(list) == 0 {
			return b.o.fail(b.env, b.o.only+": there is no such network device")
		}
	}
	t := &render.BSDInterfaceTable{Bytes: b.o.Bytes, Drops: b.o.drops, Long: b.o.Long, Wide: b.o.Wide}
	if !b.o.numeric {
		t.Host = b.names.host
		var addrs []netip.Addr
		for i := range list {
			for _, p := range list[i].Addrs {
				addrs = append(addrs, p.Addr())
			}
		}
		b.names.lookUpAddrs(addrs)
	}
	b.buf = t.AppendHeader(b.buf)
	for i := range list {
		b.buf = t.Append(b.buf, &list[i])
	}
	if err := b.write(); err != nil {
		return writeFailed(b.env, err)
	}
	b.unanswered()
	return b.whole()
}

// readBSDInterfaces returns the devices in the order of their indices, with their addresses.
func (r *run) readBSDInterfaces() ([]render.BSDInterface, error) {
	links, at, err := r.readLinks()
	if err != nil {
		return nil, err
	}
	devices := make([]render.BSDInterface, len(links))
	for index, i := range at {
		devices[i] = render.BSDInterface{Interface: links[i], Index: index}
		devices[i].Name = deviceName([]byte(links[i].Name))
	}
	err = r.dump("addresses", unix.RTM_GETADDR, unix.RTM_NEWADDR, nl.NewIfAddrmsg(unix.AF_UNSPEC), func(m []byte, attrs []syscall.NetlinkRouteAttr) error {
		head := nl.DeserializeIfAddrmsg(m)
		var local, address netip.Addr // where they differ, the second is the peer's
		for _, a := range attrs {
			switch a.Attr.Type {
			case unix.IFA_LOCAL:
				local, _ = netip.AddrFromSlice(a.Value)
			case unix.IFA_ADDRESS:
				address, _ = netip.AddrFromSlice(a.Value)
			}
		}
		if !local.IsValid() {
			local = address
		}
		if i, ok := at[head.Index]; ok && local.IsValid() {
			devices[i].Addrs = append(devices[i].Addrs, netip.PrefixFrom(local, int(head.Prefixlen)))
		}
		return nil
	})
	slices.SortFunc(devices, func(a, b render.BSDInterface) int { return int(a.Index) - int(b.Index) })
	return devices, err
}
