package ss

import (
	"cmp"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag/owner"
	"github.com/sockeye-tools/sockeye/render/ss"
)

// threads are owners with their threads (-T).
type threads struct {
	*owner.Table
	proc string
	own  bool               // proc numbers processes as the kernel does for this one
	of   map[int32][]thread // threads of a process
}

type thread struct {
	ss.Thread
	shares bool // all descriptors with the first thread, as nearly every one does, and itself
}

func newThreads(t *owner.Table, proc string) *threads {
	proc = cmp.Or(proc, "/proc")
	self, _ := os.Readlink(proc + "/self")
	return &threads{t, proc, self == strconv.Itoa(os.Getpid()), map[int32][]thread{}}
}

// Threads appends the threads that have the owner's descriptor open on the socket.
func (t *threads) Threads(dst []ss.Thread, o owner.Owner, inode uint32) []ss.Thread {
	tasks := t.proc + "/" + strconv.Itoa(int(o.PID)) + "/task/"
	list, ok := t.of[o.PID]
	if !ok {
		list = t.read(tasks, o.PID)
		t.of[o.PID] = list
	}
	link := "socket:[" + strconv.FormatUint(uint64(inode), 10) + "]"
	open := func(tid int32) bool {
		to, err := os.Readlink(tasks + strconv.Itoa(int(tid)) + "/fd/" + strconv.Itoa(int(o.FD)))
		return err == nil && to == link
	}
	first := len(list) == 1 || open(o.PID)
	for _, th := range list {
		if th.shares && first || !th.shares && open(th.TID) {
			th.FD = o.FD
			dst = append(dst, th.Thread)
		}
	}
	return dst
}

func (t *threads) read(tasks string, pid int32) (list []thread) {
	dir, err := os.Open(tasks)
	if err != nil {
		return nil
	}
	defer dir.Close()
	entries, _ := dir.Readdirnames(-1) // in the kernel's order, as ss has them: that of their start, also when numbers began anew
	for _, name := range entries {
		tid, err := strconv.ParseInt(name, 10, 32)
		if err != nil {
			continue
		}
		if comm, err := os.ReadFile(tasks + name + "/comm"); err == nil {
			th := ss.Thread{TID: int32(tid), Comm: strings.TrimSuffix(string(comm), "\n"), Place: len(list)}
			list = append(list, thread{th, th.TID == pid || t.own && sameFiles(pid, th.TID)})
		}
	}
	return list
}

// sameFiles reports whether two threads are known to share their descriptors.
func sameFiles(a, b int32) bool {
	const kcmpFiles = 2 // KCMP_FILES, linux/kcmp.h
	r, _, errno := unix.Syscall6(unix.SYS_KCMP, uintptr(a), uintptr(b), kcmpFiles, 0, 0, 0)
	return errno == 0 && r == 0
}
