package netstat

import (
	"net/netip"
	"strconv"

	"github.com/sockeye-tools/sockeye/diag"
)

// Options says what a Table shows.
type Options struct {
	Which    Which
	Extend   bool // -e: User and Inode
	Programs bool // -p: PID/Program name
	Timers   bool // -o: Timer; TCP rows need diag.ExtInfo for it
	Wide     bool // -W: endpoints are not cut to 23 characters

	// Names of addresses, ports and users; where one is nil, numbers are shown. Service is asked for the protocols "tcp", "udp"
	// (also for UDP-Lite) and "raw", whose ports are IP protocols; Host is not asked for 0.0.0.0 and ::. Names must be fit for a
	// terminal.
	Host    func(netip.Addr) (string, bool)
	Service func(port uint16, proto string) (string, bool)
	User    func(uid uint32) (string, bool)

	// Program returns the process that a socket's inode belongs to, and its argv[0], or "" if it has none. nil: nobody knows.
	Program func(inode uint32) (pid int32, argv0 string, ok bool)

	// Timeouts returns how often the timer of a SYN_RECV socket has expired, which sock_diag does not tell. nil, or false: what
	// sock_diag tells instead is shown, the number of SYN-ACKs that were sent again.
	Timeouts func(*diag.InetSocket) (uint8, bool)
}

// Table writes one table of sockets. It is not safe for concurrent use.
type Table struct {
	Options
	listeners     map[listener]uint32
	info          diag.TCPInfo
	locals, peers []netip.AddrPort
}

// New returns a Table.
func New(o Options) *Table { return &Table{Options: o} }

// AppendHeader appends the two lines of headings.
func (t *Table) AppendHeader(dst []byte) []byte {
	dst = append(dst, "Active Internet connections "...)
	dst = append(dst, t.Which.heading()...)
	dst = append(dst, "\nProto Recv-Q Send-Q Local Address           Foreign Address         State      "...)
	if t.Extend {
		dst = append(dst, " User       Inode     "...)
	}
	if t.Programs {
		dst = append(dst, " PID/Program name    "...)
	}
	if t.Timers {
		dst = append(dst, " Timer"...)
	}
	return append(dst, '\n')
}

// States returns the states that a query for a protocol has to ask for. That can be more than what is shown: the user of a
// SYN_RECV socket is that of its listener.
func (o *Options) States(p diag.Protocol) diag.States {
	listen := diag.StatesOf(diag.Listen)
	switch {
	case p == diag.TCP && o.Which == Servers:
		return listen
	case p == diag.TCP && o.Which == Connected && !o.Extend:
		return diag.ProcStates &^ listen
	}
	return diag.ProcStates
}

// Append appends the socket's line, or nothing if Which does not show it. It wants to see all that States asks for.
func (t *Table) Append(dst []byte, s *diag.InetSocket) []byte {
	if t.Extend && s.State == diag.Listen && s.Protocol == diag.TCP {
		t.remember(s)
	}
	if !t.Which.Shows(s) {
		return dst
	}
	service := "tcp"
	switch s.Protocol {
	case diag.SCTP:
		return t.appendSCTP(dst, s)
	case diag.UDP, diag.UDPLite:
		service = "udp"
	case diag.Raw:
		service = "raw"
	}
	dst = append(dst, proto(s.Protocol, s.Family)...)
	dst = appendQueue(dst, s.RQueue)
	dst = append(dst, ' ')
	unacked := s.WQueue
	if s.Protocol == diag.TCP && s.State == diag.Listen {
		unacked = 0 // it is the accept queue's limit there
	}
	dst = appendQueue(dst, unacked)
	dst = append(dst, ' ')
	dst = t.appendEndpoint(dst, s.Local, service)
	dst = append(dst, ' ')
	dst = t.appendEndpoint(dst, s.Remote, service)
	dst = append(dst, ' ')
	start := len(dst)
	dst = appendState(dst, s)
	dst = pad(dst, start, stateWidth)
	return t.appendTail(dst, s)
}

// appendTail appends the columns behind the state, and ends the line.
func (t *Table) appendTail(dst []byte, s *diag.InetSocket) []byte {
	if t.Extend {
		dst = append(dst, ' ')
		start := len(dst)
		dst = t.appendUser(dst, s)
		dst = pad(dst, start, 10)
		dst = append(dst, ' ')
		start = len(dst)
		dst = strconv.AppendUint(dst, uint64(s.Inode), 10)
		dst = pad(dst, start, 10)
	}
	if t.Programs {
		dst = append(dst, ' ')
		start := len(dst)
		dst = t.appendProgram(dst, s.Inode)
		dst = pad(dst, start, 20)
	}
	if t.Timers {
		dst = append(dst, ' ')
		dst = t.appendTimer(dst, s)
	}
	return append(dst, '\n')
}
