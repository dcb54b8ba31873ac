package filter

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/sockeye-tools/sockeye/diag"
)

// What the random filters and sockets are made of: few values, so that they meet.
var (
	someV4    = []string{"127.0.0.1", "127.0.0.2", "10.1.2.3", "0.0.0.0", "255.255.255.255"}
	someV6    = []string{"::1", "::", "::ffff:127.0.0.1", "::ffff:10.1.2.3", "fe80::1", "2001:db8::1:0:0:7f00:1"}
	somePorts = []int{0, 1, 22, 80, 443, 1024, 32767, 32768, 40000, 60999, 61000, 65535}
	someMarks = []uint32{0, 1, 5, 0xff, 0xffffffff}
)

func pick[T any](r *rand.Rand, s []T) T { return s[r.IntN(len(s))] }

// testEnv is an Env that looks nothing up outside of itself.
func testEnv() Env {
	return Env{
		TCP: true, UDP: true, Ops: AllOps,
		Service: func(name, proto string) (uint16, bool) {
			p, ok := map[string]uint16{
				"http/tcp": 80, "http/udp": 80, "domain/udp": 53, "https/tcp": 443, "shell/tcp": 514, "shell/udp": 515,
			}[name+"/"+proto]
			return p, ok
		},
		Hosts: func(name string, family diag.Family) ([]netip.Addr, error) {
			var all []netip.Addr
			for _, a := range map[string][]string{
				"multi": {"127.0.0.1", "10.1.2.3", "::1"}, "six": {"::1"}, "one": {"10.1.2.3"},
			}[name] {
				ip := netip.MustParseAddr(a)
				if family == diag.Unspec || (family == diag.IPv4) == ip.Is4() {
					all = append(all, ip)
				}
			}
			if all == nil {
				return nil, errors.New("no such host")
			}
			return all, nil
		},
		Device: func(name string) (uint32, bool) {
			i, ok := map[string]uint32{"lo": 1, "eth0": 2}[name]
			return i, ok
		},
		Cgroup: func(path string) (uint64, error) {
			if id, ok := testCgroups[path]; ok {
				return id, nil
			}
			return 0, errors.New("no such cgroup")
		},
		PortRange: func() (uint16, uint16) { return 32768, 60999 },
	}
}

func randomSubject(r *rand.Rand) *Subject {
	addrs := someV4
	if r.IntN(2) == 0 {
		addrs = someV6
	}
	end := func() netip.AddrPort {
		return netip.AddrPortFrom(netip.MustParseAddr(pick(r, addrs)), uint16(pick(r, somePorts)))
	}
	return &Subject{
		Local: end(), Remote: end(),
		Locked:    r.IntN(2) == 0,
		Interface: uint32(r.IntN(3)),
		Mark:      pick(r, someMarks),
		Cgroup:    pick(r, []uint64{0, 100, 1 << 40}),
	}
}

// generated is a random filter: its words, and what they mean, told without the parser, the tree or the machine.
type generated struct {
	words string
	auto  bool // has "autobound"
	// eval judges s; with kernel, by what the kernel knows of autobound, else by what user space knows of it.
	eval func(s *Subject, kernel bool) bool
}

// generator makes random filters.
type generator struct {
	r *rand.Rand
	// live leaves out what needs testEnv.
	live bool
	// theirs leaves out what ss answers otherwise: it compares an IPv4 prefix with the first bits of an IPv6 address, and the
	// other way round, so prefixes of zeros are kept away from it; and it cuts ports to 16 bits.
	theirs  bool
	cgroups map[string]uint64
}

var testCgroups = map[string]uint64{"/a": 100, "/b": 1 << 40}

func (g generator) list(depth int) generated {
	l := g.term(depth)
	for range g.r.IntN(3) {
		a, b := l, g.term(depth)
		op := pick(g.r, []string{" and ", " or ", " ", " & ", " || ", " && ", " | "})
		l = generated{words: a.words + op + b.words, auto: a.auto || b.auto}
		if strings.ContainsAny(op, "o|") {
			l.eval = func(s *Subject, k bool) bool { return a.eval(s, k) || b.eval(s, k) }
		} else {
			l.eval = func(s *Subject, k bool) bool { return a.eval(s, k) && b.eval(s, k) }
		}
	}
	return l
}

func (g generator) term(depth int) generated {
	switch n := g.r.IntN(6); {
	case n == 0:
		t := g.term(depth)
		eval := t.eval
		t.words = pick(g.r, []string{"not ", "! "}) + t.words
		t.eval = func(s *Subject, k bool) bool { return !eval(s, k) }
		return t
	case n < 3 && depth > 0:
		t := g.list(depth - 1)
		t.words = "( " + t.words + " )"
		return t
	}
	return g.predicate()
}

func (g generator) predicate() generated {
	r := g.r
	switch r.IntN(9) {
	case 0, 1, 2:
		return g.host()
	case 3, 4, 5:
		return g.port()
	case 6:
		i := r.IntN(3)
		word := pick(r, [][]string{{"0"}, {"lo", "1", "0x1"}, {"eth0", "2"}}[i])
		if g.live {
			word = strconv.Itoa(i)
		}
		return g.equality("dev", word, func(s *Subject) bool { return s.Interface == uint32(i) })
	case 7:
		m, mask := pick(r, someMarks), uint32(0xffffffff)
		word := fmt.Sprintf("%#x", m)
		if r.IntN(2) == 0 {
			mask = pick(r, someMarks)
			word += "/" + strconv.Itoa(int(mask))
		}
		return g.equality("fwmark", word, func(s *Subject) bool { return s.Mark&mask == m })
	}
	if r.IntN(2) == 0 && len(g.cgroups) > 0 {
		path := pick(r, slices.Sorted(maps.Keys(g.cgroups)))
		id := g.cgroups[path]
		return g.equality("cgroup", path, func(s *Subject) bool { return s.Cgroup == id })
	}
	return generated{"autobound", true, func(s *Subject, kernel bool) bool {
		if kernel {
			return !s.Locked
		}
		return s.Local.Port() >= 32768 && s.Local.Port() <= 60999
	}}
}

func (g generator) equality(key, word string, holds func(*Subject) bool) generated {
	op, want := " ", true
	switch g.r.IntN(3) {
	case 0:
		op = pick(g.r, []string{" = ", " == ", " eq "})
	case 1:
		op, want = pick(g.r, []string{" != ", " ne "}), false
	}
	return generated{key + op + word, false, func(s *Subject, _ bool) bool { return holds(s) == want }}
}

func (g generator) host() generated {
	r := g.r
	local := r.IntN(2) == 0
	key := "dst"
	if local {
		key = "src"
	}
	key += pick(r, []string{" ", " = ", " eq "})
	port, tail := -1, ""
	if r.IntN(3) == 0 {
		port = pick(r, somePorts)
		tail = ":" + strconv.Itoa(port)
	}
	var prefixes []netip.Prefix
	word := ""
	switch n := r.IntN(8); {
	case n == 0:
		word = pick(r, []string{"*", "any", "all", "default"})
	case n == 1 && !g.live:
		word = "multi"
		for _, a := range []string{"127.0.0.1", "10.1.2.3", "::1"} {
			ip := netip.MustParseAddr(a)
			prefixes = append(prefixes, netip.PrefixFrom(ip, ip.BitLen()))
		}
	default:
		addrs := slices.Concat(someV4, someV6)
		if g.theirs {
			addrs = slices.DeleteFunc(addrs, func(a string) bool { return a[0] == '0' || a[0] == ':' })
		}
		addr := netip.MustParseAddr(pick(r, addrs))
		bits := addr.BitLen()
		word = addr.String()
		if r.IntN(2) == 0 {
			bits = r.IntN(bits + 1)
			if g.theirs {
				bits = max(bits, 8)
			}
			word += "/" + strconv.Itoa(bits)
		}
		if addr.Is6() {
			word = "[" + word + "]"
		}
		prefixes = append(prefixes, netip.PrefixFrom(addr, bits))
	}
	return generated{key + word + tail, false, func(s *Subject, _ bool) bool {
		end := s.Local
		if !local {
			end = s.Remote
		}
		if port >= 0 && int(end.Port()) != port {
			return false
		}
		for _, want := range prefixes {
			if want.Contains(end.Addr()) || want.Addr().Is4() && want.Contains(end.Addr().Unmap()) {
				return true
			}
		}
		return len(prefixes) == 0
	}}
}

func (g generator) port() generated {
	r := g.r
	key, local := "dport", r.IntN(2) == 0
	if local {
		key = "sport"
	}
	n := int64(pick(r, somePorts))
	word := strconv.FormatInt(n, 10)
	switch r.IntN(6) {
	case 0:
		word = fmt.Sprintf("%#x", n)
	case 1:
		n, word = 80, "http"
	case 2:
		if !g.theirs {
			n = pick(r, []int64{-2, 65536, 70000, 1 << 30})
			word = strconv.FormatInt(n, 10)
		}
	}
	if r.IntN(3) == 0 {
		word = ":" + word
	}
	op := pick(r, []string{" ", " = ", " != ", " >= ", " <= ", " > ", " < ", " eq ", " neq ", " geq ", " leq ", " gt ", " lt "})
	return generated{key + op + word, false, func(s *Subject, _ bool) bool {
		p := int64(s.Remote.Port())
		if local {
			p = int64(s.Local.Port())
		}
		switch strings.TrimSpace(op) {
		case "!=", "neq":
			return p != n
		case ">=", "geq":
			return p >= n
		case "<=", "leq":
			return p <= n
		case ">", "gt":
			return p > n
		case "<", "lt":
			return p < n
		}
		return p == n
	}}
}

// TestRandomFilters compares what random filters mean with what Match and the machine say of random sockets.
func TestRandomFilters(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	g := generator{r: r, cgroups: testCgroups}
	env := testEnv()
	var sent, exacts, cut, hits int
	for range 4000 {
		want := g.list(3)
		f, err := ParseSS([]string{want.words}, env)
		if err != nil {
			t.Fatalf("%s: %v", want.words, err)
		}
		// The same tree for a poorer kernel, and with little room.
		ops, limit := Ops(r.IntN(int(AllOps)+1)), 4*r.IntN(40)
		poor, poorExact := assemble(f.Tree(), ops, limit)
		if len(poor) > limit {
			t.Fatalf("%s: %d bytes, limit %d", want.words, len(poor), limit)
		}
		code, exact := f.Bytecode()
		for _, c := range [][]byte{code, poor} {
			if why := audit(c); c != nil && why != "" {
				t.Fatalf("%s: the kernel would refuse it: %s\n%s", want.words, why, Disassemble(c))
			}
		}
		if exact == want.auto {
			t.Fatalf("%s: exact = %v", want.words, exact)
		}
		if poorExact && want.auto {
			t.Fatalf("%s: a poorer program is called exact", want.words)
		}
		sent++
		if exact {
			exacts++
		}
		if !poorExact && len(poor) > 0 {
			cut++
		}
		for range 40 {
			s := randomSubject(r)
			user, kernel := want.eval(s, false), want.eval(s, true)
			if got := f.Match(socketOf(t, s)); got != user {
				t.Fatalf("%s\n(%s)\nMatch(%+v) = %v", want.words, f, s, got)
			}
			if user {
				hits++
			}
			// The whole program is the kernel's view of the whole filter.
			if got := Accepts(code, s); got != kernel {
				t.Fatalf("%s\n%s\naccepts %+v: %v", want.words, Disassemble(code), s, got)
			}
			got := Accepts(poor, s)
			if kernel && !got {
				t.Fatalf("%s\n%s\nrejects %+v", want.words, Disassemble(poor), s)
			}
			if poorExact && got != user {
				t.Fatalf("%s\n%s\nis called exact and accepts %+v: %v", want.words, Disassemble(poor), s, got)
			}
		}
	}
	// The test would say little if these were rare.
	if exacts < sent/2 || cut < sent/10 || hits < sent*4 || hits > sent*36 {
		t.Errorf("%d filters, %d exact, %d cut, %d hits", sent, exacts, cut, hits)
	}
}

// TestStringIsAFilter: String's words make the same filter again.
func TestStringIsAFilter(t *testing.T) {
	g := generator{r: rand.New(rand.NewPCG(3, 4)), cgroups: testCgroups}
	env := testEnv()
	for range 2000 {
		words := g.list(3).words
		f, err := ParseSS([]string{words}, env)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseSS([]string{f.String()}, env)
		if err != nil {
			t.Fatalf("%s: %s: %v", words, f, err)
		}
		code, _ := f.Bytecode()
		codeAgain, _ := again.Bytecode()
		if again.String() != f.String() || !slices.Equal(code, codeAgain) {
			t.Fatalf("%s: %s: %s", words, f, again)
		}
	}
}
