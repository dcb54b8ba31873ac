package owner

import (
	"bytes"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// A procFS is an open proc mount, or a tree that looks like one.
type procFS struct {
	root string
	dir  int // descriptor of root
	// procfs is false for a tree of ordinary files.
	procfs bool
	// own says that pids have the same meaning here and for system calls.
	own bool
}

func openProcFS(root string) (*procFS, error) {
	dir, err := openDir(unix.AT_FDCWD, root)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: root, Err: err}
	}
	fs := &procFS{root: root, dir: dir}
	var st unix.Statfs_t
	if unix.Fstatfs(dir, &st) == nil {
		fs.procfs = st.Type == unix.PROC_SUPER_MAGIC
	}
	if !fs.procfs {
		return fs, nil
	}
	if fs.own, err = fs.ownPIDs(); err != nil {
		fs.close()
		return nil, err
	}
	return fs, nil
}

func (fs *procFS) close() { unix.Close(fs.dir) }

// ownPIDs reports whether the mount shows the pid namespace of the caller.
// NSpid in proc_pid_status(5) has one number for every namespace from that of
// the mount down to that of the process.
func (fs *procFS) ownPIDs() (bool, error) {
	const name = "self/status"
	status, err := readFile(fs.dir, name, make([]byte, 4096))
	switch {
	case gone(err), denied(err): // not even visible in the mount's namespace, or to the caller
		return false, nil
	case err != nil:
		return false, &os.PathError{Op: "read", Path: fs.root + "/" + name, Err: err}
	}
	_, rest, ok := bytes.Cut(status, []byte("\nNSpid:"))
	if !ok {
		return true, nil // a kernel without pid namespaces
	}
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	return len(bytes.Fields(line)) == 1, nil
}

// openFiles returns how many files are open on the host, file-nr in
// proc_sys_fs(5). A file that processes share counts once.
func (fs *procFS) openFiles() (int, error) {
	const name = "sys/fs/file-nr"
	b, err := readFile(fs.dir, name, make([]byte, 128))
	if err != nil {
		return 0, &os.PathError{Op: "read", Path: fs.root + "/" + name, Err: err}
	}
	first, _, _ := bytes.Cut(b, []byte("\t"))
	n, err := strconv.Atoi(string(first))
	if err != nil {
		return 0, fmt.Errorf("parse %s/%s: %w", fs.root, name, err)
	}
	return n, nil
}

// pids returns the processes in the mount, in its order.
func (fs *procFS) pids() ([]int32, error) {
	// A descriptor of its own: reading moves its offset.
	dir, err := openDir(fs.dir, ".")
	if err == nil {
		defer unix.Close(dir)
		var pids []int32
		if pids, err = newDirReader().numbers(nil, dir); err == nil {
			return pids, nil
		}
	}
	return nil, &os.PathError{Op: "read", Path: fs.root, Err: err}
}

// hides reports whether the mount does not show other users' processes at all
// (hidepid=2): process 1 exists in every pid namespace.
func (fs *procFS) hides() bool {
	var st unix.Stat_t
	return fs.own && gone(unix.Fstatat(fs.dir, "1", &st, unix.AT_SYMLINK_NOFOLLOW))
}

// threaded reports whether a process has more than one thread: the link count
// of its task directory is two more than the number of threads.
func (fs *procFS) threaded(pid int32) bool {
	var st unix.Stat_t
	err := unix.Fstatat(fs.dir, itoa(pid)+"/task", &st, unix.AT_SYMLINK_NOFOLLOW)
	return err == nil && st.Nlink > 3
}

// descriptors returns how many descriptors a process has, as far as the kernel
// says (Linux 6.2), and whether it can have any: kernel threads have none.
func (fs *procFS) descriptors(pid int32) (n int32, ok bool) {
	var st unix.Stat_t
	if err := unix.Fstatat(fs.dir, itoa(pid)+"/fd", &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return 0, !gone(err)
	}
	// Threads can have some where their leader has exited.
	return int32(st.Size), st.Size > 0 || fs.threaded(pid)
}

// exited reports whether the thread group leader of one of the caller's own
// processes has exited: it has no descriptors, and its fd directory belongs to
// root.
func (fs *procFS) exited(pid int32) bool {
	var st unix.Stat_t
	path := itoa(pid)
	if unix.Fstatat(fs.dir, path, &st, unix.AT_SYMLINK_NOFOLLOW) != nil || int(st.Uid) != unix.Geteuid() {
		return false
	}
	b, err := readFile(fs.dir, path+"/stat", make([]byte, 1024))
	if err != nil {
		return false
	}
	_, state, _ := bytes.Cut(b[bytes.LastIndexByte(b, ')')+1:], []byte(" "))
	return len(state) > 0 && (state[0] == 'Z' || state[0] == 'X')
}

// threads returns the threads of a process, or none when it is gone.
func (fs *procFS) threads(d *dirReader, dst []int32, pid int32) ([]int32, error) {
	path := itoa(pid) + "/task"
	dir, err := openDir(fs.dir, path)
	if err == nil {
		defer unix.Close(dir)
		dst, err = d.numbers(dst, dir)
	}
	if err != nil && !gone(err) {
		return dst, &os.PathError{Op: "read", Path: fs.root + "/" + path, Err: err}
	}
	return dst, nil
}
