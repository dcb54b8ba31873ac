package netstat

import (
	"net/netip"
	"strconv"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/internal/inet"
)

// BSDOptions says what a BSDTable shows.
type BSDOptions struct {
	All     bool        // -a: also TCP sockets that listen, or are only bound
	Queues  bool        // -L: the queues of listeners, and nothing else
	Family  diag.Family // -f: only sockets that talk IPv4, or IPv6; 0: both
	Raw     string      // -p: only raw sockets by this name: ip, icmp, igmp, ip6, icmp6; "": all
	Long    bool        // -l: room for whole IPv6 addresses
	Wide    bool        // -W: nothing is cut
	Bytes   bool        // -b: bytes received and sent
	Verbose bool        // -v: those, the limits of the buffers, and the owner
	Buffers bool        // -x: limits and use of the buffers, and timers, as FreeBSD has them

	// Names of addresses and ports; where one is nil, numbers are shown. Host is not asked for 0.0.0.0 and ::. Service is asked for
	// "tcp", "udp" and "raw", whose ports are IP protocols. Names must be fit for a terminal.
	Host    func(netip.Addr) (string, bool)
	Service func(port uint16, proto string) (string, bool)

	// Interface returns the name of the device with an index, fit for a terminal; it belongs to a link-local IPv6 address.
	Interface func(index uint32) (string, bool)

	// Program returns the process that a socket's inode belongs to, and its name, or "" if it has none. nil: nobody knows.
	Program func(inode uint32) (pid int32, name string, ok bool)
}

// BSDTable writes sockets as the netstat of macOS (network_cmds) does: columns, widths, and what is cut. What Linux does not tell of
// a socket is "-", or its column is left out. It is not safe for concurrent use.
//
// It shows more than macOS does of raw sockets: those of other protocols than ICMP and IGMP are called ip, and have the protocol in
// the place of the local port. A name is shown for every port that has one; macOS leaves out those of ports that the kernel chose,
// which Linux does not tell.
type BSDTable struct {
	BSDOptions
	titled bool // the headings of inet sockets are out
	info   diag.TCPInfo
}

// NewBSD returns a BSDTable.
func NewBSD(o BSDOptions) *BSDTable { return &BSDTable{BSDOptions: o} }

// States returns the states that a query for a protocol has to ask for.
func (o *BSDOptions) States(p diag.Protocol) diag.States {
	switch {
	case o.Queues:
		return diag.StatesOf(diag.Listen)
	case p == diag.TCP && !o.All:
		return diag.ProcStates &^ diag.StatesOf(diag.Listen, diag.Close)
	}
	return diag.AllStates
}

// Ext returns the attributes that a query for a protocol has to ask for.
func (o *BSDOptions) Ext(p diag.Protocol) (e diag.Ext) {
	if o.Queues {
		return 0
	}
	if p == diag.TCP && (o.Bytes || o.Verbose || o.Buffers) {
		e |= diag.ExtInfo
	}
	if o.Verbose || o.Buffers {
		e |= diag.ExtSKMemInfo
	}
	return e
}

// Shows reports whether a socket is shown.
func (o *BSDOptions) Shows(s *diag.InetSocket) bool {
	if o.Family != 0 {
		if v := versionOf(s); !(v.four && o.Family == diag.IPv4 || v.six && o.Family == diag.IPv6) {
			return false
		}
	}
	switch s.Protocol {
	case diag.TCP:
		if o.Queues {
			return s.State == diag.Listen
		}
		return o.All || s.State != diag.Listen && s.State != diag.Close
	case diag.Raw:
		return !o.Queues && (o.Raw == "" || o.Raw == rawName(s))
	}
	return !o.Queues
}

// versions are the versions of IP that a socket talks.
type versions struct{ four, six bool }

// versionOf tells by the addresses what an IPv6 socket talks: IPv4 if they are mapped, both if it is bound to none and IPV6_V6ONLY is
// off. The kernel tells of that option for sockets that listen or are not connected; where it does not (rows from /proc), IPv6 is all
// that is known.
func versionOf(s *diag.InetSocket) versions {
	switch {
	case s.Family == diag.IPv4, s.Local.Addr().Is4In6(), s.Remote.Addr().Is4In6():
		return versions{four: true}
	case s.Protocol == diag.Raw, !s.Local.Addr().IsUnspecified(), !s.Remote.Addr().IsUnspecified():
		return versions{six: true}
	}
	v6only, ok := s.V6Only()
	return versions{four: ok && !v6only, six: true}
}

// rawName returns BSD's name for a raw socket of a protocol.
func rawName(s *diag.InetSocket) string {
	const icmp, igmp, icmp6 = 1, 2, 58
	switch protocol := s.Local.Port(); {
	case s.Family == diag.IPv6 && protocol == icmp6:
		return "icmp6"
	case s.Family == diag.IPv6:
		return "ip6"
	case protocol == icmp:
		return "icmp"
	case protocol == igmp:
		return "igmp"
	}
	return "ip"
}

// bsdProto returns the first column, five wide: three letters of the protocol, and the versions of IP. It is one word, where macOS
// has "ip 4".
func bsdProto(s *diag.InetSocket) string {
	v := versionOf(s)
	switch {
	case s.Protocol == diag.TCP && v.four && v.six:
		return "tcp46"
	case s.Protocol == diag.TCP && v.six:
		return "tcp6 "
	case s.Protocol == diag.TCP:
		return "tcp4 "
	case s.Protocol == diag.UDP && v.four && v.six:
		return "udp46"
	case s.Protocol == diag.UDP && v.six:
		return "udp6 "
	case s.Protocol == diag.UDP:
		return "udp4 "
	}
	switch rawName(s) {
	case "icmp":
		return "icm4 "
	case "icmp6":
		return "icm6 "
	case "igmp":
		return "igm4 "
	case "ip6":
		return "ip6  "
	}
	return "ip4  "
}

// bsdState returns BSD's name of a TCP state (netinet/tcp_fsm.h there).
func bsdState(state diag.State) string {
	switch state {
	case diag.Close:
		return "CLOSED"
	case diag.SynRecv:
		return "SYN_RCVD"
	case diag.FinWait1:
		return "FIN_WAIT_1"
	case diag.FinWait2:
		return "FIN_WAIT_2"
	}
	return state.String() // the other names are the same
}

// appendTitle appends the headings. As on BSD they come with the first row.
func (t *BSDTable) appendTitle(dst []byte) []byte {
	width := t.endpointWidth()
	if t.Queues {
		dst = append(dst, "Current listen queue sizes (qlen/incqlen/maxqlen)\nListen         "...)
		return append(appendLeft(dst, "Local Address", width), '\n')
	}
	dst = append(dst, "Active Internet connections"...)
	if t.All {
		dst = append(dst, " (including servers)"...)
	}
	dst = append(dst, "\nProto Recv-Q Send-Q  "...)
	dst = append(appendLeft(dst, "Local Address", width), ' ')
	dst = append(appendLeft(dst, "Foreign Address", width), ' ')
	dst = append(dst, "(state)    "...)
	return append(t.appendTailTitle(dst), '\n')
}

// Append appends the socket's line, or nothing if it is not shown.
func (t *BSDTable) Append(dst []byte, s *diag.InetSocket) []byte {
	if !t.Shows(s) {
		return dst
	}
	if !t.titled {
		t.titled = true
		dst = t.appendTitle(dst)
	}
	if t.Queues {
		return append(t.appendBSDEndpoint(t.appendQueues(dst, s), s, s.Local, "tcp"), '\n')
	}
	dst = append(append(dst, bsdProto(s)...), ' ')
	recv, send := s.RQueue, s.WQueue
	if s.Protocol == diag.TCP && s.State == diag.Listen {
		recv, send = 0, 0 // they are the accept queue and its limit there
	}
	dst = append(appendQueue(dst, recv), ' ')
	dst = append(appendQueue(dst, send), ' ', ' ')
	service := "tcp"
	switch s.Protocol {
	case diag.UDP:
		service = "udp"
	case diag.Raw:
		service = "raw"
	}
	dst = t.appendBSDEndpoint(dst, s, s.Local, service)
	dst = t.appendBSDEndpoint(dst, s, s.Remote, service)
	start := len(dst)
	if s.Protocol == diag.TCP {
		dst = append(dst, bsdState(s.State)...)
	}
	dst = pad(dst, start, stateWidth)
	return append(t.appendTail(dst, s), '\n')
}

// appendQueues appends the connections that wait to be accepted, those that are not complete yet, and how many may wait. Of those not
// complete Linux does not tell which listener they belong to.
func (t *BSDTable) appendQueues(dst []byte, s *diag.InetSocket) []byte {
	start := len(dst)
	dst = strconv.AppendUint(dst, uint64(s.RQueue), 10)
	dst = append(dst, "/-/"...)
	if s.Source == diag.FromProc {
		dst = append(dst, '-')
	} else {
		dst = strconv.AppendUint(dst, uint64(s.WQueue), 10)
	}
	return append(pad(dst, start, 14), ' ')
}

func (t *BSDTable) endpointWidth() int {
	if t.Long {
		return 45
	}
	return 22
}

// appendBSDEndpoint appends HOST.PORT and a blank. The host is cut to 16 characters, or 39 with Long, so that the port's number is never
// lost; with Wide nothing is cut.
func (t *BSDTable) appendBSDEndpoint(dst []byte, s *diag.InetSocket, a netip.AddrPort, service string) []byte {
	start := len(dst)
	dst = t.appendBSDHost(dst, a.Addr(), s.Interface)
	room := 16
	if t.Long {
		room = 39
	}
	if !t.Wide && len(dst)-start > room {
		dst = dst[:start+room]
	}
	dst = append(dst, '.')
	port := a.Port()
	if service == "raw" {
		if name := rawName(s); name != "ip" && name != "ip6" {
			port = 0 // the first column says it
		}
	}
	dst = appendPort(dst, port, service, t.Service)
	if width := t.endpointWidth(); !t.Wide && len(dst)-start > width { // a name: numbers fit
		dst = dst[:start+width]
	}
	return append(pad(dst, start, t.endpointWidth()), ' ')
}

func (t *BSDTable) appendBSDHost(dst []byte, a netip.Addr, device uint32) []byte {
	a = a.Unmap()
	if a.IsUnspecified() {
		return append(dst, '*')
	}
	if t.Host != nil {
		if name, ok := t.Host(a); ok {
			return append(dst, name...)
		}
	}
	if a.Is4() {
		return inet.AppendIPv4(dst, a.As4())
	}
	return t.appendZone(appendIPv6(dst, a), a, device)
}

// ofOneDevice reports whether an address is of use on one device only.
func ofOneDevice(a netip.Addr) bool {
	return a.IsLinkLocalUnicast() || a.IsLinkLocalMulticast() || a.IsInterfaceLocalMulticast()
}

// appendZone appends %DEVICE to such an address.
func (t *BSDTable) appendZone(dst []byte, a netip.Addr, device uint32) []byte {
	if device == 0 || t.Interface == nil || !ofOneDevice(a) {
		return dst
	}
	if name, ok := t.Interface(device); ok {
		dst = append(append(dst, '%'), name...)
	}
	return dst
}
