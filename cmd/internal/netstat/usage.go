package netstat

import (
	"fmt"
	"io"

	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
)

// program is the name that messages of netstat's own begin with, whatever it was called by.
const program = "netstat"

func complain(env *cli.Env, line string) { fmt.Fprintln(env.Stderr, line) }

// notYet says that an option is known and has no answer so far.
func notYet(env *cli.Env, what string) int {
	complain(env, program+": "+what+" is not supported yet")
	return exitNotYet
}

// version begins as net-tools' does, for scripts that look at it.
func version(w io.Writer) {
	io.WriteString(w, `net-tools 2.10 compatible: the netstat of sockeye
AF: (inet) +INET +INET6
`)
}

// usage writes the help text; the list of families goes to families, as ever.
func usage(w, families io.Writer) {
	io.WriteString(w, `usage: netstat [-vWnNcaeopl] [<Socket> ...]   netstat {-V|--version|-h|--help}
       netstat [-vWeenNcCF] [<Af>] -r
       netstat { [-vWeenNac] -i | [-cnNe] -M | -s [-6tuw] }
       netstat --bsd ...         with BSD's options and layouts: netstat --bsd -h

        -r, --route              the routing table
        -i, --interfaces         the network devices
        -g, --groups             memberships in multicast groups
        -s, --statistics         counters of the protocols
        -M, --masquerade         masqueraded connections (Linux 2.2 had them)

        -v, --verbose            say which families the kernel does not have
        -W, --wide               show addresses in full
        -n, --numeric            numbers instead of names
        --numeric-hosts          numbers instead of the names of hosts
        --numeric-ports          numbers instead of the names of ports
        --numeric-users          numbers instead of the names of users
        -N, --symbolic           names of hardware
        -e, --extend             also the user and the inode of each socket
        -p, --programs           also the process that has the socket: PID/name
        -o, --timers             also the timer: kind (seconds/retransmissions/probes)
        -c, --continuous         again every second
        --output=FORMAT          IPv4 and IPv6 sockets as json or ndjson, as in sockeye schema

        -l, --listening          only sockets that wait for peers
        -a, --all                all sockets (default: those that have a peer)
        -F, --fib                with -r: the forwarding table (default)
        -C, --cache              with -r: the routing cache
        -Z, --context            also the SELinux context (not yet)

  <Socket>={-t|--tcp} {-u|--udp} {-U|--udplite} {-S|--sctp} {-w|--raw}
           {-x|--unix} --ax25 --ipx --netrom
  <AF>='-6', '-4', '-A <af>' or '--<af>'; default: inet
`)
	io.WriteString(families, `  Address families:
    inet inet6 unix ax25 netrom rose ipx ddp x25
`)
}
