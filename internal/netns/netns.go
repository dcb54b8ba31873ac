package netns

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/field"
)

// Namespace is a network namespace.
type Namespace struct {
	Inode uint32
	// Name is that of ip-netns(8), "pod:UID" or "container:ID" of a process in it, the path of a mount of it, "pid:N" of a process in
	// it, "pid:N/tid:M" of a thread that left its process, or "pid:N/fd:M" of a descriptor that alone holds it. The caller's own is "-" if ip-netns(8) did not name it.
	Name string
	Own  bool // the caller's
	// Bound says that it has TCP sockets which are bound and nothing else, or that this is not known.
	Bound bool
	// Counts is what the kernel counts in it; nil: not known.
	Counts *Counts
	// Connections are its TCP sockets but for those that listen or are only bound; nil: not known, so that they must be dumped.
	Connections []diag.InetKey

	paths []string // that open it, the best name first
	pid   int32    // a process in it, the lowest, or 0
	tid   int32    // where no process is in it with its first thread, a thread of pid
	held  holder   // what else holds it
}

// holder is a descriptor of a namespace, or of a socket in it.
type holder struct{ pid, fd int32 }

// Config says where to look. Its zero value is useful.
type Config struct {
	Proc  string // where procfs is mounted; "": /proc
	NoBPF bool
}

// Found is what Find found.
type Found struct {
	All     []*Namespace // the caller's own first, then by name
	Denied  int          // processes that could not be looked at
	Partial error        // why namespaces that are held by nothing but sockets are not among them; nil: they are

	proc string
}

// Find finds the network namespaces of the host, as far as the caller may see them. A namespace that comes or goes meanwhile may be
// among them or not.
func Find(ctx context.Context, cfg Config) *Found {
	f := &finder{proc: cmp.Or(cfg.Proc, "/proc"), byInode: map[uint32]*Namespace{}, mounts: map[uint32]bool{}, denied: map[int32]bool{}}
	f.own()
	f.mounted(f.proc+"/thread-self", "")
	pids := numbers(f.proc)
	for _, pid := range pids {
		f.process(pid)
	}
	found := &Found{proc: f.proc, Partial: errors.New("BPF is not wanted")}
	if !cfg.NoBPF {
		found.Partial = f.descriptors(ctx)
	}
	if found.Partial != nil {
		for _, pid := range pids {
			f.links(pid)
		}
		for _, n := range f.byInode {
			n.Bound = true
		}
	}
	for _, n := range f.byInode {
		n.Name = cmp.Or(n.Name, f.name(n))
		found.All = append(found.All, n)
	}
	slices.SortFunc(found.All, func(a, b *Namespace) int {
		switch {
		case a.Own:
			return -1
		case b.Own:
			return 1
		}
		return cmp.Or(strings.Compare(a.Name, b.Name), cmp.Compare(a.Inode, b.Inode))
	})
	found.Denied = len(f.denied)
	var st unix.Stat_t
	if unix.Stat(f.proc+"/1", &st) != nil { // hidepid=2 hides it, which every pid namespace has; or there is no procfs
		found.Denied++
	}
	return found
}

// finder collects namespaces.
type finder struct {
	proc    string
	byInode map[uint32]*Namespace
	mounts  map[uint32]bool // mount namespaces that were looked at
	denied  map[int32]bool
}

// own finds the caller's namespace. Where procfs does not tell it, since it is not mounted or that of another pid namespace, a socket
// does, with CAP_NET_ADMIN.
func (f *finder) own() {
	n := f.stat(f.proc + "/thread-self/ns/net")
	if n == nil {
		inode, _ := ownInode() // 0 if it cannot be known: no other namespace can be entered then
		n, _ = f.get(inode)
	}
	n.Own = true
}

// ownInode returns the inode of the thread's namespace without procfs.
func ownInode() (uint32, error) {
	sock, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, os.NewSyscallError("socket", err)
	}
	defer unix.Close(sock)
	ns, err := namespaceOf(sock)
	if err != nil {
		return 0, err
	}
	defer ns.Close()
	var st unix.Stat_t
	err = unix.Fstat(int(ns.Fd()), &st)
	return uint32(st.Ino), os.NewSyscallError("fstat", err)
}

// get returns the namespace of an inode, and whether it is new.
func (f *finder) get(inode uint32) (n *Namespace, fresh bool) {
	n = f.byInode[inode]
	if fresh = n == nil; fresh {
		n = &Namespace{Inode: inode}
		f.byInode[inode] = n
	}
	return n, fresh
}

// stat returns the namespace behind a path, or nil.
func (f *finder) stat(path string) *Namespace {
	inode, err := inodeOf(path)
	if err != nil {
		return nil
	}
	n, fresh := f.get(inode)
	if fresh {
		n.paths = append(n.paths, path)
	}
	return n
}

func inodeOf(path string) (uint32, error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return 0, err
	}
	return uint32(st.Ino), nil
}

// process finds the namespaces of the threads of a process, and those that are mounted where it is.
func (f *finder) process(pid int32) {
	dir := fmt.Sprintf("%s/%d", f.proc, pid)
	inode, err := inodeOf(dir + "/ns/net")
	if errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM) {
		f.denied[pid] = true
		return
	}
	if err == nil {
		f.in(inode, pid, 0, dir+"/ns/net")
	}
	var st unix.Stat_t
	if unix.Stat(dir+"/task", &st) == nil && st.Nlink > 3 { // threads
		for _, tid := range numbers(dir + "/task") {
			path := fmt.Sprintf("%s/task/%d/ns/net", dir, tid)
			if i, err := inodeOf(path); err == nil && i != inode {
				f.in(i, pid, tid, path)
			}
		}
	}
	if mnt, err := inodeOf(dir + "/ns/mnt"); err == nil && !f.mounts[mnt] {
		f.mounted(dir, dir+"/root")
	}
}

// in notes that a process is in a namespace, or one of its threads, tid.
func (f *finder) in(inode uint32, pid, tid int32, path string) {
	n, _ := f.get(inode)
	if n.pid == 0 || n.tid != 0 && tid == 0 { // pids come in ascending order
		n.pid, n.tid = pid, tid
	}
	if len(n.paths) < 4 { // enough to outlive a process or two
		n.paths = append(n.paths, path)
	}
}

// numbers returns the entries of a directory that are numbers, ascending.
func numbers(dir string) []int32 {
	d, err := os.Open(dir)
	if err != nil {
		return nil
	}
	defer d.Close()
	names, _ := d.Readdirnames(-1)
	var all []int32
	for _, name := range names {
		if n, err := strconv.ParseInt(name, 10, 32); err == nil {
			all = append(all, int32(n))
		}
	}
	slices.Sort(all)
	return all
}

// name names a namespace that ip-netns(8) did not.
func (f *finder) name(n *Namespace) string {
	if n.Own {
		return "-"
	}
	if b, err := os.ReadFile(fmt.Sprintf("%s/%d/cgroup", f.proc, n.pid)); err == nil && n.pid != 0 {
		switch p := field.PlaceOfFile(b); {
		case p.Pod != "":
			return "pod:" + p.Pod
		case p.Container != "":
			return "container:" + p.Container[:min(12, len(p.Container))]
		}
	}
	switch {
	case n.mount() != "":
		return n.mount()
	case n.tid != 0:
		return fmt.Sprintf("pid:%d/tid:%d", n.pid, n.tid)
	case n.pid != 0:
		return fmt.Sprintf("pid:%d", n.pid)
	}
	return fmt.Sprintf("pid:%d/fd:%d", n.held.pid, n.held.fd)
}

// mount returns the first path of the namespace that is not in a process's directory for namespaces.
func (n *Namespace) mount() string {
	for _, p := range n.paths {
		if dir := filepath.Dir(p); filepath.Base(p) != "net" || filepath.Base(dir) != "ns" {
			return p
		}
	}
	return ""
}

// Open opens the namespace. The error is os.ErrNotExist if it is gone.
func (f *Found) Open(n *Namespace) (*os.File, error) {
	var first error
	try := func(file *os.File, err error) bool {
		var st unix.Stat_t
		if err == nil {
			if err = unix.Fstat(int(file.Fd()), &st); err == nil && uint32(st.Ino) == n.Inode {
				return true
			}
			file.Close()
			err = cmp.Or(err, error(unix.ENOENT)) // another one has its place
		}
		if gone(err) {
			err = fmt.Errorf("network namespace %s: %w", n.Name, os.ErrNotExist)
		}
		if first == nil || errors.Is(first, os.ErrNotExist) {
			first = err
		}
		return false
	}
	for _, path := range n.paths {
		if file, err := os.Open(path); try(file, err) {
			return file, nil
		}
	}
	if n.held.pid != 0 {
		if file, err := os.Open(fmt.Sprintf("%s/%d/fd/%d", f.proc, n.held.pid, n.held.fd)); err == nil && try(file, err) {
			return file, nil
		}
		if file, err := ofSocket(n.held); try(file, err) {
			return file, nil
		}
	}
	return nil, first
}

// gone reports whether err says that what was there is no more.
func gone(err error) bool {
	return errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ESRCH) || errors.Is(err, unix.EBADF) || errors.Is(err, unix.ENOTDIR)
}

// ofSocket opens the namespace of another process's socket: pidfd_getfd(2), Linux 5.6, takes the right to trace the process, and
// SIOCGSKNS, Linux 4.10, CAP_NET_ADMIN.
func ofSocket(h holder) (*os.File, error) {
	pidfd, err := unix.PidfdOpen(int(h.pid), 0)
	if err != nil {
		return nil, os.NewSyscallError("pidfd_open", err)
	}
	defer unix.Close(pidfd)
	sock, err := unix.PidfdGetfd(pidfd, int(h.fd), 0)
	if err != nil {
		return nil, os.NewSyscallError("pidfd_getfd", err)
	}
	defer unix.Close(sock)
	return namespaceOf(sock)
}

// namespaceOf opens the namespace of a socket.
func namespaceOf(sock int) (*os.File, error) {
	fd, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(sock), unix.SIOCGSKNS, uintptr(unsafe.Pointer(nil)))
	switch errno {
	case 0:
	case unix.ENOTTY, unix.ENOSYS: // no socket: the descriptor is another by now
		return nil, unix.ENOENT
	default:
		return nil, os.NewSyscallError("ioctl SIOCGSKNS", errno)
	}
	unix.CloseOnExec(int(fd))
	return os.NewFile(fd, "netns"), nil
}
