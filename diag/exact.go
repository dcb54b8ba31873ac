package diag

import (
	"encoding/binary"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// What package exact needs of a Conn and its batches.

// InNetNS runs f on a thread that is in the network namespace that c looks into, for what such a thread opens. Another namespace than
// that of the calling thread needs CAP_SYS_ADMIN.
func (c *Conn) InNetNS(f func() error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return os.ErrClosed
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if c.ns == nil || inNamespace(c.ns, c.cfg.Proc) {
		return f()
	}
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		if err := unix.Setns(int(c.ns.Fd()), unix.CLONE_NEWNET); err != nil {
			done <- os.NewSyscallError("setns", err)
			return
		}
		done <- f()
	}()
	return <-done
}

// Elsewhere reports whether the kernel that is asked may be another than the one that runs: Config.Socket was given.
func (c *Conn) Elsewhere() bool { return c.cfg.Socket != nil }

// Drop takes sockets out of the batch before they are decoded: those whose cookie drop reports. It returns false where the batch is of
// rows from /proc, which have no cookies.
func (b *Batch) Drop(drop func(cookie uint64) bool) (ok bool) {
	ne := binary.NativeEndian
	for rest := b.buf[:b.n]; len(rest) >= sizeofNlMsghdr; {
		n := int(ne.Uint32(rest)) // scan has seen that it fits
		if ne.Uint16(rest[4:]) >= nlmsgMinType && n >= sizeofNlMsghdr+sizeofInetDiagMsg && drop(cookie(rest[sizeofNlMsghdr+offCookie:])) {
			ne.PutUint16(rest[4:], nlmsgNoop)
		}
		rest = rest[min((n+3)&^3, len(rest)):]
	}
	return len(b.socks) == 0
}
