package list

import "testing"

func TestParseGroupKey(t *testing.T) {
	for _, tt := range []struct {
		word, json string
		v4, v6     int
	}{
		{"state", "state", 0, 0}, {"rtt", "rtt_us", 0, 0}, {"peer", "peer", 0, 0}, {"dst", "peer", 0, 0},
		{"peer/24", "peer_prefix", 24, 64}, {"src/0", "local_prefix", 0, 64}, {"local/56", "local_prefix", 32, 56}, {"peer-addr/8/48", "peer_prefix", 8, 48},
		{"dst/0/0", "peer_prefix", 0, 0},
	} {
		k, err := parseGroupKey(tt.word)
		if err != nil || k.json != tt.json || k.v4 != tt.v4 || k.v6 != tt.v6 || k.prefix != (tt.json == "peer_prefix" || tt.json == "local_prefix") {
			t.Errorf("%s: %+v, %v", tt.word, k, err)
		}
	}
	for _, word := range []string{"", "nothing", "state/3", "peer/", "peer/x", "peer/-1", "peer/129", "peer/24/129", "peer/33/64", "peer/1/2/3"} {
		if k, err := parseGroupKey(word); err == nil {
			t.Errorf("%q: %+v", word, k)
		}
	}
}

// Groups are in the order of their keys' values, not of their spelling; those without one come last in either direction.
func TestGroupOrder(t *testing.T) {
	for _, tt := range []struct{ sort, want string }{
		{"", "192.0.2.9 3\n192.0.2.10 2\n- 1\n2001:db8::1 1\n"},
		{"count", "- 1\n2001:db8::1 1\n192.0.2.10 2\n192.0.2.9 3\n"},
		{"peer_addr", "192.0.2.9 3\n192.0.2.10 2\n2001:db8::1 1\n- 1\n"},
		{"peer_addr:desc", "2001:db8::1 1\n192.0.2.10 2\n192.0.2.9 3\n- 1\n"},
		{"sum(send_q):desc,peer_addr", "192.0.2.10 2\n192.0.2.9 3\n2001:db8::1 1\n- 1\n"},
	} {
		if got := grouped(t, "-g", "peer_addr", "-s", tt.sort); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.sort, got, tt.want)
		}
	}
}
