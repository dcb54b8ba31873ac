package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sockeye-tools/sockeye/diag/diagtest/scene"
	"github.com/sockeye-tools/sockeye/internal/peers"
)

// dumpLines are command lines over a dump of TCP sockets (TCPDIAG_FILE).
var dumpLines = `
-tan
-ta
-t
-tl
-tln
-tanH
-tanQ
-tanHQ
-tanO
-tanHQO
-tano
-taneH
-tanoe
-tanm
-tani
-taniO
-tanie
-tanoemi
-tanoemiO
-taoemi
-tanoemiHQO
-tanb
-tanib
-tan --tos
-tan --cgroup
-tan --inet-sockopt
-tanO --inet-sockopt
-tanoemiO --tos --cgroup --inet-sockopt
-tan4
-tan6
-tBn
-tn state established
-tn state time-wait
-tan exclude established
-tan sport = 22
-tan dport = 22
-tan not sport = 22
-tan sport > 1024 and sport < 9000
-tan ( sport = 80 or dport = 80 )
-tan src 127.0.0.1
-tan src 127.0.0.0/8
-tan not src 127.0.0.1
-tan src [::1]
-tan dst 192.0.2.10
-tan dst 192.0.2.0/24
-tan fwmark = 7
-tan fwmark != 0
-tan autobound
-tan sport = :http
-tan dev lo
-tan src unix:x
-tnT
-M
-S
--tcp --all --numeric --extended --info
-ta -n -f inet
-A tcp -an
-tan sport ge 7000
-tan sport le 7000
-tan dport ne 22
-tan src *:22
`

// procLines are command lines over files like those in /proc/net (PROC_NET_TCP and its siblings).
var procLines = `
-tan
-ta
-t
-tl
-tln
-tanH
-tanQ
-tanO
-tano
-tane
-tanm
-tani
-tanie
-tanoemi
-tanoemiO
-taoemiHQO
-tanb
-tan --tos --cgroup --inet-sockopt
-tan4
-tan6
-tan -4 -6
-tn state established
-tno state time-wait
-tan state syn-recv
-tan exclude established
-tan sport = 22
-tan dport = 22
-tan ( sport = 80 or dport = 80 )
-tan src 127.0.0.1
-tan src [::1]
-tan dst 192.0.2.0/24
-tan autobound
-tan fwmark = 0
-tan sport = :http
-uan
-ua
-u
-ul
-uane
-uanm
-uani
-uanoemiO
-uan4
-uan6
-uan sport = 53
-uan state established
-wan
-wa
-wane
-wan6
-Man
-San
-tuan
-tua
-tuwan
-tuwanoemi
-tuwSMan
-A inet -an
-A inet -ane
-A inet,!tcp -an
-4an
-6an
-4ano state established
-s
-s -tn
-s -tuan
-s state wrong
`

// bareLines are command lines that fail, or do nothing, before a socket is looked at; their texts and statuses.
var bareLines = `
-Z
-z
-Z -tan
-tanz
-N no-such-namespace
-N no-such-namespace -V
-tan -N no-such-namespace
-F /no/such/file
-tan -F /no/such/file
-F /dev/null -F /dev/null
-D /no/such/dir/file
-tan -D /dev/null
-D - -tn state wrong
-E -w
-E -M
-E -tn src unix:x
-tn state wrong
-tn exclude wrong
-tan -F /dev/null
-A tcp,!tcp
`

// screens are the widths that recorded input is shown at; "" is none.
var screens = []string{"", "60", "80", "132", "200"}

// result is all that a command said.
type result struct {
	stdout, stderr string
	status         int
}

func runCommand(t *testing.T, ns peers.Runner, env []string, argv ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C"}, env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := ns.Run(cmd)
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		t.Fatalf("%v: %v", argv, err)
	}
	return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// record writes the scene's TCP sockets and tables into files, and returns them as the environments that name them.
func record(t *testing.T, s *scene.Scene, peer string) (dumps, tables []string) {
	t.Helper()
	dir := t.TempDir()
	for name, args := range map[string][]string{
		"v4": {"-tanoemi4", "--tos"}, "v6": {"-tanoemi6", "--tos"}, "bare": {"-ta4"}, "both": {"-tani"},
	} {
		file := filepath.Join(dir, name)
		if r := runCommand(t, s, nil, append([]string{peer, "-D", file}, args...)...); r.status != 0 {
			t.Fatalf("ss -D: %+v", r)
		}
		dumps = append(dumps, "TCPDIAG_FILE="+file)
	}
	slices.Sort(dumps)
	for variable, name := range map[string]string{
		"TCP": "tcp", "TCP6": "tcp6", "UDP": "udp", "UDP6": "udp6", "RAW": "raw", "RAW6": "raw6",
		"SOCKSTAT": "sockstat", "SOCKSTAT6": "sockstat6", "SNMP": "snmp",
	} {
		var b []byte
		var err error
		if e := s.Do(func() { b, err = os.ReadFile("/proc/thread-self/net/" + name) }); e != nil || err != nil {
			t.Fatal(e, err)
		}
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		tables = append(tables, "PROC_NET_"+variable+"="+file)
	}
	// MPTCP and SCTP have no files: the variable only keeps ss from asking the kernel.
	return dumps, append(tables, "PROC_NET_MPTCP=/dev/null", "PROC_NET_SCTP=/dev/null", "PROC_NET_DCCP=/dev/null")
}

// On recorded input both programs have to print the same bytes to stdout and stderr and end with the same status, at every
// width of the screen; each line at one of them where the test is not to be slow.
func TestMatrixReplay(t *testing.T) {
	peer, ours := peers.SS(t), peers.Sockeye(t)
	s := scene.New(t)
	dumps, tables := record(t, s, peer)
	least, each := 600, len(screens)
	if os.Getenv("SOCKEYE_SLOW_TESTS") != "1" {
		least, each = 120, 1
	}
	n := 0
	test := func(env []string, args []string) {
		for range each {
			columns := screens[n%len(screens)]
			env := append([]string{"COLUMNS=" + columns}, env...)
			if columns == "" {
				env = env[1:]
			}
			want := runCommand(t, s, env, append([]string{peer}, args...)...)
			got := runCommand(t, s, env, append([]string{ours, "ss"}, args...)...)
			n++
			if got != want {
				t.Errorf("%v ss %s\n%s", env, strings.Join(args, " "), firstDifference(got, want))
			}
		}
	}
	for i, args := range split(dumpLines) {
		test([]string{dumps[i%len(dumps)]}, args)
	}
	for _, args := range split(procLines) {
		test(tables, args)
	}
	for _, args := range split(bareLines) {
		test(nil, args)
	}
	if n < least {
		t.Errorf("only %d runs were compared", n)
	}
	t.Logf("%d runs compared", n)
}

func firstDifference(got, want result) string {
	if got.status != want.status || got.stderr != want.stderr {
		return "status " + strings.Join([]string{
			string(rune('0' + got.status%10)), "stderr", got.stderr, "want", string(rune('0' + want.status%10)), want.stderr,
		}, " ")
	}
	g, w := strings.Split(got.stdout, "\n"), strings.Split(want.stdout, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return "got  " + g[i] + "\nwant " + w[i]
		}
	}
	return "one has more lines:\n" + got.stdout + "want\n" + want.stdout
}

// Files that are no dumps, or end too early, are reported in ss's words.
func TestReplayOfBrokenFiles(t *testing.T) {
	peer, ours := peers.SS(t), peers.Sockeye(t)
	s := scene.New(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "dump")
	if r := runCommand(t, s, nil, peer, "-tan4", "-D", file); r.status != 0 {
		t.Fatalf("%+v", r)
	}
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{0, 8, 16, 50, len(whole) / 2, len(whole) - 20, len(whole) - 1} {
		if err := os.WriteFile(file, whole[:size], 0o600); err != nil {
			t.Fatal(err)
		}
		env := []string{"TCPDIAG_FILE=" + file}
		want := runCommand(t, s, env, peer, "-tanoemi")
		if got := runCommand(t, s, env, ours, "ss", "-tanoemi"); got != want {
			t.Errorf("%d bytes: %s", size, firstDifference(got, want))
		}
	}
	for _, name := range []string{"/no/such/file", dir} {
		env := []string{"TCPDIAG_FILE=" + name}
		want := runCommand(t, s, env, peer, "-tan")
		if got := runCommand(t, s, env, ours, "ss", "-tan"); got != want {
			t.Errorf("%s: %s", name, firstDifference(got, want))
		}
	}
	// ss believes any length that it reads, and is killed by it.
	if err := os.WriteFile(file, []byte(strings.Repeat("no dump at all\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	got := runCommand(t, s, []string{"TCPDIAG_FILE=" + file}, ours, "ss", "-tan")
	if got.status != 0 || got.stderr != "ss: $TCPDIAG_FILE is no dump of netlink messages\n" {
		t.Errorf("text: %+v", got)
	}
}

// What -D writes here is what ss shows, and the other way round.
func TestDumpsAreExchanged(t *testing.T) {
	peer, ours := peers.SS(t), peers.Sockeye(t)
	s := scene.New(t)
	dir := t.TempDir()
	for _, args := range split("-tan4\n-tanoemi4\n-tanoemi6 --tos\n-tl4\n-ta4 sport = 1\n-tan") {
		for _, by := range []string{peer, ours} {
			file := filepath.Join(dir, "dump")
			argv := append([]string{by, "-D", file}, args...)
			if by == ours {
				argv = slices.Insert(argv, 1, "ss")
			}
			if r := runCommand(t, s, nil, argv...); r.status != 0 || r.stderr != "" || r.stdout != "" {
				t.Fatalf("%v: %+v", argv, r)
			}
			env := []string{"TCPDIAG_FILE=" + file}
			a := runCommand(t, s, env, peer, "-tnoemi")
			b := runCommand(t, s, env, ours, "ss", "-tnoemi")
			if a != b {
				t.Errorf("%v: %s", argv, firstDifference(b, a))
			}
			if strings.Count(a.stdout, "\n") < 5 {
				t.Errorf("%v: only %q", argv, a.stdout)
			}
		}
	}
	// "-" is stdout.
	r := runCommand(t, s, nil, ours, "ss", "-ta4", "-D", "-")
	if len(r.stdout) < 1000 || r.stdout[4] != 20 {
		t.Errorf("-D -: %d bytes", len(r.stdout))
	}
}
