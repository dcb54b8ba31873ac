package diag

import (
	"context"
	"encoding/binary"
	"errors"
	"net/netip"
	"syscall"

	"github.com/mdlayher/netlink"
)

// Destroy closes a socket of any process (SOCK_DESTROY of linux/sock_diag.h): a TCP connection is reset and its owner reads
// ECONNABORTED, a listener stops to listen, a UDP or raw socket is disconnected and its owner reads ECONNABORTED once. The descriptor
// stays with its owner. It takes CAP_NET_ADMIN, Linux 4.5 (4.9 for UDP, 4.10 for raw sockets), and a kernel that was built with
// INET_DIAG_DESTROY.
//
// s must come from a query of the same network namespace. The kernel looks for it by its addresses, and closes it only if the
// cookie is that of s: never another socket that has taken its place.
//
// With errors.Is the error tells fs.ErrPermission; errors.ErrUnsupported (a row that was read from /proc, a protocol or family that the
// kernel has no handler for, MPTCP, or a kernel without it); fs.ErrNotExist (s is closed, or the kernel comes upon another socket first
// that is bound to the same addresses). A listener that belongs to an MPTCP socket is refused with EINVAL.
func (c *Conn) Destroy(ctx context.Context, s *InetSocket) error {
	op := "destroy " + s.Protocol.String() + " socket"
	fail := func(err error, msg string) error {
		if e, ok := errors.AsType[*Error](err); ok {
			return e
		}
		return &Error{Op: op, Err: err, Message: msg}
	}
	if s.Source != FromNetlink {
		return fail(syscall.EOPNOTSUPP, "the socket is known from /proc alone")
	}
	if s.Family != IPv4 && s.Family != IPv6 {
		return fail(noHandler{syscall.EAFNOSUPPORT}, "")
	}
	nl, req, put, err := c.send(ctx, sockDestroy, netlink.Acknowledge, s.destroyRequest())
	if err != nil {
		return fail(err, "")
	}
	clean := false
	defer func() { put(clean) }()
	b := &Batch{buf: make([]byte, 4<<10)} // an acknowledgement, with the request in it
	for {
		n, err := nl.receive(ctx, b.buf, c.cfg.Timeout)
		if err != nil {
			return fail(err, "")
		}
		e := b.scan(n, req.Header.Sequence, req.Header.PID)
		if !e.done {
			continue
		}
		if _, answered := e.err.(syscall.Errno); answered || e.err == nil {
			clean = true
		}
		switch e.err {
		case nil:
			return nil
		case syscall.ENOENT:
			if c.lacks(ctx, s.Protocol, s.Family) { // a socket that no query made
				return fail(noHandler{syscall.ENOENT}, e.msg)
			}
		case syscall.ESTALE:
			return fail(syscall.ENOENT, e.msg)
		}
		return fail(e.err, e.msg)
	}
}

// destroyRequest encodes struct inet_diag_req_v2, for a raw socket struct inet_diag_req_raw.
func (s *InetSocket) destroyRequest() []byte {
	q := InetQuery{Protocol: s.Protocol}
	b := q.request(s.Family)
	if p, ok := s.RawProtocol(); ok && s.Protocol == Raw {
		b[3] = byte(p)
	}
	putSockID(b[8:], s.Local, s.Remote, s.Interface, s.Cookie)
	return b
}

// putSockID encodes struct inet_diag_sockid.
func putSockID(id []byte, src, dst netip.AddrPort, ifindex uint32, cookie uint64) {
	binary.BigEndian.PutUint16(id, src.Port())
	binary.BigEndian.PutUint16(id[2:], dst.Port())
	copy(id[4:20], src.Addr().AsSlice())
	copy(id[20:36], dst.Addr().AsSlice())
	binary.NativeEndian.PutUint32(id[36:], ifindex)
	binary.NativeEndian.PutUint32(id[40:], uint32(cookie))
	binary.NativeEndian.PutUint32(id[44:], uint32(cookie>>32))
}
