package netstat

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	render "github.com/sockeye-tools/sockeye/render/netstat"
)

// interfaces prints the network devices, or the one that is wanted.
func (b *bsdRun) interfaces() int {
	list, err := readBSDInterfaces()
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
	return exitOK
}

// readBSDInterfaces returns the devices in the order of their indices, with their addresses.
func readBSDInterfaces() ([]render.BSDInterface, error) {
	links, at, err := readLinks()
	if err != nil {
		return nil, err
	}
	list := make([]render.BSDInterface, len(links))
	for index, i := range at {
		list[i] = render.BSDInterface{Interface: links[i], Index: index}
		list[i].Name = deviceName([]byte(links[i].Name))
	}
	req := nl.NewNetlinkRequest(unix.RTM_GETADDR, unix.NLM_F_DUMP)
	req.AddData(nl.NewIfAddrmsg(unix.AF_UNSPEC))
	msgs, err := req.Execute(unix.NETLINK_ROUTE, unix.RTM_NEWADDR)
	if err != nil {
		return nil, fmt.Errorf("list addresses: %w", err)
	}
	for _, m := range msgs {
		if len(m) < unix.SizeofIfAddrmsg {
			return nil, fmt.Errorf("list addresses: %w", unix.EBADMSG)
		}
		head := nl.DeserializeIfAddrmsg(m)
		attrs, err := nl.ParseRouteAttr(m[unix.SizeofIfAddrmsg:])
		if err != nil {
			return nil, fmt.Errorf("list addresses: %w", err)
		}
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
			list[i].Addrs = append(list[i].Addrs, netip.PrefixFrom(local, int(head.Prefixlen)))
		}
	}
	slices.SortFunc(list, func(a, b render.BSDInterface) int { return int(a.Index) - int(b.Index) })
	return list, nil
}
