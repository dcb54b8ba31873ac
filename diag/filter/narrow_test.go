package filter

import (
	"testing"

	"github.com/sockeye-tools/sockeye/diag"
)

func TestNarrow(t *testing.T) {
	listen := Class{"listen", func(_ diag.Protocol, _ diag.Family, st diag.State) bool { return st == diag.Listen }}
	six := Class{"six", func(_ diag.Protocol, f diag.Family, _ diag.State) bool { return f == diag.IPv6 }}
	slow := Check{Words: "slow", Picks: func(s *diag.InetSocket) bool { return false }}
	all := diag.StatesOf(diag.Listen, diag.Established, diag.BoundInactive)
	for _, tt := range []struct {
		tree   Node
		family diag.Family
		states diag.States
		rest   string
	}{
		{nil, diag.IPv4, all, ""},
		{listen, diag.IPv4, diag.StatesOf(diag.Listen), ""},
		{Not{listen}, diag.IPv4, all &^ diag.StatesOf(diag.Listen), ""},
		{And{listen, slow}, diag.IPv4, diag.StatesOf(diag.Listen), "slow"},
		{Or{listen, slow}, diag.IPv4, all, "listen or slow"},
		{And{six, slow}, diag.IPv4, 0, ""},
		{Or{And{six, listen}, slow}, diag.IPv4, all, "slow"},
		{Not{And{six, slow}}, diag.IPv6, all, "not slow"},
		{Or{Not{six}, slow}, diag.IPv4, all, ""},
		{Or{}, diag.IPv4, 0, ""},
	} {
		rest, states := Narrow(tt.tree, diag.TCP, tt.family, all)
		words := ""
		if rest != nil {
			words = New(rest, 0).String()
		}
		if states != tt.states || words != tt.rest {
			t.Errorf("%v: %q in %x, want %q in %x", tt.tree, words, states, tt.rest, tt.states)
		}
	}
}

// What is left for later does not reach the kernel, nor does it lose a socket before.
func TestEarly(t *testing.T) {
	s := &diag.InetSocket{Family: diag.IPv4, Protocol: diag.TCP, State: diag.Established}
	port := Port{Side: Local, Port: 1}
	for _, late := range []bool{false, true} {
		check := Check{Words: "late", Late: true, Picks: func(*diag.InetSocket) bool { return late }}
		for _, tree := range []Node{check, Not{check}, And{check, Not{port}}, Or{port, check}, Not{Or{port, check}}, Not{And{Not{port}, Not{check}}}} {
			if New(tree, AllOps).Match(s) && !New(Early(tree), AllOps).Match(s) {
				t.Errorf("%s loses a socket", New(tree, 0))
			}
			if Has[Check](Early(tree)) {
				t.Errorf("%s still waits", New(Early(tree), 0))
			}
			if _, exact := New(tree, AllOps).Bytecode(); exact {
				t.Errorf("%s: the kernel is said to decide it", New(tree, 0))
			}
		}
	}
}

func TestPredicate(t *testing.T) {
	env := testEnv()
	for _, tt := range []struct {
		word, operand string
		cmp           Cmp
		want          string
	}{
		{"src", "10.0.0.0/8", EQ, "src 10.0.0.0/8"}, {"dport", ":https", EQ, "dport = 443"}, {"sport", "80", GE, "sport >= 80"}, {"dev", "eth0", EQ, "dev eth0"},
		{"fwmark", "5/0xff", EQ, "fwmark 0x5/0xff"}, {"cgroup", "/a", EQ, "cgroup /a"},
	} {
		n, _, err := Predicate(tt.word, tt.operand, tt.cmp, &env)
		if err != nil || string(n.appendWords(nil)) != tt.want {
			t.Errorf("%s %s: %v, %v", tt.word, tt.operand, n, err)
		}
	}
	if _, f, err := Predicate("src", "inet6:[::1]", EQ, &env); err != nil || f != diag.IPv6 {
		t.Errorf("family %v, %v", f, err)
	}
	if env.Preferred != diag.Unspec {
		t.Errorf("the next operand is taken for one of family %v", env.Preferred)
	}
	for _, bad := range [][2]string{{"src", "1.2.3.4.5"}, {"sport", "nosuch"}, {"rtt", "5"}, {"autobound", "5"}, {"and", "5"}} {
		if _, _, err := Predicate(bad[0], bad[1], EQ, &env); err == nil {
			t.Errorf("%v is taken", bad)
		}
	}
}
