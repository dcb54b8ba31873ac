package scene

import (
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// datagrams makes the UDP, UDP-Lite and raw sockets.
func (b *builder) datagrams() {
	v4, v6 := unix.AF_INET, unix.AF_INET6
	only := setInt(unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1)
	b.udp("udp any v4", v4, "0.0.0.0:53", "")
	b.udp("udp any v6", v6, "[::]:123", "")
	b.udp("udp v6only", v6, "[::]:546", "", only)
	b.udp("udp device", v4, "0.0.0.0:68", "", device("lo"))
	b.udp("udp mark", v4, "127.0.0.1:5010", "", setInt(unix.SOL_SOCKET, unix.SO_MARK, 0x77), setInt(unix.IPPROTO_IP, unix.IP_TOS, 0xb8))
	b.udp("udp connected v4", v4, "127.0.0.1:5001", "127.0.0.1:5002")
	b.udp("udp connected v6", v6, "[::1]:5001", "[::1]:53", setInt(unix.IPPROTO_IPV6, unix.IPV6_TCLASS, 0x40))
	b.udp("udp mapped", v6, "[::ffff:127.0.0.1]:5003", "[::ffff:127.0.0.1]:53")
	b.udp("udp link-local", v6, linkLocal+":5004", "")
	b.udp("udp long", v6, long6+":5005", long6+":5006")
	b.udp("udp tun", v4, near4+":5007", far4+":514")

	// Unread datagrams, and one that is held back to grow.
	sink := b.udp("udp unread", v4, "127.0.0.1:5020", "")
	source := b.udp("udp corked", v4, "127.0.0.1:5021", "127.0.0.1:5020")
	var recv uint32
	for range 2 {
		was := recv
		b.write(source, 200)
		sent := time.Now()
		await("datagram", func() (bool, error) { // on a busy processor it comes a little after it is sent, or is lost
			if recv, _ = memory(sink); recv == was && time.Since(sent) > 5*time.Second {
				b.write(source, 200)
				sent = time.Now()
			}
			return recv > was, nil
		})
	}
	check("send more", unix.Send(source, make([]byte, 100), unix.MSG_MORE))
	b.amend("udp unread", queues(recv, 0))
	_, send := memory(source)
	b.amend("udp corked", queues(0, send))

	for _, lite := range []struct {
		name   string
		family int
		addr   string
	}{{"udplite v4", v4, "127.0.0.1:5030"}, {"udplite v6", v6, "[::1]:5030"}} {
		fd, err := unix.Socket(lite.family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.IPPROTO_UDPLITE)
		if err != nil {
			b.miss("UDP-Lite", err)
			continue
		}
		b.fds = append(b.fds, fd)
		b.bind(fd, lite.family, lite.addr)
		b.note(lite.name, UDPLite, fd, Close)
	}

	b.raw("raw icmp", v4, unix.IPPROTO_ICMP, "0.0.0.0", "")
	b.raw("raw icmpv6", v6, unix.IPPROTO_ICMPV6, "::", "")
	b.raw("raw connected", v4, 253, "127.0.0.1", "127.0.0.2")
	b.raw("raw ip", v4, unix.IPPROTO_RAW, "0.0.0.0", "")
}

// udp makes a bound socket, connected if far is not empty.
func (b *builder) udp(name string, family int, near, far string, opts ...option) int {
	fd := b.socket(family, unix.SOCK_DGRAM, 0, opts...)
	state := Close
	if far == "" {
		b.bind(fd, family, near)
	} else {
		b.connect(fd, family, near, far)
		state = Established
	}
	b.note(name, UDP, fd, state)
	return fd
}

// raw makes a raw socket, bound and connected as the addresses say. Its port is its protocol, of the local end alone.
func (b *builder) raw(name string, family, proto int, near, far string) {
	fd := b.socket(family, unix.SOCK_RAW, proto)
	local := must(netip.ParseAddr(near))
	check("bind", unix.Bind(fd, sockaddr(family, netip.AddrPortFrom(local, 0), 0)))
	state, remote := Close, netip.AddrPortFrom(unspecified(family), 0)
	if far != "" {
		remote = netip.AddrPortFrom(must(netip.ParseAddr(far)), 0)
		check("connect", dial(fd, sockaddr(family, remote, 0)))
		state = Established
	}
	b.note(name, Raw, fd, state, func(e *Expect) {
		e.Local, e.Remote = netip.AddrPortFrom(local, uint16(proto)), remote
	})
}
