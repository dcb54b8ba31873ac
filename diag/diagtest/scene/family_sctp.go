package scene

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"time"
	"unsafe"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// An AssocState is the state of an SCTP association (enum sctp_state of the kernel's net/sctp/constants.h).
type AssocState uint8

// The states that the scene has associations in.
const (
	AssocCookieWait      AssocState = 1
	AssocEstablished     AssocState = 3
	AssocShutdownPending AssocState = 4
)

// An SCTPSocket is the truth about one SCTP socket.
type SCTPSocket struct {
	Name   string
	Family int
	Type   int // SOCK_STREAM: one-to-one, SOCK_SEQPACKET: one-to-many
	// State is the socket's: Listen, Established, Close (one-to-many, or not yet connected), or CloseWait once it was shut down.
	State  State
	Inode  uint32
	FD     int
	Local  netip.AddrPort    // the first address and the port
	Locals []netip.Addr      // all addresses bound to
	Assocs []SCTPAssociation // one at most where the socket is one-to-one
}

// An SCTPAssociation is one association of a socket.
type SCTPAssociation struct {
	State  AssocState
	Remote netip.AddrPort // of the primary path
	Peers  []netip.Addr   // all addresses of the peer
}

// Names of linux/sctp.h.
const (
	solSCTP               = 132
	sctpNodelay           = 3
	sctpAutoclose         = 4
	sctpAdaptationLayer   = 7
	sctpDisableFragments  = 8
	sctpFragmentInterlace = 18
	sctpBindxAdd          = 100
)

// Devices that swallow what is sent to them.
const (
	silentDevice = "dummy7"
	silentNear   = "198.51.100.1"
	silentFar    = "198.51.100.99"
)

// silent makes a device behind which nobody answers. It reports whether the kernel has one.
func (b *familyBuilder) silent() bool {
	link := &netlink.Dummy{LinkAttrs: netlink.LinkAttrs{Name: silentDevice}}
	if err := netlink.LinkAdd(link); err != nil {
		if err == unix.EOPNOTSUPP || err == unix.ENODEV {
			b.Missing = append(b.Missing, "dummy devices: "+err.Error())
			return false
		}
		check("add "+silentDevice, err)
	}
	check("no ARP", netlink.LinkSetARPOff(link))
	check("set up", netlink.LinkSetUp(link))
	b.address(link, silentNear+"/24")
	return true
}

// sctp makes listeners, connections and associations of both kinds of sockets, over one address and several.
func (b *familyBuilder) sctp() {
	fd := b.try("socket", unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_SCTP)
	b.drop(fd)
	v4, v6 := unix.AF_INET, unix.AF_INET6

	// One address; a connection with unread data.
	lfd := b.sctpListen("sctp listener", v4, unix.SOCK_STREAM, "127.0.0.1:5001")
	cfd, _ := b.sctpPair("sctp connection", lfd, v4, "127.0.0.1:5001", "127.0.0.1:45001")
	b.write(cfd, 100)

	// Several addresses at both ends.
	lfd = b.sctpListen("sctp listener homes", v4, unix.SOCK_STREAM, "127.0.0.1:5002", "127.0.0.2:5002")
	b.sctpPair("sctp homes", lfd, v4, "127.0.0.1:5002", "127.0.0.3:45002", "127.0.0.4:45002")

	lfd = b.sctpListen("sctp listener v6", v6, unix.SOCK_STREAM, "[::1]:5003")
	b.sctpPair("sctp connection v6", lfd, v6, "[::1]:5003", "[::1]:45003")

	// The wildcard of IPv6, met by IPv4.
	lfd = b.sctpListen("sctp listener any", v6, unix.SOCK_STREAM, "[::]:5004")
	b.sctpPair("sctp mapped", lfd, v4, "127.0.0.1:5004", "127.0.0.1:45004")
	b.sctpListen("sctp listener any v4", v4, unix.SOCK_STREAM, "0.0.0.0:5014")

	b.sctpOneToMany()
	b.sctpPending()
	if b.silent() {
		fd := b.socket(v4, unix.SOCK_STREAM, unix.IPPROTO_SCTP)
		check("nonblock", unix.SetNonblock(fd, true))
		b.bind(fd, v4, silentNear+":45007")
		to := must(parseAddrPort(silentFar + ":5007"))
		if err := unix.Connect(fd, sockaddr(v4, to, 0)); err != unix.EINPROGRESS {
			check("connect to nobody", err)
		}
		b.noteSCTP("sctp cookie wait", fd, Close, SCTPAssociation{AssocCookieWait, to, []netip.Addr{to.Addr()}})
	}
}

// sctpOneToMany makes a server of one socket with two associations, and the sockets of its clients.
func (b *familyBuilder) sctpOneToMany() {
	v4 := unix.AF_INET
	server := b.sctpListen("sctp many", v4, unix.SOCK_SEQPACKET, "127.0.0.1:5005")
	for name, value := range map[int]int{sctpNodelay: 1, sctpAutoclose: 86400, sctpDisableFragments: 1, sctpFragmentInterlace: 1, sctpAdaptationLayer: 7} {
		check("option", unix.SetsockoptInt(server, solSCTP, name, value))
	}
	to := must(parseAddrPort("127.0.0.1:5005"))
	for _, near := range []string{"127.0.0.1:45005", "127.0.0.1:45006"} {
		fd := b.patient(v4, unix.SOCK_SEQPACKET, unix.IPPROTO_SCTP)
		b.bind(fd, v4, near)
		check("connect", dial(fd, sockaddr(v4, to, 0))) // waits for the association
		name := "sctp one of many " + near
		from := must(parseAddrPort(near))
		b.noteSCTP(name, fd, Close, SCTPAssociation{AssocEstablished, to, []netip.Addr{to.Addr()}})
		for i := range b.f.SCTP {
			if s := &b.f.SCTP[i]; s.Name == "sctp many" {
				s.Assocs = append(s.Assocs, SCTPAssociation{AssocEstablished, from, []netip.Addr{from.Addr()}})
			}
		}
	}
}

// sctpPending makes an association that cannot end, because its peer does not read.
func (b *familyBuilder) sctpPending() {
	v4 := unix.AF_INET
	lfd := b.socket(v4, unix.SOCK_STREAM, unix.IPPROTO_SCTP)
	check("buffer", unix.SetsockoptInt(lfd, unix.SOL_SOCKET, unix.SO_RCVBUF, 4096))
	b.sctpBind(lfd, v4, "127.0.0.1:5008")
	check("listen", unix.Listen(lfd, 7))
	b.noteSCTP("sctp listener full", lfd, Listen)
	cfd, _ := b.sctpPair("sctp full", lfd, v4, "127.0.0.1:5008", "127.0.0.1:45008")
	check("nonblock", unix.SetNonblock(cfd, true))
	for chunk := make([]byte, 1000); ; {
		if _, err := unix.Write(cfd, chunk); err == unix.EAGAIN {
			break
		} else {
			check("fill", err)
		}
	}
	// It is full when nothing has moved for longer than the shortest retransmission timeout of SCTP.
	was, since := uint32(0), time.Now()
	await("full queues", func() (bool, error) {
		if _, send := memory(cfd); send != was {
			was, since = send, time.Now()
		}
		return time.Since(since) > 1500*time.Millisecond, nil
	})
	check("shutdown", unix.Shutdown(cfd, unix.SHUT_WR))
	for i := range b.f.SCTP {
		if s := &b.f.SCTP[i]; s.Name == "sctp full client" {
			s.State, s.Assocs[0].State = CloseWait, AssocShutdownPending
		}
	}
}

// sctpBind binds the socket to all of the addresses (which share a port).
func (b *familyBuilder) sctpBind(fd, family int, addrs ...string) {
	b.bind(fd, family, addrs[0])
	var raw []byte
	for _, a := range addrs[1:] {
		raw = appendSockaddr(raw, must(parseAddrPort(a)))
	}
	if raw != nil {
		check("bind to more addresses", setBytes(fd, solSCTP, sctpBindxAdd, raw))
	}
}

func (b *familyBuilder) sctpListen(name string, family, typ int, addrs ...string) int {
	fd := b.patient(family, typ, unix.IPPROTO_SCTP)
	b.sctpBind(fd, family, addrs...)
	check("listen", unix.Listen(fd, 7))
	b.noteSCTP(name, fd, Listen)
	return fd
}

// sctpPair connects a one-to-one socket to a listener, and accepts.
func (b *familyBuilder) sctpPair(name string, lfd, family int, far string, near ...string) (cfd, sfd int) {
	cfd = b.patient(family, unix.SOCK_STREAM, unix.IPPROTO_SCTP)
	b.sctpBind(cfd, family, near...)
	to := must(parseAddrPort(far))
	check("connect "+far, dial(cfd, sockaddr(family, to, 0)))
	sfd = b.accept(lfd)
	var server *SCTPSocket
	for i := range b.f.SCTP {
		if b.f.SCTP[i].FD == lfd {
			server = &b.f.SCTP[i]
		}
	}
	// Both ends tell each other all of their addresses, which for the wildcard are those of the host that the other end can use.
	locals := server.Locals
	peers := locals
	if peers[0].IsUnspecified() {
		peers = []netip.Addr{to.Addr()}
	}
	b.noteSCTP(name+" client", cfd, Established, SCTPAssociation{AssocEstablished, to, peers})
	var froms []netip.Addr
	for _, a := range near {
		froms = append(froms, must(parseAddrPort(a)).Addr())
	}
	b.noteSCTP(name+" server", sfd, Established,
		SCTPAssociation{AssocEstablished, netip.AddrPortFrom(froms[0], must(parseAddrPort(near[0])).Port()), froms})
	b.f.SCTP[len(b.f.SCTP)-1].Locals = locals // the accepted socket is bound as its listener is
	return cfd, sfd
}

func (b *familyBuilder) noteSCTP(name string, fd int, state State, assocs ...SCTPAssociation) {
	s := SCTPSocket{Name: name, State: state, FD: fd, Inode: must(inodeOf(fd)), Assocs: assocs}
	s.Family = must(unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN))
	s.Type = must(unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE))
	s.Local = addrPort(must(unix.Getsockname(fd)))
	s.Locals = []netip.Addr{s.Local.Addr()}
	if !s.Local.Addr().IsUnspecified() {
		s.Locals = sctpLocals(fd)
	}
	b.f.SCTP = append(b.f.SCTP, s)
}

// sctpLocals asks the socket for the addresses that it is bound to (SCTP_GET_LOCAL_ADDRS).
func sctpLocals(fd int) (list []netip.Addr) {
	const sctpGetLocalAddrs = 109
	raw := make([]byte, 1024) // struct sctp_getaddrs: association, number of addresses, addresses
	size := uint32(len(raw))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), solSCTP, sctpGetLocalAddrs,
		uintptr(unsafe.Pointer(&raw[0])), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		check("local addresses", errno)
	}
	ne := binary.NativeEndian
	n := ne.Uint32(raw[4:])
	for b := raw[8:]; n > 0; n-- {
		if ne.Uint16(b) == unix.AF_INET {
			list = append(list, netip.AddrFrom4([4]byte(b[4:])))
			b = b[unix.SizeofSockaddrInet4:]
		} else {
			list = append(list, netip.AddrFrom16([16]byte(b[8:])))
			b = b[unix.SizeofSockaddrInet6:]
		}
	}
	slices.SortFunc(list, netip.Addr.Compare)
	return list
}

// appendSockaddr appends struct sockaddr_in or sockaddr_in6.
func appendSockaddr(b []byte, a netip.AddrPort) []byte {
	ne, be := binary.NativeEndian, binary.BigEndian
	if a.Addr().Is4() {
		b = be.AppendUint16(ne.AppendUint16(b, unix.AF_INET), a.Port())
		b = append(b, a.Addr().AsSlice()...)
		return append(b, make([]byte, 8)...)
	}
	b = be.AppendUint16(ne.AppendUint16(b, unix.AF_INET6), a.Port())
	b = append(b, 0, 0, 0, 0)
	b = append(b, a.Addr().AsSlice()...)
	return append(b, 0, 0, 0, 0)
}

func setBytes(fd, level, name int, v []byte) error {
	return unix.SetsockoptString(fd, level, name, string(v))
}
