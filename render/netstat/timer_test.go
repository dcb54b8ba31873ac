package netstat

import (
	"testing"
	"time"

	"github.com/sockeye-tools/sockeye/diag"
)

func TestAppendTimer(t *testing.T) {
	for _, c := range []struct {
		sock sock
		want string
	}{
		{sock{state: diag.Listen}, "off (0.00/0/0)"},
		{sock{state: diag.Established, info: tcpInfo(0, 0)}, "off (0.00/0/0)"},
		{sock{state: diag.Established, timer: 0, expires: 5 * time.Second, info: tcpInfo(3, 4)}, "off (0.00/3/4)"},
		{sock{state: diag.Established, timer: 1, expires: 13819 * time.Millisecond, retrans: 8, info: tcpInfo(8, 0)}, "on (13.81/8/0)"},
		{sock{state: diag.Established, timer: 2, expires: 7177049 * time.Millisecond, retrans: 2, info: tcpInfo(1, 2)}, "keepalive (7177.04/1/2)"},
		{sock{state: diag.TimeWait, timer: 3, expires: 37889 * time.Millisecond, retrans: 5}, "timewait (37.88/0/0)"},
		{sock{state: diag.FinWait2, timer: 3, expires: 59999 * time.Millisecond}, "timewait (59.99/0/0)"},
		{sock{state: diag.Established, timer: 4, expires: 80589 * time.Millisecond, retrans: 6, info: tcpInfo(0, 6)}, "probe (80.58/0/6)"},
		{sock{state: diag.Established, timer: 5, expires: 40 * time.Millisecond, info: tcpInfo(0, 0)}, "off (0.00/0/0)"},
		{sock{state: diag.Established, timer: 7, expires: time.Second, info: tcpInfo(1, 255)}, "unkn-7 (1.00/1/255)"},
		{sock{state: diag.Established, timer: 1, expires: 9 * time.Millisecond}, "on (0.00/0/0)"},
		{sock{state: diag.Established, timer: 1, expires: 10 * time.Millisecond}, "on (0.01/0/0)"},
		{sock{state: diag.Established, timer: 1, expires: (1<<32 - 1) * time.Millisecond}, "on (4294967.29/0/0)"},
		// no tcp_info: idiag_retrans is what the timer counts
		{sock{state: diag.Established, timer: 1, expires: time.Second, retrans: 3}, "on (1.00/3/0)"},
		{sock{state: diag.Established, timer: 2, expires: time.Second, retrans: 3}, "keepalive (1.00/0/3)"},
		{sock{state: diag.Established, timer: 4, expires: time.Second, retrans: 3}, "probe (1.00/0/3)"},
		{sock{state: diag.SynRecv, timer: 1, expires: time.Second, retrans: 3}, "on (1.00/3/0)"},
		{sock{proto: diag.UDP, state: diag.Close}, "off (0.00/0/0)"},
		{sock{proto: diag.UDP, state: diag.Close, retrans: 3}, "off (0.00/0/0)"},
		{sock{proto: diag.Raw, state: diag.Close, retrans: 3}, "off (0.00/3/0)"},
		{sock{proto: diag.UDP, state: diag.Close, timer: 1, expires: time.Second}, "on1 (1.00/0/0)"},
		{sock{proto: diag.UDPLite, state: diag.Close, timer: 2, expires: time.Second}, "on2 (1.00/0/0)"},
		{sock{proto: diag.Raw, state: diag.Close, timer: 3, expires: time.Second}, "unkn-3 (1.00/0/0)"},
	} {
		c.sock.local, c.sock.remote = "127.0.0.1:1", "127.0.0.1:2"
		if c.sock.proto == 0 {
			c.sock.proto = diag.TCP
		}
		if got := string(New(Options{}).appendTimer(nil, c.sock.build(t))); got != c.want {
			t.Errorf("%v %v timer %d: got %q, want %q", c.sock.proto, c.sock.state, c.sock.timer, got, c.want)
		}
	}
}

func TestSynRecvTimeouts(t *testing.T) {
	s := sock{proto: diag.TCP, state: diag.SynRecv, timer: 1, expires: time.Second, local: "127.0.0.1:1", remote: "127.0.0.1:2"}.build(t)
	known := true
	table := New(Options{Timeouts: func(*diag.InetSocket) (uint8, bool) { return 6, known }})
	if got, want := string(table.appendTimer(nil, s)), "on (1.00/6/0)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	known = false
	if got, want := string(table.appendTimer(nil, s)), "on (1.00/0/0)"; got != want {
		t.Errorf("unknown: got %q, want %q", got, want)
	}
}
