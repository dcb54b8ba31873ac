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
// The error is w's, or an *Error as of Inet: it is ErrPartial if it comes after sockets that were written. No dump is begun again.
func (c *Conn) Record(ctx context.Context, q InetQuery, w io.Writer) error {
	r := recorder{conn: c, ctx: ctx, w: w}
	for _, a := range q.asks() {
		if err := r.record(a); err != nil {
			return err
		}
	}
	return nil
}

// recorder writes the answers to one query.
type recorder struct {
	conn  *Conn
	ctx   context.Context
	w     io.Writer
	wrote bool // a socket, in this family or one before it
}

// record writes the answer to one request. Its error is w's, or an *Error.
func (r *recorder) record(a ask) error {
	err := r.dump(a)
	if e, ok := err.(*Error); ok {
		e.Partial = e.Partial || r.wrote
	}
	return err
}

func (r *recorder) dump(a ask) error {
	s, req, put, err := r.conn.send(r.ctx, a.typ, netlink.Dump, a.data)
	if err != nil {
		return a.fail(err)
	}
	clean := false
	defer func() { put(clean) }()
	b := newBatch()
	interrupted, wrote := false, false
	for {
		n, err := s.receive(r.ctx, b.buf, r.conn.cfg.Timeout)
		if err != nil {
			return a.fail(err)
		}
		padded := min((n+3)&^3, len(b.buf))
		clear(b.buf[n:padded])
		if _, err := r.w.Write(b.buf[:padded]); err != nil {
			return err
		}
		e := b.scan(n, req.Header.Sequence, req.Header.PID)
		interrupted = interrupted || e.interrupted
		wrote = wrote || b.n > 0
		r.wrote = r.wrote || wrote
		if !e.done {
			continue
		}
		if h, ok := unhandled(e.err); ok && !wrote {
			return &Error{Op: a.op, Err: h, Message: e.msg}
		}
		if clean = e.err == nil; !clean {
			_, errno := e.err.(syscall.Errno)
			clean = errno
			return &Error{Op: a.op, Err: e.err, Message: e.msg, Partial: interrupted}
		}
		if interrupted {
			return &Error{Op: a.op, Err: errInterrupted, Partial: true}
		}
		return nil
	}
}
