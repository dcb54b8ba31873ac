package lang

import (
	"encoding/binary"
	"strconv"
	"strings"
	"testing"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/field"
	"github.com/sockeye-tools/sockeye/diag/filter"
	"github.com/sockeye-tools/sockeye/diag/owner"
)

// holders: inode 7 is held by nginx and by a worker, inode 8 by nobody.
type holders struct{}

func (holders) Owners(dst []owner.Owner, inode uint32) []owner.Owner {
	if inode == 7 {
		dst = append(dst, owner.Owner{PID: 100, FD: 3}, owner.Owner{PID: 200, FD: 3})
	}
	return dst
}

func (holders) Process(pid int32) *owner.Process {
	return &owner.Process{PID: pid, Known: true, Comm: map[int32]string{100: "nginx", 200: "a worker"}[pid]}
}

func (holders) Denied() int { return 0 }

func testEnv() *Env {
	return &Env{
		Filter: filter.Env{
			TCP: true, UDP: true, Ops: filter.AllOps,
			Service: func(name, proto string) (uint16, bool) {
				p, ok := map[string]uint16{"https": 443, "ssh": 22}[name]
				return p, ok
			},
			Device: func(name string) (uint32, bool) { return 2, name == "eth0" },
		},
		Context: &field.Context{
			Owners: holders{}, Device: func(i uint32) (string, bool) { return "eth0", i == 2 },
			User: func(uid uint32) (string, bool) { return "root", uid == 0 },
		},
	}
}

// sock builds a socket as a kernel message; info are the first bytes of tcp_info, none if nil.
func sock(t testing.TB, p diag.Protocol, st diag.State, set func(m []byte), info []byte, attrs ...[]byte) *diag.InetSocket {
	t.Helper()
	m := make([]byte, 72)
	m[0], m[1] = byte(diag.IPv4), byte(st)
	if set != nil {
		set(m)
	}
	add := func(typ uint16, v []byte) {
		m = binary.NativeEndian.AppendUint16(m, uint16(4+len(v)))
		m = binary.NativeEndian.AppendUint16(m, typ)
		m = append(m, v...)
		for len(m)%4 != 0 {
			m = append(m, 0)
		}
	}
	if info != nil {
		add(uint16(diag.AttrInfo), info)
	}
	for i, a := range attrs {
		if i == 0 {
			add(uint16(diag.AttrCong), a)
		}
	}
	s, err := diag.ParseInet(m, p)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// tcpInfoBytes has the members at the offsets.
func tcpInfoBytes(size int, set map[int]uint32) []byte {
	b := make([]byte, size)
	for off, v := range set {
		binary.NativeEndian.PutUint32(b[off:], v)
	}
	return b
}

const (
	offRTT  = 68
	offLost = 32
)

// estab is 10.1.2.3:40000 > 192.0.2.1:443, rtt 150 ms, held by inode 7, bound to eth0.
func estab(t testing.TB) *diag.InetSocket {
	return sock(t, diag.TCP, diag.Established, func(m []byte) {
		binary.BigEndian.PutUint16(m[4:], 40000)
		binary.BigEndian.PutUint16(m[6:], 443)
		copy(m[8:], []byte{10, 1, 2, 3})
		copy(m[24:], []byte{192, 0, 2, 1})
		binary.NativeEndian.PutUint32(m[40:], 2)
		m[2], m[3] = byte(diag.TimerOn), 3
		binary.NativeEndian.PutUint32(m[52:], 2500)
		binary.NativeEndian.PutUint32(m[60:], 65536)
		binary.NativeEndian.PutUint32(m[68:], 7)
	}, tcpInfoBytes(232, map[int]uint32{offRTT: 150_000, offLost: 2}), []byte("cubic\x00"))
}

func timeWait(t testing.TB) *diag.InetSocket {
	return sock(t, diag.TCP, diag.TimeWait, func(m []byte) {
		binary.BigEndian.PutUint16(m[4:], 40001)
		binary.BigEndian.PutUint16(m[6:], 443)
	}, nil)
}

func TestMatch(t *testing.T) {
	e, tw := estab(t), timeWait(t)
	for _, tt := range []struct {
		text        string
		estab, wait bool
	}{
		{"", true, true},
		{"state established", true, false},
		{"state = established", true, false},
		{"state != established", false, true},
		{"exclude time-wait", true, false},
		{"state established state time-wait", true, true},
		{"state established and state time-wait", false, false},
		{"state in (established, TIME_WAIT)", true, true},
		{"state not in (listen)", true, true},
		{"state connected", true, true},
		{"state big", true, false},
		{"dport = :443", true, true},
		{"dport=:443", true, true},
		{"dport=443&&sport=40000", true, false},
		{"dport https", true, true},
		{"sport 40000-40000", true, false},
		{"sport in (22, 40001-50000)", false, true},
		{"sport != 40000", false, true},
		{"sport > 40000", false, true},
		{"sport>=40000 and sport<=40000", true, false},
		{"port = 40000", true, false},
		{"port != 40000", false, true},
		{"src 10.0.0.0/8", true, false},
		{"local_addr=10.1.2.3", true, false},
		{"src 10.1.2.3:40000", true, false},
		{"addr = 192.0.2.1", true, false},
		{"dst in (192.0.2.0/24, [::1])", true, false},
		{"not dst 192.0.2.1", false, true},
		{"dst != 192.0.2.1", false, true},
		{"dev eth0", true, false},
		{"dev != eth0", false, true},
		{"dev ~ ^eth", true, false},
		{"dev", true, false},
		{"rtt", true, false},
		{"not rtt", false, true},
		{"rtt host 192.0.2.1", true, false},
		{"rtt excl time-wait", true, false},
		{"rtt > 100ms", true, false},
		{"rtt>149.9ms and rtt<=0.15s", true, false},
		{"rtt != 1ms", true, false},
		{"not rtt = 1ms", true, true},
		{"rtt < 1h", true, false},
		{"rtt = 150.0001ms", false, false},
		{"rtt != 150.0001ms", true, false},
		{"rtt < 150.0001ms", true, false},
		{"rtt >= 150.0001ms", false, false},
		{"lost = 2", true, false},
		{"lost 2", true, false},
		{"lost in (1, 2, 3)", true, false},
		{"sendq >= 64K", true, false},
		{"send-q >= 64.5K", false, false},
		{"ecn in (false, true)", true, false},
		{"ecn in (true, false)", true, false},
		{"ecn in (true)", false, false},
		{"ecn in (0)", true, false},
		{"ecn != false", false, false},
		{"ecn not in (true, false)", false, true},
		{"cong = cubic", true, false},
		{"cong != cubic", false, false},
		{"cong ~ ^(cu|re)", true, false},
		{"(cong ~ bic$)", true, false},
		{"cong !~ bbr", true, false},
		{"timer = on", true, false},
		{"expires > 2s and retransmits >= 3", true, false},
		{"process = nginx", true, false},
		{"process nginx", true, false},
		{`process = "a worker"`, true, false},
		{"process != nginx", true, false}, // the worker
		{"not process = nginx", false, true},
		{"pid in (1, 200)", true, false},
		{"pid", true, false},
		{"no_owner = time-wait", false, true},
		{"state time-wait or rtt > 1h and pid 1", false, true}, // and binds tighter
		{"(state time-wait or rtt > 1ms) and pid 100", true, false},
		{"! ( state time-wait | rtt > 1ms )", false, false},
		{"proto tcp", true, true},
		{"proto = udp", false, false},
		{"netid = tcp6", false, false},
		{"family = ipv4", true, true},
		{"user = root", true, false}, // TIME_WAIT has no user
		{"src inet:10.1.2.3", true, false},
		{"src inet6:[::]", false, false},
		{"src inet6:[::1] or dport 443", true, true}, // the prefix is that of its own operand
		{"src inet:10.1.2.3 or dst [::1]", true, false},
		{"autobound", false, false},
		{"mark = 0", false, false}, // nobody knows
		{"mark != 0", false, false},
		{"mark != 7", false, false},
		{"fwmark 0/0xff", false, false},
		{"mark in (0, 7)", false, false},
		{"not mark = 0", true, true},
		{"mark > 0", false, false},
	} {
		t.Run(tt.text, func(t *testing.T) {
			x, err := Parse(tt.text, testEnv())
			if err != nil {
				t.Fatal(err)
			}
			match, early := x.Match(), x.Early()
			if got := match(e); got != tt.estab {
				t.Errorf("established: %v", got)
			}
			if got := match(tw); got != tt.wait {
				t.Errorf("time-wait: %v", got)
			}
			if tt.estab && !early(e) || tt.wait && !early(tw) {
				t.Error("Early loses a socket")
			}
			// A regular expression takes memory from a pool, which may be empty.
			if n := testing.AllocsPerRun(100, func() { match(e); match(tw) }); n != 0 && !strings.Contains(tt.text, "~") {
				t.Errorf("%v allocations", n)
			}
		})
	}
}

// A mark that the kernel tells is compared as ss does.
func TestMark(t *testing.T) {
	marked := func(mark uint32) *diag.InetSocket {
		m := make([]byte, 72, 80)
		m[0], m[1] = byte(diag.IPv4), byte(diag.Listen)
		m = binary.NativeEndian.AppendUint16(m, 8)
		m = binary.NativeEndian.AppendUint16(m, uint16(diag.AttrMark))
		s, err := diag.ParseInet(binary.NativeEndian.AppendUint32(m, mark), diag.TCP)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	zero, seven := marked(0), marked(7)
	for _, tt := range []struct {
		text        string
		zero, seven bool
	}{
		{"mark = 0", true, false}, {"mark != 0", false, true}, {"mark = 7", false, true}, {"mark != 7", true, false}, {"fwmark 0/0xf8", true, true},
		{"mark in (0, 7)", true, true}, {"mark not in (0, 1)", false, true}, {"not mark = 0", false, true},
	} {
		x, err := Parse(tt.text, testEnv())
		if err != nil {
			t.Fatal(err)
		}
		if match := x.Match(); match(zero) != tt.zero || match(seven) != tt.seven {
			t.Errorf("%s: mark 0 %v, mark 7 %v", tt.text, match(zero), match(seven))
		}
	}
}

func TestErrors(t *testing.T) {
	for _, tt := range []struct{ text, mark, msg, hint string }{
		{"rttt > 5ms", "rttt", `there is no field "rttt"`, "did you mean rtt?"},
		{"rtt > 5", "5", "a number of time needs its unit", "write 250us, 100ms, 2.5s, 10m or 1h"},
		{"rtt > 5parsec", "5parsec", `"parsec" is no unit of time`, "write 250us, 100ms, 2.5s, 10m or 1h"},
		{"delivery_rate < 10", "10", "a number of bytes or bits a second needs its unit", "write 10Mbps (bits) or 10MB/s (bytes)"},
		{"state lisen", "lisen", `there is no state "lisen"`, "did you mean listen?"},
		{"state", "", "a state is expected behind state", "sockeye help states tells what they are"},
		{"(sport 80", "(", "the parenthesis is not closed", ""},
		{"sport 80)", ")", "there is no parenthesis to close", ""},
		{"sport 80 and", "", "the filter ends where a condition is expected", ""},
		{"sport = ", "", "a value is expected behind sport", ""},
		{"sport = :nosuch", ":nosuch", `"nosuch" does not look like a port`, ""},
		{"process ~ (", "(", "missing closing ): `(`", ""},
		{"process > nginx", "process", "process has no order", "compare it by =, !=, ~ or in"},
		{"rtt ~ 5", "rtt", "rtt is no text", "compare it by =, !=, < or >"},
		{"pid in ()", ")", "the list is empty", ""},
		{"pid in (1", "in", "the list is not closed", ""},
		{"pid in 1", "1", "a list in parentheses is expected behind in", "write pid in (A, B)"},
		{`process = "x`, `"x`, "the quote is not closed", ""},
		{"timer = keepaliv", "keepaliv", `timer is never "keepaliv"`, "did you mean keepalive?"},
		{"proto = sctp", "sctp", `there is no proto "sctp"`, ""},
		{"ecn = maybe", "maybe", "ecn is true or false", ""},
		{"ecn in (true, maybe)", "maybe", "ecn is true or false", ""},
		{"ecn > 1", "ecn", "ecn has no order", "compare it by =, != or in"},
		{"ecn ~ 1", "ecn", "ecn is no text", "compare it by =, != or in"},
		{"peer_addr > 10.0.0.1", "peer_addr", "peer_addr has no order", "compare it by =, != or in"},
		{"peer_addr ~ 10", "peer_addr", "peer_addr is no text", "compare it by =, != or in"},
		{"rtt > 1.0000000001s", "1.0000000001s", `"1.0000000001s" has more digits than sockeye reckons with`, ""},
		{"rtt > 1.5.5ms", "1.5.5ms", `"1.5.5ms" is no number`, "write 250us, 100ms, 2.5s, 10m or 1h"},
		{"owner = x", "owner", "owner is for columns", "ask for process or pid"},
		{"and", "and", `"and" stands where a condition is expected`, ""},
		{"80", "80", `there is no field "80"`, ""},
		{strings.Repeat("(", maxDepth+1), "(", "the filter nests too deep", ""},
	} {
		_, err := Parse(tt.text, testEnv())
		e, ok := err.(*Error)
		if !ok {
			t.Errorf("%q: %v", tt.text, err)
			continue
		}
		if got := e.Text[e.Start:e.End]; got != tt.mark || e.Msg != tt.msg || tt.hint != "" && e.Hint != tt.hint {
			t.Errorf("%q: %q at %q, hint %q", tt.text, e.Msg, got, e.Hint)
		}
	}
	_, err := Parse("sport 80 and rttt > \x1b5ms", testEnv())
	want := "filter: there is no field \"rttt\"\n  sport 80 and rttt > ?5ms\n               ^^^^\n  did you mean rtt?"
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	_, err = Parse("process = \u65e5\u672c and e\u0301\u65e5", testEnv()) // wide and combining characters
	want = "filter: there is no field \"e\u0301\u65e5\"\n  process = \u65e5\u672c and e\u0301\u65e5\n                     ^^^\n  sockeye fields lists them"
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestPlan(t *testing.T) {
	base := []diag.InetQuery{
		{Protocol: diag.TCP, States: diag.StatesOf(diag.Listen)}, {Protocol: diag.UDP, States: diag.StatesOf(diag.Close)},
		{Protocol: diag.TCP, States: diag.AllStates &^ diag.StatesOf(diag.Listen)}, {Protocol: diag.UDP, States: diag.AllStates &^ diag.StatesOf(diag.Close)},
	}
	for _, tt := range []struct {
		text string
		want string
	}{
		{"state listen and sport 80", "tcp unspec 400 code exact"},
		{"state listen and family = ipv6", "tcp inet6 400 exact"},
		{"proto udp and rtt > 1s", "udp unspec 80; udp unspec 3f7f"},
		{"proto = udp", "udp unspec 80 exact; udp unspec 3f7f exact"},
		{"state close-wait or state last-ack", "tcp unspec 300 exact"},
		{"state close-wait and (rtt > 1s or dport 443)", "tcp unspec 100"},
		{"state close-wait and rtt > 1s and dport 443 and proto tcp", "tcp unspec 100 code"},
		{"state bound and proto tcp", "tcp unspec 2080 exact"},
		{"proto tcp and proto udp", ""},
		{"state listen and mark = 7", "tcp unspec 400 code exact"},
		{"state listen and mark = 0", "tcp unspec 400 code"}, // the kernel's 0 is also what it would not tell
		{"state listen and mark != 7", "tcp unspec 400 code"},
	} {
		x, err := Parse(tt.text, testEnv())
		if err != nil {
			t.Errorf("%s: %v", tt.text, err)
			continue
		}
		var got []string
		for _, p := range x.Plan(base, filter.AllOps) {
			s := p.Query.Protocol.String() + " " + p.Query.Family.String() + " " + strconv.FormatUint(uint64(p.Query.States), 16)
			if p.Query.Bytecode != nil {
				s += " code"
			}
			if p.Exact {
				s += " exact"
			}
			got = append(got, s)
		}
		if s := strings.Join(got, "; "); s != tt.want {
			t.Errorf("%s: %q, want %q", tt.text, s, tt.want)
		}
	}
}

// The names that sockets are shown by are those that pick them, and no others.
func TestStatesAreThoseShown(t *testing.T) {
	shown := map[string][]*diag.InetSocket{}
	for _, p := range []diag.Protocol{diag.TCP, diag.UDP, diag.MPTCP} {
		for st := diag.Established; st <= diag.Closing; st++ {
			s := sock(t, p, st, nil, nil)
			shown[field.StateName(s)] = append(shown[field.StateName(s)], s)
		}
	}
	for name := range shown {
		x, err := Parse("state = "+name, testEnv())
		if err != nil {
			t.Error(err)
			continue
		}
		match := x.Match()
		for other, socks := range shown {
			for _, s := range socks {
				if match(s) != (other == name) {
					t.Errorf("state = %s picks %v %s: %v", name, s.Protocol, other, match(s))
				}
			}
		}
	}
}
