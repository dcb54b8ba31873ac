package counters

import "strings"

// meaning is what a counter counts.
type meaning struct{ name, text string }

// meanings are the sections whose counters have their own meanings. Names are those of Section.Short.
var meanings = []struct {
	section string
	of      []meaning
}{
	{"Ip", ipMeanings}, {"Ip6", ipMeanings}, {"IpExt", ipMeanings},
	{"Icmp", icmpMeanings}, {"Icmp6", icmpMeanings},
	{"Tcp", tcpMeanings}, {"TcpExt", tcpExtMeanings}, {"MPTcpExt", mptcpMeanings},
	{"Udp", udpMeanings}, {"UdpLite", udpMeanings}, {"Udp6", udpMeanings}, {"UdpLite6", udpMeanings},
	{"Sctp", sctpMeanings},
}

func find(list []meaning, name string) string {
	for i := range list {
		if list[i].name == name {
			return list[i].text
		}
	}
	return ""
}

// Meaning says in a phrase what the section's counter counts: "retransmission timeouts that nothing had announced". It is "" where
// that is not known. The units are packets, segments or events, unless the phrase says otherwise.
func (s *Section) Meaning(c Counter) string {
	name := s.Short(c)
	for i := range meanings {
		if meanings[i].section == s.Name {
			if text := find(meanings[i].of, name); text != "" {
				return text
			}
		}
	}
	switch s.Name {
	case "Icmp", "Icmp6", "IcmpMsg":
		return message(name)
	}
	return ""
}

// message is the meaning of what counts one type of ICMP messages, in one direction: InEchos, OutType143.
func message(name string) string {
	kind, way := name, ""
	switch {
	case strings.HasPrefix(name, "In"):
		kind, way = name[2:], " messages received"
	case strings.HasPrefix(name, "Out"):
		kind, way = name[3:], " messages sent"
	}
	if number, ok := strings.CutPrefix(kind, "Type"); ok && way != "" {
		return "ICMP" + way + " of type " + number
	}
	text := find(messageMeanings, kind)
	if text == "" || way == "" {
		return ""
	}
	return text + way
}

// gauges are not counted up: they are states, settings, or what there is now.
var gauges = []string{
	"Ip.Forwarding", "Ip.DefaultTTL", "Tcp.RtoAlgorithm", "Tcp.RtoMin", "Tcp.RtoMax", "Tcp.MaxConn", "Tcp.CurrEstab",
	"MPTcpExt.MPCurrEstab", "Sctp.CurrEstab",
}

// IsGauge reports whether the section's counter can go down, so that its difference over a time is no number of events.
func (s *Section) IsGauge(c Counter) bool {
	for _, key := range gauges {
		if section, name, _ := strings.Cut(key, "."); section == s.Name && name == s.Short(c) {
			return true
		}
	}
	return false
}
