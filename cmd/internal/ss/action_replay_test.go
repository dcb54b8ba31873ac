package ss

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/diagtest/scene"
	"github.com/sockeye-tools/sockeye/render/ss"
)

func TestReplayed(t *testing.T) {
	env := map[string]string{}
	e := &cli.Env{Getenv: func(name string) string { return env[name] }}
	for _, tt := range []struct {
		env  map[string]string
		p    diag.Protocol
		want *replay
	}{
		{nil, diag.TCP, nil},
		{map[string]string{"TCPDIAG_FILE": "d", "PROC_NET_TCP": "t"}, diag.TCP, &replay{dump: "d"}},
		{map[string]string{"TCPDIAG_FILE": "d"}, diag.UDP, nil},
		{map[string]string{"PROC_NET_TCP": "t"}, diag.TCP, &replay{v4: "t", v6: "/proc/thread-self/net/tcp6", protocol: diag.TCP}},
		{map[string]string{"PROC_NET_TCP6": "t"}, diag.TCP, nil}, // says only where the second file is
		{map[string]string{"PROC_NET_TCP": "t"}, diag.UDP, nil},
		{map[string]string{"PROC_ROOT": "/p", "PROC_NET_UDP6": "u"}, diag.UDP, &replay{v4: "/p/net/udp", v6: "u", protocol: diag.UDP}},
		{map[string]string{"PROC_ROOT": "/p"}, diag.MPTCP, &replay{protocol: diag.MPTCP}},
		{map[string]string{"PROC_NET_SCTP": "x"}, diag.SCTP, &replay{protocol: diag.SCTP}},
	} {
		env = tt.env
		if d := cmp.Diff(tt.want, (&show{env: e}).replayed(tt.p), cmp.AllowUnexported(replay{})); d != "" {
			t.Errorf("%v, %v: %s", tt.env, tt.p, d)
		}
	}
}

func TestProcRow(t *testing.T) {
	const head = "   1: 0100007F:A6A4 0100007F:1F90 01 00000005:00000007 "
	for _, tt := range []struct {
		line    string
		want    ss.ProcRow
		retrans uint8
	}{
		{"01:00000014 00000003     7        2 39627717 2 0000000019787927 20 4 31 10 7", ss.ProcRow{SK: 0x19787927, RTO: 20, ATO: 4, QAck: 31, Cwnd: 10, SSThresh: 7}, 3},
		{"02:00000014 00000003     7        2 39627717 2 ffff888000000000 20 4 31 10 -1 a  b", ss.ProcRow{SK: 0xffff888000000000, RTO: 20, ATO: 4, QAck: 31, Cwnd: 10, Opt: []byte("a b")}, 2},
		{"03:0000172C 00000000     0        3 0 3 000000007552aa16", ss.ProcRow{SK: 0x7552aa16, Cwnd: 2}, 3},
	} {
		sock, err := diag.ParseProcInet([]byte(head+tt.line), diag.TCP, diag.IPv4)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(&tt.want, procRow([]byte(head+tt.line), sock)); d != "" || sock.Retrans != tt.retrans {
			t.Errorf("%s: retrans %d, %s", tt.line, sock.Retrans, d)
		}
	}
}

// Files of all kinds of rows, which kernels seldom have at once, are shown as ss shows them; owners, too, and what is no row is passed
// over. -K closes nothing of a file, and says so.
func TestReplayOfTables(t *testing.T) {
	p := peer(t)
	ns := scene.NewNetNS(t)
	file := filepath.Join(t.TempDir(), "tcp")
	const text = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 39627716 1 000000000d0fa744 100 0 0 10 0
   1: 0100007F:A6A4 0100007F:1F90 01 00000005:00000007 01:00000014 00000003     7        2 39627717 2 0000000019787927 20 4 31 10 7
   2: 0100007F:A6A5 0100007F:1F90 01 00000005:00000007 02:0000172C 00000003     7        2 39627718 2 0000000019787927 300 4 30 0 70000
   3: 0100007F:A6A6 0100007F:1F90 01 00000005:00000007 04:0000172C 00000003     7        2 39627718 2 0000000019787927 123456 45 3 7 70000 foo bar
   4: 0100007F:A6A7 0100007F:1F90 06 00000000:00000000 03:0000172C 00000000     0        3 0 3 000000007552aa16
   5: 0100007F:A6A8 0100007F:1F90 03 00000000:00000000 05:0000172C 00000000     0        3 0 3 000000007552aa16
   6: 0100007F:A6A9 0100007F:1F90 0C 00000000:80000000 09:0000172C 000000ff     0        3 0 3 000000007552aa16 20
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	env := []string{"PROC_NET_TCP=" + file, "PROC_NET_TCP6=/no/such/file"}
	for _, line := range []string{"-tan", "-tanoemi", "-tanO -e", "-tn", "-tni", "-tan sport = 42660", "-tan not dport = 8080", "-tano state time-wait"} {
		want, got := inNS(t, ns, env, append([]string{p}, split(line)...)...), inNS(t, ns, env, "", line)
		if got != want {
			t.Errorf("%s: %q\n%s", line, got.stderr, firstDiff(got.stdout, want.stdout))
		}
	}
	if got := inNS(t, ns, env, "", "-KtanH"); got.stdout != "" || got.stderr != "ss: sockets not closed: 7: they come from a file\n" {
		t.Errorf("-K: %+v", got)
	}
	if err := os.WriteFile(file, []byte(text+"no row\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, want := inNS(t, ns, env, "", "-tan"), inNS(t, ns, env, p, "-tan"); got != want {
		t.Errorf("with a line that is no row: %+v\nwant %+v", got, want)
	}
}
