package ss

import (
	"bytes"
	"cmp"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// selinuxEnabled reports whether SELinux is on: the kernel has it, and it is configured (is_selinux_enabled(3)).
var selinuxEnabled = func() bool {
	var fs unix.Statfs_t
	_, err := os.Stat("/etc/selinux/config")
	return err == nil && unix.Statfs(selinuxFS, &fs) == nil && uint32(fs.Type) == unix.SELINUX_MAGIC
}

const selinuxFS = "/sys/fs/selinux"

// unavailable is what stands for a security context that cannot be read, as in ss.
const unavailable = "unavailable"

// contexts reads the security contexts of processes and sockets (-Z, -z).
type contexts struct {
	proc      string
	processes map[int32]string
}

func newContexts(proc string) *contexts { return &contexts{cmp.Or(proc, "/proc"), map[int32]string{}} }

// process returns the context of a process or thread: /proc/PID/attr/current; that of the kernel for 0.
func (c *contexts) process(pid int32) string {
	context, ok := c.processes[pid]
	if !ok {
		file := c.proc + "/" + strconv.Itoa(int(pid)) + "/attr/current"
		if pid == 0 {
			file = selinuxFS + "/initial_contexts/kernel"
		}
		b, _ := os.ReadFile(file)
		context = contextOf(b)
		c.processes[pid] = context
	}
	return context
}

// socket returns the context of the socket that a process has as a descriptor: the attribute security.selinux of its file.
func (c *contexts) socket(pid, fd int32) string {
	b := make([]byte, 4096) // what SELinux takes as a context is shorter than a page
	n, err := unix.Getxattr(c.proc+"/"+strconv.Itoa(int(pid))+"/fd/"+strconv.Itoa(int(fd)), "security.selinux", b)
	if err != nil {
		return unavailable
	}
	return contextOf(b[:n])
}

// contextOf returns a context as it is shown.
func contextOf(b []byte) string {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return cmp.Or(string(bytes.TrimRight(b, "\n")), unavailable)
}
