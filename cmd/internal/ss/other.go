package ss

import (
	"cmp"
	"io"
	"iter"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/filter"
	"github.com/sockeye-tools/sockeye/diag/owner"
	"github.com/sockeye-tools/sockeye/internal/sockets"
	"github.com/sockeye-tools/sockeye/render/ss"
)

// others are the families that are neither IPv4 nor IPv6, in the order that their tables are printed in.
var others = []struct {
	family diag.Family
	tables tables
	states diag.States // added when the family is asked for by name
	need   diag.States // its sockets are in these states alone, and the kernel does not pick by them; 0: it does
	late   bool        // behind SCTP's table and before MPTCP's; the others stand in front of all inet tables
}{
	{unix.AF_NETLINK, tableNetlink, 1 << diag.Close, 1 << diag.Close, false},
	{unix.AF_PACKET, tablesPacket, 1 << diag.Close, 1 << diag.Close, false},
	{unix.AF_UNIX, tablesUnix, statesConn, 0, false},
	{unix.AF_VSOCK, tablesVSock, statesConn, 0, true},
	{unix.AF_TIPC, tableTIPC, 1<<diag.Established | 1<<diag.Listen | 1<<diag.Close, 0, true},
	{unix.AF_XDP, tableXDP, 1 << diag.Close, 1 << diag.Close, true},
}

// other prints sockets of the families that are neither IPv4 nor IPv6.
type other struct {
	*show
	hold    bool                   // rows go to held, and inodes to inodes, until their owners are known
	held    map[int][]func() error // by table: print its rows
	inodes  []uint32
	at      int          // the table at hand
	shown   bool         // the early tables that were held have been printed
	owned   *owner.Table // of the held rows, if they are not known with those of inet sockets
	late    bool         // the late tables have been printed
	name    []byte
	subject filter.Other
}

// wants reports whether sockets of others[i] are asked for.
func (o *other) wants(i int) bool {
	f := &others[i]
	family := o.filter.Family() // an operand's family replaces those that were asked for
	return o.o.tables&f.tables != 0 && (family == diag.Unspec || family == f.family) && (f.need == 0 || o.o.states&f.need != 0)
}

// early prints the tables that stand in front of the inet tables. If owners are wanted, all tables are kept until they are known:
// with those of the inet sockets, if those come from the kernel.
func (o *other) early(live bool) (failed bool, _ error) {
	owned := false
	for i := range others {
		owned = owned || o.wants(i) && others[i].tables != tableNetlink
	}
	if o.owners == nil || !owned {
		return o.print(false)
	}
	o.hold, o.held = true, map[int][]func() error{}
	for i := range others {
		bad, err := o.table(i)
		if err != nil {
			return false, err
		}
		failed = failed || bad
	}
	o.hold = false
	if live {
		return failed, nil // print goes on by known
	}
	t, err := owner.Resolve(o.env.Ctx, o.owners, append([]uint32{}, o.inodes...))
	if err != nil {
		return failed, err
	}
	o.use(t)
	_, err = o.print(false)
	o.owned = t
	return failed, err
}

// known prints the tables that were kept until owners are known.
func (o *other) known() error {
	if o.held == nil || o.shown {
		return nil
	}
	o.shown = true
	_, err := o.print(false)
	return err
}

// later prints the tables that stand behind SCTP's, once.
func (o *other) later() (failed bool, _ error) {
	if o.late {
		return false, nil
	}
	o.late = true
	if err := o.release(); err != nil {
		return false, err
	}
	o.use(o.owned) // files that were read in between have their own
	return o.print(true)
}

func (o *other) print(late bool) (failed bool, _ error) {
	for i := range others {
		if others[i].late != late {
			continue
		}
		bad, err := o.table(i)
		if err != nil {
			return false, err
		}
		failed = failed || bad
	}
	return failed, nil
}

// table prints the sockets of others[i], or keeps them.
func (o *other) table(i int) (failed bool, _ error) {
	if !o.wants(i) || o.kill != nil {
		return false, nil
	}
	if o.held != nil && !o.hold {
		for _, row := range o.held[i] {
			if err := row(); err != nil {
				return false, err
			}
		}
		return false, nil
	}
	o.at = i
	switch others[i].family {
	case unix.AF_NETLINK:
		return o.netlink()
	case unix.AF_PACKET:
		return o.packet()
	case unix.AF_UNIX:
		return o.unix()
	case unix.AF_VSOCK:
		return o.vsock()
	case unix.AF_TIPC:
		return o.tipc()
	}
	return o.xdp()
}

// keep returns a copy of a socket that stays valid.
func keep[S any](s *S) *S {
	if c, ok := any(s).(interface{ Clone() *S }); ok {
		return c.Clone()
	}
	c := *s // it borrows nothing
	return &c
}

// each prints the sockets that pick picks. A kernel without the family has nothing to print; failed reports any other failure. The
// error is the writer's.
func each[S any](o *other, list iter.Seq2[*S, error], inode func(*S) uint32, pick func(*S) bool, print func(*S) error) (failed bool, _ error) {
	for s, err := range list {
		switch {
		case err != nil:
			if !sockets.Unsupported(err) {
				complain(o.env, err)
				failed = true
			}
		case !pick(s):
		case o.hold:
			if n := inode(s); n != 0 {
				o.inodes = append(o.inodes, n)
			}
			kept := keep(s)
			o.held[o.at] = append(o.held[o.at], func() error { return print(kept) })
		default:
			if err := print(s); err != nil {
				return false, err
			}
		}
	}
	return failed, nil
}

// fromTable yields what the environment has read from a file instead of asking the kernel, if so. A file that is not there has no
// sockets, and what in it is not understood is left out, as in ss.
func fromTable[S any](o *other, name string, read func(io.Reader) iter.Seq2[*S, error], list iter.Seq2[*S, error]) iter.Seq2[*S, error] {
	if procRoot(o.env) == "" && o.env.Getenv("PROC_NET_"+strings.ToUpper(name)) == "" {
		return list
	}
	return func(yield func(*S, error) bool) {
		f, err := os.Open(procPath(o.env, "PROC_NET_"+strings.ToUpper(name), "net/"+name))
		if err != nil {
			return
		}
		defer f.Close()
		for s, err := range read(f) {
			if err != nil || !yield(s, nil) {
				return
			}
		}
	}
}

func (o *other) netlink() (bool, error) {
	list := fromTable(o, "netlink", diag.ReadNetlink, fromAnswers(o, diag.ParseNetlink, o.conn.Netlink(o.env.Ctx, o.o.netlinkQuery())))
	return each(o, list, func(*diag.NetlinkSocket) uint32 { return 0 }, func(s *diag.NetlinkSocket) bool {
		o.subject = filter.Other{Family: unix.AF_NETLINK, Addr: int64(s.Protocol), Port: int64(int32(s.PortID)), PeerPort: -1}
		return o.filter.MatchOther(&o.subject)
	}, o.out.Netlink)
}

func (o *other) packet() (bool, error) {
	list := fromTable(o, "packet", diag.ReadPacket, fromAnswers(o, diag.ParsePacket, o.conn.Packet(o.env.Ctx, o.o.packetQuery())))
	return each(o, list, func(s *diag.PacketSocket) uint32 { return s.Inode }, func(s *diag.PacketSocket) bool {
		if s.Source == diag.FromProc && !o.o.hasType(s.Type, tablePacketDgram, 0, tablePacketRaw) { // else ss shows both
			return false
		}
		index, _ := s.Interface()
		o.subject = filter.Other{Family: unix.AF_PACKET, Addr: int64(s.Protocol), Port: int64(index), Interface: index}
		return o.filter.MatchOther(&o.subject)
	}, o.out.Packet)
}

// inOrder sorts rows that were read from /proc by type and inode, as ss does.
func inOrder(list iter.Seq2[*diag.UnixSocket, error]) iter.Seq2[*diag.UnixSocket, error] {
	return func(yield func(*diag.UnixSocket, error) bool) {
		var rows []*diag.UnixSocket
		for s, err := range list {
			if err == nil && s.Source == diag.FromProc {
				rows = append(rows, s.Clone())
			} else if !yield(s, err) {
				return
			}
		}
		slices.SortStableFunc(rows, func(a, b *diag.UnixSocket) int {
			return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Inode, b.Inode))
		})
		for _, s := range rows {
			if !yield(s, nil) {
				return
			}
		}
	}
}

func (o *other) unix() (bool, error) {
	list := inOrder(fromTable(o, "unix", diag.ReadUnix, fromAnswers(o, diag.ParseUnix, o.conn.Unix(o.env.Ctx, o.o.unixQuery()))))
	return each(o, list, func(s *diag.UnixSocket) uint32 { return s.Inode }, func(s *diag.UnixSocket) bool {
		if !o.o.states.Has(s.State) || !o.o.hasType(s.Type, tableUnixDgram, tableUnixStream, 0) {
			return false
		}
		if o.filter.Tree() == nil {
			return true
		}
		o.subject = filter.Other{Family: unix.AF_UNIX}
		if s.Source == diag.FromNetlink { // of rows from /proc, ss looks at the name alone
			peer, _ := s.Peer()
			o.subject.Port, o.subject.PeerPort = int64(s.Inode), int64(peer)
		}
		if name, ok := ss.AppendUnixName(o.name[:0], s); ok {
			o.name, o.subject.Name = name, name
		}
		return o.filter.MatchOther(&o.subject)
	}, o.out.Unix)
}

func (o *other) vsock() (bool, error) {
	list := fromAnswers(o, diag.ParseVSock, o.conn.VSock(o.env.Ctx, diag.VSockQuery{States: o.o.states}))
	return each(o, list, func(s *diag.VSockSocket) uint32 { return s.Inode }, func(s *diag.VSockSocket) bool {
		o.subject = filter.Other{Family: unix.AF_VSOCK, Port: int64(s.Local.Port), PeerPort: int64(s.Remote.Port)}
		return o.o.hasType(s.Type, tableVSockDgram, tableVSockStream, 0) && o.filter.MatchOther(&o.subject)
	}, o.out.VSock)
}

func (o *other) tipc() (bool, error) {
	list := fromAnswers(o, diag.ParseTIPC, o.conn.TIPC(o.env.Ctx, diag.TIPCQuery{States: o.o.states}))
	return each(o, list, func(s *diag.TIPCSocket) uint32 { return s.Inode },
		func(*diag.TIPCSocket) bool { return true }, // ss does not look at the filter
		o.out.TIPC)
}

func (o *other) xdp() (bool, error) {
	return each(o, fromAnswers(o, diag.ParseXDP, o.conn.XDP(o.env.Ctx, o.o.xdpQuery())), func(s *diag.XDPSocket) uint32 { return s.Inode }, func(s *diag.XDPSocket) bool {
		index, queue, _ := s.Info()
		o.subject = filter.Other{Family: unix.AF_XDP, Port: int64(queue), Interface: index}
		return o.filter.MatchOther(&o.subject)
	}, o.out.XDP)
}

// hasType reports whether the table of sockets of a type is asked for; types that have none are always shown.
func (o *options) hasType(t diag.SocketType, dgram, stream, raw tables) bool {
	table := tables(0)
	switch t {
	case diag.SockDgram:
		table = dgram
	case diag.SockStream:
		table = stream
	case diag.SockRaw:
		table = raw
	case diag.SockSeqpacket:
		if stream == tableUnixStream {
			table = tableUnixSeqpacket
		}
	}
	return table == 0 || o.tables&table != 0
}
