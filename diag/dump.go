package diag

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"syscall"
	"time"

	"github.com/mdlayher/netlink"
)

// tries is how often a dump is begun, as long as nothing of it was yielded.
const tries = 4

// errInterrupted is NLM_F_DUMP_INTR.
var errInterrupted = errors.New("the dump was interrupted by a change")

// Inet yields the sockets that q asks for, as the kernel sends them. A socket is valid until the next one is asked for.
//
// An error ends the sequence. One that is ErrPartial comes after sockets that are true, but may not be all. A dump that fails
// before its first socket is begun again a few times, if the error is one that passes (ENOBUFS, EBUSY and their like). Where the
// kernel has no handler for the protocol, its table in /proc/net is read (InetSocket.Source tells); where there is none, the
// error is errors.ErrUnsupported.
//
// Breaking off or cancelling ctx ends the dump in the kernel too.
func (c *Conn) Inet(ctx context.Context, q InetQuery) iter.Seq2[*InetSocket, error] {
	return func(yield func(*InetSocket, error) bool) {
		broken := 0
		each := func(s *InetSocket) bool { return yield(s, nil) } // one, not one for each batch
		for b, err := range c.InetBatches(ctx, q, nil) {
			if err != nil {
				yield(nil, err)
				return
			}
			if !b.each(each) {
				return
			}
			broken += b.broken
		}
		if broken > 0 {
			yield(nil, BrokenError(q, broken))
		}
	}
}

// BrokenError is the error that Inet ends with when n messages could not be decoded.
func BrokenError(q InetQuery, n int) error {
	return &Error{Op: q.op(q.Family), Err: fmt.Errorf("%d messages could not be decoded", n), Partial: true}
}

// InetBatches is Inet for a program that decodes in another goroutine: it yields what the kernel sends, datagram by datagram. The
// batches come from pool, and are the caller's until it puts them back; with a nil pool there is one, valid until the next.
func (c *Conn) InetBatches(ctx context.Context, q InetQuery, pool *BatchPool) iter.Seq2[*Batch, error] {
	return func(yield func(*Batch, error) bool) {
		q := q // the sequence may be ranged over again, or twice at once
		if q.Protocol == 0 {
			q.Protocol = TCP
		}
		if q.States == 0 {
			q.States = AllStates
		}
		d := dump{conn: c, ctx: ctx, pool: pool, proto: q.Protocol}
		d.yield = func(b *Batch) bool {
			d.yielded = true
			return yield(b, nil)
		}
		if q.Iter {
			q.AnyOrder = true
			if c.iterable(&q) {
				if ok, err := d.iterate(q); err != nil {
					yield(nil, err)
					return
				} else if ok {
					return
				}
			}
		}
		walks := families(q.Family)
		if q.oneWalk() {
			walks = []Family{Unspec}
		}
		var interrupted *Error // keeps nobody from the next family
		for _, f := range walks {
			more, err := d.run(q, f)
			switch {
			case err != nil && err.Err == errInterrupted:
				interrupted = err
			case err != nil:
				err.Partial = err.Partial || d.yielded
				yield(nil, err)
				return
			case !more:
				return
			}
		}
		if interrupted != nil {
			yield(nil, interrupted)
		}
	}
}

// dump is one run of InetBatches, or of stream.
type dump struct {
	conn    *Conn
	ctx     context.Context
	pool    *BatchPool
	proto   Protocol // of InetSockets
	batch   *Batch   // the next one; with a pool, nil once it is yielded
	yield   func(*Batch) bool
	yielded bool // in this family or one before it
}

// next returns a batch to receive into.
func (d *dump) next() *Batch {
	if d.batch == nil {
		d.batch = d.pool.get()
	}
	return d.batch
}

// send yields the batch that next returned.
func (d *dump) send(b *Batch) bool {
	if d.pool != nil {
		d.batch = nil
	}
	return d.yield(b)
}

// run dumps one family and reports whether to go on.
func (d *dump) run(q InetQuery, f Family) (more bool, err *Error) {
	if f != IPv4 && f != IPv6 && f != Unspec {
		return false, &Error{Op: q.op(f), Err: noHandler{syscall.EAFNOSUPPORT}}
	}
	if more, err = d.patiently(q.ask(f)); err == nil {
		return more, nil
	}
	if errors.Is(err.Err, syscall.EINVAL) && f == Unspec && !err.Partial {
		// A kernel without the request of old, or one that refuses the bytecode: then it does so again.
		if more, err = d.run(q, IPv4); err != nil || !more {
			return more, err
		}
		return d.run(q, IPv6)
	}
	h, ok := unhandled(err.Err)
	if !ok || err.Partial {
		return false, err
	}
	for _, f := range families(f) {
		if more, perr := d.proc(q, f); perr == errNoTable {
			return false, &Error{Op: err.Op, Err: h, Message: err.Message}
		} else if perr != nil || !more {
			return false, perr
		}
	}
	return true, nil
}

// families returns both, in order, for Unspec.
func families(f Family) []Family {
	if f == Unspec {
		return []Family{IPv4, IPv6}
	}
	return []Family{f}
}

// passes reports whether an error may be gone at the next try.
func passes(err error) bool {
	errno, ok := errors.AsType[syscall.Errno](err)
	switch errno {
	case syscall.ENOBUFS, syscall.EBUSY, syscall.EINTR, syscall.EAGAIN, syscall.ENOMEM:
		return ok
	}
	return false
}

// ask is a request for a dump.
type ask struct {
	op   string // what errors call it, such as "dump tcp inet"
	typ  netlink.HeaderType
	data []byte // behind the header; nil: errTooLong
}

func (a *ask) fail(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Op: a.op, Err: err}
}

// patiently is once, and again where it failed for a reason that passes.
func (d *dump) patiently(a ask) (more bool, err *Error) {
	for try := range tries {
		if more, err = d.once(a); err == nil || err.Partial || !passes(err.Err) || try == tries-1 {
			break
		}
		select {
		case <-d.ctx.Done():
		case <-time.After(10 * time.Millisecond << try):
		}
	}
	return more, err
}

// once sends the request and yields the answer.
func (d *dump) once(a ask) (more bool, _ *Error) {
	s, req, put, err := d.conn.send(d.ctx, a.typ, netlink.Dump, a.data)
	if err != nil {
		return false, a.fail(err)
	}
	clean := false
	defer func() { put(clean) }()
	interrupted, yielded := false, false
	at := cookieAt(&a)
	s.repeats.begin()
	for {
		b := d.next()
		n, err := s.receive(d.ctx, b.buf, d.conn.cfg.Timeout)
		if err != nil {
			e := a.fail(err)
			e.Partial = yielded
			return false, e
		}
		b.proto = d.proto
		e := b.scan(n, req.Header.Sequence, req.Header.PID)
		interrupted = interrupted || e.interrupted
		if at > 0 && b.n > 0 {
			s.repeats.drop(b, at)
		}
		if b.n > 0 {
			yielded = true
			if !d.send(b) {
				return false, nil
			}
		}
		if !e.done {
			continue
		}
		clean = e.err == nil
		if e.err == nil && interrupted {
			e.err = errInterrupted
		}
		if e.err != nil {
			return false, &Error{Op: a.op, Err: e.err, Message: e.msg, Partial: yielded || interrupted}
		}
		return true, nil
	}
}

// op names the query in errors.
func (q *InetQuery) op(f Family) string {
	op := "dump " + cmp.Or(q.Protocol, TCP).String()
	if f != Unspec {
		op += " " + f.String()
	}
	return op
}

// oneWalk reports whether one request can ask for both families: TCPDIAG_GETSOCK, which knows TCP alone.
func (q *InetQuery) oneWalk() bool { return q.AnyOrder && q.Family == Unspec && q.Protocol == TCP }

func (q *InetQuery) ask(f Family) ask {
	a := ask{q.op(f), sockDiagByFamily, q.request(f)}
	if f == Unspec {
		a.typ = tcpdiagGetsock
	}
	return a
}

// errTooLong: the length of an attribute has 16 bits, and what is cut would be another question.
var errTooLong = fmt.Errorf("the filter or the list of BPF maps is longer than a netlink attribute, %d bytes: %w", maxAttr, syscall.EINVAL)

// request encodes struct inet_diag_req_v2, or for both families struct inet_diag_req, and the attributes behind it. It is nil where these
// are too long.
func (q *InetQuery) request(f Family) []byte {
	if len(q.Bytecode) > maxAttr || len(q.BPFMaps) > maxAttr/sizeofMapFD {
		return nil
	}
	if f == Unspec {
		b := make([]byte, sizeofInetDiagReq, sizeofInetDiagReq+sizeofNlAttr+len(q.Bytecode))
		b[3] = byte(q.Ext)
		binary.NativeEndian.PutUint32(b[52:], uint32(q.States))
		if len(q.Bytecode) > 0 {
			b = appendAttr(b, inetDiagReqBytecode, q.Bytecode)
		}
		return q.storages(b)
	}
	b := make([]byte, sizeofInetDiagReqV2, sizeofInetDiagReqV2+2*sizeofNlAttr+8+len(q.Bytecode))
	b[0] = byte(f)
	if q.Protocol <= 255 {
		b[1] = byte(q.Protocol) // else 0: the low byte of MPTCP is TCP, and kernels before 5.9 skip the attribute
	}
	b[2] = byte(q.Ext)
	binary.NativeEndian.PutUint32(b[4:], uint32(q.States))
	if len(q.Bytecode) > 0 {
		b = appendAttr(b, inetDiagReqBytecode, q.Bytecode)
	}
	b = q.storages(b)
	if q.Protocol > 255 {
		b = appendAttr(b, inetDiagReqProtocol, binary.NativeEndian.AppendUint32(nil, uint32(q.Protocol)))
	}
	return b
}

// appendAttr appends a netlink attribute, padded to 4 bytes.
func appendAttr(b []byte, typ uint16, v []byte) []byte {
	b = binary.NativeEndian.AppendUint16(b, uint16(sizeofNlAttr+len(v)))
	b = binary.NativeEndian.AppendUint16(b, typ)
	b = append(b, v...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}
