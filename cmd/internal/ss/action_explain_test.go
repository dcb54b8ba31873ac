package ss

import (
	"strings"
	"testing"
)

func TestExplain(t *testing.T) {
	v := newVictims(t)
	for _, tt := range []struct{ line, want string }{
		{"--explain -tan dport = 443 and dev lo", `filter:
  and
    dport = 443  [kernel]
    dev lo  [kernel]
kernel: 16 bytes of bytecode
  0    d_eq 443, else reject
  8    dev_cond 1, else reject
here:   nothing, but for rows that come from /proc
dumps:
  tcp    inet, inet6  ESTABLISHED SYN_SENT SYN_RECV FIN_WAIT1 FIN_WAIT2 TIME_WAIT CLOSE_WAIT LAST_ACK LISTEN CLOSING BOUND_INACTIVE
`},
		{"--explain -ul4", `filter:
  none: every socket is picked
kernel: no bytecode
here:   nothing
dumps:
  udp    inet         CLOSE LISTEN
`},
		{"-tl6 not ( src unix:x or autobound ) --explain", `here:   the filter, for the sockets that the bytecode accepts`},
		{"--explain -K -tan", "dumps:\n  tcp"}, // and nothing is closed
	} {
		got := inNS(t, v.NetNS, nil, "", tt.line)
		if got.status != 0 || got.stderr != "" || got.stdout != tt.want && (strings.HasPrefix(tt.want, "filter:") || !strings.Contains(got.stdout, tt.want)) {
			t.Errorf("%s: %+v\nwant %s", tt.line, got, tt.want)
		}
	}
	if closed := v.closed(t); closed != nil {
		t.Errorf("closed: %q", closed)
	}
}
