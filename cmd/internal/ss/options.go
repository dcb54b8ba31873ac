package ss

import (
	"errors"
	"io"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/internal/getopt"
	"github.com/sockeye-tools/sockeye/render/ss"
)

// options is a command line taken apart.
type options struct {
	tables  tables
	v4, v6  bool   // families
	others  tables // the other families: all tables of each
	states  diag.States
	resolve bool     // -r
	words   []string // the filter
	render  ss.Options
	actions

	preferred diag.Family // the last family that was asked for
	named     diag.States // default states of what was asked for by name
	bare      bool        // nothing was asked for by name
	queried   bool        // -A was seen
}

// exit ends the program with a text on stderr (on stdout if the status is 0) and the usage, if wanted.
type exit struct {
	text   string
	usage  bool
	status int
}

func (e *exit) Error() string { return e.text }

// IDs of long options without a letter.
const (
	optTIPC = 256 + iota
	optTIPCInfo
	optVSock
	optXDP
	optTOS
	optCgroup
	optSockOpt
	optBPFMaps
	optBPFMapID
)

// optionList has the long options in the order that getopt's errors list them in.
var optionList = []getopt.Option{
	{Short: 'n', Long: "numeric", ID: 'n'},
	{Short: 'r', Long: "resolve", ID: 'r'},
	{Short: 'o', Long: "options", ID: 'o'},
	{Short: 'e', Long: "extended", ID: 'e'},
	{Short: 'm', Long: "memory", ID: 'm'},
	{Short: 'i', Long: "info", ID: 'i'},
	{Short: 'p', Long: "processes", ID: 'p'},
	{Short: 'T', Long: "threads", ID: 'T'},
	{Short: 'b', Long: "bpf", ID: 'b'},
	{Short: 'E', Long: "events", ID: 'E'},
	{Short: 'd', Long: "dccp", ID: 'd'},
	{Short: 't', Long: "tcp", ID: 't'},
	{Short: 'S', Long: "sctp", ID: 'S'},
	{Short: 'u', Long: "udp", ID: 'u'},
	{Short: 'w', Long: "raw", ID: 'w'},
	{Short: 'x', Long: "unix", ID: 'x'},
	{Long: "tipc", ID: optTIPC},
	{Long: "vsock", ID: optVSock},
	{Short: 'a', Long: "all", ID: 'a'},
	{Short: 'l', Long: "listening", ID: 'l'},
	{Short: 'B', Long: "bound-inactive", ID: 'B'},
	{Short: '4', Long: "ipv4", ID: '4'},
	{Short: '6', Long: "ipv6", ID: '6'},
	{Short: '0', Long: "packet", ID: '0'},
	{Short: 'f', Long: "family", Arg: getopt.Required, ID: 'f'},
	{Long: "socket", Arg: getopt.Required, ID: 'A'},
	{Short: 'A', Long: "query", Arg: getopt.Required, ID: 'A'},
	{Short: 's', Long: "summary", ID: 's'},
	{Short: 'D', Long: "diag", Arg: getopt.Required, ID: 'D'},
	{Short: 'F', Long: "filter", Arg: getopt.Required, ID: 'F'},
	{Short: 'V', Long: "version", ID: 'V'},
	{Short: 'v', ID: 'V'},
	{Short: 'h', Long: "help", ID: 'h'},
	{Short: 'Z', Long: "context", ID: 'Z'},
	{Short: 'z', Long: "contexts", ID: 'z'},
	{Short: 'N', Long: "net", Arg: getopt.Required, ID: 'N'},
	{Long: "tipcinfo", ID: optTIPCInfo},
	{Long: "tos", ID: optTOS},
	{Long: "cgroup", ID: optCgroup},
	{Short: 'K', Long: "kill", ID: 'K'},
	{Short: 'H', Long: "no-header", ID: 'H'},
	{Long: "xdp", ID: optXDP},
	{Short: 'M', Long: "mptcp", ID: 'M'},
	{Short: 'O', Long: "oneline", ID: 'O'},
	{Long: "inet-sockopt", ID: optSockOpt},
	{Short: 'Q', Long: "no-queues", ID: 'Q'},
	{Long: "bpf-maps", ID: optBPFMaps},
	{Long: "bpf-map-id", Arg: getopt.Required, ID: optBPFMapID},
}

// parse takes a command line apart. The error is an *exit.
func parse(args []string, posix bool) (*options, error) {
	o, err := parseOptions(args, posix)
	if err != nil {
		return nil, err
	}
	return o, o.settle()
}

// parseOptions takes the options. What is left are the words.
func parseOptions(args []string, posix bool) (*options, error) {
	o := &options{bare: true}
	p := getopt.New(args[0], args[1:], optionList)
	p.Posix = posix
	for {
		id, arg, err := p.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, &exit{text: err.Error(), usage: true, status: exitUsage}
		}
		if err := o.option(id, arg); err != nil {
			return nil, err
		}
	}
	o.words = p.Operands()
	return o, nil
}

// settle takes the states from the words, and adds what follows from what was asked for.
func (o *options) settle() (err error) {
	if o.states, o.words, err = takeStates(o.states, o.words); err != nil {
		return err
	}
	return o.complete()
}

// option takes one option.
func (o *options) option(id int, arg string) error {
	r := &o.render
	switch id {
	case 'h':
		return &exit{usage: true}
	case 'V':
		return &exit{text: version}
	case 'n':
		r.Numeric = true
	case 'r':
		o.resolve = true
	case 'o':
		r.Timers = true
	case 'e':
		r.Timers, r.Extended = true, true
	case 'm':
		r.Memory = true
	case 'i':
		r.Info = true
	case 'p':
		r.Processes = true
	case 'H':
		r.NoHeader = true
	case 'Q':
		r.NoQueues = true
	case 'O':
		r.OneLine = true
	case optTOS:
		r.TOS = true
	case optCgroup:
		r.Cgroup = true
	case optSockOpt:
		r.SockOpt = true
	case optTIPCInfo:
		r.TIPCInfo = true
	case 'a':
		o.states = diag.AllStates
	case 'l':
		o.states = statesListening
	case 'B':
		o.states = statesBound
	case 't':
		o.table(tableTCP)
	case 'u':
		o.table(tableUDP)
	case 'w':
		o.table(tableRaw)
	case 'd':
		o.table(tableDCCP)
	case 'S':
		o.table(tableSCTP)
	case 'M':
		o.table(tableMPTCP)
	case 'x':
		o.family(unix.AF_UNIX)
	case '0':
		o.family(unix.AF_PACKET)
	case optVSock:
		o.family(unix.AF_VSOCK)
	case optXDP:
		o.family(unix.AF_XDP)
	case optTIPC:
		o.family(unix.AF_TIPC)
	case '4':
		o.family(diag.IPv4)
	case '6':
		o.family(diag.IPv6)
	case 'f':
		return o.familyWord(arg)
	case 'A':
		return o.query(arg)
	default:
		return o.action(id, arg)
	}
	return nil
}

func (o *options) table(t tables) {
	o.tables |= t
	o.named |= t.defaultStates()
	o.bare = false
}

func (o *options) family(f diag.Family) {
	o.v4 = o.v4 || f == diag.IPv4
	o.v6 = o.v6 || f == diag.IPv6
	states := statesConn
	for i := range others {
		if others[i].family == f {
			o.others |= others[i].tables
			states = others[i].states
		}
	}
	o.named |= states
	o.preferred = f
	o.bare = false
}

// familyWord takes the argument of -f.
func (o *options) familyWord(word string) error {
	f, ok := families[word]
	switch {
	case word == "help":
		return &exit{usage: true}
	case !ok:
		return &exit{text: `ss: "` + word + `" is invalid family`, usage: true, status: exitUsage}
	}
	o.family(f)
	return nil
}

// query takes the argument of -A: tables to add or, behind an exclamation mark, to leave out.
func (o *options) query(list string) error {
	if !o.queried {
		o.queried, o.bare = true, false
		o.tables = 0
		if o.states == 0 {
			o.states = statesConn
		}
	}
	for word := range strings.SplitSeq(list, ",") {
		name, without := strings.CutPrefix(word, "!")
		t, ok := queries[name]
		switch {
		case !ok:
			return &exit{text: `ss: "` + word + `" is illegal socket table id`, usage: true, status: exitUsage}
		case without:
			o.tables &^= t
		default:
			o.table(t)
		}
	}
	return nil
}

// complete adds what follows from what was asked for.
func (o *options) complete() error {
	if o.bare {
		o.tables = tablesAll
		if o.states == 0 {
			o.states = statesConn
		}
	}
	if o.states == 0 {
		o.states = o.named
	}
	if o.tables&tablesInet != 0 && !o.v4 && !o.v6 {
		o.v4, o.v6 = true, true
	}
	if (o.v4 || o.v6) && o.tables&tablesInet == 0 {
		o.tables |= tablesInet
	}
	for i := range others {
		// A table without its family gets that, and a family without a table gets all of its own.
		if t := others[i].tables; o.tables&t == 0 {
			o.tables |= o.others & t
		}
	}
	switch {
	case o.tables == 0:
		return &exit{text: "ss: no socket tables to show with such filter.", status: exitNothing}
	case o.states == 0:
		return &exit{text: "ss: no socket states to show with such filter.", status: exitNothing}
	}
	o.render.Netid = o.tables&(o.tables-1) != 0
	o.render.State = o.states.Len() != 1
	// MPTCP and SCTP have no names of their own: theirs are those of the table before, if it is one with services.
	switch {
	case o.tables&tableTCP != 0:
		o.render.Proto = "tcp"
	case o.tables&tableUDP != 0:
		o.render.Proto = "udp"
	}
	return nil
}
