package netstat

import (
	"testing"

	"github.com/sockeye-tools/sockeye/diag"
)

func TestProto(t *testing.T) {
	for _, c := range []struct {
		p    diag.Protocol
		f    diag.Family
		want string
	}{
		{diag.TCP, diag.IPv4, "tcp   "}, {diag.TCP, diag.IPv6, "tcp6  "},
		{diag.UDP, diag.IPv4, "udp   "}, {diag.UDP, diag.IPv6, "udp6  "},
		{diag.UDPLite, diag.IPv4, "udpl  "}, {diag.UDPLite, diag.IPv6, "udpl6 "},
		{diag.Raw, diag.IPv4, "raw   "}, {diag.Raw, diag.IPv6, "raw6  "},
	} {
		if got := proto(c.p, c.f); got != c.want {
			t.Errorf("%v %v: got %q, want %q", c.p, c.f, got, c.want)
		}
	}
}

func TestAppendQueue(t *testing.T) {
	for n, want := range map[uint32]string{
		0: "     0", 7: "     7", 10: "    10", 99999: " 99999", 100000: "100000", 999999: "999999",
		1000000: "1000000", 4294967295: "4294967295",
	} {
		if got := string(appendQueue(nil, n)); got != want {
			t.Errorf("%d: got %q, want %q", n, got, want)
		}
	}
}

func TestAppendState(t *testing.T) {
	tcp := []string{
		1: "ESTABLISHED", 2: "SYN_SENT", 3: "SYN_RECV", 4: "FIN_WAIT1", 5: "FIN_WAIT2", 6: "TIME_WAIT", 7: "CLOSE",
		8: "CLOSE_WAIT", 9: "LAST_ACK", 10: "LISTEN", 11: "CLOSING", 12: "UNKNOWN(12)", 255: "UNKNOWN(255)",
	}
	for state, want := range tcp {
		if want == "" {
			continue
		}
		s := &diag.InetSocket{Protocol: diag.TCP, State: diag.State(state)}
		if got := string(appendState(nil, s)); got != want {
			t.Errorf("tcp %d: got %q, want %q", state, got, want)
		}
	}
	for _, p := range []diag.Protocol{diag.UDP, diag.UDPLite} {
		for state, want := range map[diag.State]string{1: "ESTABLISHED", 7: "", 10: "UNKNOWN", 6: "UNKNOWN"} {
			s := &diag.InetSocket{Protocol: p, State: state}
			if got := string(appendState(nil, s)); got != want {
				t.Errorf("%v %d: got %q, want %q", p, state, got, want)
			}
		}
	}
	for state, want := range map[diag.State]string{1: "1", 7: "7"} {
		s := &diag.InetSocket{Protocol: diag.Raw, State: state}
		if got := string(appendState(nil, s)); got != want {
			t.Errorf("raw %d: got %q, want %q", state, got, want)
		}
	}
}

func TestAppendUser(t *testing.T) {
	for _, c := range []struct {
		uid   uint32
		named bool
		want  string
	}{
		{0, false, "0"}, {0, true, "root"}, {1000, true, "someone-with-a-long-name"}, {77, true, "77"},
		{4294967294, false, "-2"}, {4294967294, true, "-2"}, {1 << 31, false, "-2147483648"},
	} {
		table := New(Options{})
		if c.named {
			table.User = users
		}
		s := &diag.InetSocket{Protocol: diag.TCP, State: diag.Established, UID: c.uid}
		if got := string(table.appendUser(nil, s)); got != c.want {
			t.Errorf("%d, named %v: got %q, want %q", c.uid, c.named, got, c.want)
		}
	}
}

func TestPad(t *testing.T) {
	for _, c := range []struct {
		text  string
		width int
		want  string
	}{{"", 3, "   "}, {"ab", 3, "ab "}, {"abc", 3, "abc"}, {"abcd", 3, "abcd"}} {
		if got := string(pad([]byte("x"+c.text), 1, c.width)); got != "x"+c.want {
			t.Errorf("%q to %d: got %q", c.text, c.width, got[1:])
		}
	}
}
