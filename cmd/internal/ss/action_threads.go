package ss

import (
	"cmp"
	"os"
	"strconv"
	"strings"

	"github.com/sockeye-tools/sockeye/diag/owner"
	"github.com/sockeye-tools/sockeye/render/ss"
)

// threads are owners with their threads (-T).
type threads struct {
	*owner.Table
	proc string
	of   map[int32][]ss.Thread // threads of a process, but its first
}

func newThreads(t *owner.Table, proc string) *threads {
	return &threads{t, cmp.Or(proc, "/proc"), map[int32][]ss.Thread{}}
}

// Threads appends the threads that have the owner's descriptor open on the socket: they nearly always share it with the first one.
func (t *threads) Threads(dst []ss.Thread, o owner.Owner, inode uint32) []ss.Thread {
	tasks := t.proc + "/" + strconv.Itoa(int(o.PID)) + "/task/"
	list, ok := t.of[o.PID]
	if !ok {
		list = readThreads(tasks, o.PID)
		t.of[o.PID] = list
	}
	link := "socket:[" + strconv.FormatUint(uint64(inode), 10) + "]"
	for _, th := range list {
		if to, err := os.Readlink(tasks + strconv.Itoa(int(th.TID)) + "/fd/" + strconv.Itoa(int(o.FD))); err == nil && to == link {
			th.FD = o.FD
			dst = append(dst, th)
		}
	}
	return dst
}

func readThreads(tasks string, pid int32) (list []ss.Thread) {
	dir, err := os.Open(tasks)
	if err != nil {
		return nil
	}
	defer dir.Close()
	entries, _ := dir.Readdirnames(-1) // in the kernel's order, as ss has them: that of their start, also when numbers began anew
	for _, name := range entries {
		tid, err := strconv.ParseInt(name, 10, 32)
		if err != nil || int32(tid) == pid {
			continue
		}
		if comm, err := os.ReadFile(tasks + name + "/comm"); err == nil {
			list = append(list, ss.Thread{TID: int32(tid), Comm: strings.TrimSuffix(string(comm), "\n"), Place: len(list)})
		}
	}
	return list
}
