package netstat

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
	"github.com/sockeye-tools/sockeye/internal/getopt"
	render "github.com/sockeye-tools/sockeye/render/netstat"
)

// options are what a command line says.
type options struct {
	all, listening                             bool
	numericHosts, numericPorts, numericUsers   bool
	extend, programs, timers, wide             bool
	verbose, continuous                        bool
	tcp, sctp, udp, udplite, raw               bool
	unix, groups, l2cap, rfcomm                bool
	inet, inet6                                bool
	ipx, ax25, x25, netrom, rose, bluetooth    bool
	routes, interfaces, statistics, masquerade int

	route    routeOptions
	families string // as often as they were named, in that order, with commas

	// implied: the inet tables were not asked for by name, so that one that is missing is no error.
	implied bool
}

// routeOptions are what a command line says about routes.
type routeOptions struct {
	extended             int // how often -e was given
	fib, cache, symbolic bool
}

// Options without a letter.
const (
	optFamily = 0x100 + iota // a family's own name
	optNumericHosts
	optNumericPorts
	optNumericUsers
)

// words are the options in the order that getopt's errors list them in.
var words = []getopt.Option{
	{Long: "ax25", ID: optFamily},
	{Long: "ip", ID: optFamily},
	{Long: "ipx", ID: optFamily},
	{Long: "appletalk", ID: optFamily},
	{Long: "netrom", ID: optFamily},
	{Long: "inet", ID: optFamily},
	{Long: "inet6", ID: optFamily},
	{Long: "ddp", ID: optFamily},
	{Long: "tcpip", ID: optFamily},
	{Long: "x25", ID: optFamily},
	{Long: "rose", ID: optFamily},
	{Long: "bluetooth", ID: optFamily},
	{Short: 'V', Long: "version", ID: 'V'},
	{Short: 'i', Long: "interfaces", ID: 'i'},
	{Short: 'h', Long: "help", ID: 'h'},
	{Short: 'r', Long: "route", ID: 'r'},
	{Short: 'M', Long: "masquerade", ID: 'M'},
	{Short: 'A', Long: "protocol", Arg: getopt.Required, ID: 'A'},
	{Short: 't', Long: "tcp", ID: 't'},
	{Short: 'S', Long: "sctp", ID: 'S'},
	{Short: 'u', Long: "udp", ID: 'u'},
	{Short: 'U', Long: "udplite", ID: 'U'},
	{Short: 'w', Long: "raw", ID: 'w'},
	{Short: 'x', Long: "unix", ID: 'x'},
	{Short: '2', Long: "l2cap", ID: '2'},
	{Short: 'f', Long: "rfcomm", ID: 'f'},
	{Short: 'l', Long: "listening", ID: 'l'},
	{Short: 'a', Long: "all", ID: 'a'},
	{Short: 'o', Long: "timers", ID: 'o'},
	{Short: 'c', Long: "continuous", ID: 'c'},
	{Short: 'e', Long: "extend", ID: 'e'},
	{Short: 'p', Long: "programs", ID: 'p'},
	{Short: 'v', Long: "verbose", ID: 'v'},
	{Short: 's', Long: "statistics", ID: 's'},
	{Short: 'W', Long: "wide", ID: 'W'},
	{Short: 'n', Long: "numeric", ID: 'n'},
	{Long: "numeric-hosts", ID: optNumericHosts},
	{Long: "numeric-ports", ID: optNumericPorts},
	{Long: "numeric-users", ID: optNumericUsers},
	{Short: 'N', Long: "symbolic", ID: 'N'},
	{Short: 'C', Long: "cache", ID: 'C'},
	{Short: 'F', Long: "fib", ID: 'F'},
	{Short: 'g', Long: "groups", ID: 'g'},
	{Short: 'Z', Long: "context", ID: 'Z'},
	{Short: '4', ID: '4'},
	{Short: '6', ID: '6'},
	{Short: 'd', ID: 'd'},
	{Short: '?', ID: '?'},
}

// Exit statuses of net-tools, and of ours what is not done yet.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 3
	exitNotYet = 4
	exitErrno  = 255
	keepGoing  = -1 // no exit status: go on
)

// selinux is there where SELinux is on.
const selinux = "/sys/fs/selinux/enforce"

// parse reads the command line. Options act in order: the first that has an answer of its own, or is wrong, ends the program
// with the status that is returned.
func parse(env *cli.Env) (o options, status int) {
	p := getopt.New(env.Args[0], env.Args[1:], words)
	p.Posix = env.Getenv("POSIXLY_CORRECT") != ""
	for {
		id, arg, err := p.Next()
		switch {
		case errors.Is(err, io.EOF):
			return o, o.finish(env)
		case err != nil:
			complain(env, err.Error())
			usage(env.Stderr, env.Stderr)
			return o, exitUsage
		}
		if status := o.set(env, id, arg, p.Name()); status != keepGoing {
			return o, status
		}
	}
}

// set takes one option.
func (o *options) set(env *cli.Env, id int, arg, name string) int {
	switch id {
	case 'a':
		o.all = true
	case 'l':
		o.listening = true
	case 'n':
		o.numericHosts, o.numericPorts, o.numericUsers = true, true, true
	case optNumericHosts:
		o.numericHosts = true
	case optNumericPorts:
		o.numericPorts = true
	case optNumericUsers:
		o.numericUsers = true
	case 'e':
		o.extend = true
		o.route.extended++
	case 'p':
		o.programs = true
	case 'o':
		o.timers = true
	case 'W':
		o.wide = true
	case 'v':
		o.verbose = true
	case 'c':
		o.continuous = true
	case 't':
		o.tcp = true
	case 'S':
		o.sctp = true
	case 'u':
		o.udp = true
	case 'U':
		o.udplite = true
	case 'w':
		o.raw = true
	case 'x':
		o.family("unix")
	case 'g':
		o.groups = true
	case '2':
		o.l2cap = true
	case 'f':
		o.rfcomm = true
	case 'r':
		o.routes++
	case 'i':
		o.interfaces++
	case 's':
		o.statistics++
	case 'M':
		o.masquerade++
	case '4':
		o.family("inet")
	case '6':
		o.family("inet6")
	case 'A':
		for f := range strings.SplitSeq(arg, ",") {
			if !o.family(f) {
				complain(env, "Unknown address family `"+f+"'.")
				return exitFailed
			}
		}
	case optFamily:
		o.family(name)
	case 'Z':
		if _, err := os.Stat(selinux); err != nil {
			complain(env, "SELinux is not enabled on this machine.")
			return exitFailed
		}
		return notYet(env, "-Z")
	case 'V':
		version(env.Stdout)
		return exitOK
	case 'h':
		usage(env.Stdout, env.Stderr)
		return exitOK
	case '?':
		usage(env.Stderr, env.Stderr)
		return exitUsage
	case 'N':
		o.route.symbolic = true
	case 'C':
		o.route.cache = true
	case 'F':
		o.route.fib = true
	case 'd': // has no meaning
	}
	return keepGoing
}

// family adds a family by a keyword of -A, and reports whether there is one.
func (o *options) family(name string) bool {
	canonical := name
	switch name {
	case "inet", "ip", "tcpip":
		canonical, o.inet = "inet", true
	case "inet6", "ip6":
		canonical, o.inet6 = "inet6", true
	case "unix":
		o.unix = true
	case "ipx":
		o.ipx = true
	case "ax25":
		o.ax25 = true
	case "x25":
		o.x25 = true
	case "netrom":
		o.netrom = true
	case "rose":
		o.rose = true
	case "bluetooth":
		o.bluetooth = true
	case "ddp", "appletalk": // these have no table of sockets
		canonical = "ddp"
	case "econet":
		canonical = "ec"
	case "ash":
	default:
		return false
	}
	if o.families != "" {
		o.families += ","
	}
	o.families += canonical
	return true
}

// finish works out what options mean together.
func (o *options) finish(env *cli.Env) int {
	if o.routes+o.interfaces+o.statistics+o.masquerade > 1 {
		usage(env.Stderr, env.Stderr)
		return exitUsage
	}
	byName := o.tcp || o.sctp || o.udp || o.udplite || o.raw
	if (o.inet || o.inet6) && !byName {
		o.tcp, o.sctp, o.udp, o.udplite, o.raw = true, true, true, true, true
		o.implied = true
	}
	if (byName || o.groups) && !o.inet && !o.inet6 {
		o.inet, o.inet6 = true, true
	}
	if o.bluetooth && !o.l2cap && !o.rfcomm {
		o.l2cap, o.rfcomm = true, true
	}
	return keepGoing
}

// anyTable reports whether a table of sockets was chosen. Where none was, all are shown.
func (o *options) anyTable() bool {
	return o.tcp || o.sctp || o.udp || o.udplite || o.raw || o.unix || o.groups || o.l2cap || o.rfcomm ||
		o.ipx || o.ax25 || o.x25 || o.netrom || o.rose
}

func (o *options) which() render.Which {
	switch {
	case o.all:
		return render.All
	case o.listening:
		return render.Servers
	}
	return render.Connected
}

// procRoot returns where the tables of /proc/net are.
func procRoot(env *cli.Env) string {
	if env.Owners.Proc != "" {
		return filepath.Join(env.Owners.Proc, "net")
	}
	return "/proc/thread-self/net"
}
