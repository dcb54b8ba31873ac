package diag

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/internal/ctxerr"
)

// Config says how to reach the kernel. Its zero value is the network namespace of the calling thread.
type Config struct {
	// NetNS is the path of the network namespace to look into, such as /run/netns/blue or /proc/4242/ns/net. "": that of the
	// thread that calls Dial. Another namespace needs CAP_SYS_ADMIN.
	NetNS string
	// NetNSFD is an open file descriptor of a network namespace, used instead of NetNS when it is not 0. It must stay open
	// until Dial returns.
	NetNSFD int
	// Timeout is how long the kernel may take for one message of a dump. 0: 30 s.
	Timeout time.Duration
	// Proc is where procfs is mounted. "": /proc.
	Proc string
	// Socket opens a NETLINK_SOCK_DIAG connection. nil: netlink.Dial in the namespace above. Tests and sandboxes that hand in
	// sockets of their own use it; the connection must support SyscallConn.
	Socket func() (*netlink.Conn, error)
}

// Conn asks the kernel for its sockets. Its methods may be called from several goroutines at a time; every dump has a
// netlink socket of its own.
type Conn struct {
	cfg Config
	ns  *os.File // the namespace, or nil where it cannot be told

	mu     sync.Mutex // also: ns stays open while it is held
	idle   *socket
	closed bool

	ending context.Context // done when closed
	end    context.CancelFunc

	elsewhere bool // the kernel that is asked may not be the one that /proc shows
}

// Dial opens a Conn. Any user may; some attributes (SO_MARK, MD5 keys, the ULP or parts of it) come only with CAP_NET_ADMIN.
// Where the system has no NETLINK_SOCK_DIAG, or forbids it (RestrictAddressFamilies of systemd, a seccomp filter), the Conn reads
// /proc/net alone.
func Dial(cfg *Config) (*Conn, error) {
	c := &Conn{}
	c.ending, c.end = context.WithCancel(context.Background())
	if cfg != nil {
		c.cfg = *cfg
	}
	if c.cfg.Timeout <= 0 {
		c.cfg.Timeout = 30 * time.Second
	}
	if c.cfg.Proc == "" {
		c.cfg.Proc = "/proc"
		c.elsewhere = c.cfg.Socket != nil
	}
	switch {
	case c.cfg.NetNSFD != 0:
		ns, err := duplicate(uintptr(c.cfg.NetNSFD))
		if err != nil {
			return nil, err
		}
		c.ns = ns
	case c.cfg.NetNS != "":
		f, err := os.Open(c.cfg.NetNS)
		if err != nil {
			return nil, &Error{Op: "open network namespace", Err: err}
		}
		c.ns = f
	default:
		c.ns, _ = os.Open(c.cfg.Proc + "/thread-self/ns/net") // no /proc: the threads are taken to share one namespace
	}
	var err error
	if c.idle, err = c.dial(); err != nil {
		if h, ok := unhandled(err); !ok || barred(h.errno) && !c.hasTables() {
			c.Close()
			return nil, err
		}
	}
	return c, nil
}

// hasTables reports whether there is a /proc/net.
func (c *Conn) hasTables() bool {
	f, err := c.openTable("sockstat")
	if err != nil {
		return false
	}
	f.Close()
	return true
}

// Close closes the Conn. Dumps that are running end by themselves; those begun later fail with os.ErrClosed, and so does InetDestroyed,
// also where it is running.
func (c *Conn) Close() error {
	c.end()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	if c.idle != nil {
		c.idle.close()
		c.idle = nil
	}
	if c.ns != nil {
		c.ns.Close()
		c.ns = nil
	}
	return nil
}

// get hands out a netlink socket that nobody else uses.
func (c *Conn) get() (*socket, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, os.ErrClosed
	}
	if s := c.idle; s != nil {
		c.idle = nil
		return s, nil
	}
	return c.dial()
}

// put takes it back. A socket with the rest of a dump in it is closed: that is how a dump is called off.
func (c *Conn) put(s *socket, clean bool) {
	if clean {
		c.mu.Lock()
		if c.idle == nil && !c.closed {
			c.idle, s = s, nil
		}
		c.mu.Unlock()
	}
	if s != nil {
		s.close()
	}
}

// send sends a request (nil: one that is too long), on a socket that is the caller's until it calls put, with whether the whole answer was
// read. Until then a cancelled ctx ends receiving.
func (c *Conn) send(ctx context.Context, typ netlink.HeaderType, flags netlink.HeaderFlags, data []byte) (
	_ *socket, req netlink.Message, put func(clean bool), _ error,
) {
	if data == nil {
		return nil, req, nil, errTooLong
	}
	s, err := c.get()
	if err != nil {
		return nil, req, nil, err
	}
	stop := context.AfterFunc(ctx, func() { s.nl.SetReadDeadline(time.Unix(1, 0)) })
	// The deadline of a socket that is used again must not be touched by a cancellation that comes late.
	put = func(clean bool) { c.put(s, stop() && clean) }
	req, err = s.nl.Send(netlink.Message{Header: netlink.Header{Type: typ, Flags: netlink.Request | flags}, Data: data})
	if err != nil {
		put(false)
		return nil, req, nil, bare(err)
	}
	return s, req, put, nil
}

// socket is a netlink socket and what is needed to receive from it without allocating.
type socket struct {
	nl  *netlink.Conn
	raw syscall.RawConn

	buf  []byte // where recv puts the next datagram
	from unix.RawSockaddrNetlink
	n    int
	err  syscall.Errno
	recv func(fd uintptr) bool

	repeats repeats
}

func (c *Conn) dial() (*socket, error) {
	open := c.cfg.Socket
	if open == nil {
		open = c.open
	}
	nl, err := open()
	if err != nil {
		err = bare(err)
		if h, ok := unhandled(err); ok {
			err = h
		}
		if e, ok := errors.AsType[*Error](err); ok {
			return nil, e
		}
		return nil, &Error{Op: "open sock_diag socket", Err: err}
	}
	raw, err := nl.SyscallConn()
	if err != nil {
		nl.Close()
		return nil, &Error{Op: "open sock_diag socket", Err: err}
	}
	s := &socket{nl: nl, raw: raw}
	s.recv = func(fd uintptr) bool {
		for {
			// The sender's address is always asked for: only the kernel (port 0) is believed.
			size := uint32(unsafe.Sizeof(s.from))
			n, _, errno := unix.Syscall6(unix.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(&s.buf[0])), uintptr(len(s.buf)),
				unix.MSG_TRUNC|unix.MSG_DONTWAIT, uintptr(unsafe.Pointer(&s.from)), uintptr(unsafe.Pointer(&size)))
			switch errno {
			case unix.EINTR:
				continue
			case unix.EAGAIN:
				return false
			}
			s.n, s.err = int(n), errno
			return true
		}
	}
	return s, nil
}

// open dials in the Conn's namespace. The namespace is entered only where the calling thread is in another one, since that takes
// a privilege.
func (c *Conn) open() (*netlink.Conn, error) {
	runtime.LockOSThread() // the thread that is looked at is the one that dials
	defer runtime.UnlockOSThread()
	cfg := &netlink.Config{}
	if c.ns != nil && !inNamespace(c.ns, c.cfg.Proc) {
		cfg.NetNS = int(c.ns.Fd())
	}
	nl, err := netlink.Dial(unix.NETLINK_SOCK_DIAG, cfg)
	if err == nil {
		nl.SetOption(netlink.ExtendedAcknowledge, true) // words for an error; before 4.12 there are none
		nl.SetOption(netlink.CapAcknowledge, true)      // an error without the request, which may be longer than a batch; 4.3
		return nl, nil
	}
	if call, ok := errors.AsType[*os.SyscallError](err); ok && call.Syscall == "setns" {
		return nil, &Error{Op: "enter network namespace", Err: call.Err}
	}
	if errno, _ := errors.AsType[syscall.Errno](bare(err)); barred(errno) && cfg.NetNS == 0 {
		err = noHandler{errno}
	}
	return nil, err
}

func (s *socket) close() { s.nl.Close() }

// receive puts the next datagram into buf, and returns its length.
func (s *socket) receive(ctx context.Context, buf []byte, timeout time.Duration) (int, error) {
	// A cancelled context sets a deadline that has passed: look after setting ours.
	if err := s.nl.SetReadDeadline(time.Now().Add(timeout)); err != nil {
		return 0, err
	}
	if ctx.Err() != nil {
		return 0, ctxerr.Of(ctx)
	}
	for {
		s.buf = buf
		err := s.raw.Read(s.recv)
		s.buf = nil
		switch {
		case err != nil && ctx.Err() != nil:
			return 0, ctxerr.Of(ctx)
		case errors.Is(err, os.ErrDeadlineExceeded):
			return 0, fmt.Errorf("no answer for %v: %w", timeout, err)
		case err != nil:
			return 0, err
		case s.err != 0:
			return 0, s.err
		case s.n > len(buf):
			return 0, &MessageError{What: "datagram", Len: len(buf), Want: s.n}
		case s.n == 0:
			return 0, errors.New("the kernel closed the connection")
		case s.from.Family == unix.AF_NETLINK && s.from.Pid != 0:
			continue // another process wrote to us
		}
		return s.n, nil
	}
}

// bare strips the wrapping that says only where a system call was made.
func bare(err error) error {
	if op, ok := errors.AsType[*netlink.OpError](err); ok {
		err = op.Err
	}
	if sc, ok := errors.AsType[*os.SyscallError](err); ok {
		return sc.Err
	}
	return err
}
