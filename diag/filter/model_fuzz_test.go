package filter

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/sockeye-tools/sockeye/diag"
)

// subjectOf makes a socket of fuzzed bytes, half of the time of values that filters are made of.
func subjectOf(b []byte) *Subject {
	take := func() byte {
		if len(b) == 0 {
			return 0
		}
		v := b[0]
		b = b[1:]
		return v
	}
	how := take()
	s := &Subject{Locked: how&2 != 0, Interface: uint32(take()) & 3}
	addrs, size := someV4, 4
	if how&1 != 0 {
		addrs, size = someV6, 16
	}
	addr := func(any bool) netip.Addr {
		i := take()
		if !any {
			return netip.MustParseAddr(addrs[int(i)%len(addrs)])
		}
		raw := make([]byte, size)
		for i := range raw {
			raw[i] = take()
		}
		a, _ := netip.AddrFromSlice(raw)
		return a
	}
	port := func(any bool) uint16 {
		i := take()
		if !any {
			return uint16(somePorts[int(i)%len(somePorts)])
		}
		return binary.BigEndian.Uint16([]byte{i, take()})
	}
	src, dst := addr(how&4 != 0), addr(how&8 != 0)
	s.Local, s.Remote = netip.AddrPortFrom(src, port(how&16 != 0)), netip.AddrPortFrom(dst, port(how&32 != 0))
	s.Mark = someMarks[int(take())%len(someMarks)]
	s.Cgroup = []uint64{0, 100, 1 << 40}[int(take())%3]
	return s
}

// FuzzTreeAndBytecode: the kernel's machine and the tree judge a socket alike where the bytecode is exact, and the machine never rejects
// what the tree takes; also for kernels that know fewer instructions, and where there is room for a part only.
func FuzzTreeAndBytecode(f *testing.F) {
	for i, tt := range trees {
		f.Add(tt.words, []byte{byte(i), 1, 2, 3, 4, 5, 6, 7, 8}, uint16(i*97))
	}
	f.Add("not ( src 127.0.0.1 or sport >= 1024 ) and dport < 70000 fwmark 5/255", []byte{1, 1, 0, 2, 5, 6, 1, 1}, uint16(0xffff))
	f.Add("src [::]/0 or dst multi and dev != lo", []byte{0xff, 1, 0, 2, 5, 6, 1, 1}, uint16(7))
	f.Fuzz(func(t *testing.T, words string, raw []byte, poor uint16) {
		filter, err := ParseSS([]string{words}, testEnv())
		if err != nil {
			return
		}
		subject := subjectOf(raw)
		s := socketOf(t, subject)
		want := filter.Match(s)
		judge := func(what string, code []byte, exact bool) {
			if code == nil {
				if exact && !want {
					t.Fatalf("%q: %s: nothing is sent, which is called exact, and Match(%+v) = false", words, what, subject)
				}
				return
			}
			if why := audit(code); why != "" {
				t.Fatalf("%q: %s: %s\n%s", words, what, why, Disassemble(code))
			}
			got := Accepts(code, subject)
			if exact && got != want {
				t.Fatalf("%q: %s: the machine says %v, the tree %v of %+v\n%s", words, what, got, want, subject, Disassemble(code))
			}
			if want && !got && !Has[Autobound](filter.Tree()) /* which means another thing there */ {
				t.Fatalf("%q: %s: the machine rejects %+v\n%s", words, what, subject, Disassemble(code))
			}
		}
		code, exact := filter.Bytecode()
		judge("all", code, exact)
		if filter.Tree() == nil { // everything; nothing is assembled
			return
		}
		limit := 4 * int(poor&63)
		code, exact = assemble(filter.Tree(), Ops(poor>>6)&AllOps, limit)
		if len(code) > limit {
			t.Fatalf("%q: %d bytes, limit %d", words, len(code), limit)
		}
		judge("poor", code, exact)
		// What is known of the query beforehand takes nothing away.
		if want {
			node, states := Narrow(filter.Tree(), diag.TCP, familyOf(subject), diag.StatesOf(diag.Established))
			if !states.Has(diag.Established) || node != nil && !matcher(node)(s) {
				t.Fatalf("%q: narrowed to %v, states %#x: loses %+v", words, node, states, subject)
			}
		}
	})
}

// FuzzSplitWords: how words are put on the command line makes no difference, but for the errors' texts.
func FuzzSplitWords(f *testing.F) {
	f.Add("sport = 22", "or dport = 80")
	f.Add("( src 10.0.0.0/8", ")")
	f.Add("src a\\", " b")
	f.Fuzz(func(t *testing.T, a, b string) {
		// No argument has a NUL in it, and a backslash at the end is another thing with a blank behind it.
		if len(a)+len(b) > 2000 || strings.Contains(a+b, "\x00") || strings.HasSuffix(a, "\\") {
			return
		}
		_, errApart := ParseSS([]string{a, b}, testEnv())
		_, errJoined := ParseSS([]string{a + " " + b}, testEnv())
		if (errApart == nil) != (errJoined == nil) {
			t.Errorf("%q %q: %v; joined: %v", a, b, errApart, errJoined)
		}
		for _, err := range []error{errApart, errJoined} {
			if e, ok := errors.AsType[*SSError](err); err != nil && (!ok || e.Text == "") {
				t.Errorf("%q %q: %#v", a, b, err)
			}
		}
	})
}
