package owner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

func TestWalkFixture(t *testing.T) {
	root := fixture(t, map[string]string{
		"self/status":    "NSpid:\t1\n",
		"sys/fs/file-nr": "5000000\t0\t9\n",
		"7/stat":         "7 (b)" + statTail,
		"9":              "not a directory",
		"12/stat":        "12 (a b)" + statTail,
		"12/fd/9":        "not a link",
	}, map[string]string{
		"7/fd/1": "/dev/null", "7/fd/2": "socket:[42]", "7/fd/10": "socket:[42]", "7/fd/x": "socket:[44]",
		"12/fd/3": "socket:[42]", "12/fd/4": "socket:[43]", "12/fd/5": "pipe:[43]",
		"abc/fd/3": "socket:[42]",
	})
	for _, backend := range []Backend{Auto, Proc} {
		for _, want := range [][]uint32{nil, {42, 43, 44}} {
			table, err := Resolve(t.Context(), &Config{Backend: backend, Proc: root}, want)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := table.Owners(nil, 42), []Owner{{7, 2}, {7, 10}, {12, 3}}; !slices.Equal(got, want) {
				t.Errorf("42: got %v, want %v", got, want)
			}
			if got, want := table.Owners(nil, 43), []Owner{{12, 4}}; !slices.Equal(got, want) {
				t.Errorf("43: got %v, want %v", got, want)
			}
			if got := table.Owners(nil, 44); got != nil {
				t.Errorf("44: got %v", got)
			}
			if table.Backend() != Proc || table.Denied() != 0 {
				t.Errorf("backend %v, denied %d", table.Backend(), table.Denied())
			}
			if p := table.Process(12); !p.Known || p.Comm != "a b" {
				t.Errorf("process: %+v", p)
			}
			if backend == Auto && !strings.Contains(table.Reason(), "5000000 open files, many; bpf: ") {
				t.Errorf("reason %q", table.Reason())
			}
		}
	}
	if _, err := Resolve(t.Context(), &Config{Backend: BPF, Proc: root}, nil); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("forced BPF: %v", err)
	}
}

// TestWalkParts has a table that is divided, with holes and high descriptors.
func TestWalkParts(t *testing.T) {
	if !kernelAtLeast(6, 2) {
		t.Skip("needs Linux 6.2 for the size of /proc/PID/fd")
	}
	want := make(map[int32]uint32)
	for i := range 2*splitFDs + 10 {
		fd, inode := newSocket(t)
		if want[int32(fd)] = inode; i%100 == 0 {
			high, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 11000+i)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { unix.Close(high) })
			want[int32(high)] = inode
		}
	}
	self := int32(os.Getpid())
	w := selfWalker(t)
	if err := w.process(self); err != nil {
		t.Fatal(err)
	}
	if len(w.found) != 0 || len(w.parts) != 3 {
		t.Fatalf("%d records, %d parts; want 0, 3", w.found.len(), len(w.parts))
	}
	for _, p := range w.parts {
		if err := w.part(p); err != nil {
			t.Fatal(err)
		}
	}
	got := make(map[int32]uint32)
	for _, r := range slices.Concat(w.found...) {
		if _, ok := got[r.fd]; ok {
			t.Errorf("descriptor %d twice", r.fd)
		}
		got[r.fd] = r.inode
	}
	for fd, inode := range want {
		if got[fd] != inode {
			t.Errorf("descriptor %d: inode %d, want %d", fd, got[fd], inode)
		}
	}
}

// TestWalkAllocs pins that a descriptor costs no allocation.
func TestWalkAllocs(t *testing.T) {
	w := selfWalker(t)
	w.want = newInodeSet([]uint32{^uint32(0)})
	path := fmt.Sprintf("%d/fd", os.Getpid())
	allocs := func() float64 {
		return testing.AllocsPerRun(10, func() {
			if _, err := w.table(1, path); err != nil {
				t.Fatal(err)
			}
		})
	}
	few := allocs()
	for range 3000 {
		newSocket(t)
	}
	if many := allocs(); many > few {
		t.Errorf("%v allocations, %v with 3000 sockets more", few, many)
	}
}

func selfWalker(t *testing.T) *walker {
	return &walker{ctx: t.Context(), fs: openFS(t, "/proc"), dir: newDirReader()}
}

func TestSameFiles(t *testing.T) {
	w := selfWalker(t)
	self := int32(os.Getpid())
	if same, ok := w.sameFiles(self, self); !ok {
		t.Skip("needs kcmp(2)")
	} else if !same {
		t.Error("a thread has a table other than its own")
	}
	c := startChild(t, "hold=0", nil)
	if same, ok := w.sameFiles(self, c.pid()); same || !ok {
		t.Errorf("child: same %v, %v", same, ok)
	}
	if same, ok := w.sameFiles(self, 1<<30); same || !ok {
		t.Errorf("no thread: same %v, %v", same, ok)
	}
}

// TestWalkThreadsWithoutKcmp pins what remains where threads cannot be
// compared: those that outlive their leader, as one.
func TestWalkThreadsWithoutKcmp(t *testing.T) {
	for role, want := range map[string]int{"zombie=3": 3, "unshare=3": 1, "hold=3": 3} {
		c := startChild(t, role, nil)
		w := selfWalker(t)
		w.fs.own = false
		if err := w.process(c.pid()); err != nil {
			t.Fatal(err)
		}
		found := slices.Concat(w.found...)
		if len(found) != want {
			t.Errorf("%s: got %v, want %d", role, found, want)
		}
		for _, r := range found {
			if i := slices.Index(c.FDs, r.fd); i < 0 || c.Inodes[i] != r.inode || r.pid != c.pid() {
				t.Errorf("%s: got %v, which the child does not have", role, r)
			}
		}
	}
}

func TestShare(t *testing.T) {
	walkers := []*walker{{}, {}, {}}
	for _, n := range []int{0, 1, 2, 100} {
		var sum atomic.Int64
		items := make([]int, n)
		for i := range items {
			items[i] = i + 1
		}
		if err := share(walkers, items, func(_ *walker, i int) error { sum.Add(int64(i)); return nil }); err != nil {
			t.Error(err)
		}
		if want := int64(n * (n + 1) / 2); sum.Load() != want {
			t.Errorf("%d items: sum %d, want %d", n, sum.Load(), want)
		}
	}
	var calls atomic.Int64
	err := share(walkers, make([]int, 1000), func(*walker, int) error { calls.Add(1); return unix.EMFILE })
	if !errors.Is(err, unix.EMFILE) || calls.Load() > int64(len(walkers)) {
		t.Errorf("got %v after %d calls", err, calls.Load())
	}
}

// TestWalkErrors pins that a failure is not taken for a process without sockets.
func TestWalkErrors(t *testing.T) {
	w := selfWalker(t)
	w.fs = &procFS{root: "/x", dir: -1}
	var path *os.PathError
	if err := w.process(7); !errors.Is(err, unix.EBADF) || !errors.As(err, &path) || path.Path != "/x/7/fd" {
		t.Errorf("got %v", err)
	}
	if err := w.part(part{pid: 7, path: "7/fd"}); !errors.Is(err, unix.EBADF) {
		t.Errorf("part: got %v", err)
	}
	if _, err := w.links(-1, part{pid: 7, path: "7/fd"}); !errors.Is(err, unix.EBADF) {
		t.Errorf("links: got %v", err)
	}
}

// lateCancel is a context that is cancelled when it has been asked n times.
type lateCancel struct {
	context.Context
	n atomic.Int64
}

func (c *lateCancel) Err() error {
	if c.n.Add(-1) < 0 {
		return context.Canceled
	}
	return nil
}

func TestWalkCancel(t *testing.T) {
	for range 3 { // a process each time that is asked
		startChild(t, "hold=0", nil)
	}
	for n := range int64(4) {
		ctx := &lateCancel{Context: t.Context()}
		ctx.n.Store(n)
		if _, _, err := scanProc(ctx, openFS(t, "/proc"), nil, 2); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled after %d: %v", n, err)
		}
	}
}
