package filter

import (
	"math/rand/v2"
	"testing"

	"github.com/sockeye-tools/sockeye/diag"
)

// busy has every predicate in it.
const busy = `( src 10.0.0.0/8 or dst [::1] or src multi or not dst 127.0.0.1 ) and sport >= 1 dport <= 65535 sport != 7 ` +
	`not dev lo not fwmark 3 not cgroup /a and not src unix:x ( autobound or not autobound )`

func TestMatchDoesNotAllocate(t *testing.T) {
	f, err := ParseSS([]string{busy}, testEnv())
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 1))
	var sockets []*diag.InetSocket
	for range 50 {
		sockets = append(sockets, socketOf(t, randomSubject(r)))
	}
	hits := 0
	if n := testing.AllocsPerRun(20, func() {
		for _, s := range sockets {
			if f.Match(s) {
				hits++
			}
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if hits == 0 {
		t.Error("nothing matched: the later predicates were not reached")
	}
}

func TestNewWithoutTree(t *testing.T) {
	f := New(nil, AllOps)
	code, exact := f.Bytecode()
	if !f.Match(&diag.InetSocket{}) || code != nil || !exact || f.String() != "" || f.Tree() != nil {
		t.Errorf("%+v", f)
	}
}

func BenchmarkMatch(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	s := socketOf(b, randomSubject(r))
	for _, words := range []string{
		"sport = 22", "dst 10.0.0.0/8", "dst [2001:db8::/32]", "not ( sport 1 or sport 2 or sport 3 or sport 4 )", busy,
	} {
		b.Run(words[:min(20, len(words))], func(b *testing.B) {
			f, err := ParseSS([]string{words}, testEnv())
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				f.Match(s)
			}
		})
	}
}
