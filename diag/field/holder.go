package field

import (
	"bytes"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Holder is a process that holds a socket. What is beyond the first lines is read from its directory in /proc when it is first
// asked for, and only if the process still holds the socket there: so it is never that of a later process with the same number.
type Holder struct {
	PID, FD int32
	Known   bool
	Comm    string // as the process has it: not to be trusted

	inode uint32
	read  bool
	found bool

	cmdline string
	uid     uint32
	cgroup  string
	place   Place
}

// load reads the details; found tells whether it could.
func (h *Holder) load(c *Context) bool {
	if h.read {
		return h.found
	}
	h.read = true
	dir, err := unix.Open(c.proc()+"/"+strconv.Itoa(int(h.PID)), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer unix.Close(dir)
	var link [64]byte
	n, err := unix.Readlinkat(dir, "fd/"+strconv.Itoa(int(h.FD)), link[:])
	if err != nil || string(link[:n]) != "socket:["+strconv.FormatUint(uint64(h.inode), 10)+"]" {
		return false
	}
	h.found = true
	if b, err := readAt(dir, "cmdline", 4096); err == nil {
		h.cmdline = string(bytes.ReplaceAll(bytes.TrimRight(b, "\x00"), []byte{0}, []byte{' '}))
	}
	h.uid = ^uint32(0)
	if b, err := readAt(dir, "status", 4096); err == nil {
		h.uid = effectiveUID(b)
	}
	if b, err := readAt(dir, "cgroup", 16<<10); err == nil {
		h.cgroup = cgroupOf(b)
		h.place = PlaceOfFile(b)
	}
	return true
}

func readAt(dir int, name string, most int) ([]byte, error) {
	fd, err := unix.Openat(dir, name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), name)
	defer f.Close()
	b := make([]byte, most)
	n := 0
	for n < most {
		m, err := f.Read(b[n:])
		if m == 0 || err != nil {
			break
		}
		n += m
	}
	return b[:n], nil
}

// effectiveUID reads the line Uid of proc_pid_status(5): real, effective, saved, file system.
func effectiveUID(status []byte) uint32 {
	_, rest, ok := bytes.Cut(status, []byte("\nUid:"))
	if f := bytes.Fields(rest); ok && len(f) > 1 {
		if v, err := strconv.ParseUint(string(f[1]), 10, 32); err == nil {
			return uint32(v)
		}
	}
	return ^uint32(0)
}

// cgroupOf returns the path of the v2 hierarchy in a file of cgroups(7), or that of systemd's own in v1.
func cgroupOf(file []byte) string {
	named := ""
	for line := range strings.Lines(string(file)) {
		id, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		controllers, path, ok := strings.Cut(rest, ":")
		switch {
		case !ok:
		case id == "0":
			return path
		case controllers == "name=systemd":
			named = path
		}
	}
	return named
}
