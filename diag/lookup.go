package diag

import (
	"cmp"
	"context"
	"errors"
	"syscall"
)

// lookups are the buffers for LookupInet.
var lookups BatchPool

// LookupInet asks for one TCP or UDP socket by its addresses and ports, in constant time: the one that would receive a packet
// from Remote to Local (for TCP the connection, or else the listener). The error is fs.ErrNotExist if there is none. The socket is
// the caller's.
func (c *Conn) LookupInet(ctx context.Context, k InetKey) (*InetSocket, error) {
	if k.Protocol == 0 {
		k.Protocol = TCP
	}
	fail := func(err error, msg string) (*InetSocket, error) {
		if e, ok := errors.AsType[*Error](err); ok {
			return nil, e
		}
		return nil, &Error{Op: "look up " + k.Protocol.String() + " socket", Err: err, Message: msg}
	}
	if !k.Local.IsValid() || !k.Remote.IsValid() || k.Local.Addr().Is4() != k.Remote.Addr().Is4() {
		return fail(errors.New("local and remote address must be valid and of one family"), "")
	}
	if k.Interface == 0 && (k.Local.Addr().Zone() != "" || k.Remote.Addr().Zone() != "") {
		return fail(errors.New("an address has a zone: Interface must be its device"), "")
	}
	s, req, put, err := c.send(ctx, sockDiagByFamily, 0, k.request())
	if err != nil {
		return fail(err, "")
	}
	clean := false
	defer func() { put(clean) }()
	b := lookups.get()
	defer lookups.Put(b)
	b.proto = k.Protocol
	for {
		n, err := s.receive(ctx, b.buf, c.cfg.Timeout)
		if err != nil {
			return fail(err, "")
		}
		e := b.scan(n, req.Header.Sequence, req.Header.PID)
		for s := range b.Inet() {
			clean = true
			return s.Clone(), nil
		}
		switch {
		case b.broken > 0:
			return fail(&MessageError{What: "inet_diag_msg", Len: b.n - sizeofNlMsghdr, Want: sizeofInetDiagMsg}, "")
		case e.err == syscall.ENOENT:
			clean = true
			if k.Cookie == 0 && c.lacks(ctx, k.Protocol, k.family()) { // who knows a cookie has it from the handler
				return fail(noHandler{syscall.ENOENT}, e.msg)
			}
			return fail(e.err, e.msg)
		case e.err == syscall.ESTALE: // UDP's word for a wrong cookie
			clean = true
			return fail(syscall.ENOENT, e.msg)
		case e.done:
			_, clean = e.err.(syscall.Errno)
			return fail(cmp.Or(e.err, error(syscall.ENOENT)), e.msg)
		}
	}
}

// lacks reports whether the kernel has no handler for a protocol. When asked for a socket it says so with the ENOENT of one that is not
// there: a dump of no state tells them apart.
func (c *Conn) lacks(ctx context.Context, p Protocol, f Family) bool {
	d := dump{conn: c, ctx: ctx, yield: func(*Batch) bool { return true }}
	q := InetQuery{Protocol: p}
	_, err := d.once(q.ask(f))
	return err != nil && err.Err == syscall.ENOENT
}

func (k *InetKey) family() Family {
	if k.Local.Addr().Is4() {
		return IPv4
	}
	return IPv6
}

// request encodes struct inet_diag_req_v2.
func (k *InetKey) request() []byte {
	q := InetQuery{Protocol: k.Protocol, Ext: k.Ext, States: AllStates}
	b := q.request(k.family())
	src, dst := k.Local, k.Remote
	if k.Protocol == UDP || k.Protocol == UDPLite {
		src, dst = dst, src // "for historical reasons", says udp_dump_one in net/ipv4/udp_diag.c: as in the packet
	}
	cookie := k.Cookie
	if cookie == 0 {
		cookie = ^uint64(0) // INET_DIAG_NOCOOKIE
	}
	putSockID(b[8:], src, dst, k.Interface, cookie)
	return b
}
