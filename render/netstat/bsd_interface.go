package netstat

import (
	"net"
	"net/netip"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/internal/inet"
)

// BSDInterface is a network device with its addresses.
type BSDInterface struct {
	Interface
	Index uint32
	Addrs []netip.Prefix // with all bits of the address
}

// BSDInterfaceTable writes network devices as the netstat of macOS does.
type BSDInterfaceTable struct {
	Bytes bool // -b
	Drops bool // -d: packets that were not sent
	Long  bool // -l: room for whole IPv6 addresses
	Wide  bool // -W: nothing is cut
	// Host names addresses; nil: numbers are shown.
	Host func(netip.Addr) (string, bool)
}

// widths are those of Name, Network and Address.
func (t *BSDInterfaceTable) widths() (name, network, address int) {
	if t.Long {
		return 14, 39, 39
	}
	return 10, 13, 15
}

// AppendHeader appends the headings.
func (t *BSDInterfaceTable) AppendHeader(dst []byte) []byte {
	name, network, address := t.widths()
	dst = append(appendLeft(dst, "Name", name), ' ')
	dst = append(dst, "Mtu   "...)
	dst = append(appendLeft(dst, "Network", network), ' ')
	dst = append(appendLeft(dst, "Address", address), ' ')
	dst = append(dst, "   Ipkts Ierrs"...)
	if t.Bytes {
		dst = append(dst, "     Ibytes"...)
	}
	dst = append(dst, "    Opkts Oerrs"...)
	if t.Bytes {
		dst = append(dst, "     Obytes"...)
	}
	dst = append(dst, "  Coll"...)
	if t.Drops {
		dst = append(dst, " Drop"...)
	}
	return append(dst, '\n')
}

// Append appends the lines of a device: one for the link and one for each address. The figures of an address are those of the device,
// and errors are shown with the link only, as ever. A name ends with "*" if the device is down.
func (t *BSDInterfaceTable) Append(dst []byte, i *BSDInterface) []byte {
	var cell [64]byte
	network := strconv.AppendUint(append(cell[:0], "<Link#"...), uint64(i.Index), 10)
	network = append(network, '>')
	dst = t.appendLine(dst, i, netip.Addr{}, network, []byte(net.HardwareAddr(i.Hardware).String()))
	for _, p := range i.Addrs {
		dst = t.appendLine(dst, i, p.Addr(), appendNetwork(cell[:0], p), t.appendAddress(nil, p.Addr()))
	}
	return dst
}

func appendNetwork(dst []byte, p netip.Prefix) []byte {
	p = p.Masked()
	if p.Addr().Is4() {
		return appendBSDNetwork(dst, p.Addr(), p.Bits())
	}
	return strconv.AppendInt(append(appendIPv6(dst, p.Addr()), '/'), int64(p.Bits()), 10)
}

func (t *BSDInterfaceTable) appendAddress(dst []byte, a netip.Addr) []byte {
	if t.Host != nil {
		if name, ok := t.Host(a); ok {
			return append(dst, name...)
		}
	}
	if a.Is4() {
		return inet.AppendIPv4(dst, a.As4())
	}
	return appendIPv6(dst, a)
}

// appendLine appends the line of an address, or of the link where a is not valid.
func (t *BSDInterfaceTable) appendLine(dst []byte, i *BSDInterface, a netip.Addr, network, address []byte) []byte {
	link := !a.IsValid()
	name, first, second := t.widths()
	if !t.Long && !a.Is4() { // what has longer addresses has shorter networks
		first, second = first-2, second+2
	}
	start := len(dst)
	dst = append(dst, i.Name...)
	if i.Flags&unix.IFF_UP == 0 {
		dst = append(dst, '*')
	}
	dst = t.endCell(dst, start, name)
	start = len(dst)
	dst = append(pad(strconv.AppendUint(dst, uint64(i.MTU), 10), start, 5), ' ')
	start = len(dst)
	dst = t.endCell(append(dst, network...), start, first)
	start = len(dst)
	dst = t.endCell(append(dst, address...), start, second)

	c := i.Counters
	known := c != nil
	if !known {
		c = &InterfaceCounters{}
	}
	dst = append(appendKnown(dst, c.RxPackets, 8, known), ' ')
	dst = appendKnown(dst, c.RxErrors, 5, known && link)
	if t.Bytes {
		dst = appendKnown(append(dst, ' '), c.RxBytes, 10, known)
	}
	dst = append(appendKnown(append(dst, ' '), c.TxPackets, 8, known), ' ')
	dst = appendKnown(dst, c.TxErrors, 5, known && link)
	if t.Bytes {
		dst = appendKnown(append(dst, ' '), c.TxBytes, 10, known)
	}
	dst = appendKnown(append(dst, ' '), c.Collisions, 5, known && link)
	if t.Drops {
		dst = appendKnown(append(dst, ' '), c.TxDropped, 4, known && link)
	}
	return append(dst, '\n')
}

func (t *BSDInterfaceTable) endCell(dst []byte, start, width int) []byte {
	if !t.Wide && len(dst)-start > width {
		dst = dst[:start+width]
	}
	return append(pad(dst, start, width), ' ')
}
