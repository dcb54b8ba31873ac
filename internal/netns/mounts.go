package netns

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/internal/mounts"
)

// mounted finds the namespaces that are mounted where a process is: process is its directory in /proc, and root is what its paths
// begin with for us.
func (f *finder) mounted(process, root string) {
	if mnt, err := inodeOf(process + "/ns/mnt"); err == nil {
		f.mounts[mnt] = true
	}
	b, err := os.ReadFile(process + "/mountinfo")
	if err != nil {
		return
	}
	for line := range strings.Lines(string(b)) {
		inode, point, ok := namespaceMount(line)
		if !ok {
			continue
		}
		path := root + point
		if i, err := inodeOf(path); err != nil || i != inode {
			continue // something else is mounted over it
		}
		n, _ := f.get(inode)
		n.paths = append([]string{path}, n.paths...)
		if dir := filepath.Dir(point); root == "" && n.Name == "" && (dir == "/run/netns" || dir == "/var/run/netns") {
			n.Name = filepath.Base(point)
		}
	}
}

// namespaceMount reads a line of proc_pid_mountinfo(5) and returns the inode and the mount point of a network namespace:
//
//	36 35 0:4 net:[4026532177] /run/netns/blue rw shared:1 - nsfs nsfs rw
func namespaceMount(line string) (inode uint32, point string, ok bool) {
	w := strings.Fields(line)
	if len(w) < 5 {
		return 0, "", false
	}
	inode, ok = parseLink(w[3])
	return inode, mounts.Unescape(w[4]), ok && strings.Contains(line, " - nsfs ")
}

// parseLink returns the inode in "net:[INODE]".
func parseLink(s string) (inode uint32, ok bool) {
	s, opened := strings.CutPrefix(s, "net:[")
	s, closed := strings.CutSuffix(s, "]")
	if !opened || !closed {
		return 0, false
	}
	n, err := strconv.ParseUint(s, 10, 32)
	return uint32(n), err == nil
}

// links finds the namespaces that a process has descriptors of.
func (f *finder) links(pid int32) {
	dir := f.proc + "/" + itoa(pid) + "/fd"
	d, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		if !gone(err) {
			f.denied[pid] = true
		}
		return
	}
	file := os.NewFile(uintptr(d), dir)
	defer file.Close()
	var buf [32]byte
	for {
		names, err := file.Readdirnames(1024)
		for _, name := range names {
			n, err := unix.Readlinkat(d, name, buf[:])
			if err != nil || n < 6 || string(buf[:5]) != "net:[" {
				continue
			}
			if inode, ok := parseLink(string(buf[:n])); ok {
				f.hold(inode, holder{pid, atoi(name)})
			}
		}
		if err != nil {
			return
		}
	}
}

// hold notes a descriptor that holds a namespace.
func (f *finder) hold(inode uint32, h holder) {
	if n, _ := f.get(inode); n.held.pid == 0 {
		n.held = h
	}
}
