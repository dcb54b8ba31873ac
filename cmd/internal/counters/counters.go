// Package counters is the verb that shows the kernel's counters of the network protocols, by their names in the kernel, with what
// they mean, and how fast they grow.
package counters

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
	"github.com/sockeye-tools/sockeye/diag/counters"
	"github.com/sockeye-tools/sockeye/internal/getopt"
)

const help = `sockeye counters [--json] [--watch INTERVAL] [--nonzero] [PATTERN...]

Shows the counters of IP, ICMP, TCP, MPTCP, UDP and SCTP that the kernel keeps for this network namespace, by their
names in the kernel, such as TcpExt.TCPTimeouts, and what they mean.

PATTERN picks counters by a part of the name or of the meaning, in small or capital letters: retrans. With *, ? or
[abc] it is the whole name: 'tcpext.*drop*'. A PATTERN that matches nothing is an error.

    --nonzero         leave out counters that are 0; with --watch, from the second round on, also those that have
                      not changed
    --watch INTERVAL  again and again, such as every 1s or 500ms, with the difference since the last time, and the
                      rate a second
    --json            one JSON object, with --watch one in a line each time
-h, --help            this text
`

// interval is the shortest time between two rounds.
const interval = 10 * time.Millisecond

// options are what a command line says.
type options struct {
	json, nonzero bool
	watch         time.Duration // 0: once
	patterns      []pattern
}

// errHelp means that the help was asked for.
var errHelp = errors.New("help")

func parse(args []string) (o options, err error) {
	const prog = "counters"
	p := getopt.New(prog, args, []getopt.Option{
		{Long: "json", ID: 'j'},
		{Long: "nonzero", ID: 'n'},
		{Long: "watch", Arg: getopt.Required, ID: 'w'},
		{Short: 'h', Long: "help", ID: 'h'},
	})
	for {
		id, arg, err := p.Next()
		switch {
		case errors.Is(err, io.EOF):
			for _, word := range p.Operands() {
				pattern, err := newPattern(word)
				if err != nil {
					return o, err
				}
				o.patterns = append(o.patterns, pattern)
			}
			return o, nil
		case err != nil:
			return o, errors.New(strings.TrimPrefix(err.Error(), prog+": "))
		}
		switch id {
		case 'j':
			o.json = true
		case 'n':
			o.nonzero = true
		case 'w':
			if o.watch, err = time.ParseDuration(arg); err != nil || o.watch < interval {
				return o, fmt.Errorf("--watch %s: want an interval of at least %v, such as 1s", arg, interval)
			}
		case 'h':
			return o, errHelp
		}
	}
}

// Main runs "sockeye counters" and returns its exit status. env.Args[0] is "counters".
func Main(env *cli.Env) int {
	o, err := parse(env.Args[1:])
	switch {
	case errors.Is(err, errHelp):
		return env.Print(help)
	case err != nil:
		complain(env, err)
		return cli.ExitUsage
	}
	r := reader{}
	if env.Owners.Proc != "" {
		r.dir = filepath.Join(env.Owners.Proc, "net")
	}
	var show func(*round) ([]byte, error)
	if o.json {
		show = appendJSON
	} else {
		show = newText(o.watch > 0).append
	}
	status := cli.ExitOK
	for {
		round, readErr := r.read(&o)
		if readErr != nil && len(round.rows) == 0 {
			complain(env, readErr)
			return cli.ExitFailed
		}
		if r.rounds == 1 && readErr == nil {
			missing := 0
			for _, p := range o.patterns {
				if !p.matched {
					complain(env, fmt.Errorf("no counter matches %q", p.word))
					status = cli.ExitFailed
					missing++
				}
			}
			if missing > 0 && missing == len(o.patterns) {
				return status
			}
		}
		out, err := show(round)
		if err == nil {
			_, err = env.Stdout.Write(out)
		}
		if errors.Is(err, syscall.EPIPE) {
			return cli.ExitFailed
		}
		if err = cmp.Or(err, readErr); err != nil {
			complain(env, err)
			return cli.ExitFailed
		}
		if o.watch == 0 {
			return status
		}
		select {
		case <-time.After(time.Until(round.time.Add(o.watch))):
		case <-env.Ctx.Done():
		}
		if env.Ctx.Err() != nil { // both may be at hand
			return status
		}
	}
}

func complain(env *cli.Env, err error) { fmt.Fprintf(env.Stderr, "sockeye: counters: %v\n", err) }

// round is what is shown at a time.
type round struct {
	time  time.Time
	since time.Duration // since the round before; 0: this is the first
	rows  []row
}

// row is one counter.
type row struct {
	section *counters.Section
	counters.Counter
	key, meaning string
	gauge        bool
	// delta is the difference since the round before, if known.
	known bool
	delta int64
}

// rate returns the events a second, if that is known.
func (r *round) rate(c *row) (float64, bool) {
	if !c.known || c.gauge || c.delta < 0 {
		return 0, false
	}
	return float64(c.delta) / r.since.Seconds(), true
}

// reader reads one round after the other.
type reader struct {
	dir    string // of the files; "": that of the package
	rounds int
	at     time.Time
	last   map[string]counters.Counter // by key
}

// read returns the counters that the options want. With an error, those of the files that could be read.
func (r *reader) read(o *options) (*round, error) {
	sections, err := counters.All(r.dir)
	now := time.Now()
	this := &round{time: now}
	if r.rounds++; r.rounds > 1 {
		this.since = now.Sub(r.at)
	}
	last := r.last
	r.at, r.last = now, map[string]counters.Counter{}
	for i := range sections {
		s := &sections[i]
		for _, c := range s.Counters {
			row := row{section: s, Counter: c, key: s.Key(c), meaning: s.Meaning(c), gauge: s.IsGauge(c)}
			if !o.match(&row) {
				continue
			}
			if before, ok := last[row.key]; ok {
				row.known, row.delta = true, int64(c.Value-before.Value)
			}
			r.last[row.key] = c
			if o.nonzero && (c.Value == 0 && row.delta == 0 || row.known && row.delta == 0) {
				continue
			}
			this.rows = append(this.rows, row)
		}
	}
	return this, err
}
