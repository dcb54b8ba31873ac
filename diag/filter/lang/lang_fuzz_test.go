package lang

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/filter"
	"github.com/sockeye-tools/sockeye/internal/check"
)

// FuzzEvaluate: what the plan leaves out the whole condition does not take, and an error points into the text.
func FuzzEvaluate(f *testing.F) {
	for _, s := range []string{
		"state established and (rtt > 100ms or not dst 10.0.0.0/8)", `process ~ "^ng" , pid in (1,2)`, "a\\ b = 'c", "!!(((", "dport=:443||x",
		"src 10.1.2.3 dst 192.0.2.0/24:443", "listening or waiting", "timer = on and retransmits >= 3", "not (proto = tcp or owner = none)", "unacked > 0 or lost > 1k",
		"local in (10.0.0.0/8, ::1)", "cong = cubic dev eth0", "state in (time-wait, syn-recv)", "delivery_rate > 10Mbps", "user = root",
	} {
		f.Add(s)
	}
	socks := []*diag.InetSocket{estab(f), timeWait(f), sock(f, diag.UDP, diag.Close, nil, nil), sock(f, diag.TCP, diag.Listen, nil, nil)}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 2000 {
			return
		}
		check.Time(t, time.Minute, func() string { return fmt.Sprintf("%q", text) })
		env := testEnv()
		env.Filter.Hosts = func(name string, _ diag.Family) ([]netip.Addr, error) {
			if name == "one" {
				return []netip.Addr{netip.MustParseAddr("10.1.2.3")}, nil
			}
			return nil, errors.New("no such host")
		}
		env.Filter.Cgroup = func(string) (uint64, error) { return 0, errors.New("no such cgroup") }
		x, err := Parse(text, env)
		if err != nil {
			if e, ok := err.(*Error); !ok || e.Start > e.End || e.End > len(text) || e.Error() == "" {
				t.Fatalf("%q: %#v", text, err)
			}
			return
		}
		match, early := x.Match(), x.Early()
		queries := []diag.InetQuery{
			{Protocol: diag.TCP, Family: diag.IPv4, States: diag.AllStates}, {Protocol: diag.UDP, Family: diag.IPv4, States: diag.AllStates},
		}
		x.Plan([]diag.InetQuery{{}}, filter.AllOps)
		parts := x.Plan(queries, filter.AllOps)
		for _, s := range socks {
			if !match(s) {
				continue
			}
			if !early(s) {
				t.Errorf("%q: taken with owners, and not before: %v", text, s)
			}
			asked := false
			for _, p := range parts {
				asked = asked || p.Query.Protocol == s.Protocol && (p.Query.Family == diag.Unspec || p.Query.Family == s.Family) && p.Query.States.Has(s.State)
			}
			if !asked {
				t.Errorf("%q: %v %v is taken, and not asked for: %+v", text, s.Protocol, s.State, parts)
			}
		}
	})
}
