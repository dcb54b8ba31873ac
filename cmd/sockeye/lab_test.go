package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/sockeye-tools/sockeye/bench/lab"
	"github.com/sockeye-tools/sockeye/internal/peers"
)

// However a large dump is put to the kernel (one walk for both families, or parts side by side, which takes more than two
// processors), each socket of the lab is printed once, in its state, with all its owners.
func TestLargeDumps(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: CAP_SYS_ADMIN for a network namespace")
	}
	bin := peers.Sockeye(t)
	slow := os.Getenv("SOCKEYE_SLOW_TESTS") == "1"
	shapes := []lab.Shape{lab.Pairs, lab.Mixed}
	if slow {
		shapes = append(shapes, lab.Server)
	}
	for _, shape := range shapes {
		sockets := 30_000
		if shape == lab.Pairs {
			sockets = 110_000 // enough for an iterator
		}
		l, err := lab.Build(t.Context(), lab.Config{Sockets: sockets, Shape: shape, IPv6: 30, SmallHash: true})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		truth := l.Truth()
		if shape == lab.Pairs {
			for procs, want := range map[string]string{"GOMAXPROCS=2": "from a BPF iterator", "GOMAXPROCS=4": "3 at a time by "} {
				cmd := l.Command(bin, "ss", "-tan", "--plan")
				cmd.Env = append(cmd.Environ(), procs)
				out, err := cmd.Output()
				if err != nil || !strings.Contains(string(out), want) && !strings.Contains(string(out), "does not run dumps in parallel") &&
					(procs == "GOMAXPROCS=4" || !strings.Contains(string(out), "in one dump")) { // Linux before 6.18
					t.Errorf("%s: the plan is not %q: %v, %s", procs, want, err, out)
				}
			}
		}
		for i, procs := range []int{1, 2, 4, 8} {
			backends := []string{"proc", "bpf"}
			if !slow {
				backends = backends[i%2:][:1]
			}
			for _, owners := range backends {
				name := fmt.Sprintf("%s/GOMAXPROCS=%d/%s", shape, procs, owners)
				cmd := l.Command(bin, "ss", "-tanpH", "--owners="+owners)
				cmd.Env = append(cmd.Environ(), fmt.Sprintf("GOMAXPROCS=%d", procs))
				var words strings.Builder
				cmd.Stderr = &words
				out, err := cmd.Output()
				if err != nil {
					t.Fatalf("%s: %v: %s", name, err, words.String())
				}
				got := map[string]int{}
				rows := map[string]bool{}
				held := map[string]int{}
				for line := range strings.Lines(string(out)) {
					f := strings.Fields(line)
					family := "inet"
					if strings.HasPrefix(f[3], "[") || strings.HasPrefix(f[3], "*") {
						family = "inet6"
					}
					got[family+" "+f[0]]++
					if id := f[0] + f[3] + f[4]; rows[id] && f[0] != "LISTEN" {
						t.Errorf("%s: twice: %s", name, line)
					} else {
						rows[id] = true
					}
					holders := map[string]bool{}
					for _, user := range strings.Split(line, "pid=")[1:] {
						pid, _, _ := strings.Cut(user, ",")
						holders[pid] = true
					}
					for pid := range holders {
						held[pid]++
					}
				}
				for _, family := range []string{"inet", "inet6"} {
					for state, ss := range map[string]string{
						"ESTABLISHED": "ESTAB", "LISTEN": "LISTEN", "SYN_SENT": "SYN-SENT", "FIN_WAIT1": "FIN-WAIT-1",
						"FIN_WAIT2": "FIN-WAIT-2", "CLOSE_WAIT": "CLOSE-WAIT", "TIME_WAIT": "TIME-WAIT", "SYN_RECV": "SYN-RECV",
					} {
						if n, want := got[family+" "+ss], truth.Count("tcp", family, state); n != want {
							t.Errorf("%s: %d sockets of %s in %s, want %d", name, n, family, ss, want)
						}
					}
				}
				for _, p := range truth.Processes {
					if n, want := held[fmt.Sprint(p.PID)], p.Held["tcp"]; n != want {
						t.Errorf("%s: process %d has %d sockets, want %d", name, p.PID, n, want)
					}
				}
			}
		}
		l.Close()
	}
}
