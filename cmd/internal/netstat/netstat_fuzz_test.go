package netstat

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/diagtest"
	"github.com/sockeye-tools/sockeye/diag/owner"
	"github.com/sockeye-tools/sockeye/internal/check"
	"github.com/sockeye-tools/sockeye/internal/getopt"
	render "github.com/sockeye-tools/sockeye/render/netstat"
)

// statuses are all that netstat ends with.
var statuses = []int{exitOK, exitFailed, exitUsage, exitNotYet, exitErrno}

// fuzzRun runs a command line on an empty /proc, or one with tables, and checks how it ends.
func fuzzRun(t *testing.T, proc string, kernel *diag.Config, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	var out, words bytes.Buffer
	env := &cli.Env{
		Ctx: t.Context(), Args: append([]string{"netstat"}, args...), Stdin: strings.NewReader(""), Stdout: &out, Stderr: &words,
		Getenv: func(string) string { return "" }, Kernel: kernel, Owners: owner.Config{Backend: owner.Proc, Proc: proc},
	}
	status = Main(env)
	if !slices.Contains(statuses, status) || status != exitOK && words.Len() == 0 && out.Len() == 0 {
		t.Errorf("netstat %q: status %d, %q", args, status, &words)
	}
	if why := check.Terminal(out.Bytes(), '\t'); why != "" {
		t.Errorf("netstat %q: %s", args, why)
	}
	return out.String(), words.String(), status
}

// FuzzCommandLine: any command line, and any answer of the kernel, come to an end with one of netstat's statuses, and with words where it
// failed; what is printed is fit for a terminal.
func FuzzCommandLine(f *testing.F) {
	listen := append([]byte{8, 0, 72, 0, 2, 10}, make([]byte, 70)...)
	for _, line := range []string{
		"", "-tan", "-tuanepoW", "-lx", "-g", "-s", "-r", "-ree", "-i -e", "-A inet,unix", "--numeric-h", "--ax25 -l", "-Z", "-M", "-46Sl", "-2", "--=", "-\xff",
		"-A ,", "-rA foo", "-vwU", "-h", "-V", "--uni", "-isr", "-rCF6",
		"--bsd -an", "--bsd -s -p tcp", "--bsd -rn -f inet", "--bsd -ib", "--bsd -aL -f unix", "--output json -tan", "--output=ndjson -xp",
	} {
		f.Add(line, listen)
		f.Add(line, append(listen[:len(listen):len(listen)], 0, 0, 4, 0, 0, 0, 0, 0))
	}
	f.Add("-tu", []byte{1, 0, 20, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	proc := f.TempDir()
	f.Fuzz(func(t *testing.T, line string, answer []byte) {
		args := strings.Fields(line)
		if len(line) > 500 {
			return
		}
		p := getopt.New("netstat", args, words)
		for {
			id, _, err := p.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if id == 'c' { // goes on for ever
				return
			}
		}
		check.Time(t, time.Minute, func() string { return fmt.Sprintf("%q %x", args, answer) })
		k := diagtest.NewKernel(t, func(r diagtest.Request) []diagtest.Datagram { return diagtest.Fuzzed(r, answer) })
		fuzzRun(t, proc, k.Config(), append([]string{"-n"}, args...)...) // without names: no name server is asked
	})
}

// FuzzTables: every table of /proc/net that is read, of any text.
func FuzzTables(f *testing.F) {
	for i, text := range []string{
		"Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\neth\x1b[1m\xff\t0000A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n",
		"00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200     l\x1bo\n",
		"Num RefCount Protocol Flags Type St Inode Path\n0: 00000002 00000000 00010000 0001 01 7 @/x\x1b[1m\xff\n",
		"Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n1\tl\x1bo        :     1      V3\n\t\t\t\t010000E0     1 0:00000000\t\t0\n",
		"1    l\x1bo    ff0200000000000000000000000000fb     1 0000000C 0\n",
		"Ip: Forwarding DefaultTTL\nIp: 1 64\n",
		"TcpExt: A\x1b B\nTcpExt: 1 2\n",
		"Ip6InReceives 1\nIcmp6OutType135\t3\n",
		"SctpCurrEstab 1\nX -3\n",
		"sl\n   0: 0100007F:1F90 00000000:0000 03 00000000:00000000 00:00000000 00000000     0        0 39627716 1 000000000d0fa744 100 0 0 10 0\n",
	} {
		f.Add(byte(i), text)
	}
	proc := f.TempDir()
	dir := filepath.Join(proc, "net")
	if err := os.MkdirAll(filepath.Join(dir, "sctp"), 0o700); err != nil {
		f.Fatal(err)
	}
	tables := []struct{ file, line string }{
		{"route", "-rn"}, {"ipv6_route", "-rn6"}, {"unix", "-xanW"}, {"igmp", "-gn"}, {"igmp6", "-gn"}, {"snmp", "-s"}, {"netstat", "-s"}, {"snmp6", "-s6"},
		{"sctp/snmp", "-sS"}, {"tcp", ""}, {"route", "-rneeF"}, {"unix", "-xlp"}, {"snmp", "-sw"}, {"snmp", "-stu"},
	}
	f.Fuzz(func(t *testing.T, which byte, text string) {
		table := tables[int(which)%len(tables)]
		check.Time(t, time.Minute, func() string { return fmt.Sprintf("%s %q", table.file, text) })
		if table.line == "" {
			for line := range strings.Lines(text) {
				for _, family := range []diag.Family{diag.IPv4, diag.IPv6} {
					parseSynRecv([]byte(line), family)
				}
				var u render.UnixSocket
				if parseUnix([]byte(line), &u) && !strings.Contains(line, string(u.Path)) {
					t.Errorf("%q: path %q", line, u.Path)
				}
			}
			return
		}
		file := filepath.Join(dir, table.file)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		fuzzRun(t, proc, &diag.Config{Proc: proc}, strings.Fields(table.line)...)
	})
}

// FuzzFiles: /etc/hosts and /etc/networks.
func FuzzFiles(f *testing.F) {
	f.Add("127.0.0.1 localhost\n::1 x # y\nbad\n", "loopback 127.0.0.0\nx 10\ny 1.2.3.4.5\nevil\x1b 0x7f.1\n")
	dir := f.TempDir()
	hosts, networks := filepath.Join(dir, "hosts"), filepath.Join(dir, "networks")
	f.Fuzz(func(t *testing.T, h, n string) {
		for name, text := range map[string]string{hosts: h, networks: n} {
			if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		for a := range readHosts(hosts) {
			if !a.IsValid() {
				t.Errorf("%q: an address that is none", h)
			}
		}
		for a, name := range readNetworks(networks) {
			if why := check.Terminal([]byte(name)); !a.Is4() || name == "" || why != "" {
				t.Errorf("%q: %v is %q %s", n, a, name, why)
			}
		}
	})
}

// FuzzInterfaceNames: names of devices have one order, whatever they are.
func FuzzInterfaceNames(f *testing.F) {
	f.Add("eth0", "eth10", "eth0:1")
	f.Add("lo", "", "99999999999999999999")
	f.Add("a1b2", "a1b", "a01b2")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		sign := func(n int) int { return max(-1, min(1, n)) }
		if sign(compareNames(a, b)) != -sign(compareNames(b, a)) {
			t.Errorf("%q and %q: %d and %d", a, b, compareNames(a, b), compareNames(b, a))
		}
		if compareNames(a, a) != 0 {
			t.Errorf("%q is not itself", a)
		}
		if compareNames(a, b) < 0 && compareNames(b, c) < 0 && compareNames(a, c) >= 0 {
			t.Errorf("%q < %q < %q, and not %q < %q", a, b, c, a, c)
		}
	})
}
