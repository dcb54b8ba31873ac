package ss

import (
	"errors"
	"strings"
	"testing"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/render/ss"
)

// words splits a command line at blanks.
func words(line string) []string { return append([]string{"ss"}, strings.Fields(line)...) }

// TestTablesFamiliesStates: each line was run with ss, and its columns and rows looked at.
func TestTablesFamiliesStates(t *testing.T) {
	const (
		conn   = statesConn
		est    = diag.States(1 << diag.Established)
		all    = diag.AllStates
		listen = statesListening
	)
	for _, tt := range []struct {
		line   string
		tables tables
		v4, v6 bool
		states diag.States
	}{
		{"", tablesAll, true, true, conn},
		{"-a", tablesAll, true, true, all},
		{"-l", tablesAll, true, true, listen},
		{"-B", tablesAll, true, true, statesBound},
		{"-lB", tablesAll, true, true, statesBound}, // the last counts
		{"-Bl", tablesAll, true, true, listen},
		{"exclude all", tablesAll, true, true, conn},
		{"-t", tableTCP, true, true, conn},
		{"-u", tableUDP, true, true, est},
		{"-w", tableRaw, true, true, est},
		{"-S", tableSCTP, true, true, conn},
		{"-d", tableDCCP, true, true, conn},
		{"-M", tableMPTCP, true, true, conn},
		{"-ut", tableTCP | tableUDP, true, true, conn},
		{"-uw", tableUDP | tableRaw, true, true, est},
		{"-4", tablesInet, true, false, conn},
		{"-6", tablesInet, false, true, conn},
		{"-4u", tableUDP, true, false, conn},
		{"-4 -6 -t", tableTCP, true, true, conn},
		{"-f inet", tablesInet, true, false, conn},
		{"-f inet6 -u", tableUDP, false, true, conn},
		{"-A tcp", tableTCP, true, true, conn},
		{"-A udp", tableUDP, true, true, conn}, // -A asks for connections
		{"-A udp -a", tableUDP, true, true, all},
		{"-l -A udp", tableUDP, true, true, listen},
		{"-A inet", tablesInet, true, true, conn},
		{"-A all", tablesAll, true, true, conn},
		{"-A all,!tcp", tablesAll &^ tableTCP, true, true, conn},
		{"-A inet,!udp,!raw", tablesInet &^ (tableUDP | tableRaw), true, true, conn},
		{"-t -A udp", tableUDP, true, true, conn},            // the first -A forgets
		{"-A udp -t", tableUDP | tableTCP, true, true, conn}, // but not what follows it
		{"-A tcp -A udp", tableUDP | tableTCP, true, true, conn},
		{"--query=tcp,raw", tableRaw | tableTCP, true, true, conn},
		{"--socket tcp", tableTCP, true, true, conn},
		{"-A tcp,!tcp -6", tablesInet, false, true, conn},
		{"-t state listening", tableTCP, true, true, 1 << diag.Listen},
		{"-tl state established", tableTCP, true, true, est},
		{"-tl exclude all", tableTCP, true, true, conn},
		{"-ul exclude all", tableUDP, true, true, est},
		{"state listening -t", tableTCP, true, true, 1 << diag.Listen},
	} {
		o, err := parse(words(tt.line), false)
		if err != nil {
			t.Errorf("%q: %v", tt.line, err)
			continue
		}
		if o.tables != tt.tables || o.v4 != tt.v4 || o.v6 != tt.v6 || o.states != tt.states {
			t.Errorf("%q: tables %b, v4 %v, v6 %v, states %b, want %b, %v, %v, %b", tt.line, o.tables, o.v4, o.v6, o.states,
				tt.tables, tt.v4, tt.v6, tt.states)
		}
	}
}

func TestRenderOptions(t *testing.T) {
	for _, tt := range []struct {
		line string
		want ss.Options
	}{
		{"-tu", ss.Options{Netid: true, State: true, Proto: "tcp"}},
		{"-t", ss.Options{State: true, Proto: "tcp"}},
		{"-u", ss.Options{Proto: "udp"}},
		{"-ua", ss.Options{State: true, Proto: "udp"}},
		{"-Ma", ss.Options{State: true}},
		{"-wMa", ss.Options{Netid: true, State: true}},
		{"-uMa", ss.Options{Netid: true, State: true, Proto: "udp"}},
		{"-t state established", ss.Options{Proto: "tcp"}},
		{"-tB", ss.Options{Proto: "tcp"}},
		{"-tn", ss.Options{State: true, Proto: "tcp", Numeric: true}},
		{"-to", ss.Options{State: true, Proto: "tcp", Timers: true}},
		{"-te", ss.Options{State: true, Proto: "tcp", Timers: true, Extended: true}},
		{"-tm", ss.Options{State: true, Proto: "tcp", Memory: true}},
		{"-ti", ss.Options{State: true, Proto: "tcp", Info: true}},
		{"-tp", ss.Options{State: true, Proto: "tcp", Processes: true}},
		{"-tH", ss.Options{State: true, Proto: "tcp", NoHeader: true}},
		{"-tQ", ss.Options{State: true, Proto: "tcp", NoQueues: true}},
		{"-tO", ss.Options{State: true, Proto: "tcp", OneLine: true}},
		{"-t --tos --cgroup --inet-sockopt", ss.Options{State: true, Proto: "tcp", TOS: true, Cgroup: true, SockOpt: true}},
		{"--tcp --numeric --options --extended --memory --info --processes --no-header --no-queues --oneline", ss.Options{
			State: true, Proto: "tcp", Numeric: true, Timers: true, Extended: true, Memory: true, Info: true, Processes: true,
			NoHeader: true, NoQueues: true, OneLine: true,
		}},
		{"--tcp --num --opt --ext --mem --inf --proc --no-h --no-q --onel", ss.Options{
			State: true, Proto: "tcp", Numeric: true, Timers: true, Extended: true, Memory: true, Info: true, Processes: true,
			NoHeader: true, NoQueues: true, OneLine: true,
		}},
		{"-t --tipcinfo", ss.Options{State: true, Proto: "tcp", TIPCInfo: true}},
	} {
		o, err := parse(words(tt.line), false)
		if err != nil {
			t.Errorf("%q: %v", tt.line, err)
			continue
		}
		if o.render.Netid != tt.want.Netid || o.render.State != tt.want.State || o.render.Proto != tt.want.Proto {
			t.Errorf("%q: %+v", tt.line, o.render)
		}
		got := o.render
		got.Host, tt.want.Host = nil, nil
		if !sameOptions(got, tt.want) {
			t.Errorf("%q:\n got %+v\nwant %+v", tt.line, got, tt.want)
		}
	}
}

// sameOptions compares what can be compared: without the function in it.
func sameOptions(a, b ss.Options) bool {
	type flags struct {
		netid, state, noHeader, noQueues, oneLine, numeric, timers, extended, memory, info, processes, tos, cgroup, sockOpt bool
		proto                                                                                                               string
	}
	of := func(o ss.Options) flags {
		return flags{o.Netid, o.State, o.NoHeader, o.NoQueues, o.OneLine, o.Numeric, o.Timers, o.Extended, o.Memory, o.Info,
			o.Processes, o.TOS, o.Cgroup, o.SockOpt, o.Proto}
	}
	return of(a) == of(b)
}

func TestParseErrors(t *testing.T) {
	for _, tt := range []struct {
		line   string
		want   string
		usage  bool
		status int
	}{
		{"-h", "", true, 0},
		{"-tah", "", true, 0},
		{"--help", "", true, 0},
		{"-f help", "", true, 0},
		{"-V", version, false, 0},
		{"-v", version, false, 0},
		{"-t --version -q", version, false, 0}, // at once
		{"-q", "ss: invalid option -- 'q'", true, 255},
		{"--foo", "ss: unrecognized option '--foo'", true, 255},
		{"--n", "ss: option '--n' is ambiguous; possibilities: '--numeric' '--net' '--no-header' '--no-queues'", true, 255},
		{"--b", "ss: option '--b' is ambiguous; possibilities: '--bpf' '--bound-inactive' '--bpf-maps' '--bpf-map-id'", true, 255},
		{"--c", "ss: option '--c' is ambiguous; possibilities: '--context' '--contexts' '--cgroup'", true, 255},
		{"--i", "ss: option '--i' is ambiguous; possibilities: '--info' '--ipv4' '--ipv6' '--inet-sockopt'", true, 255},
		{"--s", "ss: option '--s' is ambiguous; possibilities: '--sctp' '--socket' '--summary'", true, 255},
		{"--t", "ss: option '--t' is ambiguous; possibilities: '--threads' '--tcp' '--tipc' '--tipcinfo' '--tos'", true, 255},
		{"--v", "ss: option '--v' is ambiguous; possibilities: '--vsock' '--version'", true, 255},
		{"--all=3", "ss: option '--all' doesn't allow an argument", true, 255},
		{"-A", "ss: option requires an argument -- 'A'", true, 255},
		{"--query", "ss: option '--query' requires an argument", true, 255},
		{"-A foo", `ss: "foo" is illegal socket table id`, true, 255},
		{"-A !foo", `ss: "!foo" is illegal socket table id`, true, 255},
		{"-A tcp,,udp", `ss: "" is illegal socket table id`, true, 255},
		{"-A TCP", `ss: "TCP" is illegal socket table id`, true, 255},
		{"-f foo", `ss: "foo" is invalid family`, true, 255},
		{"-f INET", `ss: "INET" is invalid family`, true, 255},
		{"-A tcp,!tcp", "ss: no socket tables to show with such filter.", false, 0},
		{"-A !tcp", "ss: no socket tables to show with such filter.", false, 0},
		{"state foo", "ss: wrong state name: foo", false, 255},
		{"-F /no/such/file", "fopen filter file: No such file or directory", false, 255},
		{"-F /dev/null -F x", "More than one filter file", false, 255},
		{"-N no-such-namespace", `Cannot open network namespace "no-such-namespace": No such file or directory`, false, 1},
		{"--bpf-map-id=x", "ss: invalid BPF map ID x", false, 1},
		{"--bpf-maps --bpf-map-id=3", "ss: --bpf-maps and --bpf-map-id cannot be used together", false, 1},
	} {
		_, err := parse(words(tt.line), false)
		e, ok := errors.AsType[*exit](err)
		if !ok {
			t.Errorf("%q: %v, want an exit", tt.line, err)
			continue
		}
		if e.text != tt.want || e.usage != tt.usage || e.status != tt.status {
			t.Errorf("%q: %+v, want %q, usage %v, status %d", tt.line, e, tt.want, tt.usage, tt.status)
		}
	}
}

// TestPosix: with POSIXLY_CORRECT the first operand ends the options.
func TestPosix(t *testing.T) {
	o, err := parse(words("-t state listening -n"), true)
	if err != nil {
		t.Fatal(err)
	}
	if o.render.Numeric || len(o.words) != 1 || o.words[0] != "-n" {
		t.Errorf("numeric %v, filter %q", o.render.Numeric, o.words)
	}
}
