package lang

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/filter"
)

// facts are what a random socket is made of; the reference judges by them alone.
type facts struct {
	proto          diag.Protocol
	v6             bool
	state          diag.State
	src, dst       netip.Addr
	sport, dport   uint16
	inode          uint32
	dev            uint32
	rtt, lost      int64 // -1: tcp_info has none
	recvQ          uint32
	cong           string // "": not told
	timer, retries uint8
}

func pick[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

func randomFacts(r *rand.Rand) *facts {
	f := &facts{
		proto: pick(r, diag.TCP, diag.TCP, diag.UDP), v6: r.IntN(2) == 0,
		sport: pick[uint16](r, 22, 80, 443, 8080, 40000), dport: pick[uint16](r, 0, 22, 80, 443, 40000),
		inode: pick[uint32](r, 0, 7, 8), dev: pick[uint32](r, 0, 2, 3), rtt: -1, lost: -1,
		recvQ: pick[uint32](r, 0, 1, 1024, 65536), timer: pick[uint8](r, 0, 1, 2, 4), retries: pick[uint8](r, 0, 3),
	}
	f.state = pick(r, diag.Established, diag.Established, diag.Listen, diag.TimeWait, diag.CloseWait, diag.Close, diag.SynRecv)
	if f.proto == diag.UDP {
		f.state = pick(r, diag.Established, diag.Close)
	}
	addrs := []string{"10.1.2.3", "10.9.9.9", "192.0.2.1", "0.0.0.0"}
	if f.v6 {
		addrs = []string{"::1", "::ffff:10.1.2.3", "2001:db8::1", "::"}
	}
	f.src, f.dst = netip.MustParseAddr(pick(r, addrs...)), netip.MustParseAddr(pick(r, addrs...))
	if f.proto == diag.TCP && (f.state == diag.Established || f.state == diag.CloseWait) {
		f.rtt, f.lost = pick[int64](r, 1, 999, 1000, 100_000, 3_600_000_000), pick[int64](r, 0, 1, 5)
		f.cong = pick(r, "", "cubic", "bbr", "reno")
	}
	return f
}

func (f *facts) socket(t testing.TB) *diag.InetSocket {
	var info []byte
	if f.rtt >= 0 {
		info = tcpInfoBytes(232, map[int]uint32{offRTT: uint32(f.rtt), offLost: uint32(f.lost)})
	}
	var attrs [][]byte
	if f.cong != "" {
		attrs = append(attrs, append([]byte(f.cong), 0))
	}
	return sock(t, f.proto, f.state, func(m []byte) {
		if f.v6 {
			m[0] = byte(diag.IPv6)
		}
		m[2], m[3] = f.timer, f.retries
		binary.BigEndian.PutUint16(m[4:], f.sport)
		binary.BigEndian.PutUint16(m[6:], f.dport)
		copy(m[8:24], f.src.AsSlice())
		copy(m[24:40], f.dst.AsSlice())
		binary.NativeEndian.PutUint32(m[40:], f.dev)
		binary.NativeEndian.PutUint32(m[56:], f.recvQ)
		binary.NativeEndian.PutUint32(m[68:], f.inode)
	}, info, attrs...)
}

// said is a random filter: its words, and what they mean.
type said struct {
	words string
	holds func(*facts) bool
}

func either(r *rand.Rand, depth int) said {
	l := both(r, depth)
	for range r.IntN(3) {
		a, b := l, both(r, depth)
		l = said{a.words + pick(r, " or ", "|", " || ") + b.words, func(f *facts) bool { return a.holds(f) || b.holds(f) }}
	}
	return l
}

func both(r *rand.Rand, depth int) said {
	l := unary(r, depth)
	for range r.IntN(3) {
		a, b := l, unary(r, depth)
		op := pick(r, " and ", "&", " && ", " ")
		if op == " " && strings.Contains(a.words, "state ") && strings.HasPrefix(b.words, "state ") {
			op = " and " // side by side, states unite
		}
		l = said{a.words + op + b.words, func(f *facts) bool { return a.holds(f) && b.holds(f) }}
	}
	return l
}

func unary(r *rand.Rand, depth int) said {
	switch n := r.IntN(6); {
	case n == 0:
		s := unary(r, depth)
		return said{pick(r, "not ", "! ", "!") + s.words, func(f *facts) bool { return !s.holds(f) }}
	case n < 3 && depth > 0:
		s := either(r, depth-1)
		return said{"(" + s.words + ")", s.holds}
	}
	return term(r)
}

// compare makes a comparison of a number that may be absent (below 0).
func compare(r *rand.Rand, name, word string, v int64, get func(*facts) int64) said {
	ops := map[string]func(a, b int64) bool{
		"=": func(a, b int64) bool { return a == b }, "==": func(a, b int64) bool { return a == b }, "!=": func(a, b int64) bool { return a != b },
		"<": func(a, b int64) bool { return a < b }, ">": func(a, b int64) bool { return a > b },
		"<=": func(a, b int64) bool { return a <= b }, ">=": func(a, b int64) bool { return a >= b },
		" lt ": func(a, b int64) bool { return a < b }, " geq ": func(a, b int64) bool { return a >= b },
	}
	op := pick(r, "=", "==", "!=", "<", ">", "<=", ">=", " lt ", " geq ")
	blank := pick(r, "", " ")
	return said{name + blank + op + blank + word, func(f *facts) bool {
		x := get(f)
		return x >= 0 && ops[op](x, v)
	}}
}

func term(r *rand.Rand) said {
	port := func(side string, get func(*facts) uint16) said {
		p := pick[uint16](r, 0, 22, 80, 443, 8080, 40000, 65535)
		switch r.IntN(4) {
		case 0:
			lo, hi := min(p, 443), max(p, 443)
			return said{fmt.Sprintf("%s in (22, %d-%d)", side, lo, hi), func(f *facts) bool { return get(f) == 22 || get(f) >= lo && get(f) <= hi }}
		case 1:
			return said{fmt.Sprintf("%s :%d", side, p), func(f *facts) bool { return get(f) == p }}
		}
		return compare(r, side, fmt.Sprint(p), int64(p), func(f *facts) int64 { return int64(get(f)) })
	}
	host := func(side string, get func(*facts) netip.Addr) said {
		words := pick(r, "10.0.0.0/8", "10.1.2.3", "[::1]", "2001:db8::/32", "0.0.0.0/0")
		p, err := netip.ParsePrefix(strings.Trim(words, "[]"))
		if err != nil {
			a := netip.MustParseAddr(strings.Trim(words, "[]"))
			p = netip.PrefixFrom(a, a.BitLen())
		}
		op, want := pick(r, " ", " = ", "="), true
		if r.IntN(3) == 0 {
			op, want = "!=", false
		}
		return said{side + op + words, func(f *facts) bool {
			a := get(f)
			if p.Addr().Is4() {
				a = a.Unmap()
			}
			return p.Contains(a) == want
		}}
	}
	switch r.IntN(14) {
	case 0:
		return port("sport", func(f *facts) uint16 { return f.sport })
	case 1:
		return port("peer_port", func(f *facts) uint16 { return f.dport })
	case 2:
		return host("src", func(f *facts) netip.Addr { return f.src })
	case 3:
		return host("dst", func(f *facts) netip.Addr { return f.dst })
	case 4:
		us, word := int64(0), ""
		switch r.IntN(3) {
		case 0:
			us, word = 999, "999us"
		case 1:
			us, word = 100_000, pick(r, "100ms", "0.1s")
		default:
			us, word = 3_600_000_000, pick(r, "1h", "60m", "3600s")
		}
		return compare(r, "rtt", word, us, func(f *facts) int64 {
			if f.rtt <= 0 {
				return -1
			}
			return int64(uint32(f.rtt))
		})
	case 5:
		n := pick[int64](r, 0, 1, 5)
		return compare(r, "lost", fmt.Sprint(n), n, func(f *facts) int64 { return f.lost })
	case 6:
		return compare(r, "recv-q", pick(r, "1K", "1024"), 1024, func(f *facts) int64 { return int64(f.recvQ) })
	case 7:
		st := pick(r, diag.Established, diag.Listen, diag.TimeWait, diag.CloseWait, diag.SynRecv)
		name := strings.ToLower(st.String())
		if r.IntN(3) == 0 {
			return said{"state!=" + name, func(f *facts) bool { return f.state != st }}
		}
		return said{"state " + name, func(f *facts) bool { return f.state == st }}
	case 8:
		return said{"state bound", func(f *facts) bool { return f.proto == diag.TCP && f.state == diag.Close }}
	case 9:
		return said{"proto=udp", func(f *facts) bool { return f.proto == diag.UDP }}
	case 10:
		return said{"family ipv6", func(f *facts) bool { return f.v6 }}
	case 11:
		want := pick(r, "cubic", "bbr")
		switch r.IntN(4) {
		case 0:
			return said{"cong!=" + want, func(f *facts) bool { return f.cong != "" && f.cong != want }}
		case 1:
			return said{"cong ~ '^" + want[:2] + "'", func(f *facts) bool { return strings.HasPrefix(f.cong, want[:2]) }}
		case 2:
			return said{"cong", func(f *facts) bool { return f.cong != "" }}
		}
		return said{"cong in (" + want + ", reno)", func(f *facts) bool { return f.cong == want || f.cong == "reno" }}
	case 12:
		return said{"process = nginx", func(f *facts) bool { return f.inode == 7 }}
	}
	return said{"retransmits >= 3", func(f *facts) bool { return (f.timer == 1 || f.timer == 2 || f.timer == 4) && f.retries >= 3 }}
}

// Random filters over random sockets: the compiled filter, what it does before owners are known, and the plan agree with the
// reference.
func TestFiltersMeanWhatTheySay(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	var all []*facts
	var socks []*diag.InetSocket
	for range 60 {
		f := randomFacts(r)
		all = append(all, f)
		socks = append(socks, f.socket(t))
	}
	base := []diag.InetQuery{{Protocol: diag.TCP}, {Protocol: diag.UDP}}
	for range 3000 {
		s := either(r, 3)
		x, err := Parse(s.words, testEnv())
		if err != nil {
			t.Fatalf("%s: %v", s.words, err)
		}
		match, early := x.Match(), x.Early()
		parts := x.Plan(base, filter.AllOps)
		for i, f := range all {
			want := s.holds(f)
			if got := match(socks[i]); got != want {
				t.Fatalf("%s: %v for %+v", s.words, got, *f)
			}
			if want && !early(socks[i]) {
				t.Fatalf("%s: loses %+v before the owners are known", s.words, *f)
			}
			// The plan asks for the socket, and what is left of the filter picks it.
			asked := slices.ContainsFunc(parts, func(p Part) bool {
				family := diag.IPv4
				if f.v6 {
					family = diag.IPv6
				}
				st := f.state
				if f.proto == diag.TCP && st == diag.Close {
					st = diag.BoundInactive
				}
				if p.Query.Protocol != f.proto || p.Query.Family != diag.Unspec && p.Query.Family != family || !p.Query.States.Has(st) {
					return false
				}
				return filter.New(p.Rest, 0).Match(socks[i])
			})
			if asked != want && (want || !x.Owners()) {
				t.Fatalf("%s: planned %v, want %v, for %+v", s.words, asked, want, *f)
			}
		}
	}
}

// BenchmarkTerm times what one condition takes a socket. The aim is 10 ns, regular expressions aside.
func BenchmarkTerm(b *testing.B) {
	s := estab(b)
	for _, text := range []string{
		"rtt > 100ms", "lost in (1, 2, 3)", "sendq >= 64K", "retransmits = 3",
		"dst 192.0.2.0/24", "src in (10.0.0.0/8, 192.168.0.0/16)", "dport = 443", "dport in (22, 80, 443)", "sport 30000-50000",
		"state established", "state in (established, close-wait)", "proto = tcp", "dev = eth0",
		"timer = on", "timer in (on, persist)", "cong = cubic", "cong != cubic", "cong in (bbr, cubic)", "user = root", "ecn",
		"process = nginx", "pid = 200", "cong ~ ^cu",
	} {
		x, err := Parse(text, testEnv())
		if err != nil {
			b.Fatal(err)
		}
		match := x.Match()
		b.Run(text, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				match(s)
			}
		})
	}
}
