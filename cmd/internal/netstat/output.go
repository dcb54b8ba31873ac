package netstat

import (
	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
	"github.com/sockeye-tools/sockeye/cmd/internal/records"
	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/internal/sockets"
	render "github.com/sockeye-tools/sockeye/render/netstat"
)

// takeOutput takes --output out of the arguments of env.
func takeOutput(env *cli.Env) (_ *cli.Env, format string, status int) {
	args, format, err := records.Take(env.Args)
	if err != nil {
		complain(env, program+": "+err.Error())
		usage(env.Stderr, env.Stderr)
		return env, "", exitUsage
	}
	e := *env
	e.Args = args
	return &e, format, keepGoing
}

// suits refuses what has no records.
func (o *options) suits(env *cli.Env, format string) int {
	for _, x := range []struct {
		given bool
		name  string
	}{
		{o.routes > 0, "-r"}, {o.interfaces > 0, "-i"}, {o.statistics > 0, "-s"}, {o.masquerade > 0, "-M"}, {o.groups, "-g"}, {o.unix, "-x"},
		{o.l2cap, "-2"}, {o.rfcomm, "-f"}, {o.ipx, "--ipx"}, {o.ax25, "--ax25"}, {o.x25, "--x25"}, {o.netrom, "--netrom"}, {o.rose, "--rose"},
	} {
		if x.given {
			complain(env, program+": "+x.name+" does not go with --output "+format+", which has sockets of IPv4 and IPv6 alone")
			return exitUsage
		}
	}
	return keepGoing
}

// recorder prints sockets as records in the place of tables.
type recorder struct {
	*run
	records *records.Printer
}

func newRecorder(r *run, format string) *recorder {
	return &recorder{r, records.New(r.env.Stdout, format, records.Wants{Owners: r.o.programs, Proc: r.env.Owners.Proc})}
}

// queries are those of the tables, with attributes: there are fields that are told by them.
func (r *recorder) queries(t *render.Table, everything bool) []diag.InetQuery {
	list := r.run.queries(t, everything)
	for i := range list {
		list[i].NoAttrs = false
	}
	return list
}

// print prints the inet tables once.
func (r *recorder) print() int {
	everything := !r.o.anyTable()
	if everything {
		r.hint("sockets of other families than IPv4 and IPv6 have no records, and are left out")
	}
	t := r.table()
	req := sockets.Request{
		Plan: r.env.Plan, Exact: r.env.Exact, Queries: r.queries(t, everything),
		Match: func(s *diag.InetSocket) bool { return t.Which.Shows(s) && !repeated(s) },
	}
	if r.o.programs {
		req.Owners = &r.env.Owners
	}
	run, err := sockets.Open(r.env.Ctx, r.conn, req)
	if err != nil {
		complain(r.env, program+": "+err.Error())
		return exitFailed
	}
	defer run.Close()
	r.records.SetOwners(run.Owners())
	status := exitOK
	for s, err := range run.All() {
		switch {
		case err == nil:
			if err := r.records.Socket(s); err != nil {
				return writeFailed(r.env, err)
			}
		case !sockets.Unsupported(err):
			complain(r.env, program+": "+err.Error())
			status = exitFailed
		case !r.missing(err, everything):
			status = exitFailed
		}
	}
	if err := r.records.Close(); err != nil {
		return writeFailed(r.env, err)
	}
	if owners := run.Owners(); owners != nil && owners.Denied() > 0 && r.records.Unowned > 0 {
		warnDenied(r.env, owners)
	}
	return status
}
