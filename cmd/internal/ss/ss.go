package ss

import (
	"errors"
	"fmt"
	"io"

	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/filter"
)

// Exit statuses of ss.
const (
	exitOK      = 0
	exitNothing = 0 // the command line asks for no socket
	exitFailed  = 1
	exitUsage   = 255
	exitPlan    = 2 // where --plan does not fit, as sockeye says elsewhere
)

// Main runs a command line of ss and returns the exit status.
func Main(env *cli.Env) int {
	status, err := run(env)
	if e, ok := errors.AsType[*filter.SSError](err); ok {
		err = &exit{text: e.Text, usage: e.Usage, status: e.Status}
	}
	if e, ok := errors.AsType[*exit](err); ok {
		return e.print(env)
	}
	if err != nil {
		complain(env, err)
		return exitFailed
	}
	return status
}

// print prints what the program ends with: to stdout what was asked for, to stderr the rest.
func (e *exit) print(env *cli.Env) int {
	w := env.Stderr
	if e.status == exitOK && (e.usage || e.text == version) {
		w = env.Stdout
	}
	if e.text != "" {
		fmt.Fprintln(w, e.text)
	}
	if e.usage {
		io.WriteString(w, usage)
	}
	return e.status
}

func complain(env *cli.Env, err error) { fmt.Fprintf(env.Stderr, "ss: %v\n", err) }

func run(env *cli.Env) (status int, err error) {
	args, explain := takeExplain(env.Args)
	args, format, err := takeOutput(args)
	if err != nil {
		return 0, err
	}
	o, err := parseOptions(args, env.Getenv("POSIXLY_CORRECT") != "")
	if err != nil {
		return 0, err
	}
	if err := o.suits(format); err != nil {
		return 0, err
	}
	switch {
	case env.Plan == nil:
	case o.record != "":
		return 0, &exit{text: "sockeye: -D does not go with --plan", status: exitPlan}
	case o.events:
		return 0, &exit{text: "sockeye: -E does not go with --plan", status: exitPlan}
	}
	if o.summary {
		if err := summarize(env); err != nil || o.bare && len(o.words) == 0 {
			return 0, err
		}
	}
	if err := o.settle(); err != nil {
		return 0, err
	}
	left := false
	if format != "" {
		if left, err = o.onlyInet(format); err != nil {
			return 0, err
		}
	}
	defer o.maps.Close()
	conn, err := diag.Dial(env.Kernel)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	if o.record != "" {
		return 0, record(env, o, conn)
	}
	o.ports = portRange(env)
	if err := o.readFilters(env.Stdin); err != nil {
		return 0, err
	}
	f, err := o.filter()
	if err != nil {
		return 0, err
	}
	s := newShow(env, o, f, conn)
	if format != "" {
		s.toRecords(format)
	}
	if left {
		s.hint("sockets of other families than IPv4 and IPv6 have no records, and are left out")
	}
	switch {
	case explain:
		_, err := io.WriteString(env.Stdout, s.explainFilter())
		return 0, err
	case o.events:
		return s.follow()
	}
	return s.run()
}

// filter parses the filter words.
func (o *options) filter() (*filter.Filter, error) {
	if len(o.words) == 0 {
		return filter.New(nil, 0), nil
	}
	env := filter.SystemEnv()
	if o.ports != "" {
		env.PortRange = func() (lo, hi uint16) { return filter.ReadPortRange(o.ports) }
	}
	env.TCP, env.UDP = o.tables&tableTCP != 0, o.tables&tableUDP != 0
	if !o.v4 || !o.v6 || o.preferred != diag.IPv4 && o.preferred != diag.IPv6 { // one who asks for both prefers none
		env.Preferred = o.preferred
	}
	if rpc := o.rpc(); rpc != nil {
		services := env.Service
		env.Service = func(name, proto string) (uint16, bool) {
			if port, ok := services(name, proto); ok {
				return port, true
			}
			return rpcPort(rpc, name, proto)
		}
	}
	return filter.ParseSS(o.words, env)
}
