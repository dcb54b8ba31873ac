package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

func mustBuild(t *testing.T, cfg Config) *Lab {
	t.Helper()
	needRoot(t)
	cfg.SmallHash = true
	l, err := Build(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func (l *Lab) tables(t *testing.T) []row {
	t.Helper()
	var rows []row
	if err := l.ns.do(func() (err error) { rows, err = tables(); return err }); err != nil {
		t.Fatal(err)
	}
	return rows
}

// TestTruth compares what a lab says with the kernel's tables and with the descriptors of its processes.
func TestTruth(t *testing.T) {
	for _, shape := range Shapes() {
		for _, ipv6 := range []int{0, 30, 100} {
			t.Run(fmt.Sprintf("%s/%d", shape, ipv6), func(t *testing.T) {
				l := mustBuild(t, Config{Sockets: 3001, Shape: shape, IPv6: ipv6, Procs: 5})
				compare(t, l)
				inode := holdNetNS(t, l.NetNSPath())
				if inode != l.Truth().NetNS {
					t.Errorf("namespace %d, the truth says %d", inode, l.Truth().NetNS)
				}
				var procs []proc
				for _, p := range l.Truth().Processes {
					procs = append(procs, procOf(p.PID))
				}
				if err := l.Close(); err != nil {
					t.Error(err)
				}
				for i, p := range l.Truth().Processes {
					if procOf(p.PID) == procs[i] {
						t.Errorf("process %d %s is left", p.PID, p.Comm)
					}
				}
				if left := inNetNS(t, inode); len(left) > 0 {
					t.Errorf("left in the namespace: %q", left)
				}
			})
		}
	}
}

// figures are those of a lab that can be read off the kernel's tables.
type figures struct {
	groups, timers            string // sorted
	total, recv, send, mapped int
}

func figuresOf(rows []row) (f figures, inodes map[uint64]Group) {
	groups, timers := map[Group]int{}, map[string]int{}
	inodes = map[uint64]Group{}
	for _, r := range rows {
		groups[r.group]++
		if r.inode != 0 {
			inodes[r.inode] = r.group
		}
		if r.group.Protocol != "raw" {
			f.total++
		}
		if r.mapped {
			f.mapped++
		}
		if r.group.Protocol != "tcp" {
			continue
		}
		if r.timer != "off" {
			timers[r.timer]++
		}
		if r.group.State != "LISTEN" {
			if r.rx > 0 {
				f.recv++
			}
			if r.tx > 0 {
				f.send++
			}
		}
	}
	f.groups, f.timers = fmt.Sprint(countList(groups)), fmt.Sprint(timers)
	return f, inodes
}

func compare(t *testing.T, l *Lab) {
	t.Helper()
	truth := l.Truth()
	want := figures{fmt.Sprint(truth.Counts), fmt.Sprint(truth.Timers), truth.Sockets, truth.RecvQueued, truth.SendQueued, truth.Mapped}
	// Not at once: a zero window is seen once the first probe's timer is set, which waits for acknowledgments, and a socket whose timer
	// goes off has none for a moment.
	got, inodes := figuresOf(l.tables(t))
	for i := 0; got != want && i < 300; i++ {
		time.Sleep(100 * time.Millisecond)
		got, inodes = figuresOf(l.tables(t))
	}
	if got != want {
		t.Errorf("the kernel has %+v\nthe truth says %+v", got, want)
	}

	holders := map[uint64]int{}
	for _, p := range truth.Processes {
		held := map[string]int{}
		for ino := range socketInodes(t, p.PID) {
			holders[ino]++
			held[inodes[ino].Protocol]++ // "" when the namespace does not have it
		}
		if !maps.Equal(held, p.Held) {
			t.Errorf("%d %s holds %v, the truth says %v", p.PID, p.Comm, held, p.Held)
		}
		if comm, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", p.PID)); err != nil || strings.TrimSpace(string(comm)) != p.Comm {
			t.Errorf("comm of %d is %q, %v, the truth says %q", p.PID, comm, err, p.Comm)
		}
	}
	shared, raw := 0, 0
	for ino, n := range holders {
		if n > 1 {
			shared++
		}
		if inodes[ino].Protocol == "raw" {
			raw++
		}
	}
	if shared != truth.Shared || len(holders)-raw != truth.Owned || got.total-truth.Owned != truth.Ownerless || raw != truth.Raw {
		t.Errorf("descriptors: %d owned, %d shared, %d raw; the truth says %d (and %d without owner), %d, %d",
			len(holders)-raw, shared, raw, truth.Owned, truth.Ownerless, truth.Shared, truth.Raw)
	}
}

// TestVariety pins that every kind of socket that a shape promises is there at all.
func TestVariety(t *testing.T) {
	l := mustBuild(t, Config{Sockets: 12_000, Shape: Mixed, IPv6: 40})
	truth := l.Truth()
	for _, g := range []struct{ proto, fam, state string }{
		{"tcp", "inet", "ESTABLISHED"}, {"tcp", "inet6", "ESTABLISHED"}, {"tcp", "inet", "LISTEN"}, {"tcp", "inet6", "LISTEN"},
		{"tcp", "inet", "TIME_WAIT"}, {"tcp", "inet6", "TIME_WAIT"}, {"tcp", "inet", "SYN_RECV"}, {"tcp", "inet6", "SYN_RECV"},
		{"tcp", "inet", "SYN_SENT"}, {"tcp", "", "FIN_WAIT1"}, {"tcp", "", "FIN_WAIT2"}, {"tcp", "", "CLOSE_WAIT"},
		{"udp", "inet", "CLOSE"}, {"udp", "inet6", "ESTABLISHED"}, {"unix", "", "LISTEN"}, {"unix", "", "ESTABLISHED"}, {"unix", "", "CLOSE"},
	} {
		if truth.Count(g.proto, g.fam, g.state) == 0 {
			t.Errorf("no %v", g)
		}
	}
	if truth.Shared == 0 || truth.Mapped == 0 || truth.Ownerless == 0 || truth.BacklogFull == 0 || truth.RecvQueued == 0 || len(truth.Processes) < 100 {
		t.Errorf("shared %d, mapped %d, ownerless %d, full backlogs %d, Recv-Q %d, processes %d",
			truth.Shared, truth.Mapped, truth.Ownerless, truth.BacklogFull, truth.RecvQueued, len(truth.Processes))
	}
	for _, name := range []string{"on", "keepalive", "timewait", "persist"} {
		if truth.Timers[name] == 0 {
			t.Errorf("no timer %s", name)
		}
	}
	compare(t, l)
}

func TestCommand(t *testing.T) {
	l := mustBuild(t, Config{Sockets: 100})
	out, err := l.Command("sh", "-c", "readlink /proc/self/ns/net; cat $SOCKEYE_LAB; env | grep -c ^SOCKEYE_LAB").Output()
	if err != nil {
		t.Fatal(err)
	}
	ns, rest, _ := strings.Cut(string(out), "\n")
	if want := fmt.Sprintf("net:[%d]", l.Truth().NetNS); ns != want {
		t.Errorf("command ran in %s, want %s", ns, want)
	}
	var got Truth
	dec := json.NewDecoder(strings.NewReader(rest))
	if err := dec.Decode(&got); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, l.Truth()) {
		t.Errorf("file says %+v\nwant %+v", got, l.Truth())
	}
	if n := strings.TrimSpace(rest[dec.InputOffset():]); n != "1" {
		t.Errorf("the command has %s variables of the lab, want SOCKEYE_LAB alone", n)
	}
	if cmd := l.Command("no-such-command-at-all"); cmd.Run() == nil {
		t.Error("a command that does not exist ran")
	}
}

func TestBuildCancelled(t *testing.T) {
	needRoot(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Build(ctx, Config{Sockets: 1000, SmallHash: true}); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want context.Canceled", err)
	}
}

func TestCloseTellsOfLostWorker(t *testing.T) {
	l := mustBuild(t, Config{Sockets: 200, Procs: 2})
	pid := l.workers[0].cmd.Process.Pid
	if err := l.workers[0].cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	lost := func() bool { l.mu.Lock(); defer l.mu.Unlock(); return l.lost != nil }
	for i := 0; !lost() && i < 3000; i++ {
		time.Sleep(10 * time.Millisecond)
	}
	if err := l.Close(); err == nil || !strings.Contains(err.Error(), fmt.Sprint(pid)) {
		t.Errorf("close: %v, want the lost worker %d", err, pid)
	}
}

func TestCloseTwice(t *testing.T) {
	l := mustBuild(t, Config{Sockets: 64})
	for range 2 {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
}
