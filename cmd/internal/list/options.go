package list

import (
	"cmp"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/internal/getopt"
)

// Options are what the command line says.
type Options struct {
	TCP, UDP   bool // neither: both
	IPv4, IPv6 bool // neither: both
	Listening  bool // only sockets that wait: TCP in LISTEN, UDP without a peer
	NoHeader   bool
	Filter     string
	Columns    string
	Sort       string
	Group      string
	Having     string
	Limit      int // 0: all
	Summary    bool
	Format     string // "" is a table
	Color      string // "" is auto
	AllNetNS   bool
	Watch      time.Duration // 0: once
}

// formats are the values of --output.
var formats = []string{"table", "wide", "json", "ndjson", "csv", "tsv"}

const usage = `Usage: sockeye list [OPTIONS] [FILTER]

The TCP and UDP sockets of this host, listeners first, with their owners.

  -t, --tcp              TCP only
  -u, --udp              UDP only
  -4, --ipv4             IPv4 only
  -6, --ipv6             IPv6 only
  -l, --listening        only sockets that wait for peers
  -c, --columns LIST     what is shown: fields, or the groups base, tcp, memory, options, owner,
                         all; +FIELD adds to what is shown anyway
  -s, --sort KEYS        order: FIELD[:desc],...
  -n, --limit N          only the first N
  -g, --group-by KEYS    one line for each value of the fields, with the number of its sockets;
                         peer/24 and local/64 are prefixes. --columns then takes count, sum(FIELD),
                         min() max() avg() p50() p90() p99()
      --having COND      only groups with such a figure: 'count > 1000', 'p99(rtt) > 100ms'
      --summary          the whole at a glance: states, queues, retransmissions, top talkers
  -o, --output FORMAT    table, wide, json, ndjson, csv or tsv
  -A, --all-netns        the sockets of every network namespace
  -w, --watch TIME       again and again, such as every 2s; json is an array each time, one behind
                         the other: for one object a line, say ndjson
      --color[=WHEN]     auto (on a terminal, unless NO_COLOR is set), always or never
  -H, --no-header        leave out the headings
      --owners=WHERE     how owners are looked up: auto, bpf, proc or none
      --exact            each TCP and UDP socket that exists all the time once, and none left out
                         (root, Linux 6.17)
      --plan             say what would be asked of the kernel, and why, and do not ask

FILTER is a condition such as 'state close-wait and process = nginx' or 'rtt > 100ms':
sockeye help filters explains, sockeye fields lists the fields.
`

const (
	optTCP = iota
	optUDP
	optIPv4
	optIPv6
	optListening
	optColumns
	optSort
	optLimit
	optGroup
	optHaving
	optSummary
	optOutput
	optAllNetNS
	optWatch
	optNoHeader
	optColor
	optOwners
	optHelp
)

var options = []getopt.Option{
	{Short: 't', Long: "tcp", ID: optTCP},
	{Short: 'u', Long: "udp", ID: optUDP},
	{Short: '4', Long: "ipv4", ID: optIPv4},
	{Short: '6', Long: "ipv6", ID: optIPv6},
	{Short: 'l', Long: "listening", ID: optListening},
	{Short: 'c', Long: "columns", Arg: getopt.Required, ID: optColumns},
	{Short: 's', Long: "sort", Arg: getopt.Required, ID: optSort},
	{Short: 'n', Long: "limit", Arg: getopt.Required, ID: optLimit},
	{Short: 'g', Long: "group-by", Arg: getopt.Required, ID: optGroup},
	{Long: "having", Arg: getopt.Required, ID: optHaving},
	{Long: "summary", ID: optSummary},
	{Short: 'o', Long: "output", Arg: getopt.Required, ID: optOutput},
	{Short: 'A', Long: "all-netns", ID: optAllNetNS},
	{Short: 'w', Long: "watch", Arg: getopt.Required, ID: optWatch},
	{Short: 'H', Long: "no-header", ID: optNoHeader},
	{Long: "color", Arg: getopt.Optional, ID: optColor},
	{Long: "owners", Arg: getopt.Required, ID: optOwners},
	{Short: 'h', Long: "help", ID: optHelp},
}

// Parse reads the words behind the verb. What is no option is the filter.
func Parse(args []string) (o Options, help bool, err error) {
	p := getopt.New("sockeye", args, options)
	for {
		id, arg, err := p.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			if e, ok := errors.AsType[*getopt.Error](err); ok {
				return o, false, usagef("%s", e.Text)
			}
			return o, false, err
		}
		switch id {
		case optTCP:
			o.TCP = true
		case optUDP:
			o.UDP = true
		case optIPv4:
			o.IPv4 = true
		case optIPv6:
			o.IPv6 = true
		case optListening:
			o.Listening = true
		case optColumns:
			o.Columns = arg
		case optSort:
			o.Sort = arg
		case optGroup:
			o.Group = arg
		case optHaving:
			o.Having = arg
		case optSummary:
			o.Summary = true
		case optAllNetNS:
			o.AllNetNS = true
		case optNoHeader:
			o.NoHeader = true
		case optHelp:
			return o, true, nil
		case optOwners: // --owners=WHERE was taken out of the arguments before they came here
			return o, false, usagef("write --owners=%s, in one word", arg)
		case optOutput:
			if !slices.Contains(formats, arg) {
				return o, false, usagef("there is no format %q: want %s", arg, strings.Join(formats, ", "))
			}
			o.Format = arg
		case optColor:
			if o.Color = cmp.Or(arg, "always"); !slices.Contains(colors, o.Color) {
				return o, false, usagef("--color=%s: want %s", arg, strings.Join(colors, ", "))
			}
		case optLimit:
			n, err := strconv.ParseUint(arg, 10, 31)
			if err != nil || n == 0 {
				return o, false, usagef("--limit %s: want a number from 1 on", arg)
			}
			o.Limit = int(n)
		case optWatch:
			d, err := time.ParseDuration(arg)
			if err != nil || d < 100*time.Millisecond {
				return o, false, usagef("--watch %s: want a time from 100ms on, such as 2s", arg)
			}
			o.Watch = d
		}
	}
	o.Filter = strings.Join(p.Operands(), " ")
	return o, false, o.check()
}

// check refuses what does not go together.
func (o *Options) check() error {
	switch {
	case o.Summary && (o.Group != "" || o.Sort != "" || o.Columns != "" || o.Limit != 0):
		return usagef("--summary has its own columns, order and groups")
	case o.Summary && o.Format != "" && o.Format != "table" && o.Format != "wide":
		return usagef("--summary is a table for people: use --group-by for %s", o.Format)
	case o.Having != "" && o.Group == "":
		return usagef("--having picks groups: say --group-by")
	}
	return nil
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
