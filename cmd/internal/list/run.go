package list

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/field"
	"github.com/sockeye-tools/sockeye/diag/filter"
	"github.com/sockeye-tools/sockeye/diag/filter/lang"
	"github.com/sockeye-tools/sockeye/diag/owner"
	"github.com/sockeye-tools/sockeye/internal/shape"
	"github.com/sockeye-tools/sockeye/internal/sockets"
	"github.com/sockeye-tools/sockeye/internal/systemd"
	"github.com/sockeye-tools/sockeye/render/json"
	"github.com/sockeye-tools/sockeye/render/names"
	"github.com/sockeye-tools/sockeye/render/table"
)

// sorted is how many waiting sockets are put in the order of their ports. Beyond it they come as the kernel has them.
const sorted = 10_000

// run prints the sockets. Its error is one for the user: a *usageError or *lang.Error where the command line is to blame.
func run(env *cli.Env, o Options) error {
	if o.Watch > 0 && env.Plan == nil {
		return watch(env, o)
	}
	l, err := newLister(env, o, env.Stdout)
	if err != nil {
		return err
	}
	return l.run()
}

// lister is one run of the verb.
type lister struct {
	env     *cli.Env
	opts    Options
	out     *bufio.Writer
	context *field.Context
	expr    *lang.Expr
	match   func(*diag.InetSocket) bool // with owners
	early   func(*diag.InetSocket) bool // without
	ops     filter.Ops

	ext    diag.Ext
	attrs  bool // attributes that come by themselves are wanted
	owners bool // are needed
	rates  bool // what is shown tells changes or rates, so that --watch has to count all sockets
	rated  bool // the filter asks for them
	full   bool // as many rows as are wanted were printed
	shown  int  // rows so far, where they are not sorted

	interfaces names.Interfaces
	users      names.Users
	cgroups    names.Cgroups
	units      systemd.Sockets

	table   *table.Printer // the output, where it is one of sockets
	output  output
	key     *sortKey // nil: not sorted
	top     shape.Top
	groups  *grouper
	summary *summary

	wait     []*diag.InetSocket // that wait for peers, to be put in the order of their ports
	waited   bool
	color    bool // tables are for a terminal that shows colours
	width    int  // of the terminal; 0: lines are not cut
	unmarked bool // the filter asks for marks, which the kernel did not tell
	unowned  int  // sockets that no process is known to hold, where some could not be looked into
	row, sk  []byte
	failures []error
}

func newLister(env *cli.Env, o Options, w io.Writer) (*lister, error) {
	l := &lister{env: env, opts: o, out: bufio.NewWriterSize(w, 64<<10), color: wantsColor(env, o.Color)}
	if size, ok := env.TerminalSize(); ok && o.Format != "wide" {
		l.width = int(size.Col)
	}
	l.context = &field.Context{Device: l.interfaces.Lookup, User: l.users.Lookup, Cgroup: l.cgroups.Lookup, Proc: env.Owners.Proc,
		SocketUnit: l.units.Unit}
	fenv := filter.SystemEnv()
	l.ops = fenv.Ops
	var err error
	if l.expr, err = lang.Parse(o.Filter, &lang.Env{Filter: fenv, Context: l.context}); err != nil {
		return nil, err
	}
	l.match, l.early = l.expr.Match(), l.expr.Early()
	l.ext = l.expr.Ext()
	l.owners = l.expr.Owners()
	if l.owners && env.Owners.Backend == owner.None {
		return nil, usagef("the filter asks for owners, and --owners=none does not look them up")
	}
	switch {
	case o.Summary:
		l.summary = newSummary(l)
	case o.Group != "":
		l.groups, err = newGrouper(l)
	default:
		err = l.rows()
	}
	return l, err
}

// needs notes what must be asked for.
func (l *lister) needs(fs ...*field.Field) {
	for _, f := range fs {
		l.ext |= f.Ext
		l.attrs = l.attrs || f.Attr
		l.owners = l.owners || f.Where == field.WithOwner
		l.rates = l.rates || f.Group == field.Rates
	}
}

// rows makes the output of sockets, and their order.
func (l *lister) rows() error {
	standard := table.DefaultNames
	switch l.opts.Format {
	case "wide":
		standard = wideNames
	case "json", "ndjson", "csv", "tsv":
		standard = json.Standard
	}
	os, err := orders(l.opts.Sort)
	if err != nil {
		return err
	}
	fs, err := l.fields(l.opts.Columns, standard)
	if err != nil {
		return err
	}
	if len(os) > 0 {
		if l.key, err = l.newSortKey(os); err != nil {
			return err
		}
		l.needs(l.key.fields...)
		if l.opts.Columns == "" { // what it is sorted by is what one wants to see
			for _, f := range l.key.fields {
				if !slices.Contains(fs, f) && !slices.Contains([]string{"proto", "family", "local_addr", "local_port", "peer_addr", "peer_port", "pid", "process"}, f.Name) {
					fs = append(fs, f)
				}
			}
		}
		l.top.Limit = l.opts.Limit
	}
	if l.opts.AllNetNS && l.opts.Columns == "" && !slices.ContainsFunc(fs, func(f *field.Field) bool { return f.Name == "netns" }) {
		if f, err := field.Lookup("netns"); err == nil {
			fs = append([]*field.Field{f}, fs...)
		}
	}
	if l.opts.Watch > 0 && l.opts.Columns == "" {
		for _, name := range watchNames {
			if f, err := field.Lookup(name); err == nil && (name != "time" || l.opts.Format != "" && l.opts.Format != "table" && l.opts.Format != "wide") {
				fs = append(fs, f)
			}
		}
	}
	l.needs(fs...)
	switch l.opts.Format {
	case "json", "ndjson":
		e := json.NewEncoder(l.context, fs)
		l.output = &objects{json.Writer{W: l.out, Lines: l.opts.Format == "ndjson"}, e}
	case "csv", "tsv":
		v := &values{w: l.out, context: l.context, fields: fs, comma: ',', noHeader: l.opts.NoHeader}
		if l.opts.Format == "tsv" {
			v.comma = '\t'
		}
		for _, f := range fs {
			v.heads = append(v.heads, f.Key)
		}
		l.output = v
	default:
		p := &table.Printer{W: l.out, NoHeader: l.opts.NoHeader, Width: l.width, Color: l.color}
		for _, f := range fs {
			col := column(l.context, f)
			col.Keep = f.Name == "change" && l.opts.Columns == ""
			p.Columns = append(p.Columns, col)
		}
		l.table, l.output = p, p
	}
	return nil
}

// errEnough ends a run whose limit is reached.
var errEnough = errors.New("enough")

func (l *lister) run() error {
	err := l.dump()
	if err == nil {
		err = l.finish()
	}
	if errors.Is(err, errEnough) {
		err = nil
	}
	if err != nil {
		return err
	}
	if err := l.out.Flush(); err != nil {
		return err
	}
	l.hint()
	return errors.Join(l.failures...)
}

// dump runs the queries in each namespace.
func (l *lister) dump() error {
	waiting, rest := l.opts.queries()
	queries := append(waiting, rest...)
	for i := range queries {
		queries[i].Ext = l.ext
		queries[i].NoAttrs = l.expr.Tree == nil && !l.attrs
		queries[i].AnyOrder = l.key != nil || l.groups != nil || l.summary != nil
	}
	parts := l.expr.Plan(queries, l.ops)
	queries = queries[:0]
	for _, p := range parts {
		queries = append(queries, p.Query)
	}
	if !l.opts.AllNetNS {
		c, err := diag.Dial(l.env.Kernel)
		if err != nil {
			return err
		}
		defer c.Close()
		return l.show([]sockets.Space{{Conn: c, Queries: queries}}, nil)
	}
	return l.everywhere(queries)
}

// show shows the sockets of network namespaces, one after the other. enter, if not nil, is called in between.
func (l *lister) show(spaces []sockets.Space, enter func(space int)) error {
	req := sockets.Request{Exact: l.env.Exact, Plan: l.env.Plan}
	l.rated = l.context.Watch != nil && slices.ContainsFunc(l.expr.Fields, func(f *field.Field) bool { return f.Group == field.Rates })
	if l.expr.Tree != nil && !l.rated {
		req.Match = l.early
		if slices.ContainsFunc(l.expr.Fields, func(f *field.Field) bool { return f.Name == "mark" }) {
			req.Match = l.earlyOfMarks
		}
	}
	if l.owners {
		req.Owners = &l.env.Owners
	}
	printing, failed := false, error(nil)
	req.Enter = func(i int) {
		if printing && failed == nil {
			failed = l.flushWaiting() // as the namespace before names them
			l.waited = false
		}
		if enter != nil {
			enter(i)
		}
	}
	r, err := sockets.OpenSpaces(l.env.Ctx, spaces, req)
	if err != nil {
		return err
	}
	l.context.Owners = nil
	if t := r.Owners(); t != nil {
		l.context.Owners = t
	}
	late, denied := l.expr.Owners(), l.denied() > 0
	var again []sockets.Space
	printing = true
	for s, err := range r.All() {
		if failed != nil {
			return failed
		}
		if q, ok := sockets.Refused(err); ok { // without its filter: it is evaluated here then
			if again == nil {
				again = slices.Clone(spaces)
				for i := range again {
					again[i].Queries = nil
				}
			}
			again[r.Space()].Queries = append(again[r.Space()].Queries, q)
			continue
		}
		if err != nil {
			if err = l.inSpace(err, spaces[r.Space()].Name); err != nil {
				l.failures = append(l.failures, err)
			}
			continue
		}
		if denied && s.Inode != 0 && len(l.context.Holders(s)) == 0 {
			l.unowned++ // the filter may be about the owner
		}
		if (late || l.rated) && !l.picks(s) {
			continue
		}
		if err := l.socket(s); err != nil {
			return err
		}
	}
	if failed != nil {
		return failed
	}
	if again != nil {
		return l.show(again, enter)
	}
	return l.flushWaiting()
}

// earlyOfMarks is early, and notes whether the kernel tells marks.
func (l *lister) earlyOfMarks(s *diag.InetSocket) bool {
	if _, told := s.Mark(); !told && s.Source == diag.FromNetlink && !diag.BucketStates.Has(s.State) {
		l.unmarked = true
	}
	return l.early(s)
}

// picks reports whether the filter picks a socket. If it asks what has changed, sockets are remembered before it is asked, and those that it
// picks as gone will be shown then.
func (l *lister) picks(s *diag.InetSocket) bool {
	if w := l.context.Watch; l.rated {
		if w.AsGone(l.match, s) && l.output != nil {
			w.Note(l.context, s, l.output.AppendRow)
		} else {
			w.Count(l.context, s)
		}
	}
	return l.match(s)
}

// socket shows a socket, or counts it.
func (l *lister) socket(s *diag.InetSocket) error {
	switch {
	case l.summary != nil:
		l.summary.add(s)
		return nil
	case l.groups != nil:
		if w := l.context.Watch; w != nil && l.rates && !l.rated {
			w.Count(l.context, s)
		}
		l.groups.add(s)
		return nil
	}
	if w := l.context.Watch; w != nil && !l.rated {
		w.Note(l.context, s, l.output.AppendRow)
	}
	if l.full {
		return nil
	}
	if l.key != nil {
		l.sk = l.key.append(l.sk[:0], s)
		if l.top.Wants(l.sk) {
			l.row = l.output.AppendRow(l.row[:0], s)
			l.top.Add(l.sk, l.row)
		}
		return nil
	}
	if l.table != nil && !l.waited {
		if waits(s) && len(l.wait) < sorted {
			l.wait = append(l.wait, s.Clone())
			return nil
		}
		if err := l.flushWaiting(); err != nil {
			return err
		}
		l.waited = true
	}
	return l.print(s)
}

func (l *lister) print(s *diag.InetSocket) error {
	if l.full {
		return nil
	}
	l.row = l.output.AppendRow(l.row[:0], s)
	if err := l.output.Row(l.row); err != nil {
		return err
	}
	if l.shown++; l.shown != l.opts.Limit {
		return nil
	}
	if l.full = true; l.context.Watch != nil && (l.rates || l.rated) {
		return nil // the others must be known in the next round
	}
	return l.enough()
}

// enough prints what there is.
func (l *lister) enough() error {
	if err := l.output.Flush(); err != nil {
		return err
	}
	if err := l.out.Flush(); err != nil {
		return err
	}
	return errEnough
}

// flushWaiting prints the sockets that wait for peers, in the order of their ports.
func (l *lister) flushWaiting() error {
	slices.SortStableFunc(l.wait, func(a, b *diag.InetSocket) int {
		return cmp.Or(cmp.Compare(a.Local.Port(), b.Local.Port()), cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(a.Family, b.Family),
			a.Local.Addr().Compare(b.Local.Addr()))
	})
	wait := l.wait
	l.wait = nil
	for _, s := range wait {
		if err := l.print(s); err != nil {
			return err
		}
	}
	return nil
}

// finish prints what was kept.
func (l *lister) finish() error {
	w := l.context.Watch
	if w != nil && (len(l.failures) > 0 || l.env.Ctx.Err() != nil) {
		w.Keep()
	}
	switch {
	case l.summary != nil:
		return l.summary.print()
	case l.groups != nil:
		return l.groups.print()
	}
	for row := range l.top.Rows() {
		if err := l.output.Row(row); err != nil {
			return err
		}
	}
	if w != nil && l.opts.Limit == 0 {
		for row := range w.Gone() {
			if err := l.output.Row(row); err != nil {
				return err
			}
		}
	}
	return l.output.Flush()
}

// waits reports whether the socket waits for peers.
func waits(s *diag.InetSocket) bool {
	return s.State == diag.Listen || s.Protocol == diag.UDP && s.State == diag.Close
}

// denied is how many processes' descriptors could not be read.
func (l *lister) denied() int {
	if l.context.Owners == nil {
		return 0
	}
	return l.context.Owners.Denied()
}

// hint says why owners, or what a filter asks for, are missing.
func (l *lister) hint() {
	if l.unmarked {
		fmt.Fprintf(l.env.Stderr, "sockeye: hint: marks are not known without CAP_NET_ADMIN%s\n", asRoot())
	}
	if l.unowned > 0 && l.denied() > 0 {
		fmt.Fprintf(l.env.Stderr, "sockeye: hint: the descriptors of %s could not be read, so some owners are unknown%s\n", processes(l.denied()), asRoot())
	}
}

// asRoot is the end of a hint to who is not.
func asRoot() string {
	if os.Geteuid() == 0 {
		return ""
	}
	return ": run as root"
}

func processes(n int) string {
	if n == 1 {
		return "a process"
	}
	return fmt.Sprintf("%d processes", n)
}
