package diag

import (
	"io"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag/internal/tcpiter"
)

// iterates reports whether the sockets that q asks for can be read from a BPF iterator, and whether that is the faster way: it looks at
// every socket with its lock held, so a dump is faster where the kernel passes over most of them.
func (c *Conn) iterates(q InetQuery) bool {
	return q.NoAttrs && q.Ext == 0 && len(q.Bytecode) == 0 && q.BPFMaps == nil && q.Protocol == TCP && q.States.Has(Established) &&
		!c.elsewhere && kernelRelease() >= release(6, 18) && mayTrace()
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

// iterate is run by a BPF iterator. ok is false where it cannot be begun: a dump does then.
func (d *dump) iterate(q InetQuery) (more, ok bool, _ *Error) {
	r, err := d.conn.openIterator(q)
	if err != nil {
		return false, false, nil
	}
	defer r.Close()
	yielded := false
	for {
		if d.ctx.Err() != nil {
			return false, true, &Error{Op: q.op(q.Family), Err: cancelled(d.ctx), Partial: yielded}
		}
		b := d.next()
		b.reset(d.proto)
		n, err := r.Read(b.buf)
		if n > 0 {
			b.n, yielded = n, true
			if !d.send(b) {
				return false, true, nil
			}
		}
		switch {
		case err == io.EOF:
			return true, true, nil
		case err != nil:
			return false, true, &Error{Op: q.op(q.Family), Err: err, Partial: yielded}
		}
	}
}

func (c *Conn) openIterator(q InetQuery) (r *tcpiter.Reader, err error) {
	err = c.InNetNS(func() error {
		r, err = tcpiter.Open(uint32(q.States), uint16(q.Family))
		return err
	})
	return r, err
}
