package field

import (
	"net/netip"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/owner"
)

// Owners says which processes hold a socket; *owner.Table does.
type Owners interface {
	Owners(dst []owner.Owner, inode uint32) []owner.Owner
	Process(pid int32) *owner.Process
	Denied() int
}

// Context is what fields need beyond the socket. A function that is nil names nothing. It serves one goroutine at a time.
type Context struct {
	Owners Owners // nil: they were not looked up
	Device func(index uint32) (string, bool)
	User   func(uid uint32) (string, bool)
	Cgroup func(id uint64) (string, bool)
	Watch  *Watch // nil: sockets are shown once
	// SocketUnit returns the systemd socket unit that listens at an address.
	SocketUnit func(p diag.Protocol, local netip.AddrPort) (string, bool)
	NetNS      string // the name of the network namespace that is being dumped
	Proc       string // where procfs is mounted; "": /proc

	held    []owner.Owner
	holders []*Holder
	last    uint32 // the inode that holders is of; 0: none
	table   Owners // that it is from
	known   map[int32]*Holder

	users map[uint32]string
	user  struct { // that was named last
		uid  uint32
		name string
	}
	ulp diag.ULP // of the socket that is being read
}

func (c *Context) proc() string {
	if c.Proc == "" {
		return "/proc"
	}
	return c.Proc
}

// Holders returns the processes that hold a socket, each once, in the order of their pids. The slice is valid until the next
// call.
func (c *Context) Holders(s *diag.InetSocket) []*Holder {
	if c.last == s.Inode && c.table == c.Owners {
		return c.holders
	}
	return c.find(s)
}

// find is Holders of another socket than the last.
func (c *Context) find(s *diag.InetSocket) []*Holder {
	if c.Owners == nil || s.Inode == 0 {
		return nil
	}
	if c.table != c.Owners {
		clear(c.known) // numbers of processes, which others may have by now
	}
	c.last, c.table = s.Inode, c.Owners
	c.holders = c.holders[:0]
	c.held = c.Owners.Owners(c.held[:0], s.Inode)
	for i, o := range c.held {
		if i > 0 && o.PID == c.held[i-1].PID {
			continue
		}
		h := c.known[o.PID]
		if h == nil {
			if c.known == nil {
				c.known = map[int32]*Holder{}
			}
			p := c.Owners.Process(o.PID)
			h = &Holder{PID: o.PID, FD: o.FD, Comm: p.Comm, Known: p.Known, inode: s.Inode}
			c.known[o.PID] = h
		}
		c.holders = append(c.holders, h)
	}
	return c.holders
}

// WhyNone says why no process is known to hold a socket: "time-wait" and "syn-recv" have no descriptor; "unaccepted" waits for
// accept(2); an "orphan" was closed and still has data or a FIN to bring home; "unseen": no process that can be seen holds it (it is the
// kernel's own, in io_uring, on its way by SCM_RIGHTS, or of another pid namespace); "unknown": the descriptors of some processes
// could not be read. "" if it has an owner, or owners were not looked up.
func (c *Context) WhyNone(s *diag.InetSocket) string {
	if what := small(s); what != "" {
		return what
	}
	if s.Inode == 0 {
		switch s.State {
		case diag.FinWait1, diag.FinWait2, diag.Closing, diag.LastAck:
			return "orphan"
		case diag.Established, diag.CloseWait:
			return "unaccepted"
		}
		return "unseen"
	}
	switch {
	case c.Owners == nil || len(c.Holders(s)) > 0:
		return ""
	case c.Owners.Denied() > 0:
		return "unknown"
	}
	return "unseen"
}
