package owner

import (
	"cmp"
	"context"
	"errors"
	"io"
	"runtime"
	"slices"
	"unsafe"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/internal/bpfiter"
	"github.com/sockeye-tools/sockeye/internal/release"
)

var ( // not constant for tests
	// manySplit is how many files are open on the host from which on they are
	// worth dividing over the processors.
	manySplit = 50_000

	// manyEach is how many files a process has open on average from which on
	// an iterator for each of them costs little beside the walk over its files.
	manyEach = 200
)

// rounds is how often processes that were started meanwhile are looked for.
const rounds = 8

// A process is one that a scan looks at.
type process struct{ pid, size int32 }

// splits reports whether the files of the host are many, and held by few
// processes. An iterator over one process came with Linux 6.1, and until 6.7 it
// mistook threads with descriptor tables of their own.
func (fs *procFS) splits(pids int) bool {
	files, err := fs.openFiles()
	return err == nil && files >= manySplit && files/max(pids, 1) >= manyEach && release.Running() >= release.Of(6, 7) && !fs.hides()
}

// scanProcesses returns the socket descriptors of all processes, several at a
// time. It is errors.ErrUnsupported where one iterator over all of them is
// better.
func scanProcesses(ctx context.Context, fs *procFS, program *ebpf.Program, want *inodeSet, workers int) (slabs, error) {
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	pids, err := fs.pids()
	if err != nil || workers < 2 || !fs.splits(len(pids)) {
		return nil, errors.ErrUnsupported
	}
	readers := make([]*iterScan, workers)
	for i := range readers {
		readers[i] = &iterScan{ctx: ctx, program: program, want: want, buf: make([]byte, bpfiter.BufferSize)}
	}
	seen := make(map[int32]bool, len(pids))
	// A process that gives its sockets to a child and ends before its turn: the
	// child is looked at in the next round.
	for range rounds {
		var todo []process
		for _, pid := range pids {
			if seen[pid] {
				continue
			}
			seen[pid] = true
			if size, ok := fs.descriptors(pid); ok {
				todo = append(todo, process{pid, size})
			}
		}
		if len(todo) == 0 {
			break
		}
		// The largest first, so that no processor is left with it at the end.
		slices.SortFunc(todo, func(a, b process) int { return cmp.Compare(b.size, a.size) })
		if err := share(readers, todo, (*iterScan).process); err != nil {
			return nil, err
		}
		if pids, err = fs.pids(); err != nil {
			return nil, err
		}
	}
	var found slabs
	for _, r := range readers {
		found = append(found, r.found...)
	}
	return found, nil
}

// An iterScan collects socket descriptors from iterators. Each goroutine has
// one.
type iterScan struct {
	ctx     context.Context
	program *ebpf.Program
	want    *inodeSet
	buf     []byte
	found   slabs
}

func (s *iterScan) process(p process) error { return s.scan(p.pid) }

// scan appends the socket descriptors of the process pid, or of all if that is
// 0.
func (s *iterScan) scan(pid int32) error {
	fd, err := openIter(s.program, pid)
	if err != nil {
		return bpfiter.Wrap("open iterator", err)
	}
	defer unix.Close(fd)
	return s.read(iterator(fd))
}

// openIter opens an iterator over the files of the process pid, or of all
// processes if that is 0.
func openIter(program *ebpf.Program, pid int32) (int, error) {
	const linkCreate, iterCreate = 28, 33 // BPF_LINK_CREATE, BPF_ITER_CREATE
	// union bpf_iter_link_info of linux/bpf.h, its member task.
	info := &struct{ tid, pid, pidFD uint32 }{pid: uint32(pid)}
	create := struct {
		program, target, attachType, flags uint32
		info                               uint64
		infoSize, _                        uint32
	}{program: uint32(program.FD()), attachType: uint32(ebpf.AttachTraceIter)}
	var pin runtime.Pinner
	defer pin.Unpin()
	if pid != 0 {
		pin.Pin(info)
		create.info, create.infoSize = uint64(uintptr(unsafe.Pointer(info))), uint32(unsafe.Sizeof(*info))
	}
	link, err := bpf(linkCreate, unsafe.Pointer(&create), unsafe.Sizeof(create))
	runtime.KeepAlive(program)
	if err != nil {
		return -1, err
	}
	defer unix.Close(link) // the iterator keeps it
	open := struct{ link, flags uint32 }{link: uint32(link)}
	return bpf(iterCreate, unsafe.Pointer(&open), unsafe.Sizeof(open))
}

// bpf is bpf(2).
func bpf(command uintptr, attr unsafe.Pointer, size uintptr) (int, error) {
	return retry(func() (int, error) {
		n, _, errno := unix.Syscall(unix.SYS_BPF, command, uintptr(attr), size)
		if errno != 0 {
			return -1, errno
		}
		return int(n), nil
	})
}

// An iterator is a descriptor that is read.
type iterator int

func (it iterator) Read(b []byte) (int, error) {
	n, err := retry(func() (int, error) { return unix.Read(int(it), b) })
	switch {
	case err != nil:
		return 0, err
	case n == 0:
		return 0, io.EOF
	}
	return n, nil
}
