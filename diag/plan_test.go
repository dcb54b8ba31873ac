package diag_test

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/diagtest"
	"github.com/sockeye-tools/sockeye/internal/release"
)

// planned returns a Conn to a kernel that says that it has a number of sockets, and that has n, with the ports that ports gives.
func planned(t *testing.T, says, n int, ports func(i int) (local, remote uint16)) *diag.Conn {
	t.Helper()
	proc := t.TempDir()
	dir := filepath.Join(proc, "thread-self", "net")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for file, text := range map[string]string{
		"sockstat":  fmt.Sprintf("sockets: used 1\nTCP: inuse %d orphan 99999 tw 10 alloc 99999 mem 1\nUDP: inuse 99999 mem 0\n", says-20),
		"sockstat6": "TCP6: inuse 10\nUDP6: inuse 99999\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	k := diagtest.NewKernel(t, func(r diagtest.Request) []diagtest.Datagram {
		out := []diagtest.Datagram{{}}
		for i := range n {
			m := make([]byte, 72)
			m[0], m[1] = unix.AF_INET, byte(diag.Established)
			local, remote := ports(i)
			binary.BigEndian.PutUint16(m[4:], local)
			binary.BigEndian.PutUint16(m[6:], remote)
			last := &out[len(out)-1]
			if *last = last.Append(r, 20, 2, m); len(*last) > 16<<10 {
				out = append(out, nil)
			}
		}
		return append(out, diagtest.Datagram{}.Done(r))
	})
	cfg := k.Config()
	cfg.Proc = proc
	return dial(t, cfg)
}

func TestPlan(t *testing.T) {
	parallel := release.Running() >= release.Of(6, 9)
	spread := func(i int) (uint16, uint16) { return uint16(1024 + 100*i%60000), uint16(1024 + 77*i%60000) }
	for _, tt := range []struct {
		name    string
		says    int
		n       int
		ports   func(int) (uint16, uint16)
		q       diag.InetQuery
		workers int
		steps   []int // queries of each step
		order   bool  // whether the order was given up
		why     string
	}{
		{"few", 19_999, 500, spread, diag.InetQuery{}, 2, []int{1}, false, "too few sockets (19999)"},
		{"many", 20_000, 500, spread, diag.InetQuery{}, 2, []int{1, 3}, true, "2 at a time"},
		{"four", 20_000, 500, spread, diag.InetQuery{}, 4, []int{1, 5}, true, "4 at a time"},
		{"one worker", 20_000, 500, spread, diag.InetQuery{}, 1, []int{2}, true, "in one dump"},
		{"no attributes of another kernel", 20_000, 500, spread, diag.InetQuery{NoAttrs: true}, 1, []int{2}, true, "in one dump"},
		{"without listeners", 20_000, 500, spread, diag.InetQuery{States: diag.StatesOf(diag.Established)}, 2, []int{2}, true, "2 at a time"},
		{"listeners", 1_000_000, 500, spread, diag.InetQuery{States: diag.StatesOf(diag.Listen)}, 2, []int{1}, false, "does not walk"},
		{"udp", 1_000_000, 500, spread, diag.InetQuery{Protocol: diag.UDP}, 2, []int{1}, false, "only TCP"},
		{"server", 20_000, 500, func(i int) (uint16, uint16) { return 443, uint16(1024 + i) }, diag.InetQuery{}, 2, []int{1, 3}, true, "remote port"},
		{"client", 20_000, 500, func(i int) (uint16, uint16) { return uint16(1024 + i), 443 }, diag.InetQuery{}, 2, []int{1, 3}, true, "local port"},
		{"proxy", 20_000, 500, func(i int) (uint16, uint16) {
			if i%2 == 0 {
				return 8080, uint16(1024 + 100*i%60000)
			}
			return uint16(1024 + 100*i%60000), 8080
		}, diag.InetQuery{}, 2, []int{1, 3}, true, "2 at a time"},
		{"bound", 20_000, 500, spread, diag.InetQuery{States: diag.StatesOf(diag.BoundInactive)}, 1, []int{1}, true, "in one dump"},
		{"listeners and bound", 1_000_000, 500, spread, diag.InetQuery{States: diag.StatesOf(diag.Listen, diag.BoundInactive), NoAttrs: true}, 2, []int{2}, true, "no connection"},
		{"one flow", 20_000, 500, func(i int) (uint16, uint16) { return 443, 443 }, diag.InetQuery{}, 2, []int{2}, true, "no port range"},
		{"long filter", 20_000, 500, spread, diag.InetQuery{Bytecode: make([]byte, 1<<16-1-4-12)}, 2, []int{2}, true, "no room"},
		{"few match", 20_000, 50, spread, diag.InetQuery{}, 2, []int{2}, true, "only 50 match"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if !parallel && tt.order {
				t.Skip("needs Linux 6.9: dumps in parallel")
			}
			steps := planned(t, tt.says, tt.n, tt.ports).Plan(t.Context(), tt.q, tt.workers)
			var got []int
			for _, s := range steps {
				got = append(got, len(s.Queries))
			}
			// No query asks for a state that was not asked for, nor for none, which is all.
			var asked diag.States
			for _, s := range steps {
				for _, q := range s.Queries {
					if asked |= q.States; q.States == 0 {
						t.Errorf("%q: a query without a state", s.Why)
					}
				}
			}
			if want := cmp.Or(tt.q.States, diag.AllStates); asked != want {
				t.Errorf("states %#x are asked for, want %#x", asked, want)
			}
			last := steps[len(steps)-1]
			if fmt.Sprint(got) != fmt.Sprint(tt.steps) || last.Queries[0].AnyOrder != tt.order || !strings.Contains(last.Why, tt.why) {
				t.Errorf("queries %v, any order %v, %q; want %v, %v, %q", got, last.Queries[0].AnyOrder, last.Why, tt.steps, tt.order, tt.why)
			}
			if len(steps) == 2 && steps[0].Queries[0].States != diag.StatesOf(diag.Listen) {
				t.Errorf("the first step asks for states %v", steps[0].Queries[0].States)
			}
		})
	}
}

// The parts of a split dump, asked of a real kernel, hold each socket once, and none that a filter of the caller rejects.
func TestPlanSplitsExactly(t *testing.T) {
	newNetNS(t)
	want := map[uint64]bool{}
	for i := range 40 {
		addr := "127.0.0.1:0"
		family := unix.AF_INET
		if i%3 == 0 {
			addr, family = "[::1]:0", unix.AF_INET6
		}
		p := newPair(t, family, addr)
		want[p.client.cookie()], want[p.server.cookie()] = true, true
	}
	c := dial(t, nil)
	states := diag.StatesOf(diag.Established)
	// A filter of the caller's own: local port >= 1, which all pass; and one that all fail: local port <= 0.
	ge := binary.NativeEndian.AppendUint16([]byte{2, 8}, 12)
	ge = append(ge, 0, 0, 0, 0)
	ge = binary.NativeEndian.AppendUint16(ge[:6], 1)
	le := binary.NativeEndian.AppendUint16([]byte{3, 8}, 12)
	le = append(le, 0, 0, 0, 0)
	for _, tt := range []struct {
		name string
		code []byte
		all  bool
	}{{"no filter", nil, true}, {"all pass", ge, true}, {"none passes", le, false}} {
		for _, parts := range [][]int{{0, 40_000}, {0, 35_000, 50_000}, {0}} {
			for _, remote := range []bool{false, true} {
				seen := map[uint64]int{}
				for i, from := range parts {
					to := 1<<16 - 1
					if i+1 < len(parts) {
						to = parts[i+1] - 1
					}
					q := diag.InetQuery{States: states, AnyOrder: true, Bytecode: diag.PortRange(tt.code, remote, from, to)}
					for _, s := range mustAll(t, c, q) {
						seen[s.Cookie]++
						port := int(s.Local.Port())
						if remote {
							port = int(s.Remote.Port())
						}
						if port < from || port > to {
							t.Errorf("%s: port %d in the part %d to %d", tt.name, port, from, to)
						}
					}
				}
				for cookie := range want {
					if n := seen[cookie]; (n == 1) != tt.all || n > 1 {
						t.Errorf("%s, parts %v: a socket %d times", tt.name, parts, n)
					}
				}
			}
		}
	}
}
