package ss

import (
	"io"
	"net/netip"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/owner"
	"github.com/sockeye-tools/sockeye/render/names"
)

// Owners knows who holds a socket; *owner.Table is one.
type Owners interface {
	// Owners appends the owners of a socket, in order of process and descriptor.
	Owners(dst []owner.Owner, inode uint32) []owner.Owner
	Process(pid int32) *owner.Process
}

// Options says what is printed.
type Options struct {
	Netid, State bool // columns that ss leaves out where they would say the same in every row
	NoHeader     bool // -H
	NoQueues     bool // -Q
	OneLine      bool // -O
	Numeric      bool // -n: no names of services and protocols, and rates as whole numbers

	Timers    bool // -o
	Extended  bool // -e
	Memory    bool // -m
	Info      bool // -i
	Processes bool // -p
	Threads   bool // -T: with Processes, every thread that shares the descriptor
	AnyProto  bool // ports are named after services of any protocol, as in ss -E
	TOS       bool // --tos
	Cgroup    bool // --cgroup
	SockOpt   bool // --inet-sockopt
	Filters   bool // -b: the filters of packet sockets
	TIPCInfo  bool // --tipcinfo
	// ProcessContext tells the security context of a process or thread (-Z, -z), and of the kernel for 0; nil: not wanted.
	ProcessContext func(pid int32) string
	// SocketContext tells that of the socket that a process has as a descriptor (-z); nil: not wanted.
	SocketContext func(pid, fd int32) string
	// BPFMaps shows what BPF maps keep with inet sockets (--bpf-maps, --bpf-map-id); nil: not wanted.
	BPFMaps BPFMaps

	// Long says that there is more to print than ss keeps before it finds out how wide columns are, so that lines cannot be equal to
	// its: less is kept, and the first lines come at once.
	Long bool
	// Width is how many bytes fit on a line of the screen; 0 where there is none, and columns are as narrow as can be.
	Width int
	// Ports that the kernel hands out by itself are not named: net.ipv4.ip_local_port_range.
	EphemeralMin, EphemeralMax uint16
	// Proto is the protocol ("tcp", "udp", or "" for any) whose services the ports of MPTCP and SCTP sockets are named after.
	Proto string

	// RPC are names of ports that go before those of services (-r); "": it has none, and stays a number.
	RPC map[RPCPort]string

	Services   *names.Services
	Protocols  *names.Protocols
	Interfaces *names.Interfaces
	Cgroups    *names.Cgroups
	// NetlinkProtocols are names of netlink protocols.
	NetlinkProtocols map[uint8]string
	// Process names the process with a number, for the ports of netlink sockets; nil: they stay numbers.
	Process func(pid int32) (comm string, ok bool)
	// Host names an address; nil: addresses stay numbers.
	Host func(netip.Addr) (string, bool)
}

// RPCPort is a port that rpcbind has given a service.
type RPCPort struct {
	Port  uint16
	Proto string // "tcp" or "udp"
}

// Writer prints sockets. It is not safe for concurrent use.
type Writer struct {
	layout
	opt    Options
	owners Owners
	ext    bool // rows have extensions

	unowned int

	list      []owner.Owner
	threads   []Thread
	info      diag.TCPInfo
	mptcp     diag.MPTCPInfo
	sctp      diag.SCTPInfo
	ulp       diag.ULP
	row       *ProcRow // of the socket that is being printed, if it has one
	name      []byte
	inodes    []uint32
	lastInode uint32 // of the socket before: an SCTP association has that of its endpoint
}

// New returns a Writer that prints to w, beginning with the header.
func New(w io.Writer, opt Options) *Writer {
	p := &Writer{layout: layout{w: w, screen: opt.Width, limit: whole}, opt: opt}
	if opt.Long {
		p.limit = piece
	}
	p.hidden[colNetid] = !opt.Netid
	p.hidden[colState] = !opt.State
	p.hidden[colRecvQ], p.hidden[colSendQ] = opt.NoQueues, opt.NoQueues
	p.hidden[colProcess] = !opt.Processes
	for c := range columns {
		if !p.hidden[c] {
			p.shown = append(p.shown, c)
		}
	}
	if opt.Services == nil {
		p.opt.Services = &names.Services{}
	}
	if opt.Protocols == nil {
		p.opt.Protocols = &names.Protocols{}
	}
	if opt.Interfaces == nil {
		p.opt.Interfaces = &names.Interfaces{}
	}
	if opt.Cgroups == nil {
		p.opt.Cgroups = &names.Cgroups{}
	}
	p.ext = opt.Timers || opt.Extended || opt.Memory || opt.Info || opt.TOS || opt.Cgroup || opt.SockOpt || opt.BPFMaps != nil
	if !opt.NoHeader {
		p.header()
	}
	return p
}

// SetOwners says who knows the owners of the sockets that follow; nil: nobody.
func (p *Writer) SetOwners(o Owners) { p.owners = o }

func (p *Writer) header() {
	p.reserve()
	b := p.buf
	for _, c := range p.shown {
		at := len(b)
		b = append(begin(b), headings[c]...)
		b = p.end(b, at, c)
	}
	p.buf = b
}

// Inet prints a socket. The error is the writer's.
func (p *Writer) Inet(s *diag.InetSocket) error {
	p.reserve()
	kind := s.Protocol
	if k, ok := s.RawProtocol(); ok {
		kind = k
	} else if kind == diag.Raw {
		kind = rawKind
	}
	assoc := kind == diag.SCTP && s.Inode != 0 && s.Inode == p.lastInode

	b := p.buf
	if p.opt.Netid {
		at := len(b)
		b = begin(b)
		if !assoc {
			b = append(b, netid(s, kind)...)
		}
		b = p.end(b, at, colNetid)
	}
	if p.opt.State {
		at := len(b)
		b = begin(b)
		if assoc {
			b = append(append(b, "`- "...), assocState(s.State)...)
		} else if s.Protocol == diag.DCCP && s.State == partOpen {
			b = append(b, "PARTOPEN"...)
		} else {
			b = append(b, state(s.State)...)
		}
		b = p.end(b, at, colState)
	}
	if !p.opt.NoQueues {
		at := len(b)
		b = p.end(appendQueue(begin(b), s.RQueue), at, colRecvQ)
		at = len(b)
		b = p.end(appendQueue(begin(b), s.WQueue), at, colSendQ)
	}
	v6only, _ := s.V6Only()
	at := len(b)
	b = p.appendAddr(begin(b), s.Local.Addr(), s.Interface, v6only)
	b = p.end(b, at, colLocal)
	at = len(b)
	b = p.end(p.appendPort(begin(b), s.Protocol, s.Local.Port()), at, colLocalPort)
	at = len(b)
	b = p.appendAddr(begin(b), s.Remote.Addr(), 0, v6only)
	b = p.end(b, at, colPeer)
	at = len(b)
	b = p.end(p.appendPort(begin(b), s.Protocol, s.Remote.Port()), at, colPeerPort)
	b = p.users(b, s.Inode)
	at = len(b)
	b = begin(b)
	if p.ext {
		b = p.appendExt(b, s, kind)
	}
	p.buf = p.end(b, at, colExt)
	p.lastInode = s.Inode

	if len(p.buf) >= p.limit {
		return p.flush()
	}
	return nil
}

// Flush prints the rows that were kept. The error is the writer's.
func (p *Writer) Flush() error { return p.flush() }
