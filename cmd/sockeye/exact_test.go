package main

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sockeye-tools/sockeye/bench/lab"
	"github.com/sockeye-tools/sockeye/diag/exact"
	"github.com/sockeye-tools/sockeye/internal/counts"
	"github.com/sockeye-tools/sockeye/internal/peers"
)

// needExact skips the test where --exact cannot be had.
func needExact(t *testing.T) {
	x, err := exact.New()
	if errors.Is(err, os.ErrPermission) || errors.Is(err, errors.ErrUnsupported) {
		t.Skipf("needs CAP_BPF, CAP_PERFMON, Linux 6.17 and BTF: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	x.Close()
}

// With --exact each face shows each socket that stays exactly once, with its owners, in buckets so crowded that dumps would lose some
// otherwise.
func TestExactFaces(t *testing.T) {
	needExact(t)
	bin := peers.Sockeye(t)
	dumps, sockets, hash := 6, 2000, 4 // so few that a run without what was missed would lose several
	if os.Getenv("SOCKEYE_SLOW_TESTS") == "1" {
		dumps, sockets = 80, 23_000
		hash = sockets / 16
	}
	l, err := lab.Build(t.Context(), lab.Config{Sockets: sockets, Shape: lab.Mixed, IPv6: 30, SmallHash: true, HashSize: hash})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	want := make([]map[churnRow]int, len(churnFaces))
	for i := range churnFaces {
		want[i] = look(t, l, bin, &churnFaces[i], 1).stay
		n := 0
		for _, k := range want[i] {
			n += k
		}
		truth := l.Truth()
		if made := truth.Count("tcp", "", "") + truth.Count("udp", "", ""); n != made {
			t.Fatalf("%v shows %d sockets, want %d", churnFaces[i].args, n, made)
		}
	}
	churn, err := l.StartChurn(1, 5000)
	if err != nil {
		t.Fatal(err)
	}
	defer churn.Stop()
	for end := time.Now().Add(time.Minute); churn.Made() < 4000; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the churn does not begin")
		}
	}
	expected, lost, repeated, invented := 0, 0, 0, 0
	for n := range dumps {
		i, procs := n%len(churnFaces), []int{1, 2, 4, 8}[n/len(churnFaces)%4]
		got := look(t, l, bin, &churnFaces[i], procs, "--exact")
		for r, k := range want[i] {
			expected += k
			lost += max(0, k-got.stay[r])
		}
		for r, k := range got.stay {
			repeated += max(0, k-want[i][r])
		}
		repeated += len(got.repeated)
		invented += len(got.invented)
		if len(got.invented) > 0 {
			t.Errorf("%v: %d owners that their sockets never had, such as %s", churnFaces[i].args, len(got.invented), got.invented[0])
		}
	}
	if err := churn.Stop(); err != nil {
		t.Error(err)
	}
	if lost+repeated+invented > 0 {
		t.Errorf("%d dumps: %d sockets lost, %d repeated or not as they are, %d owners invented", dumps, lost, repeated, invented)
	}
	counts.Add(t, "dumps under churn", dumps)
	counts.Add(t, "sockets expected", expected)
	counts.Add(t, "sockets lost", lost)
	counts.Add(t, "sockets repeated", repeated)
	counts.Add(t, "owners invented", invented)
}

// Where it cannot be had, --exact is an error, and nothing is shown.
func TestExactUnprivileged(t *testing.T) {
	needExact(t)
	bin := publicCopy(t, peers.Sockeye(t))
	for _, args := range [][]string{{"ss", "-tanH"}, {"netstat", "-tan"}, {"list", "-H"}} {
		cmd := exec.Command(bin, append(args, "--exact")...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		var out, words strings.Builder
		cmd.Stdout, cmd.Stderr = &out, &words
		cmd.Run()
		if cmd.ProcessState.ExitCode() != 1 || out.Len() > 0 || !strings.Contains(words.String(), "exact: ") || strings.Count(words.String(), "\n") != 1 {
			t.Errorf("%v: status %d, %q, %q", args, cmd.ProcessState.ExitCode(), out.String(), words.String())
		}
	}
}
