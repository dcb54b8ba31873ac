package lab

import (
	"net/netip"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestChurnPID(t *testing.T) {
	for f := range 2 {
		for _, pid := range []int{1, 255, 256, 32768, 4194304 - 1} {
			a := churnAddr(f, pid)
			if got, ok := ChurnPID(a); !ok || got != pid {
				t.Errorf("%v: %d, %v, want %d", a, got, ok, pid)
			}
			if f == 0 && !a.IsLoopback() {
				t.Errorf("%v is not local", a)
			}
		}
	}
	for _, a := range []netip.Addr{workerAddr(0, 5, 1), workerAddr(1, 5, 1), clientAddr(0, 900, 3), clientAddr(1, 5, 3), ownAddr[0], ownAddr[1]} {
		if pid, ok := ChurnPID(a); ok {
			t.Errorf("%v is of process %d", a, pid)
		}
	}
}

// Sockets of all kinds come and go, in processes of which some end meanwhile, and each is where its process is; what stays, stays.
func TestChurn(t *testing.T) {
	l := mustBuild(t, Config{Sockets: 500, Shape: Mixed, Procs: 3, IPv6: 30})
	c, err := l.StartChurn(2, 4000)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Stop()
	if len(c.workers) != 3 {
		t.Fatalf("%d processes", len(c.workers))
	}
	workers := map[int]bool{}
	for _, w := range c.workers {
		workers[w.Process.Pid] = true
	}
	inodes := map[uint64]bool{}
	kinds := map[string]bool{}
	fleeting := map[int]bool{}
	deadline := time.Now().Add(60 * time.Second)
	for rounds := 0; (len(inodes) < 5000 || len(fleeting) < 5 || len(kinds) < 8) && time.Now().Before(deadline); rounds++ {
		for _, r := range l.tables(t) {
			if pid, ok := ChurnPID(r.local); ok {
				kinds[r.group.Protocol+r.group.Family+r.group.State] = true
				if r.inode != 0 {
					inodes[r.inode] = true
				}
				if !workers[pid] {
					fleeting[pid] = true
				}
			}
		}
	}
	if len(inodes) < 5000 || len(fleeting) < 5 || len(kinds) < 8 || c.Made() < 2000 {
		t.Errorf("%d sockets of %v seen, of %d short processes; %d made", len(inodes), kinds, len(fleeting), c.Made())
	}
	if err := c.Stop(); err != nil {
		t.Error(err)
	}
	if err := c.Stop(); err != nil { // again
		t.Error(err)
	}
	for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) { // a short process ends by itself
		left := 0
		for pid := range fleeting {
			if unix.Kill(pid, 0) == nil {
				if b, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/comm"); string(b) == "churn-"+strconv.Itoa(pid)+"\n" {
					left++
				}
			}
		}
		if left == 0 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%d processes are left", left)
		}
	}
	stay := 0
	for _, r := range l.tables(t) {
		if _, ok := ChurnPID(r.local); !ok && r.group.Protocol != "raw" && r.group.Protocol != "unix" {
			stay++
		}
	}
	truth := l.Truth()
	if want := truth.Count("tcp", "", "") + truth.Count("udp", "", ""); stay != want {
		t.Errorf("%d sockets stayed, want %d", stay, want)
	}
}

// A short process that cannot do its work is told of, by its exit status: without a loopback device it cannot have sockets.
func TestChurnFleetingFails(t *testing.T) {
	needRoot(t)
	ns, err := newNamespace(0)
	if err != nil {
		t.Fatal(err)
	}
	defer ns.close()
	c, err := (&Lab{ns: ns}).StartChurn(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Stop()
	told := func() bool { c.mu.Lock(); defer c.mu.Unlock(); return c.err != nil }
	for i := 0; !told() && i < 3000; i++ {
		time.Sleep(10 * time.Millisecond)
	}
	if err := c.Stop(); err == nil || !strings.Contains(err.Error(), "exit status 125") {
		t.Errorf("error %v", err)
	}
}
