package diag

import "os"

// What package exact needs of a Conn and its batches.

// InNetNS runs f on a thread that is in the network namespace that c looks into, for what such a thread opens. Another namespace than
// that of the calling thread needs CAP_SYS_ADMIN, and f is called from another goroutine.
func (c *Conn) InNetNS(f func() error) error {
	ns, err := c.namespace()
	if err != nil {
		return err
	}
	if ns != nil {
		defer ns.Close()
	}
	return inNetNS(ns, c.cfg.Proc, f)
}

// namespace returns a descriptor of the namespace that is the caller's, so that the Conn is not locked meanwhile; nil where it cannot be
// told.
func (c *Conn) namespace() (*os.File, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return nil, os.ErrClosed
	case c.ns == nil:
		return nil, nil
	}
	return duplicate(c.ns.Fd())
}

// Elsewhere reports whether the kernel that is asked may be another than the one that runs: Config.Socket was given.
func (c *Conn) Elsewhere() bool { return c.cfg.Socket != nil }

// Drop takes sockets out of the batch before they are decoded: those whose cookie drop reports. It returns false where the batch is of
// rows from /proc, which have no cookies.
func (b *Batch) Drop(drop func(cookie uint64) bool) (ok bool) {
	b.blank(offCookie, drop)
	return len(b.socks) == 0
}
