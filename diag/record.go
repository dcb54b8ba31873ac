package diag

import (
	"cmp"
	"context"
	"io"
	"syscall"
	"time"

	"github.com/mdlayher/netlink"
)

// Record writes the kernel's answer to a query as it comes: the netlink messages of one dump for each family, each with its
// NLMSG_DONE, padded to 4 bytes. That is what ss -D writes, and TCPDIAG_FILE takes. AnyOrder is ignored, and /proc is not read.
//
// The error is w's, or an *Error as of Inet.
func (c *Conn) Record(ctx context.Context, q InetQuery, w io.Writer) error {
	q.Protocol, q.States, q.AnyOrder = cmp.Or(q.Protocol, TCP), cmp.Or(q.States, AllStates), false
	for _, f := range families(q.Family) {
		if err := c.record(ctx, q.ask(f), w); err != nil {
			return err
		}
	}
	return nil
}

func (c *Conn) record(ctx context.Context, a ask, w io.Writer) error {
	s, err := c.get()
	if err != nil {
		return a.fail(err)
	}
	clean := false
	defer func() { c.put(s, clean) }()
	stop := context.AfterFunc(ctx, func() { s.nl.SetReadDeadline(time.Unix(1, 0)) })
	defer func() { clean = stop() && clean }()
	req, err := s.nl.Send(netlink.Message{
		Header: netlink.Header{Type: a.typ, Flags: netlink.Request | netlink.Dump}, Data: a.data,
	})
	if err != nil {
		return a.fail(bare(err))
	}
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
