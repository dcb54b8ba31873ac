package scene

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"

	"golang.org/x/sys/unix"
)

// OddComm is the name of a process of the scene that no terminal should get to see as it is, and OddArgv its argv[0].
const (
	OddComm = "we ird\"):(\x1b[31m"
	OddArgv = "/opt/we ird/od\x1b[32m\"d):("
)

// nobody is a user id that is not root's.
const nobody = 65534

// owners makes the sockets of other processes, and those of several.
func (b *builder) owners() {
	shared := b.listen("shared by fork", unix.AF_INET, "127.0.0.1:7020", 8)
	file := b.dup(shared)
	for i := range 2 {
		p := b.start(helperRole{Argv: fmt.Sprintf("heir %d", i), Comm: "heir"}, file)
		b.amend("shared by fork", func(e *Expect) { e.Owners = append(e.Owners, p.owner(helperShared)) })
	}
	check("close", file.Close())

	// Sent over a unix socket and closed here: the receiver is the only owner.
	sent := b.listen("sent away", unix.AF_INET, "127.0.0.1:7021", 8)
	b.amend("sent away", b.sendTo(helperRole{Argv: "/usr/sbin/receiver", Comm: "receiver"}, sent))
	b.drop(sent)

	// Sent and kept.
	kept := b.listen("sent and kept", unix.AF_INET6, "[::1]:7022", 8)
	one := b.sendTo(helperRole{Argv: "/usr/sbin/receiver", Comm: "receiver"}, kept)
	b.amend("sent and kept", func(e *Expect) {
		own := e.Owners
		one(e)
		e.Owners = append(own, e.Owners...)
	})

	user := b.start(helperRole{Argv: "/usr/bin/user:", Comm: "user", UID: nobody, Listen: "127.0.0.1:7023", UDP: "127.0.0.1:7023"})
	b.noteHelper("other user", user)
	odd := b.start(helperRole{Argv: OddArgv, Comm: OddComm, Listen: "127.0.0.1:7024"})
	b.noteHelper("odd name", odd)

	for i := range b.Sockets {
		slices.SortFunc(b.Sockets[i].Owners, func(x, y Owner) int {
			return cmp.Or(cmp.Compare(x.PID, y.PID), cmp.Compare(x.FD, y.FD))
		})
	}
}

func (b *builder) start(role helperRole, shared ...*os.File) *process {
	p, err := startHelper(b.NetNS, role, shared...)
	check("helper", err)
	b.helpers = append(b.helpers, p)
	return p
}

// dup is the socket as a file; it is to be closed, for it is an owner more.
func (b *builder) dup(fd int) *os.File {
	n, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	check("dup", err)
	return os.NewFile(uintptr(n), "socket")
}

// sendTo starts a helper that gets the socket, and returns what makes it the only owner.
func (b *builder) sendTo(role helperRole, fd int) func(*Expect) {
	ends := must(unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0))
	theirs := os.NewFile(uintptr(ends[1]), "socketpair")
	err := unix.Sendmsg(ends[0], []byte{0}, unix.UnixRights(fd), nil, 0)
	role.Receive = true
	if err == nil {
		var p *process
		if p, err = startHelper(b.NetNS, role, theirs); err == nil {
			b.helpers = append(b.helpers, p)
			check("close", errors.Join(unix.Close(ends[0]), theirs.Close()))
			return func(e *Expect) { e.Owners = []Owner{p.owner(p.state.Received)} }
		}
	}
	check("send socket", errors.Join(err, unix.Close(ends[0]), theirs.Close()))
	return nil
}

// noteHelper notes the sockets that a helper opened for itself, with what a fresh socket has for the rest.
func (b *builder) noteHelper(name string, p *process) {
	fresh := func(table Table, typ int, state State, addr string, fd int, inode uint32) {
		local := must(parseAddrPort(addr))
		e := Expect{Name: name + " " + table.String(), Table: table, Family: familyOf(local), Type: typ, State: state,
			Local: local, Inode: inode, UID: uint32(p.role.UID), Owners: []Owner{p.owner(fd)}}
		e.Remote = addrOf(map[int]string{unix.AF_INET: "0.0.0.0", unix.AF_INET6: "[::]"}[e.Family], 0)
		if table == TCP {
			e.Backlog = helperBacklog
			e.Congestion = b.Sockets[0].Congestion // the namespace's default
		}
		b.add(e)
	}
	if p.role.Listen != "" {
		fresh(TCP, unix.SOCK_STREAM, Listen, p.role.Listen, p.state.Listener, p.state.ListenerInode)
	}
	if p.role.UDP != "" {
		fresh(UDP, unix.SOCK_DGRAM, Close, p.role.UDP, p.state.UDP, p.state.UDPInode)
	}
}
