package netstat

import (
	"strings"
	"testing"

	"github.com/sockeye-tools/sockeye/diag"
)

// bsdText returns what a table prints for sockets.
func bsdText(t *testing.T, o BSDOptions, list ...sock) string {
	t.Helper()
	table := NewBSD(o)
	var b []byte
	for _, k := range list {
		b = table.Append(b, k.build(t))
	}
	return string(b)
}

// bsdLines are the lines without blanks at their ends, which people do not see.
func bsdLines(text string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		out.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	return out.String()
}

func sameText(t *testing.T, got, want string) {
	t.Helper()
	g, w := strings.SplitAfter(got, "\n"), strings.SplitAfter(want, "\n")
	for i := range max(len(g), len(w)) {
		a, b := "", ""
		if i < len(g) {
			a = g[i]
		}
		if i < len(w) {
			b = w[i]
		}
		if a != b {
			t.Errorf("line %d:\n got %q\nwant %q", i+1, a, b)
		}
	}
}

var (
	off, on = []byte{0}, []byte{1}
	bsdHost = []sock{
		{proto: diag.TCP, state: diag.Listen, local: "0.0.0.0:22", remote: "0.0.0.0:0", rq: 3, wq: 128},
		{proto: diag.TCP, state: diag.Listen, local: "[::]:443", remote: "[::]:0", wq: 511, v6only: off},
		{proto: diag.TCP, state: diag.Listen, local: "[::]:8443", remote: "[::]:0", wq: 511, v6only: on},
		{proto: diag.TCP, state: diag.Listen, local: "[::1]:631", remote: "[::]:0", wq: 8, v6only: off},
		{proto: diag.TCP, state: diag.Close, local: "127.0.0.1:4444", remote: "0.0.0.0:0"},
		{proto: diag.TCP, state: diag.Established, local: "192.168.1.10:60123", remote: "140.82.121.6:443", rq: 12, wq: 345678, inode: 7},
		{proto: diag.TCP, state: diag.Established, local: "[::ffff:10.0.0.1]:443", remote: "[::ffff:10.0.0.2]:1025"},
		{proto: diag.TCP, state: diag.Established, local: "[2001:db8:1234:5678:9abc:def0:1234:5678]:22", remote: "[2001:db8::7]:65535"},
		{proto: diag.TCP, state: diag.Established, local: "[fe80::1]:22", remote: "[fe80::2]:40000", dev: 4},
		{proto: diag.TCP, state: diag.SynSent, local: "10.0.0.1:1", remote: "10.0.0.2:2"},
		{proto: diag.TCP, state: diag.SynRecv, local: "10.0.0.1:3", remote: "10.0.0.2:4"},
		{proto: diag.TCP, state: diag.FinWait1, local: "10.0.0.1:5", remote: "10.0.0.2:6"},
		{proto: diag.TCP, state: diag.FinWait2, local: "10.0.0.1:7", remote: "10.0.0.2:8"},
		{proto: diag.TCP, state: diag.TimeWait, local: "10.0.0.1:9", remote: "10.0.0.2:10"},
		{proto: diag.TCP, state: diag.CloseWait, local: "10.0.0.1:11", remote: "10.0.0.2:12"},
		{proto: diag.TCP, state: diag.LastAck, local: "10.0.0.1:13", remote: "10.0.0.2:14"},
		{proto: diag.TCP, state: diag.Closing, local: "10.0.0.1:15", remote: "10.0.0.2:16"},
		{proto: diag.UDP, state: diag.Close, local: "0.0.0.0:53", remote: "0.0.0.0:0", rq: 2304},
		{proto: diag.UDP, state: diag.Close, local: "[::]:5353", remote: "[::]:0", v6only: off},
		{proto: diag.UDP, state: diag.Established, local: "[::1]:1", remote: "[::1]:53"},
		{proto: diag.Raw, state: diag.Close, local: "0.0.0.0:1", remote: "0.0.0.0:0"},
		{proto: diag.Raw, state: diag.Close, local: "0.0.0.0:2", remote: "0.0.0.0:0"},
		{proto: diag.Raw, state: diag.Close, local: "0.0.0.0:89", remote: "0.0.0.0:0"},
		{proto: diag.Raw, state: diag.Close, local: "[::]:58", remote: "[::]:0"},
		{proto: diag.Raw, state: diag.Close, local: "[::]:89", remote: "[::]:0"},
	}
)

const bsdTitle = `Proto Recv-Q Send-Q  Local Address          Foreign Address        (state)
`

// TestBSD: the text is what macOS prints of such sockets.
func TestBSD(t *testing.T) {
	got := bsdText(t, BSDOptions{All: true, Interface: func(uint32) (string, bool) { return "eth0", true }}, bsdHost...)
	sameText(t, bsdLines(got), "Active Internet connections (including servers)\n"+bsdTitle+
		`tcp4       0      0  *.22                   *.*                    LISTEN
tcp46      0      0  *.443                  *.*                    LISTEN
tcp6       0      0  *.8443                 *.*                    LISTEN
tcp6       0      0  ::1.631                *.*                    LISTEN
tcp4       0      0  127.0.0.1.4444         *.*                    CLOSED
tcp4      12 345678  192.168.1.10.60123     140.82.121.6.443       ESTABLISHED
tcp4       0      0  10.0.0.1.443           10.0.0.2.1025          ESTABLISHED
tcp6       0      0  2001:db8:1234:56.22    2001:db8::7.65535      ESTABLISHED
tcp6       0      0  fe80::1%eth0.22        fe80::2%eth0.40000     ESTABLISHED
tcp4       0      0  10.0.0.1.1             10.0.0.2.2             SYN_SENT
tcp4       0      0  10.0.0.1.3             10.0.0.2.4             SYN_RCVD
tcp4       0      0  10.0.0.1.5             10.0.0.2.6             FIN_WAIT_1
tcp4       0      0  10.0.0.1.7             10.0.0.2.8             FIN_WAIT_2
tcp4       0      0  10.0.0.1.9             10.0.0.2.10            TIME_WAIT
tcp4       0      0  10.0.0.1.11            10.0.0.2.12            CLOSE_WAIT
tcp4       0      0  10.0.0.1.13            10.0.0.2.14            LAST_ACK
tcp4       0      0  10.0.0.1.15            10.0.0.2.16            CLOSING
udp4    2304      0  *.53                   *.*
udp46      0      0  *.5353                 *.*
udp6       0      0  ::1.1                  ::1.53
icm4       0      0  *.*                    *.*
igm4       0      0  *.*                    *.*
ip4        0      0  *.89                   *.*
icm6       0      0  *.*                    *.*
ip6        0      0  *.89                   *.*
`)
	// macOS fills every row up to the end of the last column.
	for line := range strings.Lines(got) {
		if !strings.HasPrefix(line, "Active") && len(line) != len("Proto Recv-Q Send-Q  Local Address          Foreign Address        (state)    \n") {
			t.Errorf("%q has %d bytes", line, len(line))
		}
	}
}

// TestBSDWhich: what options leave.
func TestBSDWhich(t *testing.T) {
	count := func(o BSDOptions, word string) int { return strings.Count(bsdText(t, o, bsdHost...), word) }
	for _, c := range []struct {
		o    BSDOptions
		word string
		want int
	}{
		{BSDOptions{}, "LISTEN", 0},
		{BSDOptions{}, "CLOSED", 0},
		{BSDOptions{}, "ESTABLISHED", 4},
		{BSDOptions{}, "udp", 3}, // those are shown always
		{BSDOptions{}, "(including servers)", 0},
		{BSDOptions{All: true, Family: diag.IPv4}, "tcp4 ", 12},
		{BSDOptions{All: true, Family: diag.IPv4}, "tcp46", 1},
		{BSDOptions{All: true, Family: diag.IPv4}, "tcp6 ", 0},
		{BSDOptions{All: true, Family: diag.IPv6}, "tcp4 ", 0},
		{BSDOptions{All: true, Family: diag.IPv6}, "tcp46", 1},
		{BSDOptions{All: true, Family: diag.IPv6}, "tcp6 ", 4},
		{BSDOptions{Raw: "icmp"}, "icm4", 1},
		{BSDOptions{Raw: "icmp"}, "icm6", 0},
		{BSDOptions{Raw: "icmp"}, "ip4", 0},
		{BSDOptions{Raw: "ip6"}, "ip6 ", 1},
		{BSDOptions{Queues: true}, "\n", 2 + 4},
	} {
		if got := count(c.o, c.word); got != c.want {
			t.Errorf("%+v: %q is there %d times, want %d:\n%s", c.o, c.word, got, c.want, bsdText(t, c.o, bsdHost...))
		}
	}
	if got := bsdText(t, BSDOptions{}, sock{proto: diag.TCP, state: diag.Listen, local: "0.0.0.0:22", remote: "0.0.0.0:0"}); got != "" {
		t.Errorf("headings without a row: %q", got)
	}
	for _, o := range []BSDOptions{{}, {All: true}, {Queues: true}} {
		for _, k := range bsdHost {
			if s := k.build(t); o.Shows(s) && !o.States(k.proto).Has(k.state) {
				t.Errorf("%+v: %v in %v is shown, and not asked for", o, k.proto, k.state)
			}
		}
	}
}

// TestBSDVersionUnknown: a row from /proc does not tell of IPV6_V6ONLY, nor of the limit of the accept queue.
func TestBSDVersionUnknown(t *testing.T) {
	k := sock{proto: diag.TCP, state: diag.Listen, local: "[::]:443", remote: "[::]:0", rq: 2, fromProc: true}
	if got := bsdText(t, BSDOptions{All: true}, k); !strings.Contains(got, "\ntcp6 ") {
		t.Errorf("got\n%s", got)
	}
	if got := bsdText(t, BSDOptions{Queues: true}, k); !strings.Contains(got, "\n2/-/-          *.443 ") {
		t.Errorf("got\n%s", got)
	}
}

func TestBSDQueues(t *testing.T) {
	sameText(t, bsdLines(bsdText(t, BSDOptions{Queues: true}, bsdHost...)), `Current listen queue sizes (qlen/incqlen/maxqlen)
Listen         Local Address
3/-/128        *.22
0/-/511        *.443
0/-/511        *.8443
0/-/8          ::1.631
`)
}

func TestBSDNames(t *testing.T) {
	o := BSDOptions{All: true, Host: hosts, Service: services}
	list := []sock{
		{proto: diag.TCP, state: diag.Listen, local: "0.0.0.0:22", remote: "0.0.0.0:0"},
		{proto: diag.TCP, state: diag.Established, local: "127.0.0.1:7001", remote: "192.0.2.7:65535"},
		{proto: diag.UDP, state: diag.Close, local: "[2001:db8::7]:53", remote: "[::]:0"},
		{proto: diag.Raw, state: diag.Close, local: "0.0.0.0:1", remote: "0.0.0.0:0"},
		{proto: diag.TCP, state: diag.Established, local: "[2001:db8:1234:5678:9abc:def0:1234:5678]:22", remote: "[::1]:65535"},
	}
	sameText(t, bsdLines(bsdText(t, o, list...)), "Active Internet connections (including servers)\n"+bsdTitle+
		`tcp4       0      0  *.ssh                  *.*                    LISTEN
tcp4       0      0  localhost.a-service-wi a-host-with-a-lo.65535 ESTABLISHED
udp6       0      0  six.example.com.domain *.*
icm4       0      0  *.*                    *.*
tcp6       0      0  2001:db8:1234:56.ssh   ip6-localhost.65535    ESTABLISHED
`)
	o.Wide = true
	if got := bsdText(t, o, list...); !strings.Contains(got, " localhost.a-service-with-a-very-long-name a-host-with-a-long-name.example.com.65535 ESTABLISHED") ||
		!strings.Contains(got, " 2001:db8:1234:5678:9abc:def0:1234:5678.ssh ") {
		t.Errorf("-W cuts:\n%s", got)
	}
	o.Wide, o.Long, o.Service = false, true, nil
	if got := bsdText(t, o, list...); !strings.Contains(got, " 2001:db8:1234:5678:9abc:def0:1234:5678.22     ip6-localhost.65535 ") {
		t.Errorf("-l cuts:\n%s", got)
	}
}

func TestBSDDoesNotAllocate(t *testing.T) {
	s := bsdHost[7].build(t)
	verbose := sock{proto: diag.TCP, state: diag.Established, local: "198.51.100.20:61781", remote: "203.0.113.4:443", inode: 7,
		info: make([]byte, 280), mem: make([]uint32, 9)}.build(t)
	program := func(uint32) (int32, string, bool) { return 4711, "nginx", true }
	for _, c := range []struct {
		o BSDOptions
		s *diag.InetSocket
	}{
		{BSDOptions{}, s}, {BSDOptions{Wide: true}, s}, {BSDOptions{Verbose: true, Buffers: true, Program: program}, verbose},
		{BSDOptions{Queues: true}, bsdHost[0].build(t)},
	} {
		table := NewBSD(c.o)
		buf := table.Append(make([]byte, 0, 1024), c.s)
		if n := testing.AllocsPerRun(100, func() { buf = table.Append(buf[:0], c.s) }); n != 0 {
			t.Errorf("%+v: %v allocations for a row", c.o, n)
		}
		if len(buf) == 0 {
			t.Errorf("%+v: no row", c.o)
		}
	}
}
