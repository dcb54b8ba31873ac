// Package netstat is the face of sockeye that is netstat of net-tools 2.10: its options, its tables, its errors and its exit
// statuses. Package render/netstat says how its lines differ from net-tools', and why.
//
// Besides, on purpose: --tcpip means what -A tcpip does, where net-tools prints an internal error; -S lists IPv4 and IPv6 apart, so
// that -4 and -6 pick from it; of the two lines that net-tools has for -2 and -f, the one that tells to recompile is left out; -gc
// reads IPv4 groups as such in every round, net-tools only in the first; -r -A netrom names one of the files that are missing.
//
// With --bsd it is the netstat of macOS instead, with its options and layouts.
package netstat

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
	"github.com/sockeye-tools/sockeye/diag"
)

// interval is the time between two rounds of -c.
const interval = time.Second

// Main runs netstat and returns its exit status.
func Main(env *cli.Env) int {
	if args, found := takeBSD(env.Args); found {
		e := *env
		e.Args = args
		return bsd(&e)
	}
	env, format, status := takeOutput(env)
	if status != keepGoing {
		return status
	}
	o, status := parse(env)
	if status == keepGoing && format != "" {
		status = o.suits(env, format)
	}
	if status != keepGoing {
		return status
	}
	switch {
	case o.masquerade > 0:
		if exists(procRoot(env) + "/ip_masquerade") {
			return notYet(env, "-M")
		}
		noSupport(env, "ip_masquerade")
		return exitFailed
	case o.statistics > 0:
		return newRun(env, &o, nil).statistics()
	case o.routes > 0:
		r := newRun(env, &o, nil)
		return r.rounds(r.routes)
	case o.interfaces > 0:
		r := newRun(env, &o, nil)
		return r.rounds(r.interfaces)
	}
	c, err := diag.Dial(env.Kernel)
	if err != nil {
		complain(env, program+": "+err.Error())
		return exitFailed
	}
	defer c.Close()
	r := newRun(env, &o, c)
	if format != "" {
		return r.rounds(newRecorder(r, format).print)
	}
	return r.rounds(r.tables)
}

// rounds prints once, or with -c again and again until there is an error or the context ends.
func (r *run) rounds(print func() int) int {
	for {
		if status := print(); status != exitOK || !r.o.continuous {
			return status
		}
		select {
		case <-time.After(interval):
		case <-r.env.Ctx.Done():
		}
		if r.env.Ctx.Err() != nil { // both may have been ready
			return exitOK
		}
	}
}

// tables prints every table that is wanted, once.
func (r *run) tables() int {
	o, everything := r.o, !r.o.anyTable()
	inet := everything || o.tcp || o.sctp || o.udp || o.udplite || o.raw
	status := exitOK
	var unix *unixTable
	if everything || o.unix {
		unix = r.readUnix()
	}
	if inet {
		var more bool
		if status, more = r.inet(everything, unix); !more {
			return status
		}
	}
	if o.groups {
		if status, more := r.groups(); !more {
			return status
		}
	}
	if unix != nil {
		if status, more := r.unix(unix, everything, !inet); !more {
			return status
		}
	}
	for _, f := range []struct {
		chosen     bool
		name, file string
	}{
		{o.ipx, "IPX", "ipx"}, {o.ax25, "AX25", "ax25"}, {o.x25, "X25", "x25"}, {o.netrom, "NETROM", "nr"}, {o.rose, "ROSE", "rose"},
	} {
		switch there := exists(procRoot(r.env) + "/" + f.file); {
		case there && f.chosen:
			return notYet(r.env, "AF "+f.name)
		case there && everything:
			r.hint("AF " + f.name + " sockets are not shown yet")
		case f.chosen:
			noSupport(r.env, "AF "+f.name)
			return exitFailed
		case everything && o.verbose:
			noSupport(r.env, "AF "+f.name)
		}
	}
	if o.l2cap || o.rfcomm {
		complain(r.env, program+": feature `AF BLUETOOTH' not supported.")
		return exitFailed
	}
	return status
}

// hint says something on stderr, once in a run.
func (r *run) hint(text string) {
	if !r.hinted[text] {
		r.hinted[text] = true
		complain(r.env, program+": "+text)
	}
}

// whole returns the exit status after all has been printed.
func (r *run) whole() int {
	if r.partial {
		return exitFailed
	}
	return exitOK
}

// unanswered says, once, that names are missing because name servers do not answer.
func (r *run) unanswered() {
	if r.names.hosts.Stopped() {
		r.hint("name servers do not answer: addresses are shown as numbers (-n asks for no names)")
	}
}

func noSupport(env *cli.Env, what string) {
	fmt.Fprintf(env.Stderr, "%s: no support for `%s' on this system.\n", program, what)
}

// perror says why a file could not be read, in the words of the C library.
func perror(env *cli.Env, file string, err error) {
	text := err.Error()
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		text = errno.Error()
		text = strings.ToUpper(text[:1]) + text[1:]
	}
	complain(env, file+": "+text)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// writeFailed says that the output could not be written, unless nobody reads it any more.
func writeFailed(env *cli.Env, err error) int {
	if !errors.Is(err, syscall.EPIPE) {
		complain(env, program+": "+err.Error())
	}
	return exitFailed
}
