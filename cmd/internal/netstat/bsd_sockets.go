package netstat

import (
	"slices"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/owner"
	"github.com/sockeye-tools/sockeye/internal/sockets"
	"github.com/sockeye-tools/sockeye/render/names"
	render "github.com/sockeye-tools/sockeye/render/netstat"
)

// sockets prints the sockets: inet ones, then those of the UNIX domain.
func (b *bsdRun) sockets() int {
	var devices names.Interfaces
	t := b.o.BSDOptions
	t.Interface = devices.Lookup
	if !b.o.numeric {
		t.Host, t.Service = b.names.host, b.names.service
	}
	b.t = render.NewBSD(t)
	status := exitOK
	inet := !b.o.unix
	unix := !inet || b.o.family == "" && b.o.protocol == "" && !b.o.Queues && b.env.Plan == nil
	var inodes []uint32
	if unix && b.o.Verbose {
		inodes = b.unixInodes()
	}
	if inet {
		status = b.inet(inodes)
	} else if b.o.Verbose {
		owners, err := owner.Resolve(b.env.Ctx, &b.env.Owners, inodes)
		if err != nil {
			complain(b.env, program+": "+err.Error())
			return exitFailed
		}
		b.use(owners)
	}
	if unix {
		status = max(status, b.unixDomain())
	}
	if err := b.write(); err != nil {
		return writeFailed(b.env, err)
	}
	b.unanswered()
	return status
}

// queries returns what to ask the kernel for. IPv6 sockets are asked for with IPv4 too: they may talk that.
func (b *bsdRun) queries() (list []diag.InetQuery) {
	for _, p := range []struct {
		p      diag.Protocol
		chosen bool
		family diag.Family
	}{
		{diag.TCP, b.o.protocol == "tcp", diag.Unspec},
		{diag.UDP, b.o.protocol == "udp", diag.Unspec},
		{diag.Raw, b.o.Raw != "", b.o.Family},
	} {
		if b.o.protocol != "" && !p.chosen || b.o.Queues && p.p != diag.TCP {
			continue
		}
		q := diag.InetQuery{Protocol: p.p, Family: p.family, States: b.t.States(p.p), Ext: b.t.Ext(p.p)}
		q.NoAttrs = p.p == diag.TCP && !b.o.All && !b.o.Queues && q.Ext == 0 // IPV6_V6ONLY is looked at where nobody is connected
		list = append(list, q)
	}
	return list
}

// inet prints the inet sockets. The owners that it looks up are also those of the sockets that have the inodes.
func (b *bsdRun) inet(inodes []uint32) int {
	req := sockets.Request{Exact: b.env.Exact, Plan: b.env.Plan, Queries: b.queries()}
	req.Match = func(s *diag.InetSocket) bool { return b.t.Shows(s) && !b.names.own(s) }
	if b.o.Verbose && !b.o.Queues {
		req.Owners, req.Also = &b.env.Owners, inodes
	}
	run, err := sockets.Open(b.env.Ctx, b.conn, req)
	if err != nil {
		complain(b.env, program+": "+err.Error())
		return exitFailed
	}
	if owners := run.Owners(); owners != nil {
		b.use(owners)
	}
	status := exitOK
	for s, err := range run.All() {
		switch {
		case err == nil:
			if err := b.add(s); err != nil {
				return writeFailed(b.env, err)
			}
		case sockets.Unsupported(err):
		default:
			b.lines()
			if err := b.write(); err != nil { // in the order that people see
				return writeFailed(b.env, err)
			}
			complain(b.env, program+": "+err.Error())
			status = exitFailed
		}
	}
	b.lines()
	return status
}

// use has the owners shown that were found, and says if some could not be.
func (b *bsdRun) use(owners *owner.Table) {
	b.t.Program = func(inode uint32) (int32, string, bool) {
		b.owned = owners.Owners(b.owned[:0], inode)
		if len(b.owned) == 0 {
			return 0, "", false
		}
		pid := b.owned[0].PID
		return pid, owners.Process(pid).Comm, true
	}
	if owners.Denied() > 0 {
		b.hint("not every process may be looked into: owners of sockets are missing (root sees them all)")
	}
}

// add appends the socket's line to the buffer, or holds it back where hosts are to be looked up.
func (b *bsdRun) add(s *diag.InetSocket) error {
	if b.t.Host == nil {
		b.buf = b.t.Append(b.buf, s)
	} else {
		b.pending = append(b.pending, *s.Clone())
		if len(b.pending) == lookAhead {
			b.lines()
		}
	}
	if len(b.buf) < bufferSize-lineRoom {
		return nil
	}
	return b.write()
}

// lines appends the lines of the sockets that were held back.
func (b *bsdRun) lines() {
	if len(b.pending) == 0 {
		return
	}
	addrs := b.names.addrs[:0]
	for i := range b.pending {
		addrs = append(addrs, b.pending[i].Local.Addr().Unmap(), b.pending[i].Remote.Addr().Unmap())
	}
	b.names.lookUpAddrs(addrs)
	for i := range b.pending {
		b.buf = b.t.Append(b.buf, &b.pending[i])
	}
	b.pending = b.pending[:0]
}

// unixDomain appends the UNIX domain sockets by type, as ever: stream, dgram, seqpacket.
func (b *bsdRun) unixDomain() int {
	q := diag.UnixQuery{Show: b.t.UnixShow()}
	var rows [3][]byte
	status := exitOK
	for s, err := range b.conn.Unix(b.env.Ctx, q) {
		if err != nil {
			if !sockets.Unsupported(err) {
				complain(b.env, program+": "+err.Error())
				status = exitFailed
			}
			break
		}
		at := 2
		switch s.Type {
		case diag.SockStream:
			at = 0
		case diag.SockDgram:
			at = 1
		}
		rows[at] = b.t.AppendUnix(rows[at], s)
	}
	if text := slices.Concat(rows[:]...); len(text) > 0 {
		b.buf = append(b.t.AppendUnixTitle(b.buf), text...)
	}
	return status
}

// unixInodes returns the inodes of all UNIX domain sockets. It is not nil.
func (b *bsdRun) unixInodes() []uint32 {
	inodes := []uint32{}
	for s, err := range b.conn.Unix(b.env.Ctx, diag.UnixQuery{}) {
		if err != nil {
			break // it is said when the rows are asked for
		}
		inodes = append(inodes, s.Inode)
	}
	return inodes
}
