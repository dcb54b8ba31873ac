package netstat

import (
	"slices"
	"strings"
	"testing"

	"github.com/sockeye-tools/sockeye/diag/counters"
)

// bsdCounters is a host that has counted something.
func bsdCounters(nonzero bool) *BSDStatistics {
	s := &BSDStatistics{Nonzero: nonzero}
	for _, section := range []counters.Section{
		{File: counters.SNMP, Name: "Tcp", Counters: []counters.Counter{
			{Name: "MaxConn", Value: ^uint64(0), Negative: true},
			{Name: "OutSegs", Value: 100}, {Name: "RetransSegs", Value: 1}, {Name: "InSegs", Value: 99}, {Name: "ActiveOpens", Value: 0},
		}},
		{File: counters.Netstat, Name: "TcpExt", Counters: []counters.Counter{
			{Name: "TCPOrigDataSent", Value: 60}, {Name: "PAWSEstab", Value: 2}, {Name: "PAWSActive", Value: 3}, {Name: "ListenOverflows", Value: 7},
		}},
		{File: counters.SNMP, Name: "Udp", Counters: []counters.Counter{
			{Name: "InDatagrams", Value: 10}, {Name: "NoPorts", Value: 2}, {Name: "InErrors", Value: 3}, {Name: "RcvbufErrors", Value: 3}, {Name: "OutDatagrams", Value: 1},
		}},
		{File: counters.SNMP6, Name: "Udp6", Counters: []counters.Counter{
			{Name: "Udp6InDatagrams", Value: 5}, {Name: "Udp6OutDatagrams", Value: 1},
		}},
		{File: counters.SNMP, Name: "Icmp", Counters: []counters.Counter{{Name: "InCsumErrors", Value: 0}}},
		{File: counters.SNMP, Name: "IcmpMsg", Counters: []counters.Counter{
			{Name: "InType8", Value: 4}, {Name: "InType0", Value: 2}, {Name: "InType42", Value: 1}, {Name: "OutType3", Value: 9}, {Name: "OutType8", Value: 0},
		}},
	} {
		s.Add(&section)
	}
	return s
}

func TestBSDStatistics(t *testing.T) {
	print := func(s *BSDStatistics) string {
		var b []byte
		for _, p := range BSDProtocols {
			b = s.Append(b, p)
		}
		return string(b)
	}
	sameText(t, print(bsdCounters(false)), `tcp:
	101 packets sent
		60 data packets
		1 data packet retransmitted
	99 packets received
		5 old duplicate packets
	0 connection request
	7 listen queue overflows
udp:
	20 datagrams received
		2 dropped due to no socket
		3 dropped due to full socket buffers
		15 delivered
	2 datagrams output
icmp:
	Output histogram:
		destination unreachable: 9
	0 bad checksum
	Input histogram:
		echo reply: 2
		echo: 4
		#42: 1
`)
	got := print(bsdCounters(true))
	if strings.Contains(got, "\t0 ") || !strings.Contains(got, "\t101 packets sent\n") {
		t.Errorf("-ss:\n%s", got)
	}
}

// TestBSDSentences: every sentence is of a protocol that is printed, and each figure is one that Linux has.
func TestBSDSentences(t *testing.T) {
	var sections []counters.Section
	for _, f := range []counters.File{counters.SNMP, counters.Netstat, counters.SNMP6} {
		list, err := counters.Read("", f)
		if err != nil {
			t.Skipf("needs the counters of a kernel with IPv6: %v", err)
		}
		sections = append(sections, list...)
	}
	kernel := map[string]bool{}
	for i := range sections {
		for _, c := range sections[i].Counters {
			kernel[sections[i].Key(c)] = true
		}
	}
	// Those of newer kernels than some that tests run on.
	later := []string{"TcpExt.BeyondWindow", "TcpExt.PAWSOldAck", "Udp6.IgnoredMulti"}
	for _, s := range bsdSentences {
		if !slices.Contains(BSDProtocols, s.protocol) {
			t.Errorf("%q is of %q", s.text, s.protocol)
		}
		if s.histogram {
			continue
		}
		if s.depth < 1 || s.depth > 3 || s.keys == "" {
			t.Errorf("%q: depth %d, keys %q", s.text, s.depth, s.keys)
		}
		for key := range strings.FieldsSeq(s.keys) {
			if !kernel[key] && !slices.Contains(later, key) {
				t.Errorf("%q: the kernel has no %s", s.text, key)
			}
		}
	}
}
