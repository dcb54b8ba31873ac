package netstat

import (
	"net/netip"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/internal/inet"
)

// Interface is a network device, or an alias of one: the label of an IPv4 address that is not the device's own name.
type Interface struct {
	Name     string
	MTU      uint32 // bytes
	Flags    uint32 // IFF_*
	TxQueue  uint32 // packets
	Type     uint16 // ARPHRD_*
	Hardware []byte // the address, if it has one
	Counters *InterfaceCounters

	// The first IPv4 address with that label; not valid: it has none.
	Inet, Netmask, Broadcast, Peer netip.Addr
	Inet6                          []InterfaceInet6

	IRQ, BaseAddr, MemStart, MemEnd, DMA uint64 // of the hardware; 0: not known
}

// InterfaceCounters are what /proc/net/dev has. An alias has none.
type InterfaceCounters struct {
	RxBytes, RxPackets, RxErrors, RxDropped, RxFIFO, RxFrame    uint64
	TxBytes, TxPackets, TxErrors, TxDropped, TxFIFO, Collisions uint64
	Carrier, RxCompressed, TxCompressed                         uint64
}

// InterfaceInet6 is an IPv6 address of a device.
type InterfaceInet6 struct {
	Addr  netip.Addr
	Bits  int
	Scope uint32 // IFA_SCOPE's bits in /proc/net/if_inet6
}

// AppendInterfacesTitle appends the line that comes once.
func AppendInterfacesTitle(dst []byte) []byte { return append(dst, "Kernel Interface table\n"...) }

// AppendInterfacesHeader appends the headings of the short form.
func AppendInterfacesHeader(dst []byte) []byte {
	return append(dst, "Iface             MTU    RX-OK RX-ERR RX-DRP RX-OVR    TX-OK TX-ERR TX-DRP TX-OVR Flg\n"...)
}

type deviceFlag struct {
	bit    uint32
	letter byte
	name   string
}

// shortFlags are in the order of letters, longFlags in that of the long form.
var (
	shortFlags = []deviceFlag{
		{unix.IFF_ALLMULTI, 'A', ""}, {unix.IFF_BROADCAST, 'B', ""}, {unix.IFF_DEBUG, 'D', ""}, {unix.IFF_LOOPBACK, 'L', ""},
		{unix.IFF_MULTICAST, 'M', ""}, {unix.IFF_DYNAMIC, 'd', ""}, {unix.IFF_PROMISC, 'P', ""}, {unix.IFF_NOTRAILERS, 'N', ""},
		{unix.IFF_NOARP, 'O', ""}, {unix.IFF_POINTOPOINT, 'P', ""}, {unix.IFF_SLAVE, 's', ""}, {unix.IFF_MASTER, 'm', ""},
		{unix.IFF_RUNNING, 'R', ""}, {unix.IFF_UP, 'U', ""},
	}
	longFlags = []deviceFlag{
		{unix.IFF_UP, 0, "UP"}, {unix.IFF_BROADCAST, 0, "BROADCAST"}, {unix.IFF_DEBUG, 0, "DEBUG"}, {unix.IFF_LOOPBACK, 0, "LOOPBACK"},
		{unix.IFF_POINTOPOINT, 0, "POINTOPOINT"}, {unix.IFF_NOTRAILERS, 0, "NOTRAILERS"}, {unix.IFF_RUNNING, 0, "RUNNING"},
		{unix.IFF_NOARP, 0, "NOARP"}, {unix.IFF_PROMISC, 0, "PROMISC"}, {unix.IFF_ALLMULTI, 0, "ALLMULTI"},
		{unix.IFF_SLAVE, 0, "SLAVE"}, {unix.IFF_MASTER, 0, "MASTER"}, {unix.IFF_MULTICAST, 0, "MULTICAST"},
		{unix.IFF_DYNAMIC, 0, "DYNAMIC"},
	}
)

// AppendInterface appends the line of a device.
func AppendInterface(dst []byte, i *Interface) []byte {
	dst = append(appendLeft(dst, i.Name[:min(len(i.Name), 15)], 15), ' ')
	dst = append(appendRightInt(dst, int64(int32(i.MTU)), 5), ' ')
	if c := i.Counters; c != nil {
		dst = append(appendRightUint(dst, c.RxPackets, 8), ' ')
		dst = append(appendRightUint(dst, c.RxErrors, 6), ' ')
		dst = append(appendRightUint(dst, c.RxDropped, 6), ' ')
		start := len(dst)
		dst = strconv.AppendUint(dst, c.RxFIFO, 10)
		dst = append(pad(dst, start, 6), ' ')
		dst = append(appendRightUint(dst, c.TxPackets, 8), ' ')
		dst = append(appendRightUint(dst, c.TxErrors, 6), ' ')
		dst = append(appendRightUint(dst, c.TxDropped, 6), ' ')
		dst = append(appendRightUint(dst, c.TxFIFO, 6), ' ')
	} else {
		dst = appendLeft(dst, "     - no statistics available -", 56)
	}
	if i.Flags&0xffff == 0 {
		dst = append(dst, "[NO FLAGS]"...)
	}
	for _, f := range shortFlags {
		if i.Flags&f.bit != 0 {
			dst = append(dst, f.letter)
		}
	}
	return append(dst, '\n')
}

// AppendInterfaceLong appends the long form of a device, and an empty line.
func AppendInterfaceLong(dst []byte, i *Interface) []byte {
	dst = append(dst, i.Name...)
	dst = append(dst, ": flags="...)
	dst = strconv.AppendInt(dst, int64(int16(i.Flags)), 10) // the old system calls have 16 bits of them
	dst = append(dst, '<')
	first := true
	for _, f := range longFlags {
		if i.Flags&f.bit == 0 {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		dst, first = append(dst, f.name...), false
	}
	dst = append(dst, ">  mtu "...)
	dst = strconv.AppendInt(dst, int64(int32(i.MTU)), 10)
	dst = append(dst, '\n')
	if i.Inet.IsValid() {
		dst = append(dst, "        inet "...)
		dst = inet.AppendIPv4(dst, i.Inet.As4())
		dst = append(dst, "  netmask "...)
		dst = inet.AppendIPv4(dst, i.Netmask.As4())
		if i.Flags&unix.IFF_BROADCAST != 0 {
			dst = append(dst, "  broadcast "...)
			dst = inet.AppendIPv4(dst, i.Broadcast.As4())
		}
		if i.Flags&unix.IFF_POINTOPOINT != 0 {
			dst = append(dst, "  destination "...)
			dst = inet.AppendIPv4(dst, i.Peer.As4())
		}
		dst = append(dst, '\n')
	}
	for _, a := range i.Inet6 {
		dst = appendInet6(dst, &a)
	}
	dst = appendHardware(dst, i)
	if i.Counters != nil {
		dst = appendCounters(dst, i.Counters, compresses(i.Type))
	}
	dst = appendMap(dst, i)
	return append(dst, '\n')
}

// appendInet6 appends an IPv6 address with its scope in hexadecimal and in words.
func appendInet6(dst []byte, a *InterfaceInet6) []byte {
	const compatible = 0x80
	dst = append(dst, "        inet6 "...)
	dst = appendIPv6(dst, a.Addr)
	dst = append(dst, "  prefixlen "...)
	dst = strconv.AppendInt(dst, int64(a.Bits), 10)
	dst = append(dst, "  scopeid 0x"...)
	dst = strconv.AppendUint(dst, uint64(a.Scope), 16)
	dst = append(dst, '<')
	if a.Scope&compatible != 0 {
		dst = append(dst, "compat,"...)
	}
	switch a.Scope &^ compatible {
	case 0x00:
		dst = append(dst, "global"...)
	case 0x20:
		dst = append(dst, "link"...)
	case 0x40:
		dst = append(dst, "site"...)
	case 0x10:
		dst = append(dst, "host"...)
	default:
		dst = append(dst, "unknown"...)
	}
	return append(dst, ">\n"...)
}

// hardware is what net-tools knows of a type of device: how many bytes of the address are shown, and how.
type hardware struct {
	name, title string
	bytes       int
	sep         byte
	capital     bool
}

var hardwareTypes = map[uint16]hardware{
	unix.ARPHRD_ETHER:    {"ether", "Ethernet", 6, ':', false},
	unix.ARPHRD_ARCNET:   {"arcnet", "ARCnet", 1, ':', true},
	unix.ARPHRD_EUI64:    {"eui64", "Generic EUI-64", 8, ':', true},
	unix.ARPHRD_SLIP:     {name: "slip", title: "Serial Line IP"},
	unix.ARPHRD_CSLIP:    {name: "cslip", title: "VJ Serial Line IP"},
	unix.ARPHRD_SLIP6:    {name: "slip6", title: "6-bit Serial Line IP"},
	unix.ARPHRD_CSLIP6:   {name: "cslip6", title: "VJ 6-bit Serial Line IP"},
	unix.ARPHRD_ADAPT:    {name: "adaptive", title: "Adaptive Serial Line IP"},
	unix.ARPHRD_PPP:      {name: "ppp", title: "Point-to-Point Protocol"},
	unix.ARPHRD_CISCO:    {name: "hdlc", title: "(Cisco)-HDLC"},
	unix.ARPHRD_LAPB:     {name: "lapb", title: "LAPB"},
	unix.ARPHRD_TUNNEL:   {name: "tunnel ", title: "IPIP Tunnel"},
	unix.ARPHRD_FRAD:     {name: "frad", title: "Frame Relay Access Device"},
	unix.ARPHRD_LOOPBACK: {name: "loop", title: "Local Loopback"},
	unix.ARPHRD_FDDI:     {"fddi", "Fiber Distributed Data Interface", 6, '-', true},
	unix.ARPHRD_SIT:      {name: "sit", title: "IPv6-in-IPv4"},
	unix.ARPHRD_HIPPI:    {"hippi", "HIPPI", 6, ':', true},
	unix.ARPHRD_ECONET:   {name: "ec", title: "Econet"},
	unix.ARPHRD_IRDA:     {"irda", "IrLAP", 4, ':', false},
}

// otherHardware is what is said of all others. As the system call has it, no more than 14 bytes of an address are known.
var otherHardware = hardware{"unspec", "UNSPEC", 16, '-', true}

func appendHardware(dst []byte, i *Interface) []byte {
	h, ok := hardwareTypes[i.Type]
	if !ok {
		h = otherHardware
	}
	dst = append(dst, "        "...)
	dst = append(dst, h.name...)
	digits := "0123456789abcdef"
	if h.capital {
		digits = "0123456789ABCDEF"
	}
	for n := range h.bytes {
		var b byte
		if n < min(len(i.Hardware), 14) {
			b = i.Hardware[n]
		}
		sep := h.sep
		if n == 0 {
			sep = ' '
		}
		dst = append(dst, sep, digits[b>>4], digits[b&15])
	}
	dst = append(dst, "  txqueuelen "...)
	dst = strconv.AppendInt(dst, int64(int32(i.TxQueue)), 10)
	dst = append(dst, "  ("...)
	dst = append(dst, h.title...)
	return append(dst, ")\n"...)
}

// compresses reports whether net-tools counts the compressed packets of devices of a type.
func compresses(typ uint16) bool { return typ == unix.ARPHRD_CSLIP || typ == unix.ARPHRD_CSLIP6 }

func appendCounters(dst []byte, c *InterfaceCounters, compressed bool) []byte {
	number := func(word string, n uint64) {
		dst = append(dst, word...)
		dst = strconv.AppendUint(dst, n, 10)
	}
	number("        RX packets ", c.RxPackets)
	number("  bytes ", c.RxBytes)
	dst = appendSize(dst, c.RxBytes)
	if compressed {
		number("        RX compressed:", c.RxCompressed)
		dst = append(dst, '\n')
	}
	number("        RX errors ", c.RxErrors)
	number("  dropped ", c.RxDropped)
	number("  overruns ", c.RxFIFO)
	number("  frame ", c.RxFrame)
	number("\n        TX packets ", c.TxPackets)
	number("  bytes ", c.TxBytes)
	dst = appendSize(dst, c.TxBytes)
	if compressed {
		number("        TX compressed ", c.TxCompressed)
		dst = append(dst, '\n')
	}
	number("        TX errors ", c.TxErrors)
	number("  dropped ", c.TxDropped)
	number(" overruns ", c.TxFIFO)
	number("  carrier ", c.Carrier)
	number("  collisions ", c.Collisions)
	return append(dst, '\n')
}

// appendSize appends a number of bytes in the unit that it exceeds one of, with one decimal that is cut, not rounded.
func appendSize(dst []byte, n uint64) []byte {
	unit, shift := "B", uint(0)
	for i, u := range []string{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"} {
		if s := uint(10 * (i + 1)); n > 1<<s {
			unit, shift = u, s
		}
	}
	dst = append(dst, " ("...)
	dst = strconv.AppendUint(dst, n>>shift, 10)
	dst = append(dst, '.')
	fraction := n & (1<<shift - 1)
	if shift > 60-4 { // ten times that would not fit
		fraction, shift = fraction>>4, shift-4
	}
	dst = append(dst, byte('0'+fraction*10>>shift), ' ')
	dst = append(dst, unit...)
	return append(dst, ")\n"...)
}

func appendMap(dst []byte, i *Interface) []byte {
	const realAddr = 0x100 // lower ones are the numbers of ports that a driver chose
	if i.IRQ == 0 && i.MemStart == 0 && i.DMA == 0 && i.BaseAddr < realAddr {
		return dst
	}
	dst = append(dst, "        device "...)
	if i.IRQ != 0 {
		dst = append(dst, "interrupt "...)
		dst = append(strconv.AppendUint(dst, i.IRQ, 10), "  "...)
	}
	if i.BaseAddr >= realAddr {
		dst = append(dst, "base 0x"...)
		dst = append(strconv.AppendUint(dst, i.BaseAddr, 16), "  "...)
	}
	if i.MemStart != 0 {
		dst = append(dst, "memory 0x"...)
		dst = strconv.AppendUint(dst, i.MemStart, 16)
		dst = append(dst, "-"...)
		dst = append(strconv.AppendUint(dst, i.MemEnd, 16), "  "...)
	}
	if i.DMA != 0 {
		dst = append(dst, "  dma 0x"...)
		dst = strconv.AppendUint(dst, i.DMA, 16)
	}
	return append(dst, '\n')
}
