package diag

import "os"

// What package exact needs of a Conn and its batches.

// InNetNS runs f on a thread that is in the network namespace that c looks into, for what such a thread opens. Another namespace than
// that of the calling thread needs CAP_SYS_ADMIN.
func (c *Conn) InNetNS(f func() error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return os.ErrClosed
	}
	return inNetNS(c.ns, c.cfg.Proc, f)
}

// Elsewhere reports whether the kernel that is asked may be another than the one that runs: Config.Socket was given.
func (c *Conn) Elsewhere() bool { return c.cfg.Socket != nil }

// Drop takes sockets out of the batch before they are decoded: those whose cookie drop reports. It returns false where the batch is of
// rows from /proc, which have no cookies.
func (b *Batch) Drop(drop func(cookie uint64) bool) (ok bool) {
	b.blank(offCookie, drop)
	return len(b.socks) == 0
}
