package netns

import (
	"fmt"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/internal/check"
	"github.com/sockeye-tools/sockeye/internal/leak"
	"github.com/sockeye-tools/sockeye/internal/thread"
)

// place is a network namespace of the kind that programs make: its connections are in the table that all share.
type place struct {
	inode uint32
	fds   []int
}

// newPlace makes one, and calls do on a thread in it, which ends then. The sockets that do opens, and says so, end with the test.
func newPlace(t *testing.T, do func(p *place) error) *place {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	p := &place{}
	t.Cleanup(func() {
		for _, fd := range p.fds {
			unix.Close(fd)
		}
	})
	if err := p.make(do); err != nil {
		t.Fatal(err)
	}
	return p
}

// make makes the namespace, and calls do on a thread in it.
func (p *place) make(do func(p *place) error) error {
	err, tid := make(chan error), 0
	thread.Go(func() {
		tid = unix.Gettid()
		err <- func() error {
			if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
				return fmt.Errorf("unshare: %w", err)
			}
			err := check.LoopbackUp()
			if err == nil {
				p.inode, err = inodeOf("/proc/thread-self/ns/net")
			}
			if err != nil {
				return err
			}
			return do(p)
		}()
	})
	failed := <-err
	// While the thread is there, it holds the namespace.
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if _, err := os.Stat(fmt.Sprintf("/proc/self/task/%d", tid)); err != nil {
			break
		}
	}
	return failed
}

// open opens the namespace that the thread is in.
func (p *place) open() error {
	fd, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err == nil {
		p.fds = append(p.fds, fd)
	}
	return err
}

func (p *place) socket(family, typ int) (int, error) {
	fd, err := unix.Socket(family, typ|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		p.fds = append(p.fds, fd)
	}
	return fd, err
}

// bind opens a socket with a port that the kernel picks.
func (p *place) bind(typ int, addr unix.Sockaddr) (int, error) {
	family := unix.AF_INET
	if _, ok := addr.(*unix.SockaddrInet6); ok {
		family = unix.AF_INET6
	}
	fd, err := p.socket(family, typ)
	if err == nil {
		err = unix.Bind(fd, addr)
	}
	return fd, err
}

func (p *place) listen(addr unix.Sockaddr) (fd int, at unix.Sockaddr, err error) {
	if fd, err = p.bind(unix.SOCK_STREAM, addr); err == nil {
		err = unix.Listen(fd, 16)
	}
	if err == nil {
		at, err = unix.Getsockname(fd)
	}
	return fd, at, err
}

// connect opens both ends of a connection.
func (p *place) connect(family, listener int, to unix.Sockaddr) (near, far int, err error) {
	if near, err = p.socket(family, unix.SOCK_STREAM); err != nil {
		return 0, 0, err
	}
	if err = unix.Connect(near, to); err != nil {
		return 0, 0, err
	}
	if far, _, err = unix.Accept4(listener, unix.SOCK_CLOEXEC); err == nil {
		p.fds = append(p.fds, far)
	}
	return near, far, err
}

// close closes a socket before the test ends.
func (p *place) close(fd int) {
	unix.Close(fd)
	for i, f := range p.fds {
		if f == fd {
			p.fds = append(p.fds[:i], p.fds[i+1:]...)
			break
		}
	}
}

var (
	loopback4 = &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}
	loopback6 = &unix.SockaddrInet6{Addr: [16]byte{15: 1}}
)

// find runs Find and returns the namespace, or nil.
func (p *place) find(t *testing.T, cfg Config) (*Found, *Namespace) {
	t.Helper()
	f := Find(t.Context(), cfg)
	if !cfg.NoBPF && f.Partial != nil {
		t.Skipf("needs BPF: %v", f.Partial)
	}
	for _, n := range f.All {
		if n.Inode == p.inode {
			return f, n
		}
	}
	return f, nil
}

func TestMain(m *testing.M) { os.Exit(leak.Wrap(m).Run()) }
