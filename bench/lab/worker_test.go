package lab

import (
	"maps"
	"os"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// inNamespace runs f on a thread inside a furnished namespace, with a worker of an
// empty spec, and closes the sockets that f leaves in this process.
func inNamespace(t *testing.T, f func(w *worker) error) {
	t.Helper()
	needRoot(t)
	ns, err := newNamespace(16384)
	if err != nil {
		t.Fatal(err)
	}
	defer ns.close()
	before := ownSockets(t)
	defer closeSockets(t, before)
	if err := ns.do(func() error {
		if err := furnish(10_000, true); err != nil {
			return err
		}
		return f(&worker{spec: &spec{Comm: "test"}, tally: newTally(), made: func(int) {}})
	}); err != nil {
		t.Fatal(err)
	}
}

// ownSockets is the descriptors of this process that are sockets, with their inodes.
func ownSockets(t *testing.T) map[int]uint64 {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	out := map[int]uint64{}
	for _, e := range entries {
		fd, err := strconv.Atoi(e.Name())
		if err != nil {
			t.Fatal(err)
		}
		var st unix.Stat_t
		if unix.Fstat(fd, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFSOCK {
			out[fd] = st.Ino
		}
	}
	return out
}

func closeSockets(t *testing.T, keep map[int]uint64) {
	t.Helper()
	for fd, inode := range ownSockets(t) {
		if keep[fd] != inode {
			unix.Close(fd)
		}
	}
}

// settled reads the calling thread's tables until they say want, for segments
// that are still on their way, and reports what they say when they never do.
func settled(t *testing.T, want map[Group]int) []row {
	t.Helper()
	want = maps.Clone(want)
	maps.DeleteFunc(want, func(_ Group, n int) bool { return n == 0 })
	for try := 0; ; try++ {
		rows, err := tables()
		if err != nil {
			t.Error(err) // not Fatal: this is the namespace's goroutine
			return nil
		}
		got := map[Group]int{}
		for _, r := range rows {
			got[r.group]++
		}
		if maps.Equal(got, want) {
			return rows
		}
		if try == 300 {
			t.Errorf("the kernel has %v, the tally says %v", countList(got), countList(want))
			return rows
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// TestWorkerSteps builds each kind of socket alone, and compares the tally with the kernel's tables.
func TestWorkerSteps(t *testing.T) {
	for name, fill := range map[string]func(s *spec, f int){
		"listen":   func(s *spec, f int) { s.Listen[f] = 3 },
		"pairs":    func(s *spec, f int) { s.Pairs[f] = 2*batch + 7 },
		"backlog":  func(s *spec, f int) { s.Backlog[f] = 4 },
		"remote":   func(s *spec, f int) { s.Remote[f] = 20 },
		"synsent":  func(s *spec, f int) { s.SynSent[f] = 3 },
		"synrecv":  func(s *spec, f int) { s.SynRecv[f] = 30 },
		"timewait": func(s *spec, f int) { s.TimeWait[f] = batch + 3 },
		"udp":      func(s *spec, f int) { s.UDP[f] = 9 },
		"mapped":   func(s *spec, _ int) { s.Mapped = 5 },
		"unix":     func(s *spec, _ int) { s.Unix = 37 },
	} {
		for f := range 2 {
			t.Run(name+"/"+familyName(f == 1), func(t *testing.T) {
				inNamespace(t, func(w *worker) error {
					fill(w.spec, f)
					made := 0
					w.made = func(n int) { made += n }
					if err := w.build(); err != nil {
						return err
					}
					rows := settled(t, w.tally.Groups)
					if n := w.spec.made(); len(rows)-w.tally.Raw != n || made != n {
						t.Errorf("made %d, reported %d, the spec says %d", len(rows)-w.tally.Raw, made, n)
					}
					return nil
				})
			})
		}
	}
}

// TestAbandon pins that no handshake stays open to hold the namespace.
func TestAbandon(t *testing.T) {
	inNamespace(t, func(w *worker) error {
		w.spec.SynRecv = [2]int{20, 10}
		if err := w.build(); err != nil {
			return err
		}
		count := func() int {
			rows, err := tables()
			if err != nil {
				t.Error(err)
				return -1
			}
			n := 0
			for _, r := range rows {
				if r.group.State == "SYN_RECV" {
					n++
				}
			}
			return n
		}
		for i := 0; count() < 30 && i < 300; i++ {
			time.Sleep(100 * time.Millisecond)
		}
		if n := count(); n != 30 {
			t.Errorf("%d open handshakes, want 30", n)
		}
		w.abandon()
		for i := 0; count() > 0 && i < 300; i++ {
			time.Sleep(100 * time.Millisecond)
		}
		if n := count(); n != 0 {
			t.Errorf("%d handshakes are still open", n)
		}
		return nil
	})
}

// TestConnectionsDoNotAllocate pins the hot loop, socket to accept.
func TestConnectionsDoNotAllocate(t *testing.T) {
	inNamespace(t, func(w *worker) error {
		at := workerPort(0, 9)
		lfd, err := listen(at, batch, false)
		if err != nil {
			return err
		}
		sa, src := newSockaddr(at), []*sockaddr{newSockaddr(workerPort(0, 0))}
		w.tally.tcp(false, "ESTABLISHED", 1, true) // the map's entries are there
		w.tally.timer("keepalive", 1)
		const n = 20
		if got := testing.AllocsPerRun(5, func() {
			if err := w.dial(false, 10, n, sa, src); err != nil {
				t.Error(err)
			}
			if err := w.take(false, lfd, 10, n); err != nil {
				t.Error(err)
			}
		}); got != 0 {
			t.Errorf("%v allocations for %d connections", got, n)
		}
		return nil
	})
}
