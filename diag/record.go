package diag

import (
	"context"
	"io"
	"syscall"

	"github.com/mdlayher/netlink"
)

// Record writes the kernel's answer to a query as it comes: the netlink messages of one dump for each family, each with its
// NLMSG_DONE, padded to 4 bytes. That is what ss -D writes, and TCPDIAG_FILE takes. AnyOrder is ignored, and /proc is not read.
//
// The error is w's, or an *Error as of Inet.
func (c *Conn) Record(ctx context.Context, q InetQuery, w io.Writer) error {
	for _, a := range q.asks() {
		if err := c.record(ctx, a, w); err != nil {
			return err
		}
	}
	return nil
}

func (c *Conn) record(ctx context.Context, a ask, w io.Writer) error {
	s, req, put, err := c.send(ctx, a.typ, netlink.Dump, a.data)
	if err != nil {
		return a.fail(err)
	}
	clean := false
	defer func() { put(clean) }()
	b := newBatch()
	interrupted := false
	for {
		n, err := s.receive(ctx, b.buf, c.cfg.Timeout)
		if err != nil {
			return a.fail(err)
		}
		padded := min((n+3)&^3, len(b.buf))
		clear(b.buf[n:padded])
		if _, err := w.Write(b.buf[:padded]); err != nil {
			return err
		}
		e := b.scan(n, req.Header.Sequence, req.Header.PID)
		interrupted = interrupted || e.interrupted
		if !e.done {
			continue
		}
		if h, ok := unhandled(e.err); ok {
			return &Error{Op: a.op, Err: h, Message: e.msg}
		}
		if clean = e.err == nil; !clean {
			_, errno := e.err.(syscall.Errno)
			clean = errno
			return &Error{Op: a.op, Err: e.err, Message: e.msg}
		}
		if interrupted {
			return &Error{Op: a.op, Err: errInterrupted, Partial: true}
		}
		return nil
	}
}
