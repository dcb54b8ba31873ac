// Package list is the verb that sockeye runs when it is given none: a table of the TCP and UDP sockets of the host, listeners first.
package list

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/owner"
	"github.com/sockeye-tools/sockeye/internal/sockets"
	"github.com/sockeye-tools/sockeye/render/names"
	"github.com/sockeye-tools/sockeye/render/table"
)

// Options are what the command line says.
type Options struct {
	TCP, UDP   bool // neither: both
	IPv4, IPv6 bool // neither: both
	Listening  bool // only sockets that wait: TCP in LISTEN, UDP without a peer
	NoHeader   bool
}

// sorted is how many waiting sockets are put in the order of their ports. Beyond it they come as the kernel has them.
const sorted = 10_000

// Run prints the table. Its error is one for the user.
func Run(env *cli.Env, o Options) error {
	c, err := diag.Dial(nil)
	if err != nil {
		return err
	}
	defer c.Close()
	waiting, rest := o.queries()
	p := &printer{env: env, opts: o, conn: c}
	p.out = bufio.NewWriterSize(env.Stdout, 64<<10)
	p.table = table.Printer{W: p.out, NoHeader: o.NoHeader, Interface: p.interfaces.Lookup}
	return p.run(append(waiting, rest...), len(waiting))
}

// queries returns those for sockets that wait, and those for the others.
func (o Options) queries() (waiting, rest []diag.InetQuery) {
	family := diag.Unspec
	if o.IPv4 != o.IPv6 {
		family = diag.IPv6
		if o.IPv4 {
			family = diag.IPv4
		}
	}
	both := o.TCP == o.UDP
	add := func(p diag.Protocol, states diag.States) {
		waiting = append(waiting, diag.InetQuery{Protocol: p, Family: family, States: states})
		if !o.Listening {
			rest = append(rest, diag.InetQuery{Protocol: p, Family: family, States: diag.AllStates &^ states})
		}
	}
	if o.TCP || both {
		add(diag.TCP, diag.StatesOf(diag.Listen))
	}
	if o.UDP || both {
		add(diag.UDP, diag.StatesOf(diag.Close))
	}
	return waiting, rest
}

// printer prints the sockets of one run.
type printer struct {
	env        *cli.Env
	opts       Options
	conn       *diag.Conn
	out        *bufio.Writer
	table      table.Printer
	interfaces names.Interfaces
	errs       []error
}

// run prints the sockets of all queries, the first n of which are sorted.
func (p *printer) run(queries []diag.InetQuery, n int) error {
	r, err := sockets.Open(p.env.Ctx, p.conn, sockets.Request{Queries: queries, Owners: &p.env.Owners, Plan: p.env.Plan})
	if err != nil {
		return err
	}
	owners := r.Owners()
	if owners != nil {
		p.table.Owners = owners
	}
	var wait []*diag.InetSocket
	done := n == 0
	flush := func() error {
		done = true
		slices.SortStableFunc(wait, func(a, b *diag.InetSocket) int {
			return cmp.Or(cmp.Compare(a.Local.Port(), b.Local.Port()), cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(a.Family, b.Family),
				a.Local.Addr().Compare(b.Local.Addr()))
		})
		for _, s := range wait {
			if err := p.table.Socket(s); err != nil {
				return err
			}
		}
		wait = nil
		return nil
	}
	for s, err := range r.All() {
		if err != nil {
			p.errs = append(p.errs, err)
			continue
		}
		if !done {
			if waits(s) && len(wait) < sorted {
				wait = append(wait, s.Clone())
				continue
			}
			if err := flush(); err != nil {
				return err
			}
		}
		if err := p.table.Socket(s); err != nil {
			return err
		}
	}
	if err := flush(); err != nil {
		return err
	}
	if err := errors.Join(p.table.Flush(), p.out.Flush()); err != nil {
		return err
	}
	if owners != nil && owners.Denied() > 0 && p.table.Unowned > 0 {
		p.hint(owners)
	}
	return errors.Join(p.errs...)
}

// waits reports whether the socket waits for peers.
func waits(s *diag.InetSocket) bool {
	return s.State == diag.Listen || s.Protocol == diag.UDP && s.State == diag.Close
}

// hint says why owners are missing.
func (p *printer) hint(t *owner.Table) {
	how := ""
	if os.Geteuid() != 0 {
		how = ": run as root"
	}
	fmt.Fprintf(p.env.Stderr, "sockeye: hint: the descriptors of %d processes could not be read, so some owners are unknown%s\n", t.Denied(), how)
}
