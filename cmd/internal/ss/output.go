package ss

import (
	"github.com/sockeye-tools/sockeye/cmd/internal/records"
	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/render/ss"
)

// takeOutput takes --output out of the arguments.
func takeOutput(args []string) ([]string, string, error) {
	args, format, err := records.Take(args)
	if err != nil {
		return nil, "", &exit{text: "ss: " + err.Error(), usage: true, status: exitUsage}
	}
	return args, format, nil
}

// suits refuses options that have no records.
func (o *options) suits(format string) error {
	if format == "" {
		return nil
	}
	for _, x := range []struct {
		given bool
		name  string
	}{{o.summary, "-s"}, {o.events, "-E"}, {o.record != "", "-D"}, {o.render.Filters, "-b"}, {o.render.Threads, "-T"}} {
		if x.given {
			return &exit{text: "ss: " + x.name + " does not go with --output", status: exitUsage}
		}
	}
	return nil
}

// onlyInet leaves out the tables that have no records, and reports whether there were any. Those that were named are refused.
func (o *options) onlyInet(format string) (left bool, err error) {
	if left = o.tables&^tablesInet != 0; left && !o.bare {
		return false, &exit{text: "ss: --output " + format + " has sockets of IPv4 and IPv6 alone: choose of -t -u -w -S -M", status: exitUsage}
	}
	o.tables &= tablesInet
	o.resolve = false
	return left, nil
}

// toRecords has the show print records, with what the options ask for.
func (s *show) toRecords(format string) {
	r := &s.o.render
	s.records = records.New(s.env.Stdout, format, records.Wants{
		Owners: r.Processes, Info: r.Info, Memory: r.Memory, TOS: r.TOS, Options: r.SockOpt, Proc: s.env.Owners.Proc,
	})
}

// line prints an inet socket: as ss does, or as a record. row is what a file told of it beyond the socket, or nil.
func (s *show) line(sock *diag.InetSocket, row *ss.ProcRow) error {
	switch {
	case s.records != nil:
		return s.records.Socket(sock)
	case row != nil:
		return s.out.InetProc(sock, row)
	}
	return s.out.Inet(sock)
}

// unowned is how many sockets were printed without an owner that they could have.
func (s *show) unowned() int {
	if s.records != nil {
		return s.records.Unowned
	}
	return s.out.Unowned()
}

// end prints what is left to be printed.
func (s *show) end() error {
	if s.records != nil {
		return s.records.Close()
	}
	return s.out.Flush()
}
