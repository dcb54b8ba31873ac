package scene

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// patience is how long anything may take that the kernel does at once, on a machine that has other things to do.
const patience = time.Minute

// A buildError is what a builder panics with: building is a long row of steps of which each needs the one before.
type buildError struct{ err error }

func check(op string, err error) {
	if err != nil {
		panic(buildError{fmt.Errorf("%s: %w", op, err)})
	}
}

// parseAddrPort parses ADDRESS:PORT.
func parseAddrPort(s string) (netip.AddrPort, error) {
	return netip.ParseAddrPort(s)
}

func familyOf(ap netip.AddrPort) int {
	if ap.Addr().Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}

// sockaddr is the address for a socket of that family; zone is the device of a link-local one.
func sockaddr(family int, ap netip.AddrPort, zone int) unix.Sockaddr {
	if family == unix.AF_INET {
		return &unix.SockaddrInet4{Port: int(ap.Port()), Addr: ap.Addr().As4()}
	}
	sa := &unix.SockaddrInet6{Port: int(ap.Port()), Addr: ap.Addr().As16()}
	if ap.Addr().IsLinkLocalUnicast() {
		sa.ZoneId = uint32(zone)
	}
	return sa
}

// addrPort is the address in a sockaddr, as Expect has it.
func addrPort(sa unix.Sockaddr) netip.AddrPort {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(sa.Addr), uint16(sa.Port))
	}
	return netip.AddrPort{}
}

func inodeOf(fd int) (uint32, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return 0, fmt.Errorf("stat socket: %w", err)
	}
	return uint32(st.Ino), nil
}

// An option prepares a socket before it is bound.
type option func(fd int)

func setInt(level, name, value int) option {
	return func(fd int) {
		check(fmt.Sprintf("setsockopt %d %d", level, name), unix.SetsockoptInt(fd, level, name, value))
	}
}

func device(name string) option {
	return func(fd int) { check("bind to device", unix.BindToDevice(fd, name)) }
}

func congestion(name string) option {
	return func(fd int) {
		check("congestion control", unix.SetsockoptString(fd, unix.IPPROTO_TCP, unix.TCP_CONGESTION, name))
	}
}

// A builder makes the sockets. It runs on a thread inside the scene's namespace.
type builder struct {
	*Scene
	tun int // interface index of the TUN device
}

// socket opens a socket that is closed with the scene.
func (b *builder) socket(family, typ, proto int, opts ...option) int {
	fd, err := unix.Socket(family, typ|unix.SOCK_CLOEXEC, proto)
	check("socket", err)
	b.fds = append(b.fds, fd)
	if typ == unix.SOCK_STREAM {
		limit(fd)
	}
	for _, o := range opts {
		o(fd)
	}
	return fd
}

// limit lets no call on the socket wait for ever; both bound connect as well.
func limit(fd int) {
	tv := unix.NsecToTimeval(int64(patience))
	check("set timeout", unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &tv))
	check("set timeout", unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &tv))
}

// drop closes a socket before the scene ends.
func (b *builder) drop(fd int) {
	check("close", unix.Close(fd))
	for i, f := range b.fds {
		if f == fd {
			b.fds = append(b.fds[:i], b.fds[i+1:]...)
			return
		}
	}
}

func (b *builder) bind(fd, family int, addr string) {
	ap, err := parseAddrPort(addr)
	check("address", err)
	check("bind "+addr, unix.Bind(fd, sockaddr(family, ap, b.tun)))
}

// connect binds the socket to the near address and connects it to the far one.
func (b *builder) connect(fd, family int, near, far string) {
	check("reuse address", unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1))
	b.bind(fd, family, near)
	ap, err := parseAddrPort(far)
	check("address", err)
	check("connect "+far, dial(fd, sockaddr(family, ap, b.tun)))
}

// dial connects a socket. A signal may come while it waits, as the runtime sends them to its threads; the connection goes on to be
// made then.
func dial(fd int, to unix.Sockaddr) error {
	err := unix.Connect(fd, to)
	for err == unix.EINTR {
		switch err = unix.Connect(fd, to); err {
		case unix.EISCONN:
			return nil
		case unix.EALREADY, unix.EINPROGRESS:
			poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
			if n, e := unix.Poll(poll, int(patience.Milliseconds())); e == nil && n == 0 {
				return unix.ETIMEDOUT
			}
			if failed, e := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR); e != nil || failed != 0 {
				return errors.Join(e, unix.Errno(failed))
			}
			err = unix.EINTR // ask again
		}
	}
	return err
}

// accept accepts a connection. A call with a timeout is not begun anew after a signal by itself (signal(7)).
func (b *builder) accept(fd int) int {
	child, _, err := unix.Accept4(fd, unix.SOCK_CLOEXEC)
	for err == unix.EINTR {
		child, _, err = unix.Accept4(fd, unix.SOCK_CLOEXEC)
	}
	check("accept", err)
	b.fds = append(b.fds, child)
	return child
}

func (b *builder) write(fd, n int) {
	sent, err := unix.Write(fd, []byte(strings.Repeat("x", n)))
	check("write", err)
	if sent != n {
		check("write", fmt.Errorf("%d of %d bytes", sent, n))
	}
}

// add notes a socket that has no descriptor.
func (b *builder) add(e Expect) {
	for i := range b.Sockets {
		if b.Sockets[i].Name == e.Name {
			check(e.Name, os.ErrExist)
		}
	}
	b.Sockets = append(b.Sockets, e)
}

// note notes a socket of the test process: what the socket tells about itself, and what set adds to it. The state
// is set's to say, but TCP's is waited for.
func (b *builder) note(name string, table Table, fd int, state State, set ...func(*Expect)) {
	e := Expect{Name: name, Table: table, State: state, UID: uint32(os.Geteuid())}
	var err error
	e.Inode, err = inodeOf(fd)
	check(name, err)
	e.Owners = []Owner{{PID: os.Getpid(), FD: fd, Comm: b.comm, Argv: os.Args[0]}}
	e.Family, err = unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
	check(name, err)
	e.Type, err = unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	check(name, err)
	mark, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_MARK)
	check(name, err)
	e.Mark = uint32(mark)
	if table == TCP {
		check(name, awaitState(fd, state)) // before that it may have no peer
	}
	if e.Family == unix.AF_INET || e.Family == unix.AF_INET6 {
		b.noteInet(&e, fd)
	}
	if table == TCP {
		info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
		check(name, err)
		e.FastOpen = info.Options&tcpiOptSynData != 0
	}
	for _, f := range set {
		f(&e)
	}
	b.add(e)
}

// tcpiOptSynData is TCPI_OPT_SYN_DATA of linux/tcp.h.
const tcpiOptSynData = 32

func (b *builder) noteInet(e *Expect, fd int) {
	local, err := unix.Getsockname(fd)
	check(e.Name, err)
	e.Local = addrPort(local)
	if remote, err := unix.Getpeername(fd); err == nil {
		e.Remote = addrPort(remote)
	} else {
		e.Remote = netip.AddrPortFrom(unspecified(e.Family), 0)
	}
	e.Device, err = boundDevice(fd)
	check(e.Name, err)
	tos, err := unix.GetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_TOS)
	if e.Family == unix.AF_INET {
		check(e.Name, err)
	}
	e.TOS = uint8(tos)
	if e.Family == unix.AF_INET6 {
		class, err := unix.GetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_TCLASS)
		check(e.Name, err)
		e.TClass = uint8(class)
		only, err := unix.GetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY)
		check(e.Name, err)
		e.V6Only = only != 0
	}
	if e.Table == TCP || e.Table == MPTCP {
		e.Congestion, err = unix.GetsockoptString(fd, unix.IPPROTO_TCP, unix.TCP_CONGESTION)
		check(e.Name, err)
	}
}

func unspecified(family int) netip.Addr {
	if family == unix.AF_INET {
		return netip.IPv4Unspecified()
	}
	return netip.IPv6Unspecified()
}

func boundDevice(fd int) (string, error) {
	name, err := unix.GetsockoptString(fd, unix.SOL_SOCKET, unix.SO_BINDTODEVICE)
	if err != nil {
		return "", fmt.Errorf("get bound device: %w", err)
	}
	return name, nil
}

// awaitState waits for a TCP socket to come into the state, as TCP_INFO says. BoundInactive is CLOSE to TCP_INFO.
func awaitState(fd int, state State) error {
	want := state
	if want == BoundInactive {
		want = Close
	}
	return wait(patience, state.String(), func() (bool, error) {
		info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
		return err == nil && State(info.State) == want, err
	})
}

// memory returns the bytes charged for unread and for unsent data, as SO_MEMINFO says (linux/sock_diag.h: SK_MEMINFO_*).
func memory(fd int) (recv, send uint32) {
	var info [9]uint32
	size := uint32(unsafe.Sizeof(info))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_MEMINFO,
		uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		check("get memory of socket", errno)
	}
	return info[0], info[2]
}

func queues(recv, send uint32) func(*Expect) {
	return func(e *Expect) { e.RecvQ, e.SendQ = recv, send }
}

func backlog(n uint32) func(*Expect) { return func(e *Expect) { e.Backlog = n } }

func timer(t Timer) func(*Expect) { return func(e *Expect) { e.Timer = t } }

func shut(how uint8) func(*Expect) { return func(e *Expect) { e.Shutdown = how } }

// parseCIDR parses HOST/BITS, where an IPv6 host is in brackets as everywhere in the scene.
func parseCIDR(s string) (net.IP, *net.IPNet, error) {
	return net.ParseCIDR(strings.NewReplacer("[", "", "]", "").Replace(s))
}
