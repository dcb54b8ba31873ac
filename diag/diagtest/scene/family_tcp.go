package scene

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"

	mdlayher "github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// congestions makes connections with the congestion controls that tell of themselves: DCTCP (with ECN and without), Vegas, BBR.
func (b *familyBuilder) congestions() {
	ecn := func(v string) { check("ECN", Sysctl("net/ipv4/tcp_ecn", v)) }
	port := 7100
	made := 0
	for _, c := range []struct{ name, algorithm, ecn string }{
		{"dctcp", "dctcp", "1"}, {"dctcp fallback", "dctcp", "0"}, {"vegas", "vegas", "0"}, {"bbr", "bbr", "0"},
	} {
		port++
		ecn(c.ecn)
		lfd := b.listenQuiet(unix.AF_INET, fmt.Sprintf("127.0.0.1:%d", port), 5)
		err := unix.SetsockoptString(lfd, unix.IPPROTO_TCP, unix.TCP_CONGESTION, c.algorithm)
		if err != nil {
			b.miss("congestion control "+c.algorithm, err)
			b.drop(lfd)
			continue
		}
		if c.ecn == "0" && c.algorithm == "dctcp" { // a listener that does not know of ECN
			check("congestion control", unix.SetsockoptString(lfd, unix.IPPROTO_TCP, unix.TCP_CONGESTION, "reno"))
		}
		made++
		b.note(c.name+" listener", TCP, lfd, Listen, backlog(5))
		cfd := b.socket(unix.AF_INET, unix.SOCK_STREAM, 0, congestion(c.algorithm))
		b.connect(cfd, unix.AF_INET, fmt.Sprintf("127.0.0.1:%d", port+40000), fmt.Sprintf("127.0.0.1:%d", port))
		sfd := b.accept(lfd)
		for range 20 { // rounds, from which they learn
			b.write(cfd, 3000)
			await("data", func() (bool, error) {
				n, err := unix.IoctlGetInt(sfd, unix.SIOCINQ)
				return n == 3000, err
			})
			for buf, left := make([]byte, 3000), 3000; left > 0; {
				n, err := unix.Read(sfd, buf)
				check("read", err)
				left -= n
			}
		}
		await("acknowledgements", func() (bool, error) {
			n, err := unix.IoctlGetInt(cfd, unix.SIOCOUTQ)
			return n == 0, err
		})
		b.note(c.name+" client", TCP, cfd, Established)
		b.note(c.name+" server", TCP, sfd, Established)
	}
	ecn("2")
	if made == 0 {
		panic(lacking{"neither dctcp nor vegas nor bbr"})
	}
}

// subflows makes MPTCP connections: with a subflow more than the first, with one that fell back to TCP, with checksums, and over IPv6.
func (b *familyBuilder) subflows() {
	fd := b.try("socket", unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_MPTCP)
	b.drop(fd)
	listen := func(name string, family int, addr string) int {
		fd := b.socket(family, unix.SOCK_STREAM, unix.IPPROTO_MPTCP)
		check("reuse address", unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1))
		b.bind(fd, family, addr)
		check("listen", unix.Listen(fd, 8))
		b.noteMPTCP(name, fd, Listen, backlog(8))
		return fd
	}
	pair := func(name string, lfd, family int, far string) (cfd, sfd int) {
		cfd = b.socket(family, unix.SOCK_STREAM, unix.IPPROTO_MPTCP)
		check("connect", dial(cfd, sockaddr(family, must(parseAddrPort(far)), 0)))
		sfd = b.accept(lfd)
		b.write(cfd, 10) // the first data confirms the handshake
		await("data", func() (bool, error) {
			n, err := unix.IoctlGetInt(sfd, unix.SIOCINQ)
			return n == 10, err
		})
		b.noteMPTCP(name+" client", cfd, Established)
		recv, _ := memory(sfd)
		b.noteMPTCP(name+" server", sfd, Established, queues(recv, 0))
		return cfd, sfd
	}
	v4, v6 := unix.AF_INET, unix.AF_INET6
	pair("mptcp v6", listen("mptcp listener v6", v6, "[::1]:9101"), v6, "[::1]:9101")

	// A server that speaks TCP alone.
	lfd := b.listenQuiet(v4, "127.0.0.1:9102", 8)
	b.note("tcp listener", TCP, lfd, Listen, backlog(8))
	cfd := b.socket(v4, unix.SOCK_STREAM, unix.IPPROTO_MPTCP)
	check("connect", dial(cfd, sockaddr(v4, must(parseAddrPort("127.0.0.1:9102")), 0)))
	b.note("tcp server", TCP, b.accept(lfd), Established)
	b.noteMPTCP("mptcp fallback", cfd, Established)

	if err := b.mptcpEndpoints(); err != nil {
		b.miss("MPTCP endpoints", err)
		return
	}
	homes := func(name, addr string) {
		cfd, sfd := pair("mptcp "+name, listen("mptcp listener "+name, v4, addr), v4, addr)
		for _, fd := range []int{cfd, sfd} {
			await("second subflow", func() (bool, error) {
				const solMPTCP, mptcpInfo = 284, 1
				v, err := unix.GetsockoptString(fd, solMPTCP, mptcpInfo)
				if err == unix.EOPNOTSUPP || err == unix.ENOPROTOOPT { // before Linux 5.16
					return true, nil
				}
				return v != "" && v[0] >= 1, err // mptcpi_subflows is its first byte
			})
		}
		// It is counted from when it begins.
		port := must(parseAddrPort(addr)).Port()
		await("established subflows", func() (bool, error) {
			rows, err := readProc("tcp")
			n := 0
			for _, r := range rows {
				if r.state == Established && (r.local.Port() == port || r.remote.Port() == port) {
					n++
				}
			}
			return n == 4, err // two of either end
		})
	}
	homes("homes", "127.0.0.1:9104")
	if err := Sysctl("net/mptcp/checksum_enabled", "1"); !errors.Is(err, os.ErrNotExist) { // Linux 5.14
		check("checksums", err)
		homes("checksums", "127.0.0.1:9103")
		check("checksums", Sysctl("net/mptcp/checksum_enabled", "0"))
	}
}

// noteMPTCP notes an MPTCP socket, which does not have all options of IPv6.
func (b *familyBuilder) noteMPTCP(name string, fd int, state State, set ...func(*Expect)) {
	e := Expect{Name: name, Table: MPTCP, State: state, Type: unix.SOCK_STREAM, UID: uint32(os.Geteuid()), Inode: must(inodeOf(fd))}
	e.Owners = []Owner{{PID: os.Getpid(), FD: fd, Comm: b.comm, Argv: os.Args[0]}}
	e.Family = must(unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN))
	e.Local = addrPort(must(unix.Getsockname(fd)))
	e.Remote = netip.AddrPortFrom(unspecified(e.Family), 0)
	if remote, err := unix.Getpeername(fd); err == nil {
		e.Remote = addrPort(remote)
	}
	for _, f := range set {
		f(&e)
	}
	b.add(e)
}

// mptcpEndpoints lets connections use 127.0.0.2 for subflows (ip-mptcp(8); linux/mptcp.h: mptcp_pm).
func (b *familyBuilder) mptcpEndpoints() error {
	c, err := mdlayher.Dial(unix.NETLINK_GENERIC, nil)
	if err != nil {
		return err
	}
	defer c.Close()
	id, err := genericFamily(c, "mptcp_pm")
	if err != nil {
		return err
	}
	ask := func(cmd uint8, attrs []byte) error {
		_, err := c.Execute(mdlayher.Message{
			Header: mdlayher.Header{Type: mdlayher.HeaderType(id), Flags: mdlayher.Request | mdlayher.Acknowledge},
			Data:   append([]byte{cmd, 1, 0, 0}, attrs...),
		})
		return err
	}
	limits := mdlayher.NewAttributeEncoder()
	limits.Uint32(2, 2) // MPTCP_PM_ATTR_RCV_ADD_ADDRS
	limits.Uint32(3, 2) // MPTCP_PM_ATTR_SUBFLOWS
	err = ask(5, must(limits.Encode()))
	if err != nil {
		return fmt.Errorf("limits: %w", err)
	}
	addr := mdlayher.NewAttributeEncoder()
	addr.Nested(1, func(a *mdlayher.AttributeEncoder) error { // MPTCP_PM_ATTR_ADDR
		a.Uint16(1, unix.AF_INET)
		a.Bytes(3, []byte{127, 0, 0, 2})
		a.Uint32(6, 2) // MPTCP_PM_ADDR_FLAG_SUBFLOW
		return nil
	})
	if err = ask(1, must(addr.Encode())); err != nil {
		return fmt.Errorf("endpoint: %w", err)
	}
	return nil
}

// genericFamily asks for the number of a generic netlink family.
func genericFamily(c *mdlayher.Conn, name string) (uint16, error) {
	req := mdlayher.NewAttributeEncoder()
	req.String(unix.CTRL_ATTR_FAMILY_NAME, name)
	answer, err := c.Execute(mdlayher.Message{
		Header: mdlayher.Header{Type: unix.GENL_ID_CTRL, Flags: mdlayher.Request},
		Data:   append([]byte{unix.CTRL_CMD_GETFAMILY, 1, 0, 0}, must(req.Encode())...),
	})
	if err != nil {
		return 0, fmt.Errorf("find %s: %w", name, err)
	}
	for _, m := range answer {
		attrs, err := mdlayher.NewAttributeDecoder(m.Data[4:])
		if err != nil {
			return 0, err
		}
		for attrs.Next() {
			if attrs.Type() == unix.CTRL_ATTR_FAMILY_ID && len(attrs.Bytes()) == 2 {
				return binary.NativeEndian.Uint16(attrs.Bytes()), nil
			}
		}
	}
	return 0, fmt.Errorf("find %s: %w", name, os.ErrNotExist)
}

// dccp makes a listener and a connection. Linux before 6.16.
func (b *familyBuilder) dccp() {
	const solDCCP, dccpService = 269, 2
	open := func() int {
		fd := b.try("socket", unix.AF_INET, unix.SOCK_DCCP, unix.IPPROTO_DCCP)
		check("service", unix.SetsockoptInt(fd, solDCCP, dccpService, 0x01020304))
		limit(fd)
		return fd
	}
	lfd := open()
	b.bind(lfd, unix.AF_INET, "127.0.0.1:6001")
	need("listen", unix.Listen(lfd, 5))
	b.note("dccp listener", DCCP, lfd, Listen, backlog(5))
	cfd := open()
	b.connect(cfd, unix.AF_INET, "127.0.0.1:46001", "127.0.0.1:6001")
	sfd := b.accept(lfd)
	b.write(sfd, 10) // the client is open once it has heard of the server again
	await("data", func() (bool, error) {
		n, err := unix.IoctlGetInt(cfd, unix.SIOCINQ)
		return n == 10, err
	})
	b.note("dccp client", DCCP, cfd, Established)
	b.note("dccp server", DCCP, sfd, Established)
}
