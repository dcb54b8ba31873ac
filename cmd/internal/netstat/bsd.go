package netstat

import (
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/internal/getopt"
	render "github.com/sockeye-tools/sockeye/render/netstat"
)

// bsdOption makes the netstat of this system one of BSD's.
const bsdOption = "--bsd"

// takeBSD takes --bsd out of a command line, and reports whether it was there.
func takeBSD(args []string) (rest []string, found bool) {
	for i, arg := range args {
		if arg == "--" {
			break
		}
		if i > 0 && arg == bsdOption {
			rest, _ = takeBSD(slices.Concat(args[:i], args[i+1:]))
			return rest, true
		}
	}
	return args, false
}

// bsdOptions are what a command line says that has --bsd.
type bsdOptions struct {
	render.BSDOptions
	numeric, unix, drops   bool
	interfaces, routes     bool
	statistics             int
	only, family, protocol string // -I, -f, -p
}

// bsdUnknown are the options of macOS and FreeBSD that have no answer here, and what they are about.
var bsdUnknown = []struct {
	letter rune
	arg    getopt.ArgKind
	about  string
}{
	{'A', getopt.None, "addresses in the kernel's memory"},
	{'B', getopt.None, "BPF devices"},
	{'C', getopt.None, "congestion control; see sockeye ss -ti"},
	{'c', getopt.Required, "queues of devices"},
	{'F', getopt.None, "packets forwarded by a device"},
	{'g', getopt.None, "multicast groups; see netstat -g without --bsd"},
	{'j', getopt.Required, "jails"},
	{'M', getopt.Required, "memory of a kernel that crashed"},
	{'m', getopt.None, "memory of the network stack"},
	{'N', getopt.Required, "names in a kernel's file"},
	{'o', getopt.None, "timers are shown by -x"},
	{'P', getopt.Required, "traffic classes"},
	{'Q', getopt.None, "polling of devices"},
	{'q', getopt.None, "queues of devices"},
	{'R', getopt.None, "reachability of neighbours"},
	{'S', getopt.None, "state of a link"},
	{'T', getopt.None, "retransmissions; see sockeye ss -ti"},
	{'t', getopt.None, "watchdog timers of devices"},
	{'w', getopt.Required, "rates; see sockeye counters --watch"},
	{'z', getopt.None, "round trip times of routes"},
}

// bsdProtocols are the protocols that -p knows for sockets.
var bsdProtocols = []string{"tcp", "udp", "ip", "icmp", "igmp", "ip6", "icmp6"}

// parseBSD reads a command line as macOS does: the first word that is no option ends the options. status is keepGoing, or the exit
// status.
func parseBSD(env *cli.Env) (o bsdOptions, status int) {
	letters := []getopt.Option{{Long: "help", ID: 'h'}, {Short: 'h', ID: 'h'}}
	for _, c := range "abdiLlnrsuvWx46" {
		letters = append(letters, getopt.Option{Short: c, ID: int(c)})
	}
	for _, c := range "fIp" {
		letters = append(letters, getopt.Option{Short: c, Arg: getopt.Required, ID: int(c)})
	}
	for _, u := range bsdUnknown {
		letters = append(letters, getopt.Option{Short: u.letter, Arg: u.arg, ID: -int(u.letter)})
	}
	p := getopt.New(env.Args[0], env.Args[1:], letters)
	p.Posix = true
	for {
		id, arg, err := p.Next()
		switch {
		case errors.Is(err, io.EOF):
			if operands := p.Operands(); len(operands) > 0 {
				return o, o.fail(env, operands[0]+": no operands are known")
			}
			return o, o.finish(env)
		case err != nil:
			complain(env, err.Error())
			bsdUsage(env.Stderr)
			return o, exitFailed
		}
		if status := o.set(env, id, arg); status != keepGoing {
			return o, status
		}
	}
}

func (o *bsdOptions) fail(env *cli.Env, text string) int {
	complain(env, program+": "+bsdOption+": "+text)
	return exitFailed
}

func (o *bsdOptions) set(env *cli.Env, id int, arg string) int {
	for _, u := range bsdUnknown {
		if id == -int(u.letter) {
			return o.fail(env, "-"+string(u.letter)+" ("+u.about+") is not supported")
		}
	}
	switch id {
	case 'a':
		o.All = true
	case 'b':
		o.Bytes = true
	case 'd':
		o.drops = true
	case 'i':
		o.interfaces = true
	case 'I':
		o.interfaces, o.only = true, arg
	case 'L':
		o.Queues = true
	case 'l':
		o.Long = true
	case 'n':
		o.numeric = true
	case 'r':
		o.routes = true
	case 's':
		o.statistics++
	case 'v':
		o.Verbose = true
	case 'W':
		o.Wide = true
	case 'x':
		o.Buffers = true
	case 'h':
		bsdUsage(env.Stdout)
		return exitOK
	case 'u':
		o.family = "unix"
	case '4':
		o.family = "inet"
	case '6':
		o.family = "inet6"
	case 'f':
		o.family = arg
	case 'p':
		o.protocol = strings.ToLower(arg)
		if !slices.Contains(bsdProtocols, o.protocol) {
			complain(env, program+": "+arg+": unknown or uninstrumented protocol")
			return exitFailed
		}
	}
	return keepGoing
}

// finish works out what options mean together.
func (o *bsdOptions) finish(env *cli.Env) int {
	switch o.family {
	case "":
	case "inet":
		o.Family = diag.IPv4
	case "inet6":
		o.Family = diag.IPv6
	case "unix", "local":
		o.unix = true
	default:
		complain(env, program+": "+o.family+": unknown address family")
		return exitFailed
	}
	switch {
	case o.routes && o.statistics > 0:
		return o.fail(env, "-r -s: Linux does not count that")
	case o.interfaces && o.statistics > 0:
		return o.fail(env, "-i -s: figures by device are not supported; see netstat -i")
	case o.interfaces && o.All:
		return o.fail(env, "-i -a: multicast addresses are not supported; see netstat -g without --bsd")
	case o.routes && o.interfaces:
		return o.fail(env, "-r and -i exclude each other")
	case o.routes && o.unix, o.statistics > 0 && o.unix:
		return o.fail(env, "-f unix is for sockets")
	case o.Queues && o.unix:
		return o.fail(env, "-L is for TCP")
	case o.statistics > 0 && o.protocol != "" && !slices.Contains(render.BSDProtocols, o.protocol):
		return o.fail(env, "-s: Linux does not count "+o.protocol)
	}
	if o.protocol != "tcp" && o.protocol != "udp" {
		o.Raw = o.protocol
	}
	return keepGoing
}

// bsd runs netstat with --bsd and returns its exit status.
func bsd(env *cli.Env) int {
	o, status := parseBSD(env)
	if status != keepGoing {
		return status
	}
	b := &bsdRun{run: newRun(env, nil, nil), o: &o}
	switch {
	case o.interfaces:
		return b.interfaces()
	case o.routes:
		return b.routes()
	case o.statistics > 0:
		return b.statistics()
	}
	c, err := diag.Dial(env.Kernel)
	if err != nil {
		complain(env, program+": "+err.Error())
		return exitFailed
	}
	defer c.Close()
	b.conn = c
	return b.sockets()
}

// bsdRun is one run of the program.
type bsdRun struct {
	*run
	o *bsdOptions
	t *render.BSDTable
}

// bsdUsage writes the help text of --bsd.
func bsdUsage(w io.Writer) {
	io.WriteString(w, `usage: netstat --bsd [-abLlnvWx] [-f FAMILY | -p PROTOCOL]     sockets
       netstat --bsd -r [-alnW] [-f FAMILY]                   routes
       netstat --bsd -i | -I DEVICE [-bdlnW]                  network devices
       netstat --bsd -s [-s] [-f FAMILY | -p PROTOCOL]        counters

Options and layouts are those of the netstat of macOS, with the facts that Linux has.

        -a          also sockets that listen or are only bound; with -r also local routes
        -L          the queues of listeners: waiting / - / limit (of handshakes that are
                    not complete Linux does not tell which listener they belong to)
        -f FAMILY   inet (or -4), inet6 (or -6), unix (or -u)
        -p PROTOCOL tcp, udp, ip, icmp, igmp, ip6, icmp6 (ip, ip6: raw sockets of other protocols)
        -n          numbers instead of names
        -l          room for whole IPv6 addresses
        -W          nothing is cut
        -b          bytes received and sent
        -v          those, the limits of the buffers, and process:pid
        -x          limits and use of the buffers in bytes, timers in seconds (as FreeBSD)
        -d          with -i: packets that were not sent
        -s          counters; -ss those that are not 0

tcp46 is a socket that talks IPv6 and IPv4. "-" is what Linux does not tell.
`)
}
