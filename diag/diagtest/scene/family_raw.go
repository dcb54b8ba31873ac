package scene

import (
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// rawSockets makes raw sockets of several protocols, which RAW_DIAG tells by name, bound, connected, and with something to read.
func (b *familyBuilder) rawSockets() {
	v4, v6 := unix.AF_INET, unix.AF_INET6
	b.raw("raw icmp", v4, unix.IPPROTO_ICMP, "0.0.0.0", "")
	b.raw("raw udp", v4, unix.IPPROTO_UDP, "127.0.0.1", "127.0.0.9")
	b.raw("raw tcp", v4, unix.IPPROTO_TCP, "127.0.0.1", "127.0.0.9")
	b.raw("raw sctp", v4, unix.IPPROTO_SCTP, "127.0.0.1", "127.0.0.9")
	b.raw("raw dccp", v4, unix.IPPROTO_DCCP, "127.0.0.1", "127.0.0.9")
	b.raw("raw gre", v4, unix.IPPROTO_GRE, "127.0.0.1", "")
	b.raw("raw unnamed", v4, 200, "127.0.0.1", "")
	b.raw("raw ip", v4, unix.IPPROTO_RAW, "0.0.0.0", "")
	b.raw("raw icmpv6", v6, unix.IPPROTO_ICMPV6, "::", "")
	b.raw("raw udp v6", v6, unix.IPPROTO_UDP, "::1", "::1")
	b.raw("raw ospf v6", v6, 89, "::1", "")

	const proto = 253 // for experiments (RFC 3692)
	b.raw("raw unread", v4, proto, "127.0.0.2", "127.0.0.3")
	sink := b.Sockets[len(b.Sockets)-1].Owners[0].FD
	from := b.socket(v4, unix.SOCK_RAW, proto, device("lo"))
	check("bind", unix.Bind(from, sockaddr(v4, netip.MustParseAddrPort("127.0.0.3:0"), 0)))
	check("send", unix.Sendto(from, make([]byte, 100), 0, sockaddr(v4, netip.MustParseAddrPort("127.0.0.2:0"), 0)))
	var recv uint32
	await("packet", func() (bool, error) {
		recv, _ = memory(sink)
		return recv > 0, nil
	})
	b.amend("raw unread", queues(recv, 0))
	b.note("raw sender", Raw, from, Close, func(e *Expect) {
		e.Local, e.Remote = netip.AddrPortFrom(e.Local.Addr(), proto), netip.AddrPortFrom(unspecified(v4), 0)
	})
}

// udplite makes sockets of UDP-Lite (RFC 3828). Linux before 7.1.
func (b *familyBuilder) udplite() {
	for _, v := range []struct {
		family      int
		bound, pair string
	}{{unix.AF_INET, "127.0.0.1:5030", "127.0.0.1"}, {unix.AF_INET6, "[::]:5033", "[::1]"}} {
		suffix := map[int]string{unix.AF_INET: " v4", unix.AF_INET6: " v6"}[v.family]
		fd := b.try("socket", v.family, unix.SOCK_DGRAM, unix.IPPROTO_UDPLITE)
		b.bind(fd, v.family, v.bound)
		b.note("udplite bound"+suffix, UDPLite, fd, Close)
		server := b.try("socket", v.family, unix.SOCK_DGRAM, unix.IPPROTO_UDPLITE)
		b.bind(server, v.family, v.pair+":5031")
		client := b.try("socket", v.family, unix.SOCK_DGRAM, unix.IPPROTO_UDPLITE)
		b.connect(client, v.family, v.pair+":5032", v.pair+":5031")
		b.write(client, 100)
		var recv uint32
		await(fmt.Sprint("datagram", suffix), func() (bool, error) {
			recv, _ = memory(server)
			return recv > 0, nil
		})
		b.note("udplite unread"+suffix, UDPLite, server, Close, queues(recv, 0))
		b.note("udplite connected"+suffix, UDPLite, client, Established)
	}
}
