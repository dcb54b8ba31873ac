package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sockeye-tools/sockeye/diag/diagtest/scene"
	"github.com/sockeye-tools/sockeye/internal/peers"
)

// reference has a row for each thing that ss is known to do, with command lines that ask for it; they are answered as by ss. Where that is
// not meant to be, or takes more than a command line, the tests of see show what happens instead.
var reference = []struct {
	row   string
	lines string
	env   string // of all lines
	see   string // files and tests, by blanks
}{
	// Options.
	{row: "-h --help", see: "cmd/internal/ss/ss_test.go:TestMainExits"},
	{row: "a bad option", lines: "-q\n--nope\n-tan --s\n-A\n-tan -f\n--query\n--all=1\n--bpf-map-id\n-tanj"},
	{row: "-V -v --version", see: "cmd/internal/ss/ss_test.go:TestMainExits cmd/internal/ss/options_test.go:TestParseErrors"},
	{row: "-n --numeric", lines: "-tuan\n-ta --numeric\n-wan\n-f netlink -an src rtnl\n-0an\n-tain"},
	{row: "-r --resolve", lines: "-tar\n-tanr\n-uanr src 127.0.0.1", see: "cmd/internal/ss/show_test.go:TestHosts"},
	{row: "-a --all", lines: "-a -A all,!netlink\n--all -t\n-ua"},
	{row: "-l --listening", lines: "-tl\n--listening -A all,!netlink\n-ul"},
	{row: "-B --bound-inactive", lines: "-B\n-tB\n--bound-inactive -n\n-tBa\n-taB"},
	{row: "-o --options", lines: "-tano\n-uano\n-xao\n-tan --options"},
	{row: "-e --extended", lines: "-tane\n-uane\n-wane\n-xae\n-0ae\n-tan --extended"},
	{row: "-m --memory", lines: "-tanm\n-uanm\n-xam\n-0am\n-tan --memory"},
	{row: "-i --info", lines: "-tani\n-uani\n-wani\n-Mani\n-xai\n-tan --info"},
	{row: "-p --processes", lines: "-tanp\n-uanp\n-xap\n-0ap\n-tuxap\n-tan --processes"},
	{row: "-T --threads", lines: "-tanT\n-tan --threads", see: "cmd/internal/ss/action_threads_test.go:TestThreads"},
	{row: "-Z -z", lines: "-tanZ\n-tanz\n--context\n--contexts", see: "cmd/internal/ss/contexts_test.go:TestContexts render/ss/users_test.go:TestAppendContexts"},
	{row: "-b --bpf", lines: "-0ab\n-tanb\n--bpf -0a"},
	{row: "--bpf-maps --bpf-map-id", lines: "-tan --bpf-maps\n-tan --bpf-map-id x", see: "cmd/sockeye/bpfmaps_ss_test.go:TestBPFMapsSS"},
	{row: "-s --summary", see: "cmd/internal/ss/action_summary_test.go:TestSummaryOfScene cmd/sockeye/matrix_replay_test.go:TestMatrixReplay"},
	{row: "-E --events", lines: "-E -w\n-E -x", see: "cmd/internal/ss/action_events_test.go:TestEvents"},
	{row: "-K --kill", lines: "-tanK sport = 1\n-K -n dport = 1", see: "cmd/internal/ss/action_kill_test.go:TestKill"},
	{row: "-N --net", lines: "-N no-such-namespace\n-tan --net=no-such-namespace", see: "cmd/internal/ss/action_netns_test.go:TestNamedNamespace"},
	{row: "-4 -6", lines: "-4an\n-6an\n-4tan\n--ipv6 -uan", see: "cmd/internal/ss/face_test.go:TestFaceBothFamilies"},
	{row: "-t -u -w -S -M", lines: "-tn\n-un\n-wn\n-Sn\n-Mn\n--tcp --udp --raw --sctp --mptcp -an"},
	{row: "-d", lines: "", see: "cmd/internal/ss/options_test.go:TestTablesFamiliesStates"},
	{row: "-x -0 --vsock --tipc --xdp", lines: "-x\n-0a\n--vsock -a\n--tipc -a\n--xdp -a"},
	{row: "-f --family", lines: "-f inet -tan\n-f inet6 -an\n-f link -a\n-f unix\n-f netlink -an src rtnl\n-f vsock\n-f tipc\n-f xdp\n-f nope\n--family=inet -tan"},
	{row: "-A --query --socket", lines: "-A tcp -an\n-A udp,raw -an\n-A inet,!tcp -an\n--query=mptcp -an\n--socket unix -a\n-A nope\n-A tcp,!tcp\n" +
		"-A all,!netlink -an\n-A u_str,u_dgr,u_seq -a\n-A p_raw -a\n-A vsock -a\n-A v_dgr -a\n-A xdp\n-A tipc -a\n-A sctp -an\n-A inet6"},
	{row: "-D", see: "cmd/sockeye/matrix_replay_test.go:TestDumpsAreExchanged cmd/internal/ss/action_record_test.go:TestRecord"},
	{row: "-F", lines: "-tan -F DIR/filter\n-tan dport = 80 --filter DIR/filter\n-tan --filter=/no/such/file\n-F DIR/filter -F DIR/filter\n-tan -F -\n-tan -F DIR/bad"},
	{row: "-H", lines: "-tanH\n--no-header -uan"},
	{row: "-Q", lines: "-tanQ\n--no-queues -xa\n-tanQH"},
	{row: "-O", lines: "-taniO\n--oneline -tanmi\n-0aeO"},
	{row: "--tos --cgroup --inet-sockopt --tipcinfo", lines: "-tan --tos\n-uan --tos\n-tan --cgroup\n-tan --inet-sockopt\n-tanO --inet-sockopt\n--tipc -a --tipcinfo"},
	{row: "abbreviations and permutation", lines: "--tc --num --al\nsport = 80 -tan\n-t --ext -n -- state listening\n--inet -tan\n--bpf-map=0\n--no-h -tan"},

	// How tables, families and states combine.
	{row: "default mode", lines: "-n -A all,!netlink\n-nH"},
	{row: "one state mask for all tables", lines: "-un\n-uxn\n-utn\n-wn\n-wtn"},
	{row: "-A narrows the states", lines: "-A netlink\n-A packet\n-A udp -n\n-A udp,tcp -n"},
	{row: "-A clears tables", lines: "-t -A udp -an\n-A udp -t -an\n-x -A tcp -an\n-A tcp -A udp -an"},
	{row: "families without tables", lines: "-4n\n-6n -x\n-t -x -n\n-4 -t -n"},
	{row: "the last of -a -l -B counts", lines: "-tanl\n-tlna\n-tBln\n-tlBn"},
	{row: "state words beat options", lines: "-tln state established\n-tan state listening\n-tBn state all"},
	{row: "nothing to show", lines: "-A !tcp\n-A tcp,!tcp\n-tn exclude all"},
	{row: "order of tables", lines: "-an -A all,!netlink\n-an -A mptcp,tcp,udp,raw,unix,packet"},
	{row: "exit statuses", lines: "-tan\n-tan src x:y:z\n-tan sport =\n-tn state wrong\n-tan src 1.2.3.4/99\n-tan dev\n-tan ( sport = 80"},

	// State words.
	{row: "state names", lines: "-tan state established\n-tan state syn-sent\n-tan state syn-recv\n-tan state syn-rcv\n-tan state fin-wait-1\n-tan state fin-wait-2\n" +
		"-tan state time-wait\n-tan state unconnected\n-tan state close\n-tan state closed\n-tan state close-wait\n-tan state last-ack\n-tan state listening\n" +
		"-tan state closing\n-tan state bound-inactive\n-tan state UNKNOWN\n-tan state LISTENING\n-tan state listen\n-tan state estab"},
	{row: "state groups", lines: "-tan state all\n-tan state connected\n-tan state synchronized\n-tan state bucket\n-tan state big"},
	{row: "state and exclude", lines: "-tan state listening state established\n-tan exclude listening\n-tan excl time-wait exclude listening\n-tan exclude listening state listening\n-tan state"},

	// The filter: words and operators.
	{row: "quoting", lines: `-tan sport\ =\ 22` + "\n-tan sport=22\n-tan (sport = 22)\n-tan !sport = 22\n-xa src /a\\\\b"},
	{row: "not", lines: "-tan ! sport = 22\n-tan not sport = 22\n-tan not not sport = 22"},
	{row: "and", lines: "-tan sport = 80 and src 127.0.0.1\n-tan sport = 80 & src 127.0.0.1\n-tan sport = 80 && src 127.0.0.1\n-tan sport = 80 src 127.0.0.1"},
	{row: "or", lines: "-tan sport = 80 or dport = 80\n-tan sport = 80 | dport = 80\n-tan sport = 80 || dport = 80"},
	{row: "= and its spellings", lines: "-tan sport = 80\n-tan sport == 80\n-tan sport eq 80\n-tan sport 80"},
	{row: "!= and its spellings", lines: "-tan sport != 80\n-tan sport ne 80\n-tan sport neq 80"},
	{row: ">= <= and their spellings", lines: "-tan sport >= 80\n-tan sport ge 80\n-tan sport geq 80\n-tan sport <= 80\n-tan sport le 80\n-tan sport leq 80"},
	{row: "> < and their spellings", lines: "-tan sport > 80\n-tan sport gt 80\n-tan sport < 80\n-tan sport lt 80"},
	{row: "and and or bind alike", lines: "-tan sport = 80 or sport = 22 and dport = 1\n-tan sport = 22 and dport = 1 or sport = 80\n-tan sport = 80 or ( sport = 22 and dport = 1 )"},
	{row: "syntax errors", lines: "-tan ( )\n-tan sport = 80 and\n-tan and\n-tan dst != 127.0.0.1\n-tan dev > 1\n-tan )"},
	{row: "an unknown word is an operand", lines: "-tan 127.0.0.1\n-tan nonsense\n-tan sport 80 443"},

	// Predicates and operands.
	{row: "src dst", lines: "-tan src 127.0.0.1\n-tan dst 127.0.0.1\n-tan src = 127.0.0.1\n-tan not dst 127.0.0.1"},
	{row: "sport dport", lines: "-tan sport 80\n-tan dport :80\n-tan sport *\n-tan dport = -1\n-tan sport 70000\n-tan sport = 0x50\n-tan sport = 0120"},
	{row: "dev", lines: "-tan dev lo\n-tan dev = lo\n-tan dev != lo\n-tan dev 1\n-tan dev 0\n-tan dev nope\n-xa dev lo"},
	{row: "fwmark", lines: "-tan fwmark = 7\n-tan fwmark = 0x7/0xff\n-tan fwmark != 7\n-tan fwmark = 07\n-tan fwmark x\n-tan fwmark 7/"},
	{row: "cgroup", lines: "-tan cgroup /no/such/cgroup\n-tan cgroup", see: "diag/filter/netns_test.go:TestKernelAgrees"},
	{row: "autobound", lines: "-tan autobound\n-tan not autobound\n-xa autobound\n-0a autobound\n-uan autobound"},
	{row: "prefixes", lines: "-an src inet:127.0.0.1\n-an src inet6:[::1]\n-an src unix:*\n-an src link:*\n-an src netlink:rtnl\n-an src vsock:*\n-an src tipc:1"},
	{row: "a family stays preferred", lines: "-an dst unix:* or src 127.0.0.0/8\n-an src netlink:rtnl or sport = domain\n-an src inet:127.0.0.1 or dst [::1]"},
	{row: "addresses", lines: "-tan src 127\n-tan src 127.0\n-tan src 127.0.0.0/8\n-tan src 127.0.0.0/255.0.0.0\n-tan src 0x7f.0.0.1\n-tan src [::1]\n-tan src [::]/96\n-tan src fe80::/64\n" +
		"-tan src *\n-4tan src any\n-6tan src all\n-tan src default\n-tan src ::1\n-tan src [::ffff:127.0.0.1]\n-tan src localhost"},
	{row: "address and port", lines: "-tan src 127.0.0.1:80\n-tan src [::1]:80\n-tan dst *:80\n-tan src :80\n-tan src 127.0.0.1:\n-tan src 127.0.0.1:http"},
	{row: "port names", lines: "-tan sport = http\n-uan sport = domain\n-tuan sport = domain\n-tan sport = nope\n-Man sport = http\n-wan sport = http"},
	{row: "unix operands", lines: "-xa src *stream\n-xa src *STREAM\n-xa src @*\n-xa dst *\n-xa dst x\n-xa sport = *stream\n-xa src [@/]*[!y]"},
	{row: "link operands", lines: "-0a src ip\n-0a src IP\n-0a src 2048\n-0a src *:lo\n-0a sport = lo\n-0a sport = 1\n-0a src nope"},
	{row: "netlink operands", lines: "-f netlink -an src rtnl\n-f netlink -an src 0:kernel\n-f netlink -an src nope\n-f netlink -an sport = 2147483633"},
	{row: "vsock operands", lines: "--vsock -an src *\n--vsock -an src 2:22\n--vsock -an dst :1\n--vsock -an src x"},

	// Layout.
	{row: "hidden columns", lines: "-tan\n-tn state listening\n-un\n-f netlink -a src rtnl\n-0\n-0a\n-x\n-tanp"},
	{row: "netlink details need -p", lines: "-f netlink -ae src rtnl\n-f netlink -am src rtnl\n-f netlink -aep src rtnl\n-f netlink -aemp src rtnl"},
	{row: "queues of listeners", lines: "-tln\n-xl"},
	{row: "widths in a pipe", lines: "-tan\n-tanoe\n-xae\n-tuxan", env: ""},
	{row: "widths of COLUMNS", lines: "-tan\n-tanQ\n-tln\n-xa", env: "COLUMNS=100"},
	{row: "a narrow screen", lines: "-tan\n-xa", env: "COLUMNS=30"},
	{row: "COLUMNS that is no number", lines: "-tan", env: "COLUMNS=wide"},
	{row: "states", lines: "-ta\n-tuxan"},
	{row: "SCTP associations", see: "render/ss/state_test.go:TestAssociation render/ss/sctp_test.go:TestSCTP"},
	{row: "Netid", lines: "-an -A all,!netlink\n-wan\n-Man"},
	{row: "inet addresses", lines: "-tuan\n-6an\n-tuan dev lo"},
	{row: "ports", lines: "-tua\n-wa\n-wan\n-Ma"},
	{row: "unix addresses", lines: "-xa\n-xl\n-xa state established"},
	{row: "packet addresses", lines: "-0a\n-0an"},
	{row: "netlink addresses", lines: "-f netlink -a src rtnl\n-f netlink -an src usersock\n-f netlink -a src usersock"},
	{row: "vsock, XDP, TIPC addresses", see: "render/ss/vsock_test.go:TestVSock render/ss/xdp_test.go:TestXDP render/ss/tipc_test.go:TestTIPC"},
	{row: "process column", lines: "-tlnp\n-xlp", see: "render/ss/users_test.go:TestAppendComm"},
	{row: "timers", lines: "-tano state syn-sent\n-tano state time-wait\n-tano state fin-wait-1\n-tano state established", see: "render/ss/ext_test.go:TestTimer render/ss/number_test.go:TestAppendDelay"},
	{row: "details", lines: "-tane\n-6tlne\n-uane\n-xae", see: "render/ss/ext_test.go:TestDetails"},
	{row: "skmem", lines: "-tanm\n-uanm", see: "render/ss/ext_test.go:TestMemory"},
	{row: "tcp_info", lines: "-tanie\n-tanioO", see: "render/ss/tcp_test.go:TestTCPInfoOrder render/ss/tcp_test.go:TestOptionsWantMore"},
	{row: "MD5, ULP, TLS", lines: "-tani state listening\n-tani state established", see: "render/ss/ulp_test.go:TestMD5 render/ss/ulp_test.go:TestULP"},
	{row: "rates", lines: "-ti state established\n-tin state established", see: "render/ss/number_test.go:TestAppendRate"},
	{row: "MPTCP block", lines: "-Mani\n-Manim\n-ManiO", see: "render/ss/mptcp_test.go:TestMPTCP"},
	{row: "UDP has no -i", lines: "-uani\n-uanio\n-uanim"},
	{row: "unix details", lines: "-xae\n-xaem"},
	{row: "packet details", lines: "-0ae\n-0aeb\n-0aeO"},
	{row: "XDP and TIPC details", see: "render/ss/xdp_test.go:TestXDP render/ss/tipc_test.go:TestTIPC"},

	// Files and environment.
	{row: "TCPDIAG_FILE", lines: "-tan\n-tan4\n-tln\n-tan sport = 80\n-uan\n-tn state close", env: "TCPDIAG_FILE=DIR/dump"},
	{row: "PROC_ROOT", lines: "-tan\n-uan\n-wan\n-xa\n-0a\n-s\n-tani\n-6tan", env: "PROC_ROOT=DIR/proc"},
	{row: "PROC_NET_*", lines: "-tan\n-tan6", env: "PROC_NET_TCP=DIR/proc/net/tcp PROC_NET_TCP6=DIR/proc/net/tcp6"},
	{row: "PROC_NET_UNIX", lines: "-xan\n-xan src @*\n-xan sport = 1", env: "PROC_NET_UNIX=DIR/proc/net/unix"},
	{row: "PROC_IP_LOCAL_PORT_RANGE", lines: "-ta\n-tan autobound", env: "PROC_IP_LOCAL_PORT_RANGE=DIR/range TCPDIAG_FILE=DIR/dump"},
	{row: "-s by files", lines: "-s\n-s -tn", env: "PROC_ROOT=DIR/proc"},
}

// TestReference runs what the rows name.
func TestReference(t *testing.T) {
	if os.Getenv("SOCKEYE_SLOW_TESTS") == "" {
		t.Skip("runs a thousand commands: set SOCKEYE_SLOW_TESTS=1")
	}
	peer, ours := peers.SS(t), peers.Sockeye(t)
	s := scene.New(t)
	furnish(t, s)
	dir := referenceFiles(t, s, peer)
	for _, r := range reference {
		t.Run(r.row, func(t *testing.T) {
			opts := peers.Options{DropOwn: true, Stdin: "sport = 80\n", Env: strings.Fields(strings.ReplaceAll(r.env, "DIR", dir))}
			for line := range strings.Lines(r.lines) {
				args := strings.Fields(strings.ReplaceAll(line, "DIR", dir))
				for i := range args {
					args[i] = strings.ReplaceAll(args[i], `\ `, " ")
				}
				theirs, own := append([]string{peer}, args...), append([]string{ours, "ss"}, args...)
				if !slices.Contains(args, "-") { // no standard input
					want, got := runCommand(t, s, opts.Env, theirs...), runCommand(t, s, opts.Env, own...)
					if strings.Contains(line, "netlink") {
						want.stdout, got.stdout = once(want.stdout), once(got.stdout)
					}
					if want.stderr, got.stderr = beforeUsage(want.stderr), beforeUsage(got.stderr); want == got {
						continue
					}
				}
				peers.Compare(t, s, theirs, own, opts) // but for figures that change
			}
		})
	}
}

// once leaves out lines that are there before: the kernel sends a netlink socket that has joined groups twice.
func once(stdout string) string {
	seen := map[string]bool{}
	var b strings.Builder
	for line := range strings.Lines(stdout) {
		if !seen[line] {
			b.WriteString(line)
		}
		seen[line] = true
	}
	return b.String()
}

// A test that a row names is there.
func TestReferenceSees(t *testing.T) {
	rows := map[string]bool{}
	for _, r := range reference {
		if rows[r.row] || r.lines == "" && r.see == "" {
			t.Errorf("%s: twice, or without a test", r.row)
		}
		rows[r.row] = true
		for see := range strings.FieldsSeq(r.see) {
			file, test, _ := strings.Cut(see, ":")
			text, err := os.ReadFile(filepath.Join("../..", file))
			if err != nil || !strings.Contains(string(text), "\nfunc "+test+"(") {
				t.Errorf("%s: no %s: %v", r.row, see, err)
			}
		}
	}
}

// referenceFiles writes what the lines read.
func referenceFiles(t *testing.T, s *scene.Scene, peer string) (dir string) {
	dir = t.TempDir()
	write := func(name string, text []byte) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("filter", []byte("# a comment\n0 and another one\nsport = 80 or\nsport = 22\n"))
	write("bad", []byte("sport = \n"))
	write("range", []byte("7000\t8000\n"))
	if r := runCommand(t, s, nil, peer, "-tan4", "-D", filepath.Join(dir, "dump")); r.status != 0 {
		t.Fatalf("ss -D: %+v", r)
	}
	for _, name := range []string{"tcp", "tcp6", "udp", "udp6", "raw", "raw6", "unix", "packet", "netlink", "sockstat", "sockstat6", "snmp"} {
		var b []byte
		var err error
		if e := s.Do(func() { b, err = os.ReadFile("/proc/thread-self/net/" + name) }); e != nil || err != nil {
			t.Fatal(e, err)
		}
		if name == "unix" {
			b = withoutAddresses(b)
		}
		write("proc/net/"+name, b)
	}
	return dir
}
