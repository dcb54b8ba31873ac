package names

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/sockeye-tools/sockeye/internal/mounts"
)

func inode(t *testing.T, path string) uint64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Sys().(*syscall.Stat_t).Ino
}

func TestCgroups(t *testing.T) {
	root := t.TempDir()
	for _, dir := range []string{"system.slice/ssh.service", "user\x1b.slice"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(root, "cgroup.procs")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c := Cgroups{Root: root}
	for path, want := range map[string]string{
		"":                          "/",
		"/system.slice":             "/system.slice",
		"/system.slice/ssh.service": "/system.slice/ssh.service",
		"/user\x1b.slice":           `/user\033.slice`,
	} {
		if got, ok := c.Lookup(inode(t, root+path)); got != want || !ok {
			t.Errorf("id of %q: %q, %v, want %q", path, got, ok, want)
		}
	}
	if got, ok := c.Lookup(inode(t, file)); ok {
		t.Errorf("a file is cgroup %q", got)
	}
	if c.Err() != nil {
		t.Error(c.Err())
	}
	id := inode(t, root)
	if n := testing.AllocsPerRun(100, func() { c.Lookup(id); c.Lookup(^uint64(0)) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestCgroupsMissingRoot(t *testing.T) {
	c := Cgroups{Root: filepath.Join(t.TempDir(), "none")}
	if _, ok := c.Lookup(1); ok || !errors.Is(c.Err(), os.ErrNotExist) {
		t.Errorf("%v, %v", ok, c.Err())
	}
}

func TestCgroupsOfSystem(t *testing.T) {
	var c Cgroups
	c.Lookup(0)
	if errors.Is(c.Err(), ErrNoCgroup2) {
		t.Skip("needs a cgroup2 mount")
	}
	table, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	root := mounts.Cgroup2(string(table))
	if got, ok := c.Lookup(inode(t, root)); got != "/" || !ok {
		t.Errorf("id of %s: %q, %v", root, got, ok)
	}
}
