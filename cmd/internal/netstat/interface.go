package netstat

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	render "github.com/sockeye-tools/sockeye/render/netstat"
)

// interfaces prints the network devices and their aliases.
func (r *run) interfaces() int {
	list, err := r.readInterfaces(procRoot(r.env) + "/if_inet6")
	if err != nil {
		complain(r.env, program+": "+err.Error())
		return exitFailed
	}
	if !r.titled {
		r.titled = true
		r.buf = render.AppendInterfacesTitle(r.buf)
	}
	if !r.o.extend {
		r.buf = render.AppendInterfacesHeader(r.buf)
	}
	for i := range list {
		switch {
		case list[i].Flags&unix.IFF_UP == 0 && !r.o.all:
		case r.o.extend:
			r.buf = render.AppendInterfaceLong(r.buf, &list[i])
		default:
			r.buf = render.AppendInterface(r.buf, &list[i])
		}
	}
	if err := r.write(); err != nil {
		return writeFailed(r.env, err)
	}
	return r.whole()
}

// readInterfaces returns the devices, and the labels of IPv4 addresses that are not names of devices, in netstat's order.
func (r *run) readInterfaces(inet6File string) ([]render.Interface, error) {
	devices, at, err := r.readLinks()
	if err != nil {
		return nil, err
	}
	labels := map[string]int{}
	for i := range devices {
		labels[devices[i].Name] = i
	}
	err = r.dump("addresses", unix.RTM_GETADDR, unix.RTM_NEWADDR, nl.NewIfAddrmsg(unix.AF_INET), func(m []byte, attrs []syscall.NetlinkRouteAttr) error {
		addAddress(&devices, at, labels, nl.DeserializeIfAddrmsg(m), attrs)
		return nil
	})
	if err != nil {
		return nil, err
	}
	// Of IPv6 addresses netstat's order is that of the kernel's table of them, which netlink does not keep.
	table, _ := os.ReadFile(inet6File) // a kernel without IPv6 does not have it
	for line := range bytes.Lines(table) {
		f := bytes.Fields(line)
		if len(f) < 6 {
			continue
		}
		addr, ok := parseProcIPv6(f[0])
		var bits, scope uint32
		i, known := labels[string(f[5])]
		if ok && known && numbers(f, []column{{2, 16, &bits}, {3, 16, &scope}}) {
			devices[i].Inet6 = append(devices[i].Inet6, render.InterfaceInet6{Addr: addr, Bits: int(bits), Scope: scope})
		}
	}
	slices.SortFunc(devices, func(a, b render.Interface) int { return compareNames(a.Name, b.Name) })
	for i := range devices {
		devices[i].Name = deviceName([]byte(devices[i].Name))
	}
	return devices, nil
}

// readLinks returns the devices, and where each stands by its index.
func (r *run) readLinks() (devices []render.Interface, at map[uint32]int, err error) {
	at = map[uint32]int{}
	head := nl.NewIfInfomsg(unix.AF_UNSPEC)
	err = r.dump("network devices", unix.RTM_GETLINK, unix.RTM_NEWLINK, head, func(m []byte, attrs []syscall.NetlinkRouteAttr) error {
		head := nl.DeserializeIfInfomsg(m)
		i := render.Interface{Type: head.Type, Flags: head.Flags}
		for _, a := range attrs {
			switch a.Attr.Type {
			case unix.IFLA_IFNAME:
				i.Name = nl.BytesToString(a.Value)
			case unix.IFLA_MTU:
				i.MTU = word(a.Value)
			case unix.IFLA_TXQLEN:
				i.TxQueue = word(a.Value)
			case unix.IFLA_ADDRESS:
				i.Hardware = a.Value
			case unix.IFLA_STATS64:
				i.Counters = deviceCounters(a.Value)
			case unix.IFLA_MAP: // struct rtnl_link_ifmap
				if len(a.Value) >= 27 {
					n := binary.NativeEndian
					i.MemStart, i.MemEnd, i.BaseAddr = n.Uint64(a.Value), n.Uint64(a.Value[8:]), n.Uint64(a.Value[16:])
					i.IRQ, i.DMA = uint64(n.Uint16(a.Value[24:])), uint64(a.Value[26])
				}
			}
		}
		at[uint32(head.Index)] = len(devices)
		devices = append(devices, i)
		return nil
	})
	return devices, at, err
}

// deviceCounters reads struct rtnl_link_stats64 and adds up what /proc/net/dev does (dev_seq_printf_stats in net/core/net-procfs.c).
func deviceCounters(b []byte) *render.InterfaceCounters {
	const words = 23 // of Linux 2.6.35; later ones are not of interest
	if len(b) < 8*words {
		return nil
	}
	n := func(i int) uint64 { return binary.NativeEndian.Uint64(b[8*i:]) }
	return &render.InterfaceCounters{
		RxPackets: n(0), TxPackets: n(1), RxBytes: n(2), TxBytes: n(3), RxErrors: n(4), TxErrors: n(5),
		RxDropped: n(6) + n(15), TxDropped: n(7), Collisions: n(9), RxFIFO: n(14), TxFIFO: n(18),
		RxFrame: n(10) + n(11) + n(12) + n(13),
		Carrier: n(16) + n(17) + n(19) + n(20), RxCompressed: n(21), TxCompressed: n(22),
	}
}

// addAddress adds an IPv4 address to the device or the alias that its label names. Only the first with a label counts.
func addAddress(list *[]render.Interface, at map[uint32]int, labels map[string]int, head *nl.IfAddrmsg, attrs []syscall.NetlinkRouteAttr) {
	device, ok := at[head.Index]
	if !ok { // came up in the meantime
		return
	}
	zero := netip.IPv4Unspecified()
	local, peer, broadcast, label := zero, zero, zero, ""
	for _, a := range attrs {
		switch addr, _ := netip.AddrFromSlice(a.Value); {
		case a.Attr.Type == unix.IFA_LABEL:
			label = nl.BytesToString(a.Value)
		case !addr.Is4():
		case a.Attr.Type == unix.IFA_LOCAL:
			local = addr
		case a.Attr.Type == unix.IFA_ADDRESS:
			peer = addr
		case a.Attr.Type == unix.IFA_BROADCAST:
			broadcast = addr
		}
	}
	i, ok := labels[label]
	if !ok {
		d := &(*list)[device]
		i = len(*list)
		labels[label] = i
		*list = append(*list, render.Interface{
			Name: label, MTU: d.MTU, Flags: d.Flags, TxQueue: d.TxQueue, Type: d.Type, Hardware: d.Hardware,
			IRQ: d.IRQ, BaseAddr: d.BaseAddr, MemStart: d.MemStart, MemEnd: d.MemEnd, DMA: d.DMA,
		})
	}
	if e := &(*list)[i]; !e.Inet.IsValid() {
		e.Inet, e.Peer, e.Broadcast = local, peer, broadcast
		var mask [4]byte
		binary.BigEndian.PutUint32(mask[:], ^uint32(0)<<(32-min(head.Prefixlen, 32)))
		e.Netmask = netip.AddrFrom4(mask)
	}
}

// compareNames compares the names of devices: by the text before a number at the end, by that number, by how it is written, and by
// the number of an alias.
func compareNames(a, b string) int {
	x, y := splitName(a), splitName(b)
	return cmp.Or(strings.Compare(x.text, y.text), cmp.Compare(x.number, y.number),
		strings.Compare(x.device, y.device), cmp.Compare(x.alias, y.alias), strings.Compare(a, b))
}

// name is the name of a device, in its parts.
type name struct {
	device        string // all but the alias
	text          string
	number, alias int64 // -1: there is none
}

func splitName(s string) (n name) {
	n.text, n.alias = cutNumber(s)
	if text, found := strings.CutSuffix(n.text, ":"); found && n.alias >= 0 {
		n.text = text
	} else {
		n.text, n.alias = s, -1
	}
	n.device = n.text
	n.text, n.number = cutNumber(n.text)
	return n
}

// cutNumber cuts off the digits at the end of a name.
func cutNumber(s string) (text string, number int64) {
	text = strings.TrimRight(s, "0123456789")
	if text == s {
		return s, -1
	}
	for _, c := range []byte(s[len(text):]) {
		number = number*10 + int64(c-'0')
	}
	return text, number
}
