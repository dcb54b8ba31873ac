package scene

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// A TIPCAddr is a port of a TIPC node.
type TIPCAddr struct{ Node, Ref uint32 }

// A TIPCSocket is the truth about one socket of AF_TIPC.
type TIPCSocket struct {
	Name      string
	Type      int
	State     State // Listen, Established, Close
	Local     TIPCAddr
	Peer      *TIPCAddr  // nil: not connected
	Via       *[2]uint32 // service and instance that it was connected by, at both ends
	Published bool
	Unread    uint32 // messages
	Inode     uint32
	FD        int
}

// Names of linux/tipc.h.
const (
	solTIPC       = 271
	tipcGroupJoin = 135
	// tipcService is the first of the services of the scene.
	tipcService = 18888
)

// tipc makes sockets of AF_TIPC within the node.
func (b *familyBuilder) tipc() {
	fd := b.try("socket", unix.AF_TIPC, unix.SOCK_RDM, 0)
	b.noteTIPC("tipc unbound", fd, Close)
	fd = b.socket(unix.AF_TIPC, unix.SOCK_SEQPACKET, 0)
	b.noteTIPC("tipc unbound seqpacket", fd, Close)

	// Services, and what has not been read.
	server := b.socket(unix.AF_TIPC, unix.SOCK_DGRAM, 0)
	b.tipcBind(server, tipcService, 0, 9)
	client := b.socket(unix.AF_TIPC, unix.SOCK_DGRAM, 0)
	to := tipcName(tipcService, 5)
	for range 3 {
		check("send", unix.Sendto(client, []byte("unread"), 0, to))
	}
	b.noteTIPC("tipc datagram server", server, Close, func(s *TIPCSocket) { s.Published, s.Unread = true, 3 })
	b.noteTIPC("tipc datagram client", client, Close)
	server = b.socket(unix.AF_TIPC, unix.SOCK_RDM, 0)
	b.tipcBind(server, tipcService+1, 7, 7)
	b.noteTIPC("tipc reliable server", server, Close, func(s *TIPCSocket) { s.Published = true })

	for i, kind := range []struct {
		name string
		typ  int
	}{{"tipc stream", unix.SOCK_STREAM}, {"tipc seqpacket", unix.SOCK_SEQPACKET}} {
		service := uint32(tipcService + 10 + i)
		lfd := b.patient(unix.AF_TIPC, kind.typ, 0)
		b.tipcBind(lfd, service, 17, 17)
		check("listen", unix.Listen(lfd, 5))
		b.noteTIPC(kind.name+" listener", lfd, Listen, func(s *TIPCSocket) { s.Published = true })
		cfd := b.patient(unix.AF_TIPC, kind.typ, 0)
		check("nonblock", unix.SetNonblock(cfd, true)) // it is connected once it is accepted
		if err := unix.Connect(cfd, tipcName(service, 17)); err != unix.EINPROGRESS {
			check("connect", err)
		}
		sfd := b.accept(lfd)
		await("connection", func() (bool, error) {
			_, err := unix.Getpeername(cfd)
			return err != unix.ENOTCONN, ignore(err, unix.ENOTCONN)
		})
		client, server := tipcPort(cfd), tipcPort(sfd)
		via := &[2]uint32{service, 17}
		b.noteTIPC(kind.name+" client", cfd, Established, func(s *TIPCSocket) { s.Peer, s.Via = &server, via })
		b.noteTIPC(kind.name+" server", sfd, Established, func(s *TIPCSocket) { s.Peer, s.Via = &client, via })
	}

	// Two members of a group (struct tipc_group_req: service, instance, scope, flags). Linux 4.15.
	for i, name := range []string{"tipc member 1", "tipc member 2"} {
		fd := b.socket(unix.AF_TIPC, unix.SOCK_RDM, 0)
		var req []byte
		for _, v := range []uint32{tipcService + 20, uint32(100 + i), 3 /* TIPC_NODE_SCOPE */, 0} {
			req = binary.NativeEndian.AppendUint32(req, v)
		}
		if err := setBytes(fd, solTIPC, tipcGroupJoin, req); err != nil {
			b.miss("TIPC groups", err)
			b.drop(fd)
			break
		}
		b.noteTIPC(name, fd, Close, func(s *TIPCSocket) { s.Published = true })
	}
}

func (b *familyBuilder) tipcBind(fd int, service, lower, upper uint32) {
	check("bind", unix.Bind(fd, &unix.SockaddrTIPC{Scope: 3, Addr: &unix.TIPCServiceRange{Type: service, Lower: lower, Upper: upper}}))
}

// tipcName is the address of a service's instance, wherever it is.
func tipcName(service, instance uint32) *unix.SockaddrTIPC {
	return &unix.SockaddrTIPC{Addr: &unix.TIPCServiceName{Type: service, Instance: instance}}
}

// ignore returns nil in the place of one error.
func ignore(err, passes error) error {
	if err == passes {
		return nil
	}
	return err
}

// tipcPort is what the socket says its own port is.
func tipcPort(fd int) TIPCAddr {
	sa, _ := must(unix.Getsockname(fd)).(*unix.SockaddrTIPC)
	id, _ := sa.Addr.(*unix.TIPCSocketAddr)
	if id == nil {
		check("port", unix.EAFNOSUPPORT)
	}
	return TIPCAddr{id.Node, id.Ref}
}

func (b *familyBuilder) noteTIPC(name string, fd int, state State, set ...func(*TIPCSocket)) {
	s := TIPCSocket{Name: name, State: state, FD: fd, Inode: must(inodeOf(fd)), Local: tipcPort(fd)}
	s.Type = must(unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE))
	for _, f := range set {
		f(&s)
	}
	b.f.TIPC = append(b.f.TIPC, s)
}
