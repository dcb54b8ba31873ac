package scene

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// listeners makes the TCP sockets that only listen or are only bound.
func (b *builder) listeners() {
	b.listen("listen any v4", unix.AF_INET, "0.0.0.0:22", 128)
	b.listen("listen any v6", unix.AF_INET6, "[::]:80", 511, setInt(unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 0))
	b.listen("listen v6only", unix.AF_INET6, "[::]:443", 511, setInt(unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1))
	b.listen("listen domain", unix.AF_INET, "127.0.0.1:53", 10)
	b.listen("listen loopback v6", unix.AF_INET6, "[::1]:631", 5)
	b.listen("listen device", unix.AF_INET, "0.0.0.0:179", 8, device(TUN))
	b.listen("listen reno", unix.AF_INET, "127.0.0.1:7002", 8, congestion("reno"))
	b.listen("listen mark", unix.AF_INET, "127.0.0.1:7005", 8, setInt(unix.SOL_SOCKET, unix.SO_MARK, 0x2a))
	b.listen("listen long v6", unix.AF_INET6, long6+":7010", 8)
	b.listen("listen link-local", unix.AF_INET6, linkLocal+":7011", 8)
	b.listen("listen zero backlog", unix.AF_INET, "127.0.0.1:7013", 0, setInt(unix.IPPROTO_IP, unix.IP_TOS, 0x10),
		setInt(unix.IPPROTO_IP, unix.IP_RECVERR, 1), setInt(unix.IPPROTO_IP, unix.IP_FREEBIND, 1))
	b.md5("listen md5", "127.0.0.1:7003", "key\\, \x01\xff")

	for suffix, addr := range map[string]string{"v4": "127.0.0.1:7006", "v6": "[::1]:7006"} {
		family := familyOf(must(parseAddrPort(addr)))
		fd := b.socket(family, unix.SOCK_STREAM, 0)
		b.bind(fd, family, addr)
		b.note("bound "+suffix, TCP, fd, BoundInactive)
	}

	// Unaccepted children have no inode yet.
	b.queueing("v4", "127.0.0.1:7001", "127.0.0.1", 3)
	b.queueing("v6", "[::1]:7001", "[::1]", 2)
}

func must[T any](v T, err error) T {
	check("scene", err)
	return v
}

func (b *builder) listen(name string, family int, addr string, queue int, opts ...option) int {
	fd := b.listenQuiet(family, addr, queue, opts...)
	b.note(name, TCP, fd, Listen, backlog(uint32(queue)))
	return fd
}

// listenQuiet listens and leaves the note to the caller.
func (b *builder) listenQuiet(family int, addr string, queue int, opts ...option) int {
	fd := b.socket(family, unix.SOCK_STREAM, 0, opts...)
	check("reuse address", unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1))
	b.bind(fd, family, addr)
	check("listen "+addr, unix.Listen(fd, queue))
	return fd
}

// md5 makes a listener that wants signatures (RFC 2385) from one address.
func (b *builder) md5(name, addr, key string) {
	sig := &unix.TCPMD5Sig{Keylen: uint16(len(key))}
	sig.Addr.Family = unix.AF_INET
	copy(sig.Addr.Data[2:], []byte{127, 0, 0, 9}) // behind the port
	copy(sig.Key[:], key)
	fd := b.listenQuiet(unix.AF_INET, addr, 8)
	if err := unix.SetsockoptTCPMD5Sig(fd, unix.IPPROTO_TCP, unix.TCP_MD5SIG, sig); err != nil {
		b.miss("TCP_MD5SIG", err)
		key = ""
	}
	b.note(name, TCP, fd, Listen, backlog(8), func(e *Expect) { e.MD5Key = key })
}

// miss notes what the kernel lacks; errors that mean something else end the scene.
func (b *builder) miss(what string, err error) {
	for _, lacking := range []error{unix.ENOPROTOOPT, unix.EPROTONOSUPPORT, unix.EAFNOSUPPORT, unix.ESOCKTNOSUPPORT, unix.EOPNOTSUPP, unix.ENOENT} {
		if errors.Is(err, lacking) {
			b.Missing = append(b.Missing, fmt.Sprintf("%s: %v", what, err))
			return
		}
	}
	check(what, err)
}

// queueing makes a listener with connections that nobody accepts.
func (b *builder) queueing(suffix, addr, host string, n int) {
	ap := must(parseAddrPort(addr))
	family := familyOf(ap)
	lfd := b.listenQuiet(family, addr, 5)
	for i := range n {
		near := fmt.Sprintf("%s:%d", host, 41001+i)
		fd := b.socket(family, unix.SOCK_STREAM, 0)
		b.connect(fd, family, near, addr)
		b.write(fd, 10*i)
		b.note(fmt.Sprintf("queueing client %s %d", suffix, i), TCP, fd, Established)
		b.add(Expect{Name: fmt.Sprintf("queueing child %s %d", suffix, i), Table: TCP, Family: family, Type: unix.SOCK_STREAM,
			State: Established, Local: ap, Remote: must(parseAddrPort(near)), RecvQ: uint32(10 * i)})
	}
	b.note("queueing listener "+suffix, TCP, lfd, Listen, backlog(5), queues(uint32(n), 0))
}

// connections makes connections within the namespace, both ends of them accepted and idle unless said otherwise.
func (b *builder) connections() {
	keepalive := setInt(unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1)
	lowDelay := setInt(unix.IPPROTO_IP, unix.IP_TOS, 0x10)
	class := setInt(unix.IPPROTO_IPV6, unix.IPV6_TCLASS, 0x20)
	v4, v6 := unix.AF_INET, unix.AF_INET6

	client, _ := b.pair("ssh", v4, "127.0.0.1:42022", "127.0.0.1:22", []option{keepalive, lowDelay}, timer(TimerKeepalive))
	b.write(client, 100)
	b.amend("ssh server", queues(100, 0))
	b.pair("https", v6, "[::1]:42443", "[::1]:443", []option{class, congestion("reno")})
	b.pair("http mapped", v6, "[::ffff:127.0.0.1]:42080", "[::ffff:127.0.0.1]:80", nil)
	b.pair("http mixed", v4, "127.0.0.1:42081", "127.0.0.1:80", nil)
	b.pair("reno", v4, "127.0.0.1:42002", "127.0.0.1:7002", nil)
	b.pair("mark", v4, "127.0.0.1:42005", "127.0.0.1:7005", []option{setInt(unix.SOL_SOCKET, unix.SO_MARK, 0xbeef)})
	b.pair("long", v6, long6+":42110", long6+":7010", nil)
	b.pair("link-local", v6, linkLocal+":42111", linkLocal+":7011", nil)
	b.pair("device", v4, "127.0.0.1:42013", "127.0.0.1:7013", []option{device("lo")})

	client, _ = b.pair("half-closed", v4, "127.0.0.1:42003", "127.0.0.1:7002", nil)
	check("shutdown", unix.Shutdown(client, unix.SHUT_WR))
	check("half-closed", awaitState(client, FinWait2))
	b.amend("half-closed client", shut(ShutWrite), func(e *Expect) { e.State = FinWait2 })
	b.amend("half-closed server", shut(ShutRead), queues(1, 0), func(e *Expect) { e.State = CloseWait })

	b.fastOpen()
	b.full()
}

// pair connects to a listener of the scene and accepts. The family is the client's: the server end has its listener's.
func (b *builder) pair(name string, family int, near, far string, opts []option, client ...func(*Expect)) (cfd, sfd int) {
	lfd := b.listenerAt(must(parseAddrPort(far)).Port())
	cfd = b.socket(family, unix.SOCK_STREAM, 0, opts...)
	b.connect(cfd, family, near, far)
	sfd = b.accept(lfd)
	b.note(name+" client", TCP, cfd, Established, client...)
	b.note(name+" server", TCP, sfd, Established)
	return cfd, sfd
}

// listenerAt is the descriptor of the scene's listener on that port.
func (b *builder) listenerAt(port uint16) int {
	for i := range b.Sockets {
		if e := &b.Sockets[i]; e.State == Listen && e.Local.Port() == port {
			return e.Owners[0].FD
		}
	}
	check("listener", fmt.Errorf("none on port %d", port))
	return -1
}

// amend changes the note of a socket.
func (b *builder) amend(name string, set ...func(*Expect)) {
	for i := range b.Sockets {
		if e := &b.Sockets[i]; e.Name == name {
			for _, f := range set {
				f(e)
			}
			return
		}
	}
	check("amend "+name, errors.New("no such socket"))
}

// fastOpen makes a connection whose first data went with the SYN (RFC 7413).
func (b *builder) fastOpen() {
	addr := "127.0.0.1:7004"
	lfd := b.listenQuiet(unix.AF_INET, addr, 8)
	if err := unix.SetsockoptInt(lfd, unix.IPPROTO_TCP, unix.TCP_FASTOPEN, 5); err != nil {
		b.miss("TCP_FASTOPEN", err)
	}
	b.note("listen fastopen", TCP, lfd, Listen, backlog(8))
	cfd := b.socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	b.bind(cfd, unix.AF_INET, "127.0.0.1:42004")
	to := sockaddr(unix.AF_INET, must(parseAddrPort(addr)), 0)
	// Without waiting for the connection, in which a signal could interrupt it.
	check("send with SYN", unix.Sendto(cfd, bytes.Repeat([]byte("x"), 64), unix.MSG_FASTOPEN|unix.MSG_DONTWAIT, to))
	sfd := b.accept(lfd)
	b.note("fastopen client", TCP, cfd, Established)
	b.note("fastopen server", TCP, sfd, Established, queues(64, 0))
}

// full makes a connection whose queues are full at both ends.
func (b *builder) full() {
	lfd := b.listenQuiet(unix.AF_INET, "127.0.0.1:7012", 8, setInt(unix.SOL_SOCKET, unix.SO_RCVBUF, 4096))
	b.note("listen small", TCP, lfd, Listen, backlog(8))
	cfd := b.socket(unix.AF_INET, unix.SOCK_STREAM, 0, setInt(unix.SOL_SOCKET, unix.SO_SNDBUF, 8192))
	b.connect(cfd, unix.AF_INET, "127.0.0.1:42012", "127.0.0.1:7012")
	sfd := b.accept(lfd)
	check("nonblock", unix.SetNonblock(cfd, true))
	b.note("full client", TCP, cfd, Established, timer(TimerProbe))
	b.note("full server", TCP, sfd, Established)
	chunk := []byte(strings.Repeat("x", 512))
	for {
		n, err := unix.Write(cfd, chunk)
		if n <= 0 && err != unix.EAGAIN {
			check("fill", err)
		}
		if err != nil {
			break
		}
	}
	// The receiver takes from the sender while there is room. Nothing moves any more once nothing is on its way and a probe of the
	// window was answered that there is none.
	await("full queues", func() (bool, error) {
		info, err := unix.GetsockoptTCPInfo(cfd, unix.IPPROTO_TCP, unix.TCP_INFO)
		return err == nil && info.Unacked == 0 && info.Backoff > 0 && info.Probes == 0, err
	})
	b.amend("full client", queues(0, uint32(must(unix.IoctlGetInt(cfd, unix.SIOCOUTQ)))))
	b.amend("full server", queues(uint32(must(unix.IoctlGetInt(sfd, unix.SIOCINQ))), 0))
}

// multipath makes an MPTCP listener and a connection. Their subflows are in the TCP table.
func (b *builder) multipath() {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, unix.IPPROTO_MPTCP)
	if err != nil {
		b.miss("MPTCP", err)
		return
	}
	check("close", unix.Close(fd))
	addr := "127.0.0.1:9090"
	lfd := b.socket(unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_MPTCP)
	b.bind(lfd, unix.AF_INET, addr)
	check("listen", unix.Listen(lfd, 8))
	cfd := b.socket(unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_MPTCP)
	b.connect(cfd, unix.AF_INET, "127.0.0.1:42090", addr)
	sfd := b.accept(lfd)
	b.write(cfd, 10) // the first data confirms the handshake
	b.note("mptcp listener", MPTCP, lfd, Listen, backlog(8))
	b.note("mptcp client", MPTCP, cfd, Established)
	await("data of the MPTCP connection", func() (bool, error) {
		n, err := unix.IoctlGetInt(sfd, unix.SIOCINQ)
		return n == 10, err
	})
	recv, _ := memory(sfd)
	b.note("mptcp server", MPTCP, sfd, Established, queues(recv, 0))
	for _, name := range []string{"mptcp listener", "mptcp client", "mptcp server"} {
		for _, e := range b.Sockets {
			if e.Name == name {
				e.Name, e.Table = "subflow of "+name, TCP
				e.RecvQ = 0 // what arrives is the connection's
				b.add(e)
			}
		}
	}
}
