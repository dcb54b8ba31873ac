package owner

import (
	"context"
	"errors"
	"math"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// splitFDs is the size of the parts that a large descriptor table is divided
// into, so that one large process occupies all workers.
const splitFDs = 4096

// A part is a range of the descriptor table of a process or thread.
type part struct {
	pid    int32
	path   string // of the fd directory, below the root
	lo, hi int32  // descriptors lo <= fd < hi
}

// A walker collects socket descriptors from fd directories. Each goroutine has
// one.
type walker struct {
	ctx    context.Context
	fs     *procFS
	want   *inodeSet
	dir    *dirReader
	found  slabs
	parts  []part  // left for later
	denied []int32 // processes, possibly repeated

	tids, tables []int32 // scratch of threads
}

// scanProc returns the socket descriptors of all processes in fs, and how many
// processes did not let the caller see theirs.
func scanProc(ctx context.Context, fs *procFS, want *inodeSet, workers int) (slabs, int, error) {
	pids, err := fs.pids()
	if err != nil {
		return nil, 0, err
	}
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	walkers := make([]*walker, min(workers, max(len(pids), 1)))
	for i := range walkers {
		walkers[i] = &walker{ctx: ctx, fs: fs, want: want, dir: newDirReader()}
	}
	if err := share(walkers, pids, (*walker).process); err != nil {
		return nil, 0, err
	}
	var parts []part
	for _, w := range walkers {
		parts = append(parts, w.parts...)
	}
	if err := share(walkers, parts, (*walker).part); err != nil {
		return nil, 0, err
	}
	var found slabs
	var refused []int32
	for _, w := range walkers {
		found = append(found, w.found...)
		refused = append(refused, w.denied...)
	}
	slices.Sort(refused)
	n := len(slices.Compact(refused))
	if fs.hides() || len(pids) == 0 { // where nothing is mounted on /proc
		n++
	}
	return found, n, nil
}

// share calls do for each item on whichever worker is free, until the first
// error.
func share[W, T any](workers []W, items []T, do func(W, T) error) error {
	var (
		wg   sync.WaitGroup
		next atomic.Int64
		errs = make([]error, len(workers))
	)
	for i, w := range workers[:min(len(workers), len(items))] {
		wg.Go(func() {
			for {
				n := next.Add(1) - 1
				if n >= int64(len(items)) {
					return
				}
				if errs[i] = do(w, items[n]); errs[i] != nil {
					next.Store(int64(len(items)))
					return
				}
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// process collects the descriptors of one process, those of all its threads
// included.
func (w *walker) process(pid int32) error {
	refused := len(w.denied)
	seen, err := w.table(pid, itoa(pid)+"/fd")
	if len(w.denied) > refused {
		if !w.fs.exited(pid) {
			return nil
		}
		w.denied = w.denied[:refused]
	}
	if err != nil || !w.fs.procfs || !w.fs.threaded(pid) {
		return err
	}
	return w.threads(pid, seen)
}

// threads collects the descriptors of threads that do not share the table of
// their leader: it has exited, or they left it with unshare(CLONE_FILES).
// Where kcmp(2) is not available (a kernel without CONFIG_KCMP, a seccomp
// filter, a proc mount of another pid namespace), threads are taken to share
// the table of their leader, or, if that is empty, of each other.
func (w *walker) threads(pid int32, seen bool) error {
	var err error
	if w.tids, err = w.fs.threads(w.dir, w.tids[:0], pid); denied(err) {
		w.denied = append(w.denied, pid)
	} else if err != nil {
		return err
	}
	w.tables = append(w.tables[:0], pid) // one thread of each distinct table
	for _, tid := range w.tids {
		known, comparable := tid == pid, true
		for _, other := range w.tables {
			if known {
				break
			}
			known, comparable = w.sameFiles(other, tid)
			if !comparable {
				known = seen
				break
			}
		}
		if known {
			continue
		}
		any, err := w.table(pid, itoa(pid)+"/task/"+itoa(tid)+"/fd")
		if err != nil {
			return err
		}
		seen = seen || any
		if comparable {
			w.tables = append(w.tables, tid)
		}
	}
	return nil
}

// sameFiles reports whether two threads share one descriptor table, and
// whether it could be told. A thread that is gone shares none.
func (w *walker) sameFiles(a, b int32) (same, ok bool) {
	if !w.fs.own {
		return false, false
	}
	const kcmpFiles = 2 // KCMP_FILES, include/uapi/linux/kcmp.h
	r, _, errno := unix.Syscall6(unix.SYS_KCMP, uintptr(a), uintptr(b), kcmpFiles, 0, 0, 0)
	return errno == 0 && r == 0, errno == 0 || errno == unix.ESRCH
}

// table collects the descriptors in one fd directory, or leaves them for later
// in parts if there are many. It reports whether there are any.
func (w *walker) table(pid int32, path string) (bool, error) {
	fd, err := w.open(pid, path)
	if fd < 0 {
		return false, err
	}
	defer unix.Close(fd)
	if n := w.size(fd); n > splitFDs {
		for lo := int32(0); lo < n; lo += splitFDs {
			w.parts = append(w.parts, part{pid, path, lo, lo + splitFDs})
		}
		w.parts[len(w.parts)-1].hi = math.MaxInt32 // the table can have holes
		return true, nil
	}
	return w.links(fd, part{pid, path, 0, math.MaxInt32})
}

// size returns how many descriptors are in an fd directory, or 0 where that is
// not known: before Linux 6.2, or in a tree of ordinary files.
func (w *walker) size(fd int) int32 {
	var st unix.Stat_t
	if !w.fs.procfs || unix.Fstat(fd, &st) != nil {
		return 0
	}
	return int32(st.Size)
}

// part collects the descriptors of a part.
func (w *walker) part(p part) error {
	fd, err := w.open(p.pid, p.path)
	if fd < 0 {
		return err
	}
	defer unix.Close(fd)
	// Descriptor n is at offset n+2, proc_readfd_common in fs/proc/fd.c.
	if _, err := unix.Seek(fd, int64(p.lo)+2, unix.SEEK_SET); err != nil {
		return w.pathError("seek", p.path, err)
	}
	_, err = w.links(fd, p)
	return err
}

// open opens an fd directory. It returns -1 without error when the process is
// gone, or when the caller may not look, which it notes.
func (w *walker) open(pid int32, path string) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return -1, err
	}
	fd, err := openDir(w.fs.dir, path)
	switch {
	case err == nil:
		return fd, nil
	case gone(err):
		return -1, nil
	case denied(err):
		w.denied = append(w.denied, pid)
		return -1, nil
	}
	return -1, w.pathError("open", path, err)
}

// links collects the socket links in an open fd directory. It reports whether
// there are any links.
func (w *walker) links(fd int, p part) (bool, error) {
	any := false
	visit := func(n int32, name *byte) bool {
		if n >= p.hi {
			return false
		}
		any = true
		inode, err := w.dir.socketLink(fd, name)
		if denied(err) {
			w.denied = append(w.denied, p.pid)
			return false
		}
		if err == nil && w.want.has(inode) {
			w.found.add(record{inode: inode, pid: p.pid, fd: n})
		}
		return true // closed since, or not a link
	}
	for {
		if err := w.ctx.Err(); err != nil {
			return any, err
		}
		switch more, err := w.dir.read(fd, visit); {
		case gone(err):
			return any, nil
		case denied(err):
			w.denied = append(w.denied, p.pid)
			return any, nil
		case err != nil:
			return any, w.pathError("read", p.path, err)
		case !more:
			return any, nil
		}
	}
}

func (w *walker) pathError(op, path string, err error) error {
	return &os.PathError{Op: op, Path: w.fs.root + "/" + path, Err: err}
}
