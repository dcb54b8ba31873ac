package counters

import "testing"

func TestPattern(t *testing.T) {
	c := row{key: "TcpExt.TCPTimeouts", meaning: "retransmission timeouts that nothing had announced"}
	for word, want := range map[string]bool{
		"TcpExt.TCPTimeouts": true, "tcpext.tcptimeouts": true, "TcpExtTCPTimeouts": true, "TIMEOUT": true, "t.t": true, "nothing had": true,
		"TCPTimeout.": false, "Tcp.": false, "IpTcpExt": false, "xttcp": true,
		"*": true, "tcpext.*": true, "*timeouts": true, "*timeout": false, "timeouts*": false, "tcpext?tcp*": true, "tcpexttcp*": true,
		"[s-u]*": true, "[^t]*": false, "*nothing*": false, `tcpext\.*`: true,
	} {
		p, err := newPattern(word)
		if err != nil {
			t.Errorf("%s: %v", word, err)
		}
		if got := p.match(&c); got != want {
			t.Errorf("%s: %v, want %v", word, got, want)
		}
	}
	for _, word := range []string{"", "[", "a[]b", `a\`} {
		if _, err := newPattern(word); err == nil {
			t.Errorf("%q is taken for a pattern", word)
		}
	}
}

func TestMatchNotesPatterns(t *testing.T) {
	o := options{patterns: []pattern{{lower: "a"}, {lower: "b"}, {lower: "x"}}}
	if !o.match(&row{key: "abc"}) || o.match(&row{key: "def"}) {
		t.Error("wrong match")
	}
	for i, want := range []bool{true, true, false} {
		if o.patterns[i].matched != want {
			t.Errorf("pattern %d: %v", i, !want)
		}
	}
	if !(&options{}).match(&row{key: "def"}) {
		t.Error("without a pattern nothing matches")
	}
}
