package names

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/sockeye-tools/sockeye/internal/mounts"
)

// ErrNoCgroup2 says that no cgroup2 file system is mounted.
var ErrNoCgroup2 = errors.New("no cgroup2 file system is mounted")

// Cgroups names cgroups (v2) by their id: the inode number of their directory, on 64-bit systems
// (Documentation/admin-guide/cgroup-v2.rst).
type Cgroups struct {
	Root string // where cgroup2 is mounted; "": the first such mount of /proc/self/mounts

	loaded bool
	err    error
	byID   map[uint64]string
}

// Lookup returns the path of a cgroup below the mount point, such as "/system.slice"; "/" is the mount point itself.
// A cgroup that was removed, that was created after the first look-up, or that is outside of the reader's cgroup namespace has none.
func (c *Cgroups) Lookup(id uint64) (string, bool) {
	if !c.loaded {
		c.load()
	}
	path, ok := c.byID[id]
	return path, ok
}

// Err returns why no cgroup has a name: ErrNoCgroup2, or what reading the mount point failed with.
func (c *Cgroups) Err() error { return c.err }

func (c *Cgroups) load() {
	c.loaded = true
	c.byID = map[uint64]string{}
	root := c.Root
	if root == "" {
		b, err := os.ReadFile("/proc/self/mounts")
		if err != nil {
			c.err = err
			return
		}
		if root = mounts.Cgroup2(string(b)); root == "" {
			c.err = ErrNoCgroup2
			return
		}
	}
	c.err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			if path == root {
				return err
			}
			return nil // removed meanwhile, or not ours to read: the others still have names
		}
		if !d.IsDir() {
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return nil
		}
		st, ok := info.Sys().(*syscall.Stat_t)
		if !ok {
			return nil
		}
		name := strings.TrimPrefix(path, root)
		if name == "" {
			name = "/"
		}
		c.byID[st.Ino] = escaped(name)
		return nil
	})
}
