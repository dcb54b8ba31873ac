package ss

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/diagtest"
	"github.com/sockeye-tools/sockeye/diag/diagtest/scene"
	"github.com/sockeye-tools/sockeye/diag/owner"
)

// TestOthersParse: each line was run with ss, and its columns and rows looked at.
func TestOthersParse(t *testing.T) {
	const (
		conn   = statesConn
		closed = diag.States(1 << diag.Close)
		all    = diag.AllStates
	)
	for _, tt := range []struct {
		line   string
		tables tables
		states diag.States
	}{
		{"-x", tablesUnix, conn},
		{"-0", tablesPacket, closed},
		{"-f unix", tablesUnix, conn},
		{"-f link", tablesPacket, closed},
		{"-f netlink", tableNetlink, closed},
		{"-f vsock", tablesVSock, conn},
		{"-f tipc", tableTIPC, 1<<diag.Established | 1<<diag.Listen | closed},
		{"-f xdp", tableXDP, closed},
		{"--vsock --xdp --tipc", tablesVSock | tableXDP | tableTIPC, conn | closed | 1<<diag.Listen},
		{"-A netlink", tableNetlink, conn}, // so that there is nothing to show
		{"-A packet -a", tablesPacket, all},
		{"-A u_str", tableUnixStream, conn},
		{"-x -A u_str", tableUnixStream, conn},
		{"-A u_str -x", tableUnixStream, conn},
		{"-tx", tableTCP | tablesUnix, conn},
		{"-x0a", tablesUnix | tablesPacket, all},
		{"-4x", tablesInet | tablesUnix, conn},
		{"-A tcp -x", tableTCP | tablesUnix, conn},
		{"-A all,!unix", tablesAll &^ tablesUnix, conn},
		{"", tablesAll, conn},
	} {
		o, err := parse(words(tt.line), false)
		if err != nil {
			t.Errorf("%q: %v", tt.line, err)
			continue
		}
		if o.tables != tt.tables || o.states != tt.states {
			t.Errorf("%q: tables %b, states %b, want %b, %b", tt.line, o.tables, o.states, tt.tables, tt.states)
		}
	}
}

// TestOthersFace runs command lines beside ss over the scene: every byte is equal.
func TestOthersFace(t *testing.T) {
	peer(t)
	s := scene.New(t)
	for i, line := range []string{
		"-x", "-xa", "-xan", "-xl", "-xap", "-xae", "-xam", "-xaemopi", "-xaH", "-xaQ", "-xaO", "-f unix -a", "-A u_str -ap", "-A u_dgr,u_seq -ae",
		"-0a", "-0an", "-0ap", "-0ae", "-0aem", "-0aempO", "-A p_raw -a", "-f link -a", "-tx -an", "-x0a", "-tux0an", "-A unix,mptcp -an",
		"-xa src *stream", "-xa not src @*", "-xa autobound", "-a src unix:@*", "-0a src ip", "-0a sport = lo", "-0a dev lo", "-xa dev lo",
		"-x -a state listening", "-xa state unconnected -p", "--vsock -a", "--xdp -ae", "--tipc --tipcinfo -aep", "-A all,!netlink -an", "-A all,!netlink",
	} {
		args := strings.Fields(line)
		for _, columns := range []string{"", []string{"60", "80", "132", "200"}[i%4]} {
			var want, got result
			for range 4 { // a socket may change in between
				want = theirs(t, s, columns, args...)
				if err := s.Do(func() { got = ours(t, columns, args...) }); err != nil {
					t.Fatal(err)
				}
				if got == want {
					break
				}
			}
			if got != want {
				t.Errorf("COLUMNS=%s ss %s: status %d, stderr %q, want %d, %q\n%s", columns, line, got.status, got.stderr, want.status, want.stderr,
					firstDiff(got.stdout, want.stdout))
			}
		}
	}
}

// Tables as /proc/net has them.
const (
	unixTable = `Num       RefCount Protocol Flags    Type St Inode Path
0000000000000000: 00000002 00000000 00010000 0001 01 4294967295 /run/x
0000000000000000: 00000003 00000000 00000000 0001 03   157
0000000000000000: 00000002 00000000 00000000 0002 01  4711 @a@b
0000000000000000: 00000002 00000000 00000000 0002 03  4712 @0a1f9
0000000000000000: 00000002 00000000 00000000 0005 02     0 two  words 
0000000000000000: 00000002 00000000 00000000 0005 04     0  x
0000000000000000: 00000002 00000000 00000000 0001 01  9 /tab	x
`
	netlinkTable = `sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode
00000000deadbeef 0   4294967295 80000003 11       12       1     2        13       14      
0000000000000001 16  0          00000000 0        0        0     2        0        4294967295
0000000000000001 16  2147483653 00000000 5        6        0     2        0        7
`
	packetTable = `sk               RefCnt Type Proto  Iface R Rmem   User   Inode
00000000deadbeef 3      3    88cc   5     1 42     1000   14    
0000000000000000 3      2    0800   0     1 0      0      15    
0000000000000000 3      10   0003   1     0 0      0      16    
`
)

// TestOthersFromFiles: what PROC_NET_UNIX and its like name is read, and shown as ss shows it.
func TestOthersFromFiles(t *testing.T) {
	peer(t)
	dir := t.TempDir()
	env := []string{"PATH=" + os.Getenv("PATH")}
	for name, text := range map[string]string{"UNIX": unixTable, "NETLINK": netlinkTable, "PACKET": packetTable} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		env = append(env, "PROC_NET_"+name+"="+file)
	}
	lines := []string{
		"-xa", "-x", "-xl", "-xan", "-xae", "-xaem", "-xaH", "-A u_dgr -a", "-A u_str,u_seq -a", "-xa src @*", "-xa autobound", "-xa src two",
		"-xa state established", "-xa state unconnected", "-xa state syn-sent", "-xa state closing",
		"-f netlink -a", "-f netlink -an", "-f netlink -ae", "-f netlink -aep", "-f netlink -aemp", "-f netlink -a src genl", "-f netlink -a autobound",
		"-0a", "-0an", "-0ae", "-0aem", "-0aemO", "-A p_raw -a", "-A p_dgr -a", "-0a src ip", "-0a dev lo", "-0a sport = lo",
		"-A unix,packet,netlink -ae", "-0xa", "-0x",
	}
	compare := func(env []string, line string) {
		for _, columns := range []string{"0", "60", "80", "132", "200"} {
			cmd := exec.Command(peer(t), strings.Fields(line)...)
			cmd.Env = append(env[:len(env):len(env)], "COLUMNS="+columns)
			var want, got result
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			if err := cmd.Run(); err != nil {
				if _, ok := errors.AsType[*exec.ExitError](err); !ok {
					t.Fatal(err)
				}
			}
			want = result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
			stdout.Reset()
			stderr.Reset()
			got.status = Main(&cli.Env{
				Ctx: t.Context(), Args: append([]string{"ss"}, strings.Fields(line)...), Stdout: &stdout, Stderr: &stderr,
				Getenv: func(name string) string {
					for _, kv := range cmd.Env {
						if v, ok := strings.CutPrefix(kv, name+"="); ok {
							return v
						}
					}
					return ""
				},
			})
			got.stdout, got.stderr = stdout.String(), stderr.String()
			if got != want {
				t.Errorf("COLUMNS=%s ss %s:\n got %+v\nwant %+v", columns, line, got, want)
			}
		}
	}
	for _, line := range lines {
		compare(env, line)
	}
	// Without the files there is nothing.
	missing := []string{"PATH=" + os.Getenv("PATH"), "PROC_NET_UNIX=" + dir + "/no", "PROC_NET_PACKET=" + dir + "/no", "PROC_NET_NETLINK=" + dir + "/no"}
	for _, line := range []string{"-xa", "-0a", "-f netlink -a"} {
		compare(missing, line)
	}
}

// The tables come in ss's order, with vsock, TIPC and XDP in front of MPTCP; what the kernel does not have is left out, and what fails is
// said.
func TestOthersOrder(t *testing.T) {
	ne := binary.NativeEndian
	words := func(vs ...uint32) (b []byte) {
		for _, v := range vs {
			b = ne.AppendUint32(b, v)
		}
		return b
	}
	var mu sync.Mutex
	asked := map[[2]int]int{} // by family and protocol
	answer := func(r diagtest.Request) []diagtest.Datagram {
		mu.Lock()
		asked[[2]int{int(r.Data[0]), int(r.Protocol())}]++
		mu.Unlock()
		m := []byte(nil)
		switch r.Data[0] {
		case unix.AF_NETLINK:
			m = append([]byte{16, 3, 0, 7}, words(0, 0, 0, 0, 0, 0)...)
		case unix.AF_PACKET:
			return []diagtest.Datagram{diagtest.Datagram{}.Error(r, unix.ENOENT)}
		case unix.AF_UNIX:
			m = append([]byte{1, 1, 7, 0}, words(157, 0, 0)...)
		case unix.AF_VSOCK:
			m = append([]byte{40, 1, 1, 0}, words(3, 4, 5, 6, 0, 0, 0)...)
		case unix.AF_XDP:
			return []diagtest.Datagram{diagtest.Datagram{}.Error(r, unix.EPERM)}
		case unix.AF_INET:
			if p := r.Protocol(); p == diag.TCP || p == diag.MPTCP {
				m = make([]byte, 72)
				m[0], m[1] = 2, 1
			}
		}
		d := diagtest.Datagram{}
		if m != nil {
			d = d.Append(r, 20, unix.NLM_F_MULTI, m)
		}
		return []diagtest.Datagram{d.Done(r)}
	}
	const want = "nl    UNCONN       0:0          *\n" +
		"u_str UNCONN       * 157       * 0\n" +
		"tcp   ESTAB  0.0.0.0:*   0.0.0.0:*\n" +
		"v_str ESTAB        3:4         5:6\n" +
		"mptcp ESTAB  0.0.0.0:*   0.0.0.0:*\n"
	for line, want := range map[string]string{
		"-anHQ": want,
		// Rows are kept until owners are known, and nothing is asked for twice.
		"-anHQp":                strings.Replace(want, "*\n", "* \n", 1), // netlink sockets have no processes, but a blank for them
		"-xanHQp":               "u_str UNCONN * 157 * 0\n",
		"-A netlink,tcp -anHQp": "nl  UNCONN       0:0        * \ntcp ESTAB  0.0.0.0:* 0.0.0.0:*\n",
		"-A v_str,tcp -anHQp":   "tcp   ESTAB 0.0.0.0:* 0.0.0.0:*\nv_str ESTAB       3:4       5:6\n",
	} {
		mu.Lock()
		clear(asked)
		mu.Unlock()
		s, stdout, stderr := newTestShow(t, line, answer)
		s.env.Owners = owner.Config{Backend: owner.None}
		status, err := s.run()
		if stdout.String() != want || err != nil {
			t.Errorf("%s: %v\n got %q\nwant %q", line, err, stdout, want)
		}
		words, code := "", exitOK
		if line[:3] == "-an" { // all families
			words, code = "ss: dump xdp: operation not permitted\n", exitFailed
		}
		if stderr.String() != words || status != code {
			t.Errorf("%s: status %d, stderr %q", line, status, stderr)
		}
		mu.Lock()
		for what, n := range asked {
			if n != 1 {
				t.Errorf("%s: family and protocol %v dumped %d times", line, what, n)
			}
		}
		mu.Unlock()
	}
}
