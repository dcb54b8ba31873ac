package owner

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// fixture makes a tree of ordinary files that looks like proc.
func fixture(t *testing.T, files, links map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, target := range links {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, path); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func openFS(t *testing.T, root string) *procFS {
	t.Helper()
	fs, err := openProcFS(root)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fs.close)
	return fs
}

func TestProcFS(t *testing.T) {
	fs := openFS(t, "/proc")
	if !fs.procfs || !fs.own {
		t.Errorf("/proc: %+v", fs)
	}
	// The kernel counts by processor, and tells 0 where there are but some dozens.
	if n, err := fs.openFiles(); n < 0 || err != nil {
		t.Errorf("open files: %d, %v", n, err)
	}
	for range 2 { // each reads from the beginning
		if pids, err := fs.pids(); !slices.Contains(pids, int32(os.Getpid())) || err != nil {
			t.Errorf("pids: %v, %v", pids, err)
		}
	}
	self := int32(os.Getpid())
	if !fs.threaded(self) {
		t.Error("a Go program has more than one thread")
	}
	if tids, err := fs.threads(newDirReader(), nil, self); len(tids) < 2 || !slices.Contains(tids, self) || err != nil {
		t.Errorf("threads: %v, %v", tids, err)
	}
	if tids, err := fs.threads(newDirReader(), nil, 1<<30); tids != nil || err != nil {
		t.Errorf("threads of no process: %v, %v", tids, err)
	}
}

func TestProcFSFixture(t *testing.T) {
	fs := openFS(t, fixture(t, map[string]string{
		"self/status":    "Name:\tx\nNSpid:\t7\n",
		"sys/fs/file-nr": "1234\t0\t99999\n",
		"12/stat":        "",
	}, nil))
	if fs.procfs || fs.own || fs.hides() {
		t.Errorf("a fixture is no procfs: %+v", fs)
	}
	if n, err := fs.openFiles(); n != 1234 || err != nil {
		t.Errorf("open files: %d, %v", n, err)
	}
	if pids, err := fs.pids(); !slices.Equal(pids, []int32{12}) || err != nil {
		t.Errorf("pids: %v, %v", pids, err)
	}
}

func TestExited(t *testing.T) {
	fs := openFS(t, "/proc")
	alive, zombie := startChild(t, "name=x) Z 1", nil), startChild(t, "zombie=1", nil)
	if fs.exited(alive.pid()) || !fs.exited(zombie.pid()) || fs.exited(1<<30) {
		t.Errorf("alive %v, zombie %v, none %v; want only the second",
			fs.exited(alive.pid()), fs.exited(zombie.pid()), fs.exited(1<<30))
	}
}

func TestOwnPIDs(t *testing.T) {
	for status, want := range map[string]bool{
		"Name:\tx\nNSpid:\t7\nNSpgid:\t7\t1\n":    true,
		"Name:\tx\nNSpid:\t7\t1\nNSpgid:\t7\t1\n": false,
		"Name:\tx\n": true,
	} {
		fs := openFS(t, fixture(t, map[string]string{"self/status": status}, nil))
		if got, err := fs.ownPIDs(); got != want || err != nil {
			t.Errorf("%q: own = %v, %v", status, got, err)
		}
	}
	if own, err := openFS(t, t.TempDir()).ownPIDs(); own || err != nil {
		t.Errorf("no self: own = %v, %v", own, err)
	}
	broken := openFS(t, fixture(t, nil, map[string]string{"self": "self"})) // a link to itself
	if own, err := broken.ownPIDs(); own || !errors.Is(err, unix.ELOOP) {
		t.Errorf("what cannot be read: own = %v, %v", own, err)
	}
}

func TestProcFSErrors(t *testing.T) {
	if _, err := openProcFS(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no such root: %v", err)
	}
	if _, err := openFS(t, t.TempDir()).openFiles(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file-nr: %v", err)
	}
	if n, err := openFS(t, fixture(t, map[string]string{"sys/fs/file-nr": "x\n"}, nil)).openFiles(); err == nil {
		t.Errorf("bad file-nr: %d", n)
	}
}
