package list

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sockeye-tools/sockeye/cmd/internal/cli"
	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/field"
)

func TestSummary(t *testing.T) {
	out, words, status := told(t, party, "-t", "--summary")
	want := `STATE        TCP  TCP6  UDP  UDP6
listen         1     0    0     0
established    4     1    0     0
close-wait     1     0    0     0
total          6     1    0     0

queues           0 bytes to read, 400 bytes to send, 0 connections to accept
full listeners   0
drops            0 packets, of sockets that are still open
closed windows   0 connections wait for their peer to read
retransmissions  0 segments, of connections that are still open; 0 connections retransmit now

most connections
PEER         N
192.0.2.9    3
192.0.2.10   2
2001:db8::1  1
`
	if out != want || words != "" || status != cli.ExitOK {
		t.Errorf("status %d, %s\n%s\nwant\n%s", status, words, out, want)
	}
	if out, _, _ := told(t, party, "-t", "--summary", "-H"); !strings.HasPrefix(out, "listen ") || !strings.Contains(out, "most connections\n192.0.2.9 ") {
		t.Errorf("without headings:\n%s", out)
	}
}

// A socket counts once for each name of its processes, whichever order they are in.
func TestSummaryOfProcesses(t *testing.T) {
	l := &lister{context: &field.Context{Owners: holders{}}}
	s := newSummary(l)
	for inode := range uint32(5) {
		s.add(&diag.InetSocket{Protocol: diag.UDP, Family: diag.IPv4, State: diag.Close, Inode: inode})
	}
	if got := fmt.Sprint(s.procs); got != "map[other:4 server:4]" {
		t.Error(got)
	}
}

// Against a slow sort of everything.
func TestTopOf(t *testing.T) {
	m := map[int]uint64{}
	for i := range 40 {
		var all []ranked
		for k, n := range m {
			if n > 0 {
				all = append(all, ranked{fmt.Sprint(k), n})
			}
		}
		slices.SortFunc(all, func(a, b ranked) int { return cmp.Or(cmp.Compare(b.n, a.n), cmp.Compare(a.name, b.name)) })
		got := topOf(m, func(n uint64) uint64 { return n }, func(a, b int) int { return a - b })
		if want := all[:min(len(all), talkers)]; !slices.Equal(got, want) {
			t.Errorf("%v of %v, want %v", got, m, want)
		}
		m[i+10] = uint64(i*7) % 4 // many have as many; two digits are in the order of their names
	}
}
