package scene

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/internal/thread"
)

// ehashEntries is the size of the established hash of a new namespace.
const ehashEntries = 4096

// Require skips the test where a network namespace cannot be made, or TUN devices cannot be had, and says what is missing.
func Require(t testing.TB) {
	t.Helper()
	if err := available(); err != nil {
		t.Skip("scene:", err)
	}
}

// available reports what Require skips for; nil if nothing.
var available = sync.OnceValue(func() error {
	if os.Geteuid() != 0 {
		return errors.New("needs root")
	}
	ns, err := newNetNS()
	if err != nil {
		return err
	}
	defer ns.Close()
	f, err := os.OpenFile(tunPath, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("needs TUN devices: %w", err)
	}
	return f.Close()
})

// A NetNS is a network namespace that lives as long as the test. Its loopback device is up; nothing else is in it.
// Its methods may be called from several goroutines.
type NetNS struct {
	file   *os.File
	holder chan func() // runs functions on a thread that stays in the namespace until Close
	mount  string      // name below netnsDir, once Mount was called
	mu     sync.Mutex
	close  func() error
}

// NewNetNS makes a network namespace and closes it at the end of the test. It skips the test as [Require] does.
func NewNetNS(t testing.TB) *NetNS {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("scene: needs root")
	}
	ns, err := newNetNS()
	if errors.Is(err, os.ErrPermission) || errors.Is(err, errors.ErrUnsupported) {
		t.Skip("scene:", err)
	}
	if err != nil {
		t.Fatal("scene:", err)
	}
	t.Cleanup(func() {
		if err := ns.Close(); err != nil {
			t.Error("scene:", err)
		}
	})
	return ns
}

func newNetNS() (*NetNS, error) {
	ns := &NetNS{holder: make(chan func())}
	ns.close = sync.OnceValue(ns.shut)
	ready := make(chan error)
	thread.Go(func() { // with the thread ends whatever Start gave a death signal
		err := ns.enterNew()
		ready <- err
		if err != nil {
			return
		}
		for f := range ns.holder {
			f()
		}
	})
	if err := <-ready; err != nil {
		return nil, err
	}
	return ns, nil
}

// enterNew moves the calling thread into a new namespace and opens it. The hash size is set in a namespace between
// that one and the host's, because it is for children and the host's must stay as it is.
func (ns *NetNS) enterNew() error {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("unshare network namespace: %w", err)
	}
	err := Sysctl("net/ipv4/tcp_child_ehash_entries", strconv.Itoa(ehashEntries))
	if err != nil && !errors.Is(err, os.ErrNotExist) { // Linux 6.1; without it dumps are slower, no more
		return err
	}
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("unshare network namespace: %w", err)
	}
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("find lo: %w", err)
	}
	if err := netlink.LinkSetUp(lo); err != nil {
		return fmt.Errorf("set lo up: %w", err)
	}
	ns.file, err = os.Open("/proc/thread-self/ns/net")
	return err
}

// Sysctl writes a value to the sysctl of that path (below /proc/sys). Those below net/ are the calling thread's
// namespace's: call it within [NetNS.Do].
func Sysctl(path, value string) error {
	return os.WriteFile(filepath.Join("/proc/sys", path), []byte(value), 0)
}

// Close ends the processes that [NetNS.Start] started and lets go of the namespace.
func (ns *NetNS) Close() error { return ns.close() }

func (ns *NetNS) shut() error {
	close(ns.holder)
	return errors.Join(ns.unmount(), ns.file.Close())
}

// FD returns the descriptor of the namespace, for setns(2). It is closed with the namespace.
func (ns *NetNS) FD() int { return int(ns.file.Fd()) }

// Path returns a path that any process with the right to look into this one can open to get at the namespace, until
// it is closed.
func (ns *NetNS) Path() string { return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), ns.FD()) }

// Inode returns the namespace's inode number: what ioctl NS_GET_* and the link /proc/PID/ns/net know it by.
func (ns *NetNS) Inode() (uint64, error) {
	var st unix.Stat_t
	if err := unix.Fstat(ns.FD(), &st); err != nil {
		return 0, fmt.Errorf("stat network namespace: %w", err)
	}
	return st.Ino, nil
}

var errExited = errors.New("function in the network namespace ended its goroutine")

// Do calls f with its thread inside the namespace and waits for it. Sockets that f opens stay in the namespace.
// f runs on another goroutine than the test: it must not call t.Fatal. Goroutines that f starts are outside.
func (ns *NetNS) Do(f func()) error {
	done := make(chan error)
	thread.Go(func() {
		err := errExited
		defer func() { done <- err }()
		if err2 := unix.Setns(ns.FD(), unix.CLONE_NEWNET); err2 != nil {
			err = fmt.Errorf("enter network namespace: %w", err2)
			return
		}
		f()
		err = nil
	})
	return <-done
}

// Start starts the command inside the namespace. It is killed when the namespace is closed or the test dies.
func (ns *NetNS) Start(cmd *exec.Cmd) error {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = new(syscall.SysProcAttr)
	}
	// The signal comes when the thread that started the child ends: hence the thread that stays.
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	errc := make(chan error)
	ns.holder <- func() { errc <- cmd.Start() }
	return <-errc
}

// Run runs the command inside the namespace and waits for it; the error is that of [exec.Cmd.Run].
func (ns *NetNS) Run(cmd *exec.Cmd) error {
	if err := ns.Start(cmd); err != nil {
		return err
	}
	return cmd.Wait()
}

// netnsDir is where ip-netns(8), and so ss -N, look for namespaces by name.
const netnsDir = "/run/netns"

// mountPrefix begins the names that Mount makes: prefix, process id, namespace inode.
const mountPrefix = "sockeye-scene-"

// Mount gives the namespace a name for ip netns and ss -N, until it is closed. Names that killed tests left are removed.
func (ns *NetNS) Mount() (string, error) {
	ns.mu.Lock()
	defer ns.mu.Unlock()
	if ns.mount != "" {
		return ns.mount, nil
	}
	if err := os.MkdirAll(netnsDir, 0o755); err != nil {
		return "", err
	}
	if err := sweepMounts(); err != nil {
		return "", err
	}
	ino, err := ns.Inode()
	if err != nil {
		return "", err
	}
	name := fmt.Sprintf("%s%d-%d", mountPrefix, os.Getpid(), ino)
	path := filepath.Join(netnsDir, name)
	if err := os.WriteFile(path, nil, 0o444); err != nil {
		return "", err
	}
	if err := unix.Mount(ns.Path(), path, "", unix.MS_BIND, ""); err != nil {
		os.Remove(path)
		return "", fmt.Errorf("bind %s: %w", path, err)
	}
	ns.mount = name
	return name, nil
}

func (ns *NetNS) unmount() error {
	ns.mu.Lock()
	defer ns.mu.Unlock()
	if ns.mount == "" {
		return nil
	}
	return removeMount(ns.mount)
}

func removeMount(name string) error {
	path := filepath.Join(netnsDir, name)
	if err := unix.Unmount(path, unix.MNT_DETACH); err != nil && err != unix.EINVAL { // EINVAL: not a mount point
		return fmt.Errorf("unmount %s: %w", path, err)
	}
	return os.Remove(path)
}

// sweepMounts removes the names whose process is gone.
func sweepMounts() error {
	entries, err := os.ReadDir(netnsDir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		rest, ok := strings.CutPrefix(e.Name(), mountPrefix)
		if !ok {
			continue
		}
		pid, _, _ := strings.Cut(rest, "-")
		n, err := strconv.Atoi(pid)
		if err != nil || unix.Kill(n, 0) != unix.ESRCH {
			continue
		}
		if err := removeMount(e.Name()); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}
