package netstat

import (
	"bytes"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/internal/peers"
)

// tables are files below /proc/net by name.
type tables map[string]string

// In the place of a text:
const (
	directory = "\x00" // can be opened and not read
	loop      = "\x01" // cannot be opened
)

// with returns the tables with another text in one of them.
func (t tables) with(name, text string) tables {
	t = maps.Clone(t)
	t[name] = text
	return t
}

func (t tables) without(names ...string) tables {
	t = maps.Clone(t)
	for _, name := range names {
		delete(t, name)
	}
	return t
}

func (t tables) write(tb testing.TB) (proc string) {
	tb.Helper()
	proc = tb.TempDir()
	if err := os.Mkdir(filepath.Join(proc, "net"), 0o755); err != nil {
		tb.Fatal(err)
	}
	for name, text := range t {
		path := filepath.Join(proc, "net", name)
		err := os.MkdirAll(filepath.Dir(path), 0o755)
		if err != nil {
			tb.Fatal(err)
		}
		switch text {
		case directory:
			err = os.Mkdir(path, 0o755)
		case loop:
			err = os.Symlink(filepath.Base(path), path)
		default:
			err = os.WriteFile(path, []byte(text), 0o644)
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
	return proc
}

// small is a host with a counter or two in each section.
var small = tables{
	"snmp": "Ip: Forwarding InReceives InNew\nIp: 2 10 3\nIcmp: InMsgs InEchos\nIcmp: 4 3\nIcmpMsg: InType8\nIcmpMsg: 3\n" +
		"Tcp: RtoMin MaxConn InSegs\nTcp: 200 -1 9\nUdp: InDatagrams InCsumErrors\nUdp: 0 8\nUdpLite: InDatagrams\nUdpLite: 7\n",
	"netstat":   "TcpExt: TCPHPHits TCPTimeouts SyncookiesSent\nTcpExt: 0 6 5\nIpExt: InOctets\nIpExt: 4\nMPTcpExt: WinProbe\nMPTcpExt: 0\n",
	"snmp6":     "Ip6InReceives 5\nIp6InOctets 6\nIcmp6InEchos 7\nIcmp6OutEchos 8\nUdp6InDatagrams 9\nUdpLite6NoPorts 10\n",
	"sctp/snmp": "SctpCurrEstab 1\nSctpAborteds 0\nSctpNew 4\n",
}

// theirsOver runs net-tools 2.10 with proc in the place of /proc.
func theirsOver(t *testing.T, proc string, args ...string) result {
	t.Helper()
	const script = `mount --bind "$1" /proc && shift && exec "$@"`
	cmd := exec.Command("unshare", append([]string{"-m", "sh", "-c", script, "sh", proc, peers.Netstat(t)}, args...)...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if _, exit := errors.AsType[*exec.ExitError](err); err != nil && !exit {
		t.Fatal(err)
	}
	return result{out.String(), errs.String(), cmd.ProcessState.ExitCode()}
}

func needMounts(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root, to mount tables of its own over /proc in a mount namespace of its own")
	}
}

// TestStatisticsAgainstNetstat: which sections are shown, in what order.
func TestStatisticsAgainstNetstat(t *testing.T) {
	needMounts(t)
	proc := small.write(t)
	for _, args := range []string{
		"-s", "-st", "-su", "-sw", "-sS", "-sU", "-stu", "-swS", "-stuUwS", "-sUw", "-s4", "-s6", "-s4t", "-s6t", "-s6u", "-s6w", "-s6S", "-s6U",
		"-stU6", "-s6tuUwS", "--statistics --tcp", "--stat --inet6", "-s -A inet", "-s -A ip6", "-s -A tcpip -u", "-s --ip", "-s extra words", "-s -- -t",
		"-sg", "-sgt", "-s6g", "-s2", "-sf", "-sc", "-scanlpoeWvnNFCd", "-st --numeric-hosts",
		// Families without counters, and more than one.
		"-s46", "-s64", "-st46", "-s44", "-s66", "-sx", "-s4x", "-sx4", "-sxx", "-sxt", "-s -A unix", "-s -A inet,inet6", "-s -A ip,ip6", "-s -A inet,inet",
		"-s -A inet6,unix -4", "-s --inet --unix", "-s --ipx", "-s4 --ipx", "-s --ax25 --x25 --rose --netrom", "-s -A ddp", "-s --ddp",
		"-s --appletalk", "-s -A appletalk", "-s -A econet", "-s -A ash", "-s --bluetooth", "-s --protocol=unix --protocol=x25", "--protocol inet -s6",
		"-s -- -6", "-s -A foo", "-s -A inet,foo",
	} {
		want, got := theirsOver(t, proc, strings.Fields(args)...), oursWith(t, proc, strings.Fields(args)...)
		if got != want {
			t.Errorf("%s:\n got %+v\nwant %+v", args, got, want)
		}
	}
	for _, args := range []string{"-ss", "-sr", "-si", "-sM"} {
		want, got := theirsOver(t, proc, args), oursWith(t, proc, args)
		if got.status != want.status || got.stdout != want.stdout || !strings.HasPrefix(got.stderr, "usage: ") {
			t.Errorf("%s: got %+v, want %+v", args, got, want)
		}
	}
}

// TestStatisticsErrors: files that are missing or broken.
func TestStatisticsErrors(t *testing.T) {
	needMounts(t)
	for name, host := range map[string]tables{
		"nothing":              {},
		"no snmp":              small.without("snmp"),
		"no netstat":           small.without("netstat"),
		"no snmp6":             small.without("snmp6"),
		"no sctp":              small.without("sctp/snmp"),
		"snmp only":            small.without("netstat", "snmp6", "sctp/snmp"),
		"snmp cannot be read":  small.with("snmp", directory),
		"others cannot":        small.with("netstat", directory).with("snmp6", directory),
		"snmp is a loop":       small.with("snmp", loop),
		"others are":           small.with("netstat", loop).with("snmp6", loop).with("sctp/snmp", loop),
		"empty":                {"snmp": "", "netstat": "", "snmp6": "", "sctp/snmp": ""},
		"no colon":             small.with("snmp", "Ip: InReceives\nIp: 3\nTcp InSegs\nTcp 1\nUdp: InDatagrams\nUdp: 1\n"),
		"no colon in netstat":  small.with("netstat", "TcpExt TCPTimeouts\nTcpExt: 1\nIpExt: InOctets\nIpExt: 4\n"),
		"nobody's names":       {"snmp": ": A B\n: 1 2\n", "netstat": "Q:\nQ:\nIpExt:\nIpExt:\n", "snmp6": "A6 7\nB6C 8\nB6 8\nNone 9\n6 4\n", "sctp/snmp": "x6 7\nInEchos 4\n"},
		"blanks and tabs":      small.with("snmp", "Ip:\tInReceives  InNew \nIp:  4\t5 \n\nTcp: InSegs\nTcp: 1").with("snmp6", "Ip6InReceives\t4\nUdp6X    5"),
		"sections that repeat": small.with("snmp", "Icmp: InEchos\nIcmp: 4\nIcmpMsg: A\nIcmpMsg: 1\nIcmpMsg: B\nIcmpMsg: 2\nIcmp: Foo OutEchos\nIcmp: 1 0\n"),
	} {
		t.Run(name, func(t *testing.T) {
			proc := host.write(t)
			for _, args := range []string{"-s", "-s6", "-st", "-s6t", "-su", "-s6u", "-sS"} {
				want, got := theirsOver(t, proc, args), oursWith(t, proc, args)
				if name == "no colon" && strings.HasPrefix(args, "-s6") { // net-tools passes it over in silence
					want.stderr = "Problem while parsing /proc/net/snmp\n"
				}
				if got != want {
					t.Errorf("%s:\n got %+v\nwant %+v", args, got, want)
				}
			}
		})
	}
}

// TestStatisticsWithoutFigures is where we differ: net-tools takes what is missing for 0.
func TestStatisticsWithoutFigures(t *testing.T) {
	proc := small.with("snmp", "Ip: InReceives\nIp: 3\nTcp: InSegs OutSegs\nTcp: 1\n").write(t)
	got := oursWith(t, proc, "-s4t")
	want := result{"IpExt:\n    InOctets: 4\nMPTcpExt:\n", "Problem while parsing /proc/net/snmp\n", exitOK}
	got.stdout = got.stdout[strings.Index(got.stdout, "IpExt"):]
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestStatisticsOfThisKernel: in a namespace where the counters stand still.
func TestStatisticsOfThisKernel(t *testing.T) {
	inNamespace(t, func() {
		h := newHost(t)
		h.populate()
		h.datagram(nil, v4(9), unix.SOCK_DGRAM, 0, 0)
		for fd := range maps.Keys(h.fds) {
			unix.Write(fd, []byte("a datagram, and perhaps a port that nobody listens on"))
		}
		for _, args := range []string{"-s", "-st", "-su", "-sw", "-sU", "-sS", "-s4", "-s6", "-s6t", "-s6u", "-s6w", "-stuw6"} {
			same(t, args)
		}
		if out := ours(t.Context(), "-s").stdout; !strings.Contains(out, "active connection openings\n") || strings.Contains(out, "    0 active") {
			t.Errorf("there were connections:\n%s", out)
		}
	})
}
