package counters

import (
	"strings"
	"testing"
)

// TestMeanings: every counter of Linux 6.18 (testdata, as the kernel wrote it; sctp/snmp by the names in the kernel's source) has a
// meaning, and every meaning a counter.
func TestMeanings(t *testing.T) {
	sections, err := All("testdata")
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	n := 0
	for i := range sections {
		s := &sections[i]
		for _, c := range s.Counters {
			n++
			text := s.Meaning(c)
			if text == "" {
				t.Errorf("%s has no meaning", s.Key(c))
			}
			used[text] = true
			if len(text) > 100 || strings.HasSuffix(text, ".") || strings.TrimSpace(text) != text {
				t.Errorf("%s: %q: too long, or with an end", s.Key(c), text)
			}
		}
	}
	if n < 400 {
		t.Errorf("only %d counters", n)
	}
	for _, m := range meanings {
		names := map[string]bool{}
		for _, one := range m.of {
			if names[one.name] {
				t.Errorf("%s.%s has two meanings", m.section, one.name)
			}
			names[one.name] = true
			if !used[one.text] {
				t.Errorf("%s.%s: no counter means %q", m.section, one.name, one.text)
			}
		}
	}
	for _, one := range messageMeanings {
		if !used[one.text+" messages received"] && !used[one.text+" messages sent"] {
			t.Errorf("no counter means %q", one.text)
		}
	}
}

func TestMeaning(t *testing.T) {
	for _, test := range []struct {
		file          File
		section, name string
		want          string
		gauge         bool
	}{
		{Netstat, "TcpExt", "TCPTimeouts", "retransmission timeouts that nothing had announced", false},
		{SNMP, "Tcp", "CurrEstab", "connections now in ESTABLISHED or CLOSE_WAIT", true},
		{SCTP, "Sctp", "SctpCurrEstab", "associations now in ESTABLISHED, SHUTDOWN-RECEIVED or SHUTDOWN-PENDING", true},
		{SNMP6, "Udp6", "Udp6NoPorts", "datagrams received for a port that no socket had", false},
		{SNMP, "Icmp", "OutEchos", "echo request messages sent", false},
		{SNMP6, "Icmp6", "Icmp6InEchoReplies", "echo reply messages received", false},
		{SNMP, "IcmpMsg", "InType3", "ICMP messages received of type 3", false},
		{SNMP6, "Icmp6", "Icmp6OutType143", "ICMP messages sent of type 143", false},
		{SNMP, "Icmp", "Echos", "", false},
		{SNMP, "Icmp", "InWhatever", "", false},
		{SNMP, "Tcp", "InEchos", "", false},
		{Netstat, "TcpExt", "CurrEstab", "", false},
		{SNMP, "Nobody", "InReceives", "", false},
	} {
		s, c := Section{File: test.file, Name: test.section}, Counter{Name: test.name}
		if got := s.Meaning(c); got != test.want || s.IsGauge(c) != test.gauge {
			t.Errorf("%s: %q, gauge %v", s.Key(c), got, s.IsGauge(c))
		}
	}
}
