package scene

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/internal/leak"
)

// The kinds of sockets that a scene is for are all there, in both families.
func TestSceneKinds(t *testing.T) {
	s := New(t)
	if len(s.Missing) != 0 {
		t.Logf("missing: %q", s.Missing)
	}
	type kind struct {
		table  Table
		family int
		state  State
	}
	kinds := make(map[kind]int)
	timers := make(map[Timer]int)
	for i := range s.Sockets {
		e := &s.Sockets[i]
		kinds[kind{e.Table, e.Family, e.State}]++
		if e.Table == TCP {
			timers[e.Timer]++
		}
		if owned := len(e.Owners) != 0; owned != (e.Inode != 0) {
			t.Errorf("%v: inode %d, %d owners", e, e.Inode, len(e.Owners))
		}
		if (e.State == TimeWait || e.State == SynRecv) && e.Inode != 0 {
			t.Errorf("%v has an inode", e)
		}
	}
	var want []kind
	for _, family := range []int{unix.AF_INET, unix.AF_INET6} {
		for state := Established; state <= BoundInactive; state++ {
			if state != Close && state != Closing+1 {
				want = append(want, kind{TCP, family, state})
			}
		}
		want = append(want, kind{UDP, family, Established}, kind{UDP, family, Close}, kind{Raw, family, Close})
		if !s.Lacks("UDP-Lite") {
			want = append(want, kind{UDPLite, family, Close})
		}
	}
	want = append(want, kind{Raw, unix.AF_INET, Established}, kind{Packet, unix.AF_PACKET, Close}, kind{Netlink, unix.AF_NETLINK, Close},
		kind{Unix, unix.AF_UNIX, Established}, kind{Unix, unix.AF_UNIX, Listen}, kind{Unix, unix.AF_UNIX, Close})
	if !s.Lacks("MPTCP") {
		want = append(want, kind{MPTCP, unix.AF_INET, Listen}, kind{MPTCP, unix.AF_INET, Established})
	}
	for _, k := range want {
		if kinds[k] == 0 {
			t.Errorf("no socket of table %v, family %d, state %v", k.table, k.family, k.state)
		}
	}
	for timer := TimerOff; timer <= TimerProbe; timer++ {
		if timers[timer] == 0 {
			t.Errorf("no TCP socket with timer %v", timer)
		}
	}
}

// holders finds every descriptor of the sockets among all processes, by inode.
func holders(t *testing.T, inodes map[uint32]bool) map[uint32]map[string]bool {
	t.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[uint32]map[string]bool)
	for _, link := range links {
		to, err := os.Readlink(link)
		if err != nil {
			continue // gone meanwhile
		}
		number, ok := strings.CutPrefix(to, "socket:[")
		if !ok {
			continue
		}
		inode, err := strconv.ParseUint(strings.TrimSuffix(number, "]"), 10, 32)
		if err != nil || !inodes[uint32(inode)] {
			continue
		}
		if found[uint32(inode)] == nil {
			found[uint32(inode)] = make(map[string]bool)
		}
		found[uint32(inode)][link] = true
	}
	return found
}

// The owners noted are all that there are, and no more.
func TestSceneOwners(t *testing.T) {
	s := New(t)
	inodes := make(map[uint32]bool)
	for _, e := range s.Sockets {
		if e.Inode != 0 {
			inodes[e.Inode] = true
		}
	}
	found := holders(t, inodes)
	for i := range s.Sockets {
		e := &s.Sockets[i]
		if e.Inode == 0 {
			continue
		}
		want := make(map[string]bool)
		for _, o := range e.Owners {
			want[fmt.Sprintf("/proc/%d/fd/%d", o.PID, o.FD)] = true
			comm, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", o.PID))
			if err != nil || string(comm) != o.Comm+"\n" {
				t.Errorf("%v: comm %q, %v; want %q", e, comm, err, o.Comm)
			}
			cmdline, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", o.PID))
			if argv, _, _ := strings.Cut(string(cmdline), "\x00"); err != nil || argv != o.Argv {
				t.Errorf("%v: argv[0] %q, %v; want %q", e, argv, err, o.Argv)
			}
		}
		if !reflect.DeepEqual(found[e.Inode], want) {
			t.Errorf("%v: held by %v, want %v", e, found[e.Inode], want)
		}
	}
}

// With the scene go its processes, descriptors and threads.
func TestSceneEnds(t *testing.T) {
	Require(t)
	var helpers []*process
	left := leak.Left(func() {
		t.Run("scene", func(t *testing.T) {
			helpers = New(t).helpers
		})
	})
	if len(left) > 0 {
		t.Errorf("left: %q", left)
	}
	if len(helpers) == 0 {
		t.Error("a scene without helpers")
	}
	for _, p := range helpers {
		if p.cmd.ProcessState == nil { // its number may be another process's by now
			t.Errorf("helper %d was not waited for", p.cmd.Process.Pid)
		}
	}
}

// The scene holds for as long as it says.
func TestSceneHolds(t *testing.T) {
	if os.Getenv("SOCKEYE_SLOW_TESTS") == "" {
		t.Skip("takes a minute: set SOCKEYE_SLOW_TESTS=1")
	}
	s := New(t)
	diff := func() (diffs []string) {
		for i := 0; i == 0 || i < 10 && len(diffs) > 0; i++ { // a socket whose timer fires has none for a moment
			var err error
			if e := s.Do(func() { diffs, err = differences(s.Sockets) }); e != nil || err != nil {
				t.Fatal(e, err)
			}
		}
		return diffs
	}
	// The timers of IPv4's were set first.
	orphan, timeWait := s.Find(t, "fin-wait-2 orphan v4").Local.String(), s.Find(t, "fin-wait-2 timewait v4").Local.String()
	const margin = 5 * time.Second
	left := func() time.Duration {
		const tick = time.Second / 100 // USER_HZ
		return time.Duration(min(timeLeft(t, s, orphan), timeLeft(t, s, timeWait))) * tick
	}
	if l := left(); l < 10*margin {
		t.Fatalf("only %v are left", l)
	}
	for l := left(); l > margin; l = left() {
		if d := diff(); len(d) != 0 {
			t.Fatalf("%v before the first one ends:\n%s", l, strings.Join(d, "\n"))
		}
		time.Sleep(time.Second)
	}
	// Then the orphans' FIN-WAIT-2 goes on as a TIME-WAIT socket's, or ends.
	time.Sleep(2 * margin)
	for _, d := range diff() {
		if !strings.Contains(d, "fin-wait-2 orphan") && !strings.Contains(d, "fin-wait-2 timewait") &&
			!strings.Contains(d, fmt.Sprintf(":%d > ", portFinWait2Orphan)) {
			t.Error(d)
		}
	}
}
