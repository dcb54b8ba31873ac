package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/internal/check"
	"github.com/sockeye-tools/sockeye/internal/guest/wire"
)

// mounts are the file systems of a guest, in order. Those of kernels without them are left out where that is said.
var mounts = []struct {
	kind, at, options string
	mode              fs.FileMode
	optional          bool
}{
	{"proc", "/proc", "", 0o755, false},
	{"sysfs", "/sys", "", 0o755, false},
	{"devtmpfs", "/dev", "mode=0755", 0o755, false},
	{"devpts", "/dev/pts", "mode=0620,ptmxmode=0666", 0o755, false},
	{"tmpfs", "/dev/shm", "mode=1777", 0o1777, false},
	{"tmpfs", "/tmp", "mode=1777", 0o1777, false},
	{"tmpfs", "/run", "mode=0755", 0o755, false},
	{"cgroup2", "/sys/fs/cgroup", "", 0o755, true},
	{"bpf", "/sys/fs/bpf", "mode=0700", 0o755, true},
}

func mountAll() error {
	for _, m := range mounts {
		// Below sysfs the folders are the kernel's.
		if err := os.MkdirAll(m.at, m.mode); err != nil && !m.optional {
			return err
		}
		if err := unix.Mount(m.kind, m.at, m.kind, 0, m.options); err != nil && !m.optional {
			return fmt.Errorf("mount %s: %w", m.at, err)
		}
	}
	for name, to := range map[string]string{"fd": "", "stdin": "/0", "stdout": "/1", "stderr": "/2"} {
		if err := os.Symlink("/proc/self/fd"+to, "/dev/"+name); err != nil {
			return err
		}
	}
	for _, dir := range []string{wire.OutPath, "/root", "/var/tmp"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	if err := os.Chmod("/var/tmp", 0o1777); err != nil {
		return err
	}
	if err := unix.Sethostname([]byte("guest")); err != nil {
		return fmt.Errorf("set the host name: %w", err)
	}
	return check.LoopbackUp()
}

// loadModules loads the modules that the file "order" in dir names, and reports those that the kernel refused.
func loadModules(dir string) (missing []string, err error) {
	order, err := os.ReadFile(filepath.Join(dir, "order"))
	if err != nil {
		return nil, err
	}
	for lines := bufio.NewScanner(bytes.NewReader(order)); lines.Scan(); {
		f, err := os.Open(filepath.Join(dir, lines.Text()))
		if err != nil {
			return nil, err
		}
		err = unix.FinitModule(int(f.Fd()), "", 0)
		f.Close()
		if err != nil && !errors.Is(err, unix.EEXIST) {
			missing = append(missing, fmt.Sprintf("%s: %v", strings.TrimSuffix(lines.Text(), ".ko"), err))
		}
	}
	return missing, nil
}

// openPort opens the virtio port of that name.
func openPort(name string) (*os.File, error) {
	names, err := filepath.Glob("/sys/class/virtio-ports/*/name")
	if err != nil {
		return nil, err
	}
	for _, path := range names {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		if strings.TrimSpace(string(text)) == name {
			return os.OpenFile(filepath.Join("/dev", filepath.Base(filepath.Dir(path))), os.O_RDWR, 0)
		}
	}
	return nil, fmt.Errorf("port %s: %w", name, os.ErrNotExist)
}

// runPeer becomes the peer ss, with its own dynamic loader and libraries.
func runPeer() error {
	loaders, err := filepath.Glob(wire.PeerPath + "/usr/lib*/ld-linux*.so.*")
	if err != nil || len(loaders) == 0 {
		return fmt.Errorf("no peer in %s: %w", wire.PeerPath, errors.Join(err, os.ErrNotExist))
	}
	libraries, err := filepath.Glob(wire.PeerPath + "/usr/lib/*-linux-gnu*")
	if err != nil || len(libraries) == 0 {
		return fmt.Errorf("no peer in %s: %w", wire.PeerPath, errors.Join(err, os.ErrNotExist))
	}
	argv := append([]string{loaders[0], "--argv0", "ss", "--library-path", libraries[0], wire.PeerPath + "/usr/bin/ss"}, os.Args[1:]...)
	return unix.Exec(argv[0], argv, os.Environ())
}
