package diag

import (
	"io"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag/internal/tcpiter"
	"github.com/sockeye-tools/sockeye/internal/ctxerr"
	"github.com/sockeye-tools/sockeye/internal/release"
)

// iterable reports whether a BPF iterator can tell all that q asks for.
func (c *Conn) iterable(q *InetQuery) bool {
	return q.Protocol == TCP && q.Ext == 0 && len(q.Bytecode) == 0 && q.BPFMaps == nil &&
		!c.Elsewhere() && release.Running() >= release.Of(6, 18) && mayTrace()
}

// iterates reports whether q is answered by a BPF iterator, and sooner than by a dump: it looks at every socket with its lock held, so
// a dump is faster where the kernel passes over most of them.
func (c *Conn) iterates(q *InetQuery) bool {
	return q.NoAttrs && q.States.Has(Established) && c.iterable(q)
}

// mayTrace reports whether the process has the capabilities that a BPF program of its kind takes.
func mayTrace() bool {
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var caps [2]unix.CapUserData
	if unix.Capget(&head, &caps[0]) != nil {
		return false
	}
	has := func(c int) bool { return caps[c/32].Effective&(1<<(c%32)) != 0 }
	return has(unix.CAP_SYS_ADMIN) || has(unix.CAP_BPF) && has(unix.CAP_PERFMON)
}

// iterate is run by a BPF iterator. It is false where that cannot be begun: a dump does then.
func (d *dump) iterate(q InetQuery) (ok bool, _ *Error) {
	if d.ctx.Err() != nil { // before a program is loaded
		return true, &Error{Op: q.op(q.Family), Err: ctxerr.Of(d.ctx)}
	}
	r, err := tcpiter.Open(uint32(q.States), uint16(q.Family), d.conn.InNetNS)
	if err != nil {
		return false, nil
	}
	defer r.Close()
	yielded := false
	for {
		b := d.next()
		b.reset(d.proto)
		n, err := r.Read(d.ctx, b.buf)
		if n > 0 {
			b.n, yielded = n, true
			if !d.send(b) {
				return true, nil
			}
		}
		switch {
		case err == io.EOF:
			return true, nil
		case err != nil:
			if d.ctx.Err() != nil {
				err = ctxerr.Of(d.ctx)
			}
			return true, &Error{Op: q.op(q.Family), Err: err, Partial: yielded}
		}
	}
}
