package netstat

import (
	"errors"
	"os"

	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/owner"
	"github.com/sockeye-tools/sockeye/internal/sockets"
	render "github.com/sockeye-tools/sockeye/render/netstat"
)

const (
	bufferSize = 64 << 10
	lineRoom   = 1 << 10 // a line is rarely longer; one that is grows the buffer
	lookAhead  = 256     // sockets that are held back so that their hosts are looked up together
)

// run is one run of the program, with -c many rounds of it.
type run struct {
	env     *cli.Env
	o       *options
	conn    *diag.Conn
	names   resolver
	buf     []byte
	pending []diag.InetSocket
	owned   []owner.Owner
	owners  *owner.Table // of this round; nil: not wanted
	hinted  map[string]bool
	partial bool // a table changed whenever it was read
	titled  bool // the title of -i was printed
}

func newRun(env *cli.Env, o *options, c *diag.Conn) *run {
	r := &run{env: env, o: o, conn: c, buf: make([]byte, 0, bufferSize), hinted: map[string]bool{}}
	r.names.init(env.Ctx)
	return r
}

// protocols are the inet tables in the order that they are printed in.
func (o *options) protocols(everything bool) []diag.Protocol {
	var list []diag.Protocol
	for _, p := range []struct {
		chosen bool
		p      diag.Protocol
	}{{o.tcp, diag.TCP}, {o.sctp, diag.SCTP}, {o.udp, diag.UDP}, {o.udplite, diag.UDPLite}, {o.raw, diag.Raw}} {
		if p.chosen || everything {
			list = append(list, p.p)
		}
	}
	return list
}

// queries returns what to ask the kernel for.
func (r *run) queries(t *render.Table, everything bool) (list []diag.InetQuery) {
	family := diag.Unspec
	switch {
	case r.o.inet && !r.o.inet6:
		family = diag.IPv4
	case r.o.inet6 && !r.o.inet:
		family = diag.IPv6
	}
	for _, p := range r.o.protocols(everything) {
		q := diag.InetQuery{Protocol: p, Family: family, States: t.States(p)}
		switch {
		case p == diag.TCP && t.Timers:
			q.Ext = diag.ExtInfo
		case p == diag.TCP:
			q.NoAttrs = true
		case p == diag.SCTP:
			// Endpoints come first, and are what sctp_diag has for LISTEN. With the associations it repeats endpoints: what was asked
			// for them tells those apart.
			listen := diag.StatesOf(diag.Listen)
			if t.Which != render.Connected {
				q.States = listen
				list = append(list, q)
			}
			if t.Which == render.Servers {
				continue
			}
			q.States, q.Ext = diag.ProcStates&^listen, diag.ExtInfo
		}
		list = append(list, q)
	}
	return list
}

// repeated reports an endpoint that comes along with the associations.
func repeated(s *diag.InetSocket) bool {
	if s.Protocol != diag.SCTP {
		return false
	}
	_, association := s.Attr(diag.AttrPeers)
	_, asked := s.Attr(diag.AttrInfo)
	return asked && !association
}

// table returns the table that the options ask for.
func (r *run) table() *render.Table {
	o := render.Options{
		Which: r.o.which(), Extend: r.o.extend, Programs: r.o.programs, Timers: r.o.timers, Wide: r.o.wide,
		Timeouts: (&synRecv{root: procRoot(r.env)}).timeouts,
	}
	r.names.set(&o, r.o)
	return render.New(o)
}

// inet prints the inet tables, and reports whether others may follow. The owners that it looks up are also those of the sockets in
// unix, unless that is nil.
func (r *run) inet(everything bool, unix *unixTable) (status int, more bool) {
	t := r.table()
	req := sockets.Request{
		Plan:    r.env.Plan,
		Exact:   r.env.Exact,
		Queries: r.queries(t, everything),
		Match: func(s *diag.InetSocket) bool {
			return (t.Which.Shows(s) || t.Extend && s.State == diag.Listen) && !repeated(s) && !r.names.own(s)
		},
	}
	if r.o.programs {
		req.Owners = &r.env.Owners
		if unix != nil {
			req.Also = unix.inodes(t.Which)
		}
	}
	run, err := sockets.Open(r.env.Ctx, r.conn, req)
	if err != nil {
		complain(r.env, program+": "+err.Error())
		return exitFailed, false
	}
	r.owners = run.Owners()
	if owners := r.owners; owners != nil {
		t.Program = func(inode uint32) (int32, string, bool) { return r.program(owners, inode) }
		if owners.Denied() > 0 || os.Geteuid() != 0 { // also where no row is shown that could have an owner
			warnDenied(r.env, owners)
		}
	}
	r.buf = t.AppendHeader(r.buf)
	for s, err := range run.All() {
		if err == nil {
			if err := r.print(t, s); err != nil {
				return writeFailed(r.env, err), false
			}
			continue
		}
		if err := r.flush(t); err != nil { // in the order that people see
			return writeFailed(r.env, err), false
		}
		if !sockets.Unsupported(err) {
			complain(r.env, program+": "+err.Error())
			status = exitFailed
		} else if !r.missing(err, everything) {
			return exitFailed, false
		}
	}
	if err := r.flush(t); err != nil {
		return writeFailed(r.env, err), false
	}
	r.unanswered()
	return status, true
}

// missing says that the kernel does not have a table, where net-tools would, and reports whether to go on. A table that was asked
// for by name ends the program, unless it is only the IPv6 one.
func (r *run) missing(err error, everything bool) bool {
	qe, ok := errors.AsType[*sockets.QueryError](err)
	if !ok {
		return true
	}
	what := "AF INET (" + qe.Query.Protocol.String() + ")"
	switch {
	case qe.Query.Family == diag.IPv6:
	case !everything && !r.o.implied:
		noSupport(r.env, what)
		return false
	case everything && r.o.verbose:
		noSupport(r.env, what)
	}
	return true
}

// print appends the socket's line to the buffer, or holds it back where hosts are to be looked up.
func (r *run) print(t *render.Table, s *diag.InetSocket) error {
	if t.Host == nil {
		r.buf = t.Append(r.buf, s)
		if len(r.buf) < bufferSize-lineRoom {
			return nil
		}
		return r.write()
	}
	if t.Timers || s.Protocol == diag.SCTP { // attributes are looked at
		s = s.Clone()
	}
	r.pending = append(r.pending, *s)
	if len(r.pending) < lookAhead {
		return nil
	}
	return r.lines(t)
}

// lines appends the lines of the sockets that were held back.
func (r *run) lines(t *render.Table) error {
	r.names.lookUp(r.pending, t.Which)
	for i := range r.pending {
		r.buf = t.Append(r.buf, &r.pending[i])
	}
	r.pending = r.pending[:0]
	if len(r.buf) < bufferSize-lineRoom {
		return nil
	}
	return r.write()
}

// flush writes all that there is.
func (r *run) flush(t *render.Table) error {
	if err := r.lines(t); err != nil {
		return err
	}
	return r.write()
}

func (r *run) write() error {
	_, err := r.env.Stdout.Write(r.buf)
	r.buf = r.buf[:0]
	return err
}
