package ss

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

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/diagtest"
	"github.com/sockeye-tools/sockeye/diag/owner"
	"github.com/sockeye-tools/sockeye/internal/check"
	"github.com/sockeye-tools/sockeye/internal/getopt"
)

// statuses are all that ss ends with.
var statuses = []int{exitOK, exitFailed, exitUsage}

// outside reports a command line that does more than look at the kernel that it is given: it names files or a namespace, asks name servers,
// waits for events, or looks at threads, contexts and BPF maps of the machine.
func outside(args []string) bool {
	p := getopt.New("ss", args, optionList)
	for {
		id, arg, err := p.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		switch id {
		case 'D', 'N', 'E', 'r', 'T', 's', 'Z', 'z', optBPFMaps, optBPFMapID:
			return true
		case 'F':
			if !strings.HasPrefix(arg, "-") {
				return true
			}
		}
	}
	// A host name would be looked up.
	return slices.ContainsFunc(p.Operands(), func(w string) bool { return strings.Contains(w, "src") || strings.Contains(w, "dst") })
}

// fuzzEnv is the world of a fuzzed run: an empty /proc, and no files but those in vars.
func fuzzEnv(t *testing.T, proc string, vars map[string]string, stdout, stderr io.Writer) *cli.Env {
	return &cli.Env{
		Ctx: t.Context(), Stdin: strings.NewReader(""), Stdout: stdout, Stderr: stderr, Getenv: func(name string) string { return vars[name] },
		Owners: owner.Config{Backend: owner.Proc, Proc: proc},
	}
}

// FuzzCommandLine: any command line, and any answer of the kernel, come to an end with one of ss's statuses; what is printed is fit for a
// terminal, and a failure has words.
func FuzzCommandLine(f *testing.F) {
	listen := append([]byte{8, 0, 72, 0, 2, 10}, make([]byte, 70)...)
	for _, line := range []string{
		"", "-tan", "-tanoemi", "-tuwxpan0", "-A tcp,udp,!unix_dgram -a", "-f inet6 -l", "--tcp --num --ext", "-K sport = 22", "-tan ( sport = 80 or",
		"-4 state established exclude time-wait", "--explain -t dport = :http", "-aZ", "--vsock --xdp --tipc -a", "-OQHBbMSd", "-F - -t", "-aenmi0x dev lo",
		"-h", "-V", "-f help", "-A !tcp", "-tan autobound fwmark 1/2 cgroup /", "--=", "-\xff", "-t sport gt 65536", "-tanpoemi --output json", "-ua --output=ndjson", "-x --output json", "--output", "--exact -t",
	} {
		f.Add(line, "80", listen)
		f.Add(line, "x", append(listen[:len(listen):len(listen)], 0, 0, 4, 0, 0, 0, 0, 0))
	}
	f.Add("-ta", "1", []byte{1, 0, 20, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	proc := f.TempDir()
	f.Fuzz(func(t *testing.T, line, columns string, answer []byte) {
		args := strings.Fields(line)
		if len(line) > 500 || outside(args) {
			return
		}
		check.Time(t, time.Minute, func() string { return fmt.Sprintf("%q %q %x", args, columns, answer) })
		var stdout, stderr bytes.Buffer
		env := fuzzEnv(t, proc, map[string]string{"COLUMNS": columns}, &stdout, &stderr)
		env.Args = append([]string{"ss"}, args...)
		env.Kernel = diagtest.NewKernel(t, func(r diagtest.Request) []diagtest.Datagram { return diagtest.Fuzzed(r, answer) }).Config()
		status := Main(env)
		switch {
		case !slices.Contains(statuses, status):
			t.Errorf("ss %q: status %d", args, status)
		case status != exitOK && stderr.Len() == 0:
			t.Errorf("ss %q: status %d without a word", args, status)
		}
		if why := check.Terminal(stdout.Bytes(), '\t'); why != "" && strings.TrimSpace(line) != "" && check.Terminal([]byte(line)) == "" {
			t.Errorf("ss %q: %s", args, why)
		}
	})
}

// FuzzFiles: TCPDIAG_FILE and the tables of PROC_ROOT.
func FuzzFiles(f *testing.F) {
	msg := make([]byte, 88)
	msg[0], msg[4], msg[16], msg[17] = 88, 20, 2, 1
	end := []byte{20, 0, 0, 0, 3, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
	f.Add(byte(0), append(msg[:88:88], end...))
	f.Add(byte(0), append(msg[:88:88], 20, 0, 0, 0, 2, 0, 0, 0))
	f.Add(byte(0), []byte("no dump"))
	for i, text := range []string{
		"head\n   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 39627716 1 000000000d0fa744 100 0 0 10 0\n",
		"head\n   3: 0100007F:A6A6 0100007F:1F90 01 5:7 04:0000172C 00000003 7 2 9 2 19787927 123456 45 3 7 70000 foo\x1b[1m\xff\n",
		"Num RefCount Protocol Flags Type St Inode Path\n0: 00000002 00000000 00010000 0001 01 7 @\x1b]0;x\x07\n",
		"sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode\n0000000000000000 0   1234 00000011 0 0 0 2 0 77\n",
		"sk RefCnt Type Proto Iface R Rmem User Inode\n0000000000000000 3 3 0003 2 1 0 0 99\n",
		"sockets: used 1\nTCP: inuse 5 orphan 0 tw 2 alloc 9 mem 1\n",
		"Tcp: CurrEstab X\nTcp: 4 5\n",
	} {
		f.Add(byte(i+1), []byte(text))
	}
	files := []struct{ file, line string }{
		{"dump", "-tanoemipO"}, {"net/tcp", "-tanoemipO"}, {"net/tcp6", "-tan"}, {"net/unix", "-xanpe"}, {"net/netlink", "-A netlink -ane"}, {"net/packet", "-0anpe"},
		{"net/sockstat", "-s"}, {"net/snmp", "-s"}, {"net/udp", "-uanei"}, {"net/raw", "-wan"}, {"net/sockstat6", "-s"}, {"sys/net/ipv4/ip_local_port_range", "-tan autobound"},
	}
	proc := f.TempDir()
	for _, dir := range []string{"net", "sys/net/ipv4"} {
		if err := os.MkdirAll(filepath.Join(proc, dir), 0o700); err != nil {
			f.Fatal(err)
		}
	}
	f.Fuzz(func(t *testing.T, which byte, b []byte) {
		run := files[int(which)%len(files)]
		check.Time(t, time.Minute, func() string { return fmt.Sprintf("%s %q", run.file, b) })
		file := filepath.Join(proc, run.file)
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		vars := map[string]string{"PROC_ROOT": proc}
		if run.file == "dump" {
			vars["TCPDIAG_FILE"] = file
		}
		var stdout, stderr bytes.Buffer
		env := fuzzEnv(t, proc, vars, &stdout, &stderr)
		env.Args = append([]string{"ss"}, strings.Fields(run.line)...)
		env.Kernel = &diag.Config{Proc: proc, Socket: noKernel}
		if status := Main(env); !slices.Contains(statuses, status) || status != exitOK && stderr.Len() == 0 {
			t.Errorf("%v ss %s: status %d, %q", vars, run.line, status, &stderr)
		}
		if why := check.Terminal(stdout.Bytes(), '\t'); why != "" {
			t.Errorf("%v ss %s: %s", vars, run.line, why)
		}
	})
}

// noKernel is a system without sock_diag.
func noKernel() (*netlink.Conn, error) { return nil, unix.EAFNOSUPPORT }
