package netstat

import (
	"bytes"
	"strings"
	"testing"

	render "github.com/sockeye-tools/sockeye/render/netstat"
)

// read parses a command line that must be good.
func read(t *testing.T, line string) options {
	t.Helper()
	var errs bytes.Buffer
	env := newEnv(t.Context(), strings.Fields(line)...)
	env.Stderr = &errs
	o, status := parse(env)
	if status != keepGoing {
		t.Fatalf("%q: status %d: %s", line, status, errs.String())
	}
	return o
}

func TestOptions(t *testing.T) {
	inet := options{inet: true, inet6: true}
	with := func(o options, set func(*options)) options { set(&o); return o }
	five := func(o *options) {
		o.tcp, o.sctp, o.udp, o.udplite, o.raw, o.implied = true, true, true, true, true, true
	}
	for line, want := range map[string]options{
		"":                      {},
		"-t":                    with(inet, func(o *options) { o.tcp = true }),
		"-S":                    with(inet, func(o *options) { o.sctp = true }),
		"-u":                    with(inet, func(o *options) { o.udp = true }),
		"-U":                    with(inet, func(o *options) { o.udplite = true }),
		"-w":                    with(inet, func(o *options) { o.raw = true }),
		"--tcp --sctp --udp":    with(inet, func(o *options) { o.tcp, o.sctp, o.udp = true, true, true }),
		"--udplite --raw":       with(inet, func(o *options) { o.udplite, o.raw = true, true }),
		"-t4":                   {tcp: true, inet: true},
		"-6t":                   {tcp: true, inet6: true},
		"-4":                    with(options{inet: true}, five),
		"-6":                    with(options{inet6: true}, five),
		"-46":                   with(inet, five),
		"-A inet":               with(options{inet: true}, five),
		"-A tcpip,ip6":          with(inet, five),
		"--protocol=inet6":      with(options{inet6: true}, five),
		"--prot inet6 -t":       {tcp: true, inet6: true},
		"--ip":                  with(options{inet: true}, five),
		"--ine":                 with(options{inet: true}, five),
		"--inet6":               with(options{inet6: true}, five),
		"--tcpip":               with(options{inet: true}, five),
		"-n":                    {numericHosts: true, numericPorts: true, numericUsers: true},
		"--numeric":             {numericHosts: true, numericPorts: true, numericUsers: true},
		"--numeric-h":           {numericHosts: true},
		"--numeric-ports":       {numericPorts: true},
		"--numeric-users":       {numericUsers: true},
		"-alepoWvc":             {all: true, listening: true, extend: true, programs: true, timers: true, wide: true, verbose: true, continuous: true},
		"--all --list --ext":    {all: true, listening: true, extend: true},
		"--program --timers":    {programs: true, timers: true},
		"--wide --verb --conti": {wide: true, verbose: true, continuous: true},
		"-eeWW":                 {extend: true, wide: true},
		"-dNFC":                 {},
		"x -n y":                {numericHosts: true, numericPorts: true, numericUsers: true},
		"-- -n":                 {},
		"-x":                    {unix: true},
		"-A unix":               {unix: true},
		"-g":                    with(inet, func(o *options) { o.groups = true }),
		"-r":                    {routes: 1},
		"-i":                    {interfaces: 1},
		"-s":                    {statistics: 1},
		"-M":                    {masquerade: 1},
		"-2":                    {l2cap: true},
		"-f":                    {rfcomm: true},
		"-A bluetooth":          {bluetooth: true, l2cap: true, rfcomm: true},
		"--bluetooth -2":        {bluetooth: true, l2cap: true},
		"--ipx --ax25":          {ipx: true, ax25: true},
		"-Ax25,netrom,rose":     {x25: true, netrom: true, rose: true},
		"-Addp,econet,ash":      {},
		"--appletalk --ddp":     {},
	} {
		got := read(t, line)
		got.route, got.families = routeOptions{}, ""
		if got != want {
			t.Errorf("%q:\n got %+v\nwant %+v", line, got, want)
		}
	}
}

func TestRouteOptions(t *testing.T) {
	for line, want := range map[string]routeOptions{
		"-r":                          {},
		"-re":                         {extended: 1},
		"-eree":                       {extended: 3},
		"-rFCN":                       {fib: true, cache: true, symbolic: true},
		"-r --fib --cache --symbolic": {fib: true, cache: true, symbolic: true},
	} {
		if got := read(t, line).route; got != want {
			t.Errorf("%q:\n got %+v\nwant %+v", line, got, want)
		}
	}
}

func TestFamilies(t *testing.T) {
	for line, want := range map[string]string{
		"-r":                             "",
		"-rtS":                           "",
		"-r64":                           "inet6,inet",
		"-44":                            "inet,inet",
		"-rx --ip -A ip6,unix":           "unix,inet,inet6,unix",
		"-r --inet --inet6":              "inet,inet6",
		"-r --appletalk":                 "ddp",
		"-r -A econet,ash,bluetooth":     "ec,ash,bluetooth",
		"-r --ipx --ax25 --x25":          "ipx,ax25,x25",
		"-r --netrom --rose -A tcpip":    "netrom,rose,inet",
		"-4x word -A ip6,tcpip -s -- -6": "inet,unix,inet6,inet",
	} {
		if got := read(t, line).families; got != want {
			t.Errorf("%q: got %q, want %q", line, got, want)
		}
	}
}

func TestWhich(t *testing.T) {
	for line, want := range map[string]render.Which{"": render.Connected, "-l": render.Servers, "-a": render.All, "-al": render.All, "-la": render.All} {
		o := read(t, line)
		if got := o.which(); got != want {
			t.Errorf("%q: got %v, want %v", line, got, want)
		}
	}
}

func TestPosixlyCorrect(t *testing.T) {
	env := newEnv(t.Context(), "-a", "x", "-l")
	env.Getenv = func(name string) string {
		return map[string]string{"POSIXLY_CORRECT": "1"}[name]
	}
	if o, _ := parse(env); !o.all || o.listening {
		t.Errorf("options behind an operand count: %+v", o)
	}
}

// TestRefused: the first line on stderr and the status of net-tools, for command lines that it refuses; and how options that have
// an answer of their own go before errors behind them.
func TestRefused(t *testing.T) {
	lines := []string{
		"-q", "-nq", "-tnT", "-A", "-tA", "--protocol", "--prot", "-?", "-n?", "--foo", "--foo=3", "--numeric=3", "--ip=3", "--x=5",
		"-A foo", "-A ec", "-A inet,foo", "-A ,inet", "-A inet,", "-A INET", "--proto=unix=3 -q", "--econet", "--ash", "--ip6", "-A foo -q", "-q -A foo",
		"-rr", "-is", "-ss", "-rM", "-ri -q", "-2", "-f", "-t2n", "--blue",
	}
	if !exists(selinux) {
		lines = append(lines, "-Z", "-Zq", "-qZ", "-ZV", "-tZ", "-tZq")
	}
	for _, o := range words { // every abbreviation that is ambiguous
		for n := range len(o.Long) {
			if n == 0 || o.Long[0] == 'u' { // net-tools has --unix twice, so that --un is ambiguous there
				continue
			}
			same := 0
			for _, p := range words {
				if p.Long == o.Long[:n] {
					same = -len(words) // means that one
				}
				if strings.HasPrefix(p.Long, o.Long[:n]) && (same == 0 || p.ID != optFamily) {
					same++
				}
			}
			if same > 1 {
				lines = append(lines, "--"+o.Long[:n])
			}
		}
	}
	for _, line := range lines {
		args := strings.Fields(line)
		got, want := ours(t.Context(), args...), theirs(t, args...)
		first := func(s string) string {
			s, _, _ = strings.Cut(s, "\n")
			if strings.HasPrefix(s, "usage: ") {
				return "usage"
			}
			return s
		}
		if g, w := first(got.stderr), first(want.stderr); g != w || got.status != want.status {
			t.Errorf("%q: got %q and %d, want %q and %d", line, g, got.status, w, want.status)
		}
		if (got.stdout == "") != (want.stdout == "") {
			t.Errorf("%q: stdout %q, want %q", line, got.stdout, want.stdout)
		}
		if strings.Contains(want.stderr, "usage: ") != strings.Contains(got.stderr, "usage: ") {
			t.Errorf("%q: stderr\n%s\nwant\n%s", line, got.stderr, want.stderr)
		}
	}
}

func TestBluetooth(t *testing.T) {
	for _, line := range []string{"-2", "-f", "--bluetooth"} {
		if got, want := ours(t.Context(), line), (result{"", "netstat: feature `AF BLUETOOTH' not supported.\n", exitFailed}); got != want {
			t.Errorf("%s: got %+v, want %+v", line, got, want)
		}
	}
}
