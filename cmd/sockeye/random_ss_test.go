package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/sockeye-tools/sockeye/diag/diagtest/scene"
	"github.com/sockeye-tools/sockeye/internal/peers"
)

// author makes up command lines of ss.
type author struct{ *rand.Rand }

func (a author) of(words ...string) string { return words[a.IntN(len(words))] }

func (a author) chance(percent int) bool { return a.IntN(100) < percent }

// line returns a command line.
func (a author) line() []string {
	var line []string
	v4, v6 := false, false // ss shows one of them where both are asked for
	for range 1 + a.IntN(5) {
		switch n := a.IntN(100); {
		case n < 45: // a cluster of letters
			w := []byte("-")
			for range 1 + a.IntN(5) {
				const letters = "ttuwaaannloemiHOQBx0MSbT"
				w = append(w, letters[a.IntN(len(letters))])
			}
			line = append(line, string(w))
		case n < 60:
			line = append(line, a.of("--tcp", "--udp", "--raw", "--all", "--numeric", "--listening", "--options", "--extended", "--memory",
				"--info", "--no-header", "--oneline", "--no-queues", "--bound-inactive", "--unix", "--packet", "--mptcp", "--sctp", "--bpf",
				"--tos", "--cgroup", "--inet-sockopt", "--threads", "--ext", "--mem", "--num", "--list", "--no-h", "--no-q", "--inf", "--opt",
				"--ta", "--n", "--tcp=1", "--con", "--nope", "--oneline=x", "--a", "--ti", "--tipcinfo", "--to", "--vsock", "--xdp"))
		case n < 70:
			line = append(line, a.of("-A", "--query", "--socket"), a.tables())
		case n < 75:
			line = append(line, "-A"+a.tables())
		case n < 80:
			line = append(line, "--query="+a.tables())
		case n < 86 && !v6:
			v4 = true
			line = append(line, a.of("-4", "--ipv4", "-finet", "--family=inet"))
		case n < 92 && !v4:
			v6 = true
			line = append(line, a.of("-6", "--ipv6", "-f", "--family"))
			if last := line[len(line)-1]; last == "-f" || last == "--family" {
				line = append(line, "inet6")
			}
		case n < 94:
			line = append(line, "-f", a.of("unix", "link", "netlink", "vsock", "xdp", "tipc", "", "INET", "foo"))
		case n < 95:
			line = append(line, a.of("-j", "-G", "-A", "-f", "--", "-", "-1", "-tq", "-n4j"))
		}
	}
	if a.chance(25) {
		for range 1 + a.IntN(2) {
			line = append(line, a.of("state", "state", "exclude", "excl"), a.of("established", "listening", "close", "closed", "unconnected",
				"time-wait", "syn-sent", "syn-recv", "syn-rcv", "fin-wait-1", "fin-wait-2", "close-wait", "last-ack", "closing",
				"bound-inactive", "all", "connected", "synchronized", "bucket", "big", "UNKNOWN", "Established", "LISTENING", "listen", "estab"))
		}
	}
	if a.chance(60) {
		line = append(line, a.expression(3)...)
	}
	return line
}

func (a author) tables() string {
	var list []string
	for range 1 + a.IntN(3) {
		w := a.of("all", "inet", "tcp", "udp", "raw", "mptcp", "sctp", "unix", "u_str", "u_dgr", "u_seq", "unix_stream", "unix_dgram",
			"unix_seqpacket", "packet", "p_raw", "p_dgr", "packet_raw", "packet_dgram", "netlink", "vsock", "v_str", "v_dgr", "xdp", "tipc",
			"tcp", "udp", "inet6", "TCP", "")
		if a.chance(20) {
			w = "!" + w
		}
		list = append(list, w)
	}
	return strings.Join(list, ",")
}

func (a author) expression(depth int) []string {
	if depth == 0 || a.chance(45) {
		return a.predicate()
	}
	switch a.IntN(8) {
	case 0:
		return append([]string{a.of("not", "!")}, a.expression(depth-1)...)
	case 1:
		return append(append([]string{"("}, a.expression(depth-1)...), ")")
	case 2: // juxtaposed
		return append(a.expression(depth-1), a.expression(depth-1)...)
	case 3, 4:
		return append(append(a.expression(depth-1), a.of("or", "|", "||")), a.expression(depth-1)...)
	}
	return append(append(a.expression(depth-1), a.of("and", "&", "&&")), a.expression(depth-1)...)
}

func (a author) predicate() []string {
	compare := a.of("=", "==", "eq", "!=", "ne", "neq", ">", "gt", "<", "lt", ">=", "ge", "geq", "<=", "le", "leq", "")
	var p []string
	add := func(words ...string) []string {
		for _, w := range words {
			if w != "" {
				p = append(p, w)
			}
		}
		return p
	}
	switch a.IntN(12) {
	case 0, 1, 2, 3:
		return add(a.of("src", "dst"), a.of("", "", "", "=", "=="), a.address())
	case 4, 5, 6, 7:
		return add(a.of("sport", "dport"), compare, a.of("", ":", "")+a.port())
	case 8:
		return add("dev", a.of("=", "!=", "==", ""), a.of("lo", "1", "0", "99", "d0", "nope"))
	case 9:
		return add("fwmark", a.of("=", "!=", ""), a.of("0", "7", "0x7", "07", "7/0xff", "0/0", "x", "1/", "0x1ffffffff"))
	case 10:
		return add("autobound")
	}
	return add(a.of("sport", "src", "dev", "cgroup", "foo", "and", ")", "(", "state", "!", "22", "=", "src [", "dst a b", "sport ="))
}

func (a author) port() string {
	return a.of("22", "80", "443", "8080", "0", "1", "53", "65535", "65536", "70000", "-1", "0x16", "026", "http", "https", "ssh", "domain",
		"*", "nope", "", "7000", "9000", "1024", "32768", "60999", " 22", "22x")
}

func (a author) address() string {
	addr := a.of("127.0.0.1", "127.0.0.0/8", "127/8", "10/8", "10.0.0", "192.0.2.0/24", "192.0.2.10", "*",
		"[::1]", "::1", "fe80::/64", "[fe80::]/64", "[::ffff:127.0.0.1]", "[::ffff:0:0]/96", "127.0.0.1/32",
		"127.0.0.1/33", "127.0.0.1/255.0.0.0", "127.0.0.1/", "300.1.1.1", "0x7f.1", "017.1", "unix:*", "unix:/tmp/*", "unix:", "link:ip",
		"link:*", "link:nope", "netlink:route", "netlink:rtnl", "netlink:0", "vsock:1", "inet:127.0.0.1", "inet6:[::1]", "inet:[::1]",
		"inet6:127.0.0.1", "tipc:1", "[::1", "", "::ffff:127.0.0.1", "127.0.0.1")
	if a.chance(40) {
		addr += ":" + a.port()
	}
	return addr
}

// Random command lines over recorded input end as in ss, with the same bytes. SOCKEYE_RANDOM_LINES=N tries that many, also over sockets of
// the kernel, and SOCKEYE_RANDOM_SEED=N other ones.
func TestRandomLinesSS(t *testing.T) {
	peer, ours := peers.SS(t), peers.Sockeye(t)
	s := scene.New(t)
	furnish(t, s)
	lines, seed := 150, 1
	for name, v := range map[string]*int{"SOCKEYE_RANDOM_LINES": &lines, "SOCKEYE_RANDOM_SEED": &seed} {
		if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
			*v = n
		}
	}
	envs := randomInput(t, s, peer)
	if lines > 150 {
		envs = append(envs, nil, nil, nil)
	}
	a := author{rand.New(rand.NewPCG(uint64(seed), 0))}
	shown := 0
	for range lines {
		args := a.line()
		env := slices.Clone(envs[a.IntN(len(envs))])
		if columns := a.of(append([]string{"", ""}, screens...)...); columns != "" {
			env = append(env, "COLUMNS="+columns)
		}
		want := runCommand(t, s, env, append([]string{peer}, args...)...)
		got := runCommand(t, s, env, append([]string{ours, "ss"}, args...)...)
		want.stderr, got.stderr = beforeUsage(want.stderr), beforeUsage(got.stderr)
		if strings.Count(want.stdout, "\n") > 1 {
			shown++
		}
		if want != got && len(env) < 2 { // figures may have changed, and the sockets that ask are others
			peers.Compare(t, s, append([]string{peer}, args...), append([]string{ours, "ss"}, args...), peers.Options{DropOwn: true, Env: env})
		} else if want != got {
			t.Errorf("%s ss %q\n%s", strings.Join(env, " "), args, worstDifference(got, want))
		}
	}
	if shown < lines/5 {
		t.Errorf("of %d lines only %d show a socket", lines, shown)
	}
	t.Logf("%d lines, %d with sockets", lines, shown)
}

// worstDifference is the first line that differs by more than blanks, if there is one.
func worstDifference(got, want result) string {
	fold := func(r result) result {
		r.stdout = columns.ReplaceAllString(strings.ReplaceAll(r.stdout, " \n", "\n"), " ")
		return r
	}
	if g, w := fold(got), fold(want); g != w {
		return firstDifference(g, w)
	}
	return firstDifference(got, want)
}

// beforeUsage cuts the usage off, which is in other words.
func beforeUsage(stderr string) string {
	before, _, cut := strings.Cut(stderr, "Usage: ss ")
	if cut {
		before += "usage"
	}
	return before
}

// withoutAddresses blanks the addresses of a table like /proc/net/unix: where there is one, ss takes a datagram socket for connected.
func withoutAddresses(table []byte) []byte {
	return regexp.MustCompile(`(?m)^[0-9a-f]+:`).ReplaceAll(table, []byte("0000000000000000:"))
}

// randomInput records the scene, and returns environments in which no kernel is asked.
func randomInput(t *testing.T, s *scene.Scene, peer string) (envs [][]string) {
	dumps, tables := record(t, s, peer)
	dir := t.TempDir()
	for _, name := range []string{"unix", "packet", "netlink"} {
		var b []byte
		var err error
		if e := s.Do(func() { b, err = os.ReadFile("/proc/thread-self/net/" + name) }); e != nil || err != nil {
			t.Fatal(e, err)
		}
		if name == "unix" {
			b = withoutAddresses(b)
		}
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		tables = append(tables, fmt.Sprintf("PROC_NET_%s=%s", strings.ToUpper(name), file))
	}
	envs = append(envs, tables)
	for _, d := range dumps {
		envs = append(envs, append([]string{d}, tables...))
	}
	return envs
}
