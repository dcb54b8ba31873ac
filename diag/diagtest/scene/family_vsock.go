package scene

import (
	"golang.org/x/sys/unix"
)

// A VSockAddr is an address of AF_VSOCK.
type VSockAddr struct{ CID, Port uint32 }

// A VSockSocket is the truth about one socket of AF_VSOCK.
type VSockSocket struct {
	Name          string
	Type          int
	State         State
	Local, Remote VSockAddr
	Shutdown      uint8 // ShutRead, ShutWrite
	Inode         uint32
	FD            int
}

// vsock makes sockets of AF_VSOCK that talk over the loopback transport.
func (b *familyBuilder) vsock() {
	fd := b.try("socket", unix.AF_VSOCK, unix.SOCK_STREAM, 0)
	b.vsockBind(fd, unix.VMADDR_CID_ANY, 9000)
	b.noteVSock("vsock bound", fd, Close)

	b.vsockProbe()
	lfd := b.vsockListen("vsock listener any", unix.SOCK_STREAM, unix.VMADDR_CID_ANY, 9001)
	b.vsockPair("vsock stream", lfd, 9001)
	cfd, sfd := b.vsockPair("vsock half-closed", lfd, 9001)
	check("shutdown", unix.Shutdown(cfd, unix.SHUT_WR))
	b.amendVSock("vsock half-closed client", func(s *VSockSocket) { s.Shutdown = ShutWrite })
	// The server knows by the end of what it reads.
	n, err := unix.Read(sfd, make([]byte, 1))
	check("read the end", err)
	if n != 0 {
		check("read the end", unix.EPROTO)
	}

	lfd = b.vsockListen("vsock listener local", unix.SOCK_STREAM, unix.VMADDR_CID_LOCAL, 9002)
	cfd, _ = b.vsockPair("vsock unread", lfd, 9002)
	b.write(cfd, 100)

	// A connection that nobody accepts.
	b.vsockListen("vsock listener waiting", unix.SOCK_STREAM, unix.VMADDR_CID_ANY, 70000)
	cfd = b.vsockConnect(unix.SOCK_STREAM, 70000)
	b.noteVSock("vsock waiting client", cfd, Established)

	if fd, err := unix.Socket(unix.AF_VSOCK, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0); err != nil { // Linux 5.14
		b.miss("AF_VSOCK SOCK_SEQPACKET", err)
	} else {
		check("close", unix.Close(fd))
		lfd = b.vsockListen("vsock listener packets", unix.SOCK_SEQPACKET, unix.VMADDR_CID_ANY, 9003)
		b.vsockPair("vsock packets", lfd, 9003)
	}

	// Datagrams take a hypervisor of VMware.
	if fd, err := unix.Socket(unix.AF_VSOCK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0); err == unix.ENODEV {
		b.Missing = append(b.Missing, "AF_VSOCK SOCK_DGRAM: "+err.Error())
	} else if err != nil {
		b.miss("AF_VSOCK SOCK_DGRAM", err)
	} else {
		b.fds = append(b.fds, fd)
		b.noteVSock("vsock datagram", fd, Close)
	}
}

func (b *familyBuilder) vsockBind(fd int, cid, port uint32) {
	check("bind", unix.Bind(fd, &unix.SockaddrVM{CID: cid, Port: port}))
}

func (b *familyBuilder) vsockListen(name string, typ int, cid, port uint32) int {
	fd := b.patient(unix.AF_VSOCK, typ, 0)
	b.vsockBind(fd, cid, port)
	check("listen", unix.Listen(fd, 5))
	b.noteVSock(name, fd, Listen)
	return fd
}

// vsockProbe ends the part where no connection within the host is possible: its address is one only with the loopback transport. A
// connection tells less, which then goes to the hypervisor, and is reset or takes too long.
func (b *familyBuilder) vsockProbe() {
	fd := b.socket(unix.AF_VSOCK, unix.SOCK_STREAM, 0)
	defer b.drop(fd)
	err := unix.Bind(fd, &unix.SockaddrVM{CID: unix.VMADDR_CID_LOCAL, Port: 9004})
	if err == unix.EADDRNOTAVAIL {
		panic(lacking{"loopback transport: " + err.Error()})
	}
	check("bind", err)
}

// vsockConnect connects a socket within the host.
func (b *familyBuilder) vsockConnect(typ int, port uint32) int {
	fd := b.patient(unix.AF_VSOCK, typ, 0)
	tv := unix.NsecToTimeval(int64(patience)) // in place of 2 seconds
	check("set timeout", unix.SetsockoptTimeval(fd, unix.AF_VSOCK, unix.SO_VM_SOCKETS_CONNECT_TIMEOUT, &tv))
	check("connect", dial(fd, &unix.SockaddrVM{CID: unix.VMADDR_CID_LOCAL, Port: port}))
	return fd
}

func (b *familyBuilder) vsockPair(name string, lfd int, port uint32) (cfd, sfd int) {
	cfd = b.vsockConnect(must(unix.GetsockoptInt(lfd, unix.SOL_SOCKET, unix.SO_TYPE)), port)
	sfd = b.accept(lfd)
	b.noteVSock(name+" client", cfd, Established)
	b.noteVSock(name+" server", sfd, Established)
	return cfd, sfd
}

func (b *familyBuilder) noteVSock(name string, fd int, state State) {
	s := VSockSocket{Name: name, State: state, FD: fd, Inode: must(inodeOf(fd)), Remote: VSockAddr{unix.VMADDR_CID_ANY, unix.VMADDR_PORT_ANY}}
	s.Type = must(unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE))
	local, ok := must(unix.Getsockname(fd)).(*unix.SockaddrVM)
	if !ok {
		check(name, unix.EAFNOSUPPORT)
	}
	s.Local = VSockAddr{local.CID, local.Port}
	if remote, err := unix.Getpeername(fd); err == nil {
		vm := remote.(*unix.SockaddrVM)
		s.Remote = VSockAddr{vm.CID, vm.Port}
	}
	b.f.VSock = append(b.f.VSock, s)
}

func (b *familyBuilder) amendVSock(name string, set func(*VSockSocket)) {
	for i := range b.f.VSock {
		if s := &b.f.VSock[i]; s.Name == name {
			set(s)
			return
		}
	}
	check("amend "+name, unix.ENOENT)
}
