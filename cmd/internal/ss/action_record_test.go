package ss

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
	"github.com/sockeye-tools/sockeye/diag/diagtest/scene"
	"github.com/sockeye-tools/sockeye/internal/peers"
)

// -D writes what ss writes, but for what no two dumps share: port ids and sequence numbers.
func TestRecord(t *testing.T) {
	p := peer(t)
	s := scene.New(t)
	dir := t.TempDir()
	for _, line := range []string{"-tan", "-tan4", "-tl", "-tan6 -m", "-ta --tos", "-tan not a filter", "-t state time-wait", "-tl4 sport = 1"} {
		record := func(program string) func() string {
			return func() string {
				file := filepath.Join(dir, "dump")
				argv := append(append([]string{program}, split(line)...), "-D", file)
				if r := inNS(t, s.NetNS, nil, argv...); r != (result{}) {
					t.Fatalf("%v: %+v", argv, r)
				}
				b, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				return string(timeless(b))
			}
		}
		if got, want := peers.Agree(record(""), record(p)); got != want || len(want) < 20 {
			t.Errorf("%s: %d bytes, ss wrote %d", line, len(got), len(want))
		}
	}
}

// timeless blanks the sequence number and port id of each message, and the time that is left of the socket's timer.
func timeless(b []byte) []byte {
	b = bytes.Clone(b)
	for rest := b; len(rest) >= 16; {
		n := int(rest[0]) | int(rest[1])<<8
		clear(rest[8:16])
		if n >= 16+72 {
			clear(rest[16+52 : 16+56])
		}
		if n = (n + 3) &^ 3; n == 0 || n > len(rest) {
			break
		}
		rest = rest[n:]
	}
	return b
}

func TestRecordFails(t *testing.T) {
	p := peer(t)
	ns := scene.NewNetNS(t)
	for _, line := range []string{"-D /no/such/dir/file", "-A tcp,!tcp -D x", "--diag="} {
		want, got := inNS(t, ns, nil, append([]string{p}, split(line)...)...), inNS(t, ns, nil, "", line)
		if got != want || got.stderr == "" {
			t.Errorf("%s: %+v\nwant %+v", line, got, want)
		}
	}
}

// What -D records of any table is shown again, to the byte, with no kernel asked; ss reads the TCP sockets of it.
func TestRecordAllTables(t *testing.T) {
	p := peer(t)
	s := scene.New(t)
	file := filepath.Join(t.TempDir(), "dump")
	for _, line := range []string{"-A all,!raw -an4", "-A all,!raw -an6", "-xa", "-uan", "-Man", "-0a", "-f netlink -an", "-uxan", "-tuxanemoi", "-taneO4 -u", "-0aemb", "-xaem", "--vsock --xdp --tipc -a"} {
		args := split(line)
		env := []string{"TCPDIAG_FILE=" + file}
		var got result
		shown, want := peers.Agree(func() string {
			if r := inNS(t, s.NetNS, nil, append([]string{"", "-D", file}, args...)...); r != (result{}) {
				t.Fatalf("%s: %+v", line, r)
			}
			got = inNS(t, s.NetNS, env, append([]string{""}, args...)...) // where devices have the same names
			return steady(got.stdout)
		}, func() string {
			want := steady(inNS(t, s.NetNS, nil, append([]string{""}, args...)...).stdout)
			if line == "-tuxanemoi" { // of TCP over both families IPv6 is not read, as in ss
				want = tcp6.ReplaceAllString(want, "")
			}
			return want
		})
		if shown != want || len(shown) == 0 {
			t.Errorf("%s: %s", line, firstDiff(shown, want))
		}
		if got.stderr != "" || got.status != 0 {
			t.Errorf("%s: %+v", line, got)
		}
		empty := scene.NewNetNS(t) // so that what is shown is not of the kernel
		if elsewhere := inNS(t, empty, env, append([]string{""}, args...)...); strings.Count(elsewhere.stdout, "\n") != strings.Count(got.stdout, "\n") {
			t.Errorf("%s: shown without the kernel: %+v", line, elsewhere)
		}
		theirs, ours := inNS(t, empty, env, p, "-tan"), inNS(t, empty, env, "", "-tan")
		if theirs != ours {
			t.Errorf("%s: read by ss: %+v\nby us: %+v", line, theirs, ours)
		}
	}
}

// tcp6 are TCP sockets of IPv6 in a steady listing, with their details.
var tcp6 = regexp.MustCompile(`(?m)^tcp \S+ \d+ \d+ [[*].*\n(\t.*\n)?`)

var (
	ownRow     = regexp.MustCompile(`^\S* *UNCONN +\d+ +\d+ +4:`) // of sock_diag
	changing   = regexp.MustCompile(` timer:\(\w+,[^,]*,| last(snd|rcv|ack):\d+| busy:\d+ms| last_\w+:\d+| rwnd_limited:\S*| sndbuf_limited:\S*| +`)
	netlinkRow = regexp.MustCompile(`^(nl )?UNCONN \d+ \d+ \d+:-?\d+ \*$`)
)

// steady blanks figures that change while nothing happens, and the sockets that ask. The kernel sends some netlink sockets twice.
func steady(stdout string) string {
	var b strings.Builder
	seen := map[string]bool{}
	for line := range strings.Lines(stdout) {
		if ownRow.MatchString(line) {
			continue
		}
		line = strings.TrimRight(changing.ReplaceAllString(line, " "), " \n")
		if seen[line] && netlinkRow.MatchString(line) {
			continue
		}
		seen[line] = true
		b.WriteString(line + "\n")
	}
	return b.String()
}

// What writes a file, or waits, does not do so for a plan.
func TestPlanOfNoDump(t *testing.T) {
	file := filepath.Join(t.TempDir(), "dump")
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // nothing is waited for
	for _, tt := range []struct{ line, stderr string }{
		{"-tD " + file, "sockeye: -D does not go with --plan\n"},
		{"-D -", "sockeye: -D does not go with --plan\n"},
		{"-tE", "sockeye: -E does not go with --plan\n"},
		{"-sE", "sockeye: -E does not go with --plan\n"},
	} {
		var stdout, stderr, plan bytes.Buffer
		status := Main(&cli.Env{
			Ctx: ctx, Args: append([]string{"ss"}, strings.Fields(tt.line)...), Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr,
			Getenv: func(string) string { return "" }, Plan: &plan,
		})
		if status != 2 || stderr.String() != tt.stderr || stdout.Len()+plan.Len() > 0 {
			t.Errorf("%s: status %d, %q, %q, %q", tt.line, status, &stderr, &stdout, &plan)
		}
	}
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file is there: %v", err)
	}
}
