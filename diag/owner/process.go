package owner

import (
	"bytes"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// maxArgv is how much of the command line Argv reads, in bytes.
const maxArgv = 511

// maxVerify is how many descriptors of a young process are compared at most.
const maxVerify = 8

// A Process is a process that owns sockets.
type Process struct {
	PID int32

	// Known says whether the process was still there when its name was read,
	// and certainly the one that the scan saw. If false, Comm is "" and Argv
	// nil. (A process can also call itself "".)
	Known bool

	// Comm is the name in proc_pid_stat(5), as the kernel has it: up to 15
	// bytes that the process chose, also control characters, not necessarily
	// UTF-8. Escape them before they reach a terminal.
	Comm string

	root  string
	start uint64 // clock ticks after boot
	argv  func() []string
}

// Process returns the process with the given pid, which it reads on the first
// call; the pid must come from the Table. It is never nil.
//
// A name is never that of a later process with the same pid: the process
// started before the scan did, or it has a descriptor for the same socket, at
// the same number, as the scan saw. Comm is what the process is called when it
// is read, which differs from the time of the scan if it called execve(2) or
// prctl(2) in between.
func (t *Table) Process(pid int32) *Process {
	t.mu.RLock()
	p := t.processes[pid]
	t.mu.RUnlock()
	if p != nil {
		return p
	}
	p = t.readProcess(pid)
	t.mu.Lock()
	defer t.mu.Unlock()
	if first := t.processes[pid]; first != nil {
		return first
	}
	if t.processes == nil {
		t.processes = make(map[int32]*Process)
	}
	t.processes[pid] = p
	return p
}

// Argv returns the arguments of the process, as far as they are in the first
// 511 bytes of /proc/PID/cmdline, or nil for a kernel thread, and for a process
// that is not Known or has exited since. It reads them on the first call. Like
// Comm they are chosen by the process.
func (p *Process) Argv() []string { return p.argv() }

func (t *Table) readProcess(pid int32) *Process {
	p := &Process{PID: pid, root: t.root}
	p.argv = sync.OnceValue(p.readArgv)
	// What is opened below dir belongs to one process, also if the pid is
	// used again: the directory refers to the process, not to its number.
	dir, err := p.open()
	if err != nil {
		return p
	}
	defer unix.Close(dir)
	comm, start, ok := readStat(dir)
	// Times are cut to ticks: in the tick of the scan, who was first is open.
	if !ok || start >= t.ticks && !t.holds(dir, pid) {
		return p
	}
	p.Known, p.Comm, p.start = true, comm, start
	return p
}

// holds reports whether the process in dir has a descriptor that the scan saw
// in the process with this pid.
func (t *Table) holds(dir int, pid int32) bool {
	var buf [64]byte
	tries := 0
	for _, r := range t.records {
		if r.pid != pid {
			continue
		}
		n, err := unix.Readlinkat(dir, "fd/"+itoa(r.fd), buf[:])
		if err == nil && parseSocketLink(buf[:n]) == r.inode {
			return true
		}
		if tries++; tries == maxVerify {
			break
		}
	}
	return false
}

func (p *Process) readArgv() []string {
	if !p.Known {
		return nil
	}
	dir, err := p.open()
	if err != nil {
		return nil
	}
	defer unix.Close(dir)
	if _, start, ok := readStat(dir); !ok || start != p.start {
		return nil
	}
	b, err := readFile(dir, "cmdline", make([]byte, maxArgv))
	if err != nil || len(b) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(b), "\x00"), "\x00")
}

func (p *Process) open() (int, error) {
	return retry(func() (int, error) {
		return unix.Open(p.root+"/"+itoa(p.PID), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	})
}

func readStat(dir int) (comm string, start uint64, ok bool) {
	b, err := readFile(dir, "stat", make([]byte, 1024))
	if err != nil {
		return "", 0, false
	}
	return parseStat(b)
}

// parseStat returns comm (2) and starttime (22) of proc_pid_stat(5). Comm can
// hold anything, also parentheses and spaces.
func parseStat(b []byte) (comm string, start uint64, ok bool) {
	open, end := bytes.IndexByte(b, '('), bytes.LastIndexByte(b, ')')
	if open < 0 || end < open {
		return "", 0, false
	}
	fields := bytes.Fields(b[end+1:]) // from state (3) on
	if len(fields) < 20 {
		return "", 0, false
	}
	start, err := strconv.ParseUint(string(fields[19]), 10, 64)
	return string(b[open+1 : end]), start, err == nil
}
