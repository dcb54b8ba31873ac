package netns

import (
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// mounted finds the namespaces that are mounted where a process is: process is its directory in /proc, and root is what its paths
// begin with for us.
func (f *finder) mounted(process, root string) {
	if mnt, err := inodeOf(process + "/ns/mnt"); err == nil {
		f.mounts[uint64(mnt)] = true
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
	return inode, unescape(w[4]), ok && strings.Contains(line, " - nsfs ")
}

// parseLink returns the inode in "net:[INODE]".
func parseLink(s string) (inode uint32, ok bool) {
	s, ok = strings.CutPrefix(s, "net:[")
	if s, found := strings.CutSuffix(s, "]"); ok && found && len(s) > 0 && len(s) <= 10 {
		n := uint64(0)
		for _, c := range []byte(s) {
			if c < '0' || c > '9' {
				return 0, false
			}
			n = n*10 + uint64(c-'0')
		}
		return uint32(n), n>>32 == 0
	}
	return 0, false
}

// unescape undoes \040 and its like.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b []byte
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) && octal(s[i+1]) && octal(s[i+2]) && octal(s[i+3]) {
			b = append(b, (s[i+1]-'0')<<6|(s[i+2]-'0')<<3|(s[i+3]-'0'))
			i += 3
			continue
		}
		b = append(b, s[i])
	}
	return string(b)
}

func octal(c byte) bool { return c >= '0' && c <= '7' }

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
