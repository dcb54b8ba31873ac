package lab

import (
	"fmt"
	"math"
	"testing"
)

// TestPlanIsExact pins the number of sockets, the descriptors of each worker and the part of IPv6.
func TestPlanIsExact(t *testing.T) {
	sizes := []int{1, 2, 3, 7, 63, 64, 65, 100, 101, 399, 400, 1000, 1999, 2000, 12_345, 100_001, 1_000_000}
	for _, shape := range Shapes() {
		for _, n := range sizes {
			for _, ipv6 := range []int{0, 1, 30, 50, 99, 100} {
				for _, procs := range []int{0, 1, 5, 700} {
					for _, perProc := range []int{256 - spareFDs, 960, mostPerProc} {
						name := fmt.Sprintf("%s %d ipv6 %d procs %d of %d", shape, n, ipv6, procs, perProc)
						p, err := newPlan(Config{Sockets: n, Shape: shape, IPv6: ipv6, Procs: procs}, perProc, 2)
						if err != nil {
							if n/perProc < maxProcs/3 {
								t.Errorf("%s: %v", name, err)
							}
							continue
						}
						checkPlan(t, name, p, n, ipv6, perProc)
						if procs > 0 && n >= 100*procs && len(p.workers) < procs {
							t.Errorf("%s: %d workers", name, len(p.workers))
						}
					}
				}
			}
		}
	}
}

func checkPlan(t *testing.T, name string, p *plan, n, ipv6, perProc int) {
	t.Helper()
	if got := p.made(); got != n {
		t.Errorf("%s: makes %d", name, got)
	}
	dialed, accepted := 0, 0
	for i, s := range p.workers {
		shared := 0
		for _, l := range p.shared {
			for _, h := range l.holders {
				if h == s {
					shared++
				}
			}
		}
		if got := s.descriptors() + shared; got > perProc {
			t.Errorf("%s: worker %s holds %d", name, s.Comm, got)
		}
		if s.Index != i {
			t.Errorf("%s: worker %d has index %d", name, i, s.Index)
		}
		for f := range 2 {
			for what, v := range map[string]int{"listen": s.Listen[f], "pairs": s.Pairs[f], "remote": s.Remote[f], "udp": s.UDP[f], "timewait": s.TimeWait[f]} {
				if v < 0 {
					t.Errorf("%s: worker %s has %d %s", name, s.Comm, v, what)
				}
			}
		}
		for _, l := range s.Dial {
			dialed += l.Count
		}
		for _, l := range s.Accept {
			accepted += l.Count
		}
		if len(s.Comm) > 15 {
			t.Errorf("%s: the kernel would cut the name %q", name, s.Comm)
		}
	}
	if dialed != accepted {
		t.Errorf("%s: %d dialed, %d accepted", name, dialed, accepted)
	}
	if n < 1000 || len(p.workers) > n/100 {
		return
	}
	six, inet := p.byFamily()
	if got := 100 * float64(six) / float64(inet); math.Abs(got-float64(ipv6)) > 2 {
		t.Errorf("%s: %.1f%% IPv6", name, got)
	}
}

// byFamily counts the IPv6 and all inet sockets of a plan.
func (p *plan) byFamily() (six, all int) {
	count := func(f, n int) {
		all += n
		six += f * n
	}
	for _, l := range p.shared {
		f := 0
		if l.v6 {
			f = 1
		}
		count(f, 1)
	}
	for _, s := range p.workers {
		for f := range 2 {
			one := spec{}
			one.Listen[f], one.Pairs[f], one.Backlog[f], one.Remote[f] = s.Listen[f], s.Pairs[f], s.Backlog[f], s.Remote[f]
			one.SynSent[f], one.SynRecv[f], one.TimeWait[f], one.UDP[f] = s.SynSent[f], s.SynRecv[f], s.TimeWait[f], s.UDP[f]
			for _, l := range s.Dial {
				if l.V6 == (f == 1) {
					one.Dial = append(one.Dial, l)
				}
			}
			for _, l := range s.Accept {
				if l.V6 == (f == 1) {
					one.Accept = append(one.Accept, l)
				}
			}
			count(f, one.made())
		}
	}
	return six, all
}

func TestPlanTooManyProcesses(t *testing.T) {
	if _, err := newPlan(Config{Sockets: MaxSockets, Shape: Pairs}, 192, 2); err == nil {
		t.Error("no error for more workers than there are addresses")
	}
}

func TestPart(t *testing.T) {
	for _, n := range []int{0, 1, 10, 1001} {
		for k := 1; k < 12; k++ {
			sum := 0
			for i := range k {
				v := part(n, k, i)
				if v < n/k || v > n/k+1 {
					t.Errorf("part(%d, %d, %d) = %d", n, k, i, v)
				}
				sum += v
			}
			if sum != n {
				t.Errorf("%d parts of %d sum to %d", k, n, sum)
			}
		}
	}
}
