package netstat

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sockeye-tools/sockeye/diag/counters"
	"github.com/sockeye-tools/sockeye/internal/peers"
)

// more are counters that other kernels have, those that net-tools has a sentence for and does not find it, and some that nobody knows.
var more = map[string]string{
	"Ip":      "Forwarding DefaultTTL OutTransmits InNothing A",
	"Icmp":    "InCsumErrors OutRateLimitGlobal OutRateLimitHost InNothing Zzz",
	"IcmpMsg": "InType0 InType3 InType8 OutType0 OutType3 OutType255",
	"Tcp":     "RtoAlgorithm RtoMin RtoMax MaxConn InCsumErrors Nothing",
	"Udp":     "InCsumErrors IgnoredMulti MemErrors Nothing",
	"UdpLite": "InDatagrams NoPorts Nothing",
	"TcpExt": "ArpFilter BusyPollRxPackets TCPLoss TCPLossProbes TWKilled TCPSackRecovery TCPSACKReneging TCPDSACKUndo TCPSackFailures " +
		"TCPTimeouts TCPRenoRecoveryFail TCPSackRecoveryFail TCPDSACKOldSent TCPDSACKOfoSent TCPDSACKRecv TCPDSACKOfoRecv " +
		"TCPDirectCopyFromPrequeue TCPDSackUndo TCPPrequeueDropped TCPRenoRecoveryFailed PAWSPassive SockMallocOOM TCPAbortOnSyn " +
		"TCPDirectCopyFromBacklog TCPFACKReorder TCPForwardRetrans TCPHPHitsToUser TCPLostRetransmits TCPPrequeued TCPSchedulerFailed " +
		"tcptimeouts Nothing",
	"IpExt": "InOctets InNoECTPkts Nothing", "MPTcpExt": "MPCapableSYNRX WinProbe Nothing",
	"NobodyKnows": "A InEchos TCPTimeouts", "Zebra": "InMsgs",
	"Ip6": "Ip6InOctets Ip6OutTransmits Ip6Forwarding Ip6DefaultTTL Ip6Nothing",
	"Icmp6": "Icmp6InCsumErrors Icmp6OutErrors Icmp6OutRateLimitHost Icmp6InMLDv2Reports Icmp6OutRouterAdvertisements Icmp6InType1 " +
		"Icmp6OutType143",
	"Udp6":     "Udp6RcvbufErrors Udp6SndbufErrors Udp6InCsumErrors Udp6IgnoredMulti Udp6MemErrors Udp6Nothing",
	"UdpLite6": "UdpLite6InDatagrams", "Tcp6": "Tcp6RtoMin", "Nobody6": "Nobody6Knows Nobody6InEchos",
	"Sctp": "SctpCurrEstab SctpActiveEstabs SctpPassiveEstabs SctpAborteds SctpShutdowns SctpOutOfBlues SctpChecksumErrors " +
		"SctpOutCtrlChunks SctpOutOrderChunks SctpOutUnorderChunks SctpInCtrlChunks SctpInOrderChunks SctpInUnorderChunks " +
		"SctpFragUsrMsgs SctpReasmUsrMsgs SctpOutSCTPPacks SctpInSCTPPacks SctpT3Retransmits SctpInPktDiscards SctpNothing",
}

// order is that of the sections in the files.
var order = map[counters.File][]string{
	counters.SNMP:    {"Ip", "Icmp", "IcmpMsg", "Tcp", "Udp", "UdpLite", "NobodyKnows"},
	counters.Netstat: {"TcpExt", "IpExt", "Zebra", "MPTcpExt"},
	counters.SNMP6:   {"Ip6", "Icmp6", "Udp6", "UdpLite6", "Tcp6", "Nobody6"},
	counters.SCTP:    {"Sctp"},
}

// allNames are the names of a section: of this kernel, of net-tools, and more.
func allNames(section string, live []counters.Section) (list []string) {
	add := func(name string) {
		if !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	for _, s := range live {
		if s.Name == section {
			for _, c := range s.Counters {
				add(c.Name)
			}
		}
	}
	if k := lookUp(section); k != nil {
		for _, s := range k.sentences {
			add(s.name)
		}
	}
	for name := range strings.FieldsSeq(more[section]) {
		add(name)
	}
	return list
}

// fabricate writes the files of a host below dir, with all counters there are.
func fabricate(t *testing.T, dir string, live []counters.Section, shuffle *rand.Rand, figure func() string) {
	t.Helper()
	for file, titles := range order {
		var text strings.Builder
		if shuffle != nil {
			titles = slices.Clone(titles)
			shuffle.Shuffle(len(titles), func(i, j int) { titles[i], titles[j] = titles[j], titles[i] })
		}
		for _, title := range titles {
			names := allNames(title, live)
			if shuffle != nil {
				shuffle.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
			}
			figures := make([]string, len(names))
			for i := range figures {
				figures[i] = figure()
			}
			switch file {
			case counters.SNMP, counters.Netstat:
				fmt.Fprintf(&text, "%[1]s: %[2]s\n%[1]s: %[3]s\n", title, strings.Join(names, " "), strings.Join(figures, " "))
			default:
				for i := range names {
					fmt.Fprintf(&text, "%-32s\t%s\n", names[i], figures[i])
				}
			}
		}
		path := filepath.Join(dir, "net", string(file))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// theirStatistics runs net-tools with dir in the place of /proc.
func theirStatistics(t *testing.T, dir string, args ...string) string {
	t.Helper()
	const script = `mount --bind "$1" /proc && shift && exec "$@"`
	cmd := exec.Command("unshare", append([]string{"-m", "sh", "-c", script, "sh", dir, peers.Netstat(t)}, args...)...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("netstat %v: %v: %s", args, err, stderr.String())
	}
	return string(out)
}

// ourStatistics appends the same files as the program does.
func ourStatistics(t *testing.T, dir string, s Statistics, ipv6 bool) string {
	t.Helper()
	var out []byte
	read := func(f counters.File, only string) {
		sections, err := counters.Read(filepath.Join(dir, "net"), f)
		if err != nil {
			t.Fatal(err)
		}
		for i := range sections {
			if only == "" || sections[i].Name == only {
				out = s.Append(out, &sections[i])
			}
		}
	}
	if ipv6 {
		read(counters.SNMP6, "")
		read(counters.SNMP, "Tcp")
	} else {
		read(counters.SNMP, "")
		read(counters.Netstat, "")
		read(counters.SCTP, "")
	}
	return string(out)
}

// TestStatisticsAgainstNetstat gives the same made-up counters to net-tools, by files mounted over /proc, and to Statistics.
func TestStatisticsAgainstNetstat(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, to mount tables of its own over /proc in a mount namespace of its own")
	}
	live, err := counters.All("")
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(5, 6))
	n := 0
	figures := []struct {
		name    string
		shuffle *rand.Rand
		figure  func() string
	}{
		{"0", nil, func() string { return "0" }},
		{"1", nil, func() string { return "1" }},
		{"2", nil, func() string { return "2" }},
		{"big", nil, func() string { n++; return fmt.Sprint(^uint64(0) - uint64(n)) }},
		{"negative", nil, func() string { n++; return fmt.Sprint(-n) }},
		{"nonzero", nil, func() string { return fmt.Sprint(1 + r.Uint64()>>r.IntN(64)) }},
		{"some 0", nil, func() string { return fmt.Sprint(r.Uint64() >> (32 + r.IntN(33))) }},
		{"shuffled", r, func() string { return fmt.Sprint(r.Uint64() >> (32 + r.IntN(33))) }},
		{"shuffled again", r, func() string { return fmt.Sprint(r.IntN(2)) }},
		{"shuffled a third time", r, func() string { return fmt.Sprint(1 + r.IntN(2)) }},
		{"shuffled nearly all 0", r, func() string { return fmt.Sprint(max(0, r.IntN(20)-18)) }},
	}
	for _, f := range figures {
		t.Run(f.name, func(t *testing.T) {
			dir := t.TempDir()
			fabricate(t, dir, live, f.shuffle, f.figure)
			for bits := range 16 {
				args := []string{"-s"}
				s := Statistics{Raw: bits&1 != 0, TCP: bits&2 != 0, UDP: bits&4 != 0, SCTP: bits&8 != 0}
				for i, arg := range []string{"-w", "-t", "-u", "-S"} {
					if bits&(1<<i) != 0 {
						args = append(args, arg)
					}
				}
				if bits == 0 {
					args = append(args, "-U") // which chooses none of the sections that net-tools knows
				}
				for _, family := range []string{"-4", "-6"} {
					want, got := theirStatistics(t, dir, append(args, family)...), ourStatistics(t, dir, s, family == "-6")
					if !strings.Contains(want, ":\n") {
						t.Fatalf("netstat %v %s prints nothing", args, family)
					}
					if got != want {
						t.Errorf("netstat %v %s: %s", args, family, firstDifference(got, want))
					}
				}
			}
		})
	}
}

func firstDifference(got, want string) string {
	g, w := strings.SplitAfter(got, "\n"), strings.SplitAfter(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return fmt.Sprintf("line %d: got %q, want %q", i+1, g[i], w[i])
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(g), len(w))
}

// TestStatisticsIndent: what has no sentence is indented as the line before, also across sections.
func TestStatisticsIndent(t *testing.T) {
	s := Statistics{Raw: true, TCP: true}
	var out []byte
	for _, section := range []counters.Section{
		{Name: "Icmp", Counters: []counters.Counter{{Name: "InMsgs"}, {Name: "InEchos", Value: 3}, {Name: "Odd", Value: 1}, {Name: "OutEchos"}}},
		{Name: "IcmpMsg", Counters: []counters.Counter{{Name: "InType8", Value: 3}}},
		{Name: "Udp", Counters: []counters.Counter{{Name: "InDatagrams", Value: 9}}},
		{Name: "IpExt\x1b", Counters: []counters.Counter{{Name: "In\x07Octets", Value: 1<<64 - 1}, {Name: "OutOctets"}}},
	} {
		out = s.Append(out, &section)
	}
	want := `Icmp:
    0 ICMP messages received
    ICMP input histogram:
        echo requests: 3
        Odd: 1
        ICMP output histogram:
IcmpMsg:
        InType8: 3
IpExt\033:
    In\007Octets: 18446744073709551615
`
	if string(out) != want {
		t.Errorf("got\n%s\nwant\n%s", out, want)
	}
}
