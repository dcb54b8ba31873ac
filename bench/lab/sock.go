package lab

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sockaddr is an address as the kernel wants it, made once and used for many
// sockets: package unix would convert and allocate at each call.
type sockaddr struct {
	raw unix.RawSockaddrInet6 // also large enough for IPv4
	len uint32
}

func newSockaddr(ap netip.AddrPort) *sockaddr {
	s := &sockaddr{}
	s.set(ap)
	return s
}

func (s *sockaddr) set(ap netip.AddrPort) {
	*s = sockaddr{}
	if ap.Addr().Is4() {
		in := (*unix.RawSockaddrInet4)(unsafe.Pointer(&s.raw))
		in.Family = unix.AF_INET
		in.Addr = ap.Addr().As4()
		s.len = unix.SizeofSockaddrInet4
	} else {
		s.raw.Family = unix.AF_INET6
		s.raw.Addr = ap.Addr().As16()
		s.len = unix.SizeofSockaddrInet6
	}
	s.setPort(ap.Port())
}

// The port is at the same offset in both families, in network order.
func (s *sockaddr) setPort(p uint16) {
	binary.BigEndian.PutUint16((*[2]byte)(unsafe.Pointer(&s.raw.Port))[:], p)
}

func (s *sockaddr) port() uint16 {
	return binary.BigEndian.Uint16((*[2]byte)(unsafe.Pointer(&s.raw.Port))[:])
}

func (s *sockaddr) addr() netip.Addr {
	if s.raw.Family == unix.AF_INET {
		return netip.AddrFrom4((*unix.RawSockaddrInet4)(unsafe.Pointer(&s.raw)).Addr)
	}
	return netip.AddrFrom16(s.raw.Addr)
}

func family(v6 bool) int {
	if v6 {
		return unix.AF_INET6
	}
	return unix.AF_INET
}

func bind(fd int, s *sockaddr) error {
	_, _, e := unix.RawSyscall(unix.SYS_BIND, uintptr(fd), uintptr(unsafe.Pointer(&s.raw)), uintptr(s.len))
	return errno("bind", e)
}

// connect blocks until the handshake is done, unless fd does not block.
func connect(fd int, s *sockaddr) error {
	_, _, e := unix.Syscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&s.raw)), uintptr(s.len))
	return errno("connect", e)
}

// accept blocks. peer may be nil.
func accept(fd int, peer *sockaddr) (int, error) {
	for {
		var sa, n unsafe.Pointer
		if peer != nil {
			peer.len = unix.SizeofSockaddrInet6
			sa, n = unsafe.Pointer(&peer.raw), unsafe.Pointer(&peer.len)
		}
		r, _, e := unix.Syscall6(unix.SYS_ACCEPT4, uintptr(fd), uintptr(sa), uintptr(n), unix.SOCK_CLOEXEC, 0, 0)
		if e == unix.EINTR || e == unix.ECONNABORTED {
			continue
		}
		return int(r), errno("accept", e)
	}
}

func errno(op string, e unix.Errno) error {
	if e == 0 {
		return nil
	}
	return os.NewSyscallError(op, e)
}

// stream makes a TCP socket that is reset, not closed in order, when its owner
// ends: a lab of a million connections would otherwise leave as many FINs and TIME_WAITs behind.
func stream(v6 bool, flags int) (int, error) {
	fd, err := unix.Socket(family(v6), unix.SOCK_STREAM|unix.SOCK_CLOEXEC|flags, unix.IPPROTO_TCP)
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	return fd, reset(fd)
}

func reset(fd int) error {
	return os.NewSyscallError("setsockopt SO_LINGER", unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}))
}

// listen makes a listening socket. IPv6 listeners are IPv6 only, unless the address is IPv4-mapped.
// Accepted sockets inherit the reset on close, unless orderly is set.
func listen(ap netip.AddrPort, backlog int, orderly bool) (int, error) {
	v6 := ap.Addr().Is6()
	fd, err := unix.Socket(family(v6), unix.SOCK_STREAM|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	only := 1
	if ap.Addr().Is4In6() {
		only = 0
	}
	if v6 {
		err = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, only)
	}
	if err == nil && !orderly {
		err = reset(fd)
	}
	if err == nil {
		err = bind(fd, newSockaddr(ap))
	}
	if err == nil {
		err = os.NewSyscallError("listen", unix.Listen(fd, backlog))
	}
	if err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("listen %s: %w", ap, err)
	}
	return fd, nil
}

// vanished makes an ESTABLISHED connection whose peer never was, with one byte sent
// and not acknowledged: TCP_REPAIR (Linux 3.5+) skips the handshake.
func vanished(local, remote *sockaddr, v6 bool) (int, error) {
	fd, err := stream(v6, 0)
	if err != nil {
		return -1, err
	}
	const offNoWindowProbe = -1                    // TCP_REPAIR_OFF_NO_WP, Linux 4.19+
	window := [5]uint32{0, 65535, 65535, 65535, 0} // struct tcp_repair_window: wl1, wnd, max, rcv_wnd, rcv_wup
	value := string(unsafe.Slice((*byte)(unsafe.Pointer(&window)), unsafe.Sizeof(window)))
	for _, step := range []func() error{
		func() error { return unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_REPAIR, 1) },
		func() error { return bind(fd, local) },
		func() error { return connect(fd, remote) },
		func() error { return unix.SetsockoptString(fd, unix.IPPROTO_TCP, unix.TCP_REPAIR_WINDOW, value) },
		func() error { return unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_REPAIR, offNoWindowProbe) },
		func() error { _, err := unix.Write(fd, []byte{'.'}); return err },
	} {
		if err := step(); err != nil {
			unix.Close(fd)
			return -1, fmt.Errorf("repair: %w", err)
		}
	}
	return fd, nil
}

func rawSendto(fd int, b []byte, to *sockaddr) error {
	_, _, e := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), 0,
		uintptr(unsafe.Pointer(&to.raw)), uintptr(to.len))
	if e != 0 {
		return e
	}
	return nil
}
