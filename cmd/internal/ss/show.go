package ss

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"os"
	"slices"

	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
	"github.com/sockeye-tools/sockeye/cmd/internal/records"
	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/filter"
	"github.com/sockeye-tools/sockeye/diag/owner"
	"github.com/sockeye-tools/sockeye/internal/sockets"
	"github.com/sockeye-tools/sockeye/render/names"
	"github.com/sockeye-tools/sockeye/render/ss"
)

// lookAhead is how many sockets are held back so that the names of their hosts are looked up together.
const lookAhead = 256

// show prints the sockets that a command line asks for.
type show struct {
	env     *cli.Env
	o       *options
	filter  *filter.Filter
	conn    *diag.Conn
	out     *ss.Writer
	records *records.Printer // --output; nil: lines
	owners  *owner.Config    // nil: not wanted

	hosts names.Hosts
	held  []*diag.InetSocket // with -r
	addrs []netip.Addr

	kill    *killer // -K
	denied  bool    // some owners could not be read
	noMaps  bool    // the kernel does not tell the values of BPF maps
	noMarks bool    // nor marks
	others  other
	file    map[answered][]diag.Answer // of TCPDIAG_FILE
}

func newShow(env *cli.Env, o *options, f *filter.Filter, conn *diag.Conn) *show {
	s := &show{env: env, o: o, filter: f, conn: conn}
	o.rpc()
	r := o.render
	r.Width = screenWidth(env)
	r.EphemeralMin, r.EphemeralMax = filter.ReadPortRange(portRange(env))
	if o.resolve {
		r.Host = func(a netip.Addr) (string, bool) { return s.hosts.Lookup(env.Ctx, a) }
	}
	if root := procRoot(env); root != "" {
		env.Owners.Proc = root
	}
	if r.Processes {
		s.owners = &env.Owners
	}
	if o.kill {
		s.kill = newKiller(s)
	}
	if o.maps != nil {
		o.maps.stderr = env.Stderr
		r.BPFMaps = o.maps
	}
	if o.contexts {
		c := newContexts(env.Owners.Proc)
		r.ProcessContext = c.process
		if o.socketContexts {
			r.SocketContext = c.socket
		}
	}
	r.AnyProto = o.events
	r.Long = s.long()
	s.others = other{show: s, name: make([]byte, 0, 128)}
	if s.others.wants(0) {
		r.NetlinkProtocols = netlinkProtocols(protocolFiles)
		r.Process = func(pid int32) (string, bool) { return processName(cmp.Or(env.Getenv("PROC_ROOT"), "/proc"), pid) }
	}
	s.out = ss.New(env.Stdout, r)
	return s
}

// long reports whether all TCP sockets are asked for, and are so many that ss would not see the first line's widths to the end.
func (s *show) long() bool {
	const sockets = 150_000 // a line takes some 60 bytes without extensions
	if s.o.tables&tableTCP == 0 || !s.o.states.Has(diag.Established) || s.filter.Tree() != nil || s.o.v4 != s.o.v6 {
		return false
	}
	n, ok := s.conn.CountTCP()
	return ok && n >= sockets
}

// run prints everything and returns the exit status: exitFailed where something could not be asked for. The error is the
// writer's, or the owner resolver's.
func (s *show) run() (status int, err error) {
	queries := s.queries()
	fromFile := func(q diag.InetQuery) bool { return s.replayed(q.Protocol) != nil }
	failed, err := s.others.early(len(queries) > 0 && !slices.ContainsFunc(queries, fromFile))
	if err == nil && len(queries) > 0 {
		var bad bool
		bad, err = s.inet(s.env.Ctx, queries)
		failed = failed || bad
	}
	if err == nil {
		var bad bool
		bad, err = s.others.later()
		failed = failed || bad
	}
	if err == nil {
		err = s.release()
	}
	if err == nil {
		err = s.end()
	}
	if err != nil {
		return 0, err
	}
	if failed {
		status = exitFailed
	}
	if s.denied && s.unowned() > 0 {
		if os.Geteuid() != 0 {
			s.hint("owners of other users' sockets are not shown: run as root")
		} else {
			s.hint("some processes could not be looked into: sockets of theirs are shown without them")
		}
	}
	if s.hosts.Stopped() {
		s.hint("name servers do not answer: addresses are shown as numbers")
	}
	return status, nil
}

func (s *show) hint(text string) { fmt.Fprintf(s.env.Stderr, "ss: %s\n", text) }

// queries returns what to ask the kernel for, in the order of the tables.
func (s *show) queries() (list []diag.InetQuery) {
	family := s.filter.Family() // an operand's family replaces those that were asked for
	switch family {
	case diag.Unspec:
		family = s.o.oneFamily()
	case diag.IPv4, diag.IPv6:
	default:
		return nil // no inet socket is of it
	}
	code, _ := s.filter.Bytecode()
	for _, t := range inetTables {
		if s.o.tables&t.table == 0 {
			continue
		}
		q := diag.InetQuery{Protocol: t.proto, Family: family, States: s.o.states, Ext: s.o.ext(t.proto), Bytecode: code, BPFMaps: s.o.maps.descriptors()}
		if t.proto == diag.SCTP {
			q.Bytecode = nil // the kernel does not look at it
		}
		if t.proto == diag.TCP {
			// A TCP socket in Close is in none of the kernel's tables, and looking for it takes a walk over all connections.
			if q.States &^= 1<<diag.Close | 1<<0; q.States == 0 && s.env.Getenv("TCPDIAG_FILE") == "" { // whose states do not count
				continue
			}
			q.NoAttrs = s.noAttrs()
		}
		list = append(list, q)
	}
	return list
}

// noAttrs reports whether struct inet_diag_msg has all that is shown and filtered by.
func (s *show) noAttrs() bool {
	r := &s.o.render
	return s.records == nil && s.filter.Tree() == nil && s.kill == nil && !(r.Extended || r.Memory || r.Info || r.TOS || r.Cgroup || r.SockOpt)
}

// ext returns the attributes that columns need.
func (o *options) ext(p diag.Protocol) (e diag.Ext) {
	r := &o.render
	if r.Memory {
		e |= diag.ExtSKMemInfo
	}
	if r.Info {
		switch p {
		case diag.TCP:
			e |= diag.ExtInfo | diag.ExtCong | diag.ExtVegasInfo
		case diag.UDP:
		default:
			e |= diag.ExtInfo
		}
	}
	if o.kill && p == diag.MPTCP {
		e |= diag.ExtInfo // the token
	}
	if r.TOS {
		e |= diag.ExtTOS | diag.ExtTClass
	}
	return e
}

// print prints what queries find. A kernel without a table has nothing to print for it; failed reports any other failure.
func (s *show) print(ctx context.Context, queries []diag.InetQuery) (failed bool, _ error) {
	req := sockets.Request{Queries: queries, Owners: s.owners, Also: s.others.inodes, Exact: s.env.Exact, Plan: s.env.Plan}
	if s.filter.Tree() != nil {
		req.Match = s.match(queries)
	}
	run, err := sockets.Open(ctx, s.conn, req)
	if err != nil {
		return false, err
	}
	defer run.Close()
	s.use(run.Owners())
	if err := s.others.known(); err != nil {
		return false, err
	}
	for sock, err := range run.All() {
		if err == nil && sock.Protocol == diag.MPTCP {
			var bad bool
			bad, err = s.others.later()
			failed = failed || bad
		}
		if err == nil {
			err = s.socket(sock)
			if err != nil {
				return false, err
			}
			continue
		}
		if sockets.Unsupported(err) {
			continue
		}
		if q, ok := sockets.Refused(err); ok {
			if s.o.maps != nil && q.BPFMaps == nil && !s.noMaps {
				s.hint("values of BPF maps are not shown: that needs CAP_BPF, or root")
				s.noMaps = true
			}
			if err := s.release(); err != nil {
				return false, err
			}
			again, err := s.print(ctx, []diag.InetQuery{q})
			if err != nil {
				return false, err
			}
			failed = failed || again
			s.use(run.Owners())
			continue
		}
		complain(s.env, err)
		failed = true
	}
	return failed, s.release()
}

// use has the owners looked up in t.
func (s *show) use(t *owner.Table) {
	if t == nil {
		return
	}
	if s.records != nil {
		s.records.SetOwners(t)
	}
	s.out.SetOwners(s.withThreads(t))
	s.denied = s.denied || t.Denied() > 0
}

// match returns what is left to look at once the kernel has picked by the queries' bytecode, if they have it.
func (s *show) match(queries []diag.InetQuery) func(*diag.InetSocket) bool {
	_, exact := s.filter.Bytecode()
	match := s.filter.Match
	if filter.Has[filter.Mark](s.filter.Tree()) {
		match = s.matchMark
	}
	if !exact || slices.ContainsFunc(queries, func(q diag.InetQuery) bool { return q.Bytecode == nil && q.Protocol != diag.SCTP }) {
		return match
	}
	return func(sock *diag.InetSocket) bool {
		return sock.Source == diag.FromNetlink && sock.Protocol != diag.SCTP || match(sock)
	}
}

// matchMark applies a filter that looks at marks, and says once if the kernel does not tell them.
func (s *show) matchMark(sock *diag.InetSocket) bool {
	if _, told := sock.Mark(); !told && !s.noMarks && sock.Source == diag.FromNetlink && !diag.BucketStates.Has(sock.State) {
		s.hint("marks are not known, and count as 0: that needs CAP_NET_ADMIN, or root")
		s.noMarks = true
	}
	return s.filter.Match(sock)
}

// socket prints a socket, or holds it back where hosts are named.
func (s *show) socket(sock *diag.InetSocket) error {
	if s.kill != nil && !s.kill.close(s.env.Ctx, sock) {
		return nil
	}
	if !s.o.resolve {
		return s.line(sock, nil)
	}
	s.held = append(s.held, sock.Clone())
	for _, a := range [...]netip.Addr{sock.Local.Addr(), sock.Remote.Addr()} {
		if a != netip.IPv6Unspecified() { // shown as *
			s.addrs = append(s.addrs, a)
		}
	}
	if len(s.held) < lookAhead {
		return nil
	}
	return s.release()
}

// release prints the sockets that were held back.
func (s *show) release() error {
	s.hosts.Resolve(s.env.Ctx, s.addrs)
	for _, sock := range s.held {
		if err := s.out.Inet(sock); err != nil {
			return err
		}
	}
	s.held, s.addrs = s.held[:0], s.addrs[:0]
	return nil
}
