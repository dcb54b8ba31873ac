package scene

import (
	"fmt"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// local makes the sockets that are not of the inet tables: unix, packet, netlink.
func (b *builder) local() {
	path := filepath.Join(b.dir, "stream")
	listener := b.unix("unix listener", unix.SOCK_STREAM, path, Listen)
	b.unixPair("unix stream", listener, path, "unix listener")

	odd := filepath.Join(b.dir, "with blank")
	b.unix("unix blank", unix.SOCK_STREAM, odd, Listen)

	// A connection that waits to be accepted.
	waiting := "\x00sockeye/waiting\x00inner"
	b.unix("unix waiting", unix.SOCK_STREAM, waiting, Listen)
	fd := b.socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	check("connect", unix.Connect(fd, unixAddr(waiting)))
	b.noteUnix("unix waiting client", fd, Established, "")
	b.amend("unix waiting", queues(1, 0))

	packets := "\x00sockeye/packets"
	listener = b.unix("unix seqpacket listener", unix.SOCK_SEQPACKET, packets, Listen)
	b.unixPair("unix seqpacket", listener, packets, "unix seqpacket listener")

	datagrams := filepath.Join(b.dir, "datagram")
	server := b.unix("unix datagram", unix.SOCK_DGRAM, datagrams, Close)
	fd = b.socket(unix.AF_UNIX, unix.SOCK_DGRAM, 0)
	check("connect", unix.Connect(fd, unixAddr(datagrams)))
	peer := must(inodeOf(server))
	b.noteUnix("unix datagram client", fd, Established, "", func(e *Expect) { e.Peer = peer })
	b.amend("unix datagram", func(e *Expect) { e.State = Established }) // said of all that are connected to, too
	b.unix("unix unconnected", unix.SOCK_DGRAM, filepath.Join(b.dir, "unconnected"), Close)

	ends := must(unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0))
	b.fds = append(b.fds, ends[0], ends[1])
	for i, end := range ends {
		peer := must(inodeOf(ends[1-i]))
		b.noteUnix(fmt.Sprintf("unix socketpair %d", i), end, Established, "", func(e *Expect) { e.Peer = peer })
	}

	b.packet("packet raw", unix.SOCK_RAW, unix.ETH_P_ALL, "lo")
	b.packet("packet dgram", unix.SOCK_DGRAM, unix.ETH_P_IP, "")

	b.netlink("netlink route", unix.NETLINK_ROUTE, 0x7ffffff1, 1<<(unix.RTNLGRP_LINK-1))
	b.netlink("netlink generic", unix.NETLINK_GENERIC, 0x7ffffff2, 0)
}

func unixAddr(path string) unix.Sockaddr {
	// A leading @ would be taken for a NUL byte and the other way round: this names the abstract ones.
	return &unix.SockaddrUnix{Name: path}
}

func (b *builder) unix(name string, typ int, path string, state State) int {
	fd := b.socket(unix.AF_UNIX, typ, 0)
	check("bind "+path, unix.Bind(fd, unixAddr(path)))
	if state == Listen {
		check("listen "+path, unix.Listen(fd, 5))
	}
	b.noteUnix(name, fd, state, path)
	if state == Listen {
		b.amend(name, backlog(5))
	}
	return fd
}

// unixPair connects to a listener and accepts; the accepted end bears the listener's path.
func (b *builder) unixPair(name string, lfd int, path, listener string) {
	typ := must(unix.GetsockoptInt(lfd, unix.SOL_SOCKET, unix.SO_TYPE))
	cfd := b.socket(unix.AF_UNIX, typ, 0)
	check("connect", unix.Connect(cfd, unixAddr(path)))
	sfd := b.accept(lfd)
	client, server := must(inodeOf(cfd)), must(inodeOf(sfd))
	b.noteUnix(name+" client", cfd, Established, "", func(e *Expect) { e.Peer = server })
	b.noteUnix(name+" server", sfd, Established, path, func(e *Expect) { e.Peer = client })
}

func (b *builder) noteUnix(name string, fd int, state State, path string, set ...func(*Expect)) {
	b.note(name, Unix, fd, state, append(set, func(e *Expect) { e.Path = path })...)
}

// packet makes a packet socket, bound to the device or to all.
func (b *builder) packet(name string, typ int, protocol uint16, dev string) {
	big := protocol<<8 | protocol>>8 // network order
	fd := b.socket(unix.AF_PACKET, typ, 0)
	sa := &unix.SockaddrLinklayer{Protocol: big}
	if dev != "" {
		ifr := must(unix.NewIfreq(dev))
		check("index of "+dev, unix.IoctlIfreq(fd, unix.SIOCGIFINDEX, ifr))
		sa.Ifindex = int(ifr.Uint32())
	}
	// Nothing that passes is kept: the queue stays empty.
	check("filter", unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: 1,
		Filter: &unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K}}))
	check("bind", unix.Bind(fd, sa))
	b.note(name, Packet, fd, Close, func(e *Expect) { e.Protocol, e.Device = protocol, dev })
}

func (b *builder) netlink(name string, protocol uint16, port, groups uint32) {
	fd := b.socket(unix.AF_NETLINK, unix.SOCK_RAW, int(protocol))
	check("bind", unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Pid: port, Groups: groups}))
	b.note(name, Netlink, fd, Close, func(e *Expect) { e.Protocol, e.PortID, e.Groups = protocol, port, groups })
}
