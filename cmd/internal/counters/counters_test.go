package counters

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
	"github.com/sockeye-tools/sockeye/diag/owner"
)

// host is what files of /proc/net say.
type host map[string]string

var small = host{
	"snmp":      "Ip: Forwarding InReceives\nIp: 2 18446744073709551615\nTcp: MaxConn CurrEstab RetransSegs\nTcp: -1 3 7\n",
	"netstat":   "TcpExt: TCPTimeouts TCPLostRetransmit BrandNew\nTcpExt: 9007199254740993 0 4\n",
	"snmp6":     "Udp6NoPorts 0\n",
	"sctp/snmp": "SctpCurrEstab 1\n",
}

// write writes the files below proc/net. Each is there in full at any time.
func (h host) write(t testing.TB, proc string) {
	t.Helper()
	for name, text := range h {
		path := filepath.Join(proc, "net", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path+".new", []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
}

type result struct {
	stdout, stderr string
	status         int
}

func newEnv(ctx context.Context, proc string, args ...string) *cli.Env {
	return &cli.Env{
		Ctx: ctx, Args: append([]string{"counters"}, args...), Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: io.Discard,
		Getenv: func(string) string { return "" }, Owners: owner.Config{Proc: proc},
	}
}

func run(t *testing.T, proc string, args ...string) result {
	t.Helper()
	var out, errs bytes.Buffer
	env := newEnv(t.Context(), proc, args...)
	env.Stdout, env.Stderr = &out, &errs
	status := Main(env)
	return result{out.String(), errs.String(), status}
}

// fields is the text with one blank in the place of more, and none at the ends of lines.
func fields(s string) string {
	var out strings.Builder
	for line := range strings.Lines(s) {
		fmt.Fprintln(&out, strings.Join(strings.Fields(line), " "))
	}
	return out.String()
}

func TestOnce(t *testing.T) {
	proc := t.TempDir()
	small.write(t, proc)
	all := `COUNTER                                  VALUE  MEANING
Ip.Forwarding                                2  setting: 1 forwards packets, 2 does not
Ip.InReceives             18446744073709551615  packets received, those with errors included
Tcp.MaxConn                                 -1  most connections there can be; -1: no limit
Tcp.CurrEstab                                3  connections now in ESTABLISHED or CLOSE_WAIT
Tcp.RetransSegs                              7  segments retransmitted
TcpExt.TCPTimeouts            9007199254740993  retransmission timeouts that nothing had announced
TcpExt.TCPLostRetransmit                     0  retransmissions that were lost, too
TcpExt.BrandNew                              4
Udp6.NoPorts                                 0  datagrams received for a port that no socket had
Sctp.CurrEstab                               1  associations now in ESTABLISHED, SHUTDOWN-RECEIVED or SHUTDOWN-PENDING
`
	if got := run(t, proc); got != (result{all, "", cli.ExitOK}) {
		t.Errorf("got %+v\nwant\n%s", got, all)
	}
	for args, want := range map[string]string{
		"--nonzero":                          "Ip.Forwarding Ip.InReceives Tcp.MaxConn Tcp.CurrEstab Tcp.RetransSegs TcpExt.TCPTimeouts TcpExt.BrandNew Sctp.CurrEstab",
		"RETRANS":                            "Tcp.RetransSegs TcpExt.TCPTimeouts TcpExt.TCPLostRetransmit",
		"--nonzero retrans":                  "Tcp.RetransSegs TcpExt.TCPTimeouts",
		"retrans --nonzero":                  "Tcp.RetransSegs TcpExt.TCPTimeouts",
		"retrans --non currestab":            "Tcp.CurrEstab Tcp.RetransSegs TcpExt.TCPTimeouts Sctp.CurrEstab",
		"*.currestab":                        "Tcp.CurrEstab Sctp.CurrEstab",
		"Tcp.CurrEstab":                      "Tcp.CurrEstab",
		"TcpExtTCPTimeouts":                  "TcpExt.TCPTimeouts",
		"tcpext*":                            "TcpExt.TCPTimeouts TcpExt.TCPLostRetransmit TcpExt.BrandNew",
		"Udp6NoPorts":                        "Udp6.NoPorts",
		"udp6.nopor[st]?":                    "Udp6.NoPorts",
		"noports --nonzero":                  "",
		"tcp.* -- ip.*":                      "Ip.Forwarding Ip.InReceives Tcp.MaxConn Tcp.CurrEstab Tcp.RetransSegs",
		"tcp.max --nonzero --watch 1h --wat": "",
	} {
		got := run(t, proc, strings.Fields(args)...)
		if strings.HasSuffix(args, "--wat") {
			if got.status != cli.ExitUsage || got.stdout != "" || got.stderr != "sockeye: counters: option '--watch' requires an argument\n" {
				t.Errorf("%s: %+v", args, got)
			}
			continue
		}
		var keys []string
		for _, line := range strings.Split(strings.TrimSuffix(got.stdout, "\n"), "\n")[1:] {
			key, _, _ := strings.Cut(line, " ")
			keys = append(keys, key)
			if !strings.Contains(fields(all), fields(line)) {
				t.Errorf("%s: line %q is not as without a pattern", args, line)
			}
		}
		if got.status != cli.ExitOK || got.stderr != "" || strings.Join(keys, " ") != want {
			t.Errorf("%s: %q, want %q (%+v)", args, keys, want, got)
		}
	}
}

func TestErrors(t *testing.T) {
	proc, none := t.TempDir(), t.TempDir()
	small.write(t, proc)
	for _, test := range []struct {
		args   string
		stderr string
		status int
	}{
		{"nosuch", `no counter matches "nosuch"`, cli.ExitFailed},
		{"--json nosuch", `no counter matches "nosuch"`, cli.ExitFailed},
		{"--watch 1h nosuch", `no counter matches "nosuch"`, cli.ExitFailed},
		{"ip.currestab*", `no counter matches "ip.currestab*"`, cli.ExitFailed},
		{"--frobnicate", "unrecognized option '--frobnicate'", cli.ExitUsage},
		{"-q", "invalid option -- 'q'", cli.ExitUsage},
		{"--watch 0s", "--watch 0s: want an interval of at least 10ms, such as 1s", cli.ExitUsage},
		{"--watch -1s", "--watch -1s: want an interval of at least 10ms, such as 1s", cli.ExitUsage},
		{"--watch=2", "--watch 2: want an interval of at least 10ms, such as 1s", cli.ExitUsage},
		{"--json=x", "option '--json' doesn't allow an argument", cli.ExitUsage},
		{"a[", `pattern "a[": syntax error in pattern`, cli.ExitUsage},
	} {
		want := result{"", "sockeye: counters: " + test.stderr + "\n", test.status}
		if got := run(t, proc, strings.Fields(test.args)...); got != want {
			t.Errorf("%s: got %+v, want %+v", test.args, got, want)
		}
	}
	if got := run(t, proc, ""); got.status != cli.ExitUsage || got.stdout != "" {
		t.Errorf("an empty pattern: %+v", got)
	}
	// One pattern of two.
	got := run(t, proc, "nosuch", "currestab")
	if got.status != cli.ExitFailed || got.stderr != "sockeye: counters: no counter matches \"nosuch\"\n" || strings.Count(got.stdout, "\n") != 3 {
		t.Errorf("one pattern of two: %+v", got)
	}
	got = run(t, none)
	if got.status != cli.ExitFailed || !strings.Contains(got.stderr, "no such file or directory") || got.stdout != "" {
		t.Errorf("without files: %+v", got)
	}
	// What can be read is shown.
	broken := maps.Clone(small)
	broken["netstat"] = "TcpExt: TW\n"
	broken.write(t, proc)
	got = run(t, proc, "--watch", "1h")
	if got.status != cli.ExitFailed || !strings.Contains(got.stderr, "TcpExt has no figures") || !strings.Contains(got.stdout, "Udp6.NoPorts") {
		t.Errorf("with a file that is broken: %+v", got)
	}
	if got = run(t, proc, "-h"); got.status != cli.ExitOK || got.stderr != "" || got.stdout != help {
		t.Errorf("help: %+v", got)
	}
}

// rounds is written to a round at a time. After each it changes the host.
type rounds struct {
	bytes.Buffer
	n      int
	change func(n int)
}

func (r *rounds) Write(b []byte) (int, error) {
	n, err := r.Buffer.Write(b)
	r.n++
	r.change(r.n)
	return n, err
}

// watch runs three rounds: the second after some events, the third after none.
func watch(t *testing.T, args ...string) string {
	t.Helper()
	proc := t.TempDir()
	small.write(t, proc)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	out := &rounds{change: func(n int) {
		switch n {
		case 1:
			later := maps.Clone(small)
			later["snmp"] = "Ip: Forwarding InReceives\nIp: 2 9\nIcmpMsg: InType3\nIcmpMsg: 6\nTcp: MaxConn CurrEstab RetransSegs\nTcp: -1 1 17\n"
			later.write(t, proc)
		case 3:
			stop()
		}
	}}
	env := newEnv(ctx, proc, args...)
	env.Stdout = out
	if status := Main(env); status != cli.ExitOK {
		t.Errorf("status %d", status)
	}
	if out.n != 3 {
		t.Errorf("%d rounds", out.n)
	}
	return out.String()
}

func TestWatch(t *testing.T) {
	got := watch(t, "--watch", "20ms", "--nonzero", "[TI]*", "udp6")
	rate := regexp.MustCompile(` +\d+\.\d  `)
	clock := regexp.MustCompile(`(?m)^\d\d:\d\d:\d\d `)
	if n := len(rate.FindAllString(got, -1)); n != 2 {
		t.Errorf("%d rates:\n%s", n, got)
	}
	got = clock.ReplaceAllString(rate.ReplaceAllString(got, "  RATE  "), "hh:mm:ss ")
	want := `TIME COUNTER VALUE DELTA RATE/S MEANING
hh:mm:ss Ip.Forwarding 2 - - setting: 1 forwards packets, 2 does not
hh:mm:ss Ip.InReceives 18446744073709551615 - - packets received, those with errors included
hh:mm:ss Tcp.MaxConn -1 - - most connections there can be; -1: no limit
hh:mm:ss Tcp.CurrEstab 3 - - connections now in ESTABLISHED or CLOSE_WAIT
hh:mm:ss Tcp.RetransSegs 7 - - segments retransmitted
hh:mm:ss TcpExt.TCPTimeouts 9007199254740993 - - retransmission timeouts that nothing had announced
hh:mm:ss TcpExt.BrandNew 4 - -
hh:mm:ss Ip.InReceives 9 +10 RATE packets received, those with errors included
hh:mm:ss IcmpMsg.InType3 6 - - ICMP messages received of type 3
hh:mm:ss Tcp.CurrEstab 1 -2 - connections now in ESTABLISHED or CLOSE_WAIT
hh:mm:ss Tcp.RetransSegs 17 +10 RATE segments retransmitted
`
	if got := fields(got); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

type broken struct{ err error }

func (w broken) Write([]byte) (int, error) { return 0, w.err }

func TestWriteErrors(t *testing.T) {
	proc := t.TempDir()
	small.write(t, proc)
	for err, want := range map[error]string{syscall.EPIPE: "", syscall.ENOSPC: "sockeye: counters: no space left on device\n"} {
		var errs bytes.Buffer
		env := newEnv(t.Context(), proc, "--watch", "1h")
		env.Stdout, env.Stderr = broken{err}, &errs
		if status := Main(env); status != cli.ExitFailed || errs.String() != want {
			t.Errorf("%v: status %d, %q", err, status, errs.String())
		}
	}
}

// TestThisHost: the kernel's own counters.
func TestThisHost(t *testing.T) {
	got := run(t, "", "Tcp.ActiveOpens", "--json")
	if got.status != cli.ExitOK || !strings.Contains(got.stdout, `"key":"Tcp.ActiveOpens"`) {
		t.Errorf("%+v", got)
	}
}
