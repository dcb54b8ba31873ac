package diag

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// repeats finds the sockets of a dump that the kernel sends twice.
//
// A dump goes on where the message before ended: at a bucket of the kernel's table, and a number of sockets in it that have been
// shown. New sockets are put in front of their bucket, so if n came into that one meanwhile, the n shown last are shown again. (A
// bucket of more than 16 TCP sockets is left and resumed within a message too: SKARR_SZ in net/ipv4/inet_diag.c.) So a repeat is never
// further behind than the number of sockets that came into one bucket between two messages, and it is enough to look at this message
// and the one before. A socket whose bucket lost another one in that time is not sent at all; nothing here can tell.
//
// A socket is known by its cookie, which goes from a connection request to the connection and on to its TIME_WAIT.
type repeats struct {
	this, last *cookies
}

// cookies is a hash of the cookies of one message.
type cookies [2048]uint64

// cookieAt returns where in the messages that answer a request the cookie is, or 0 where sockets are not told apart by it: the
// associations of an SCTP socket share one, and a netlink socket that has joined groups is sent twice in any case.
func cookieAt(a *ask) int {
	const sizeofHead = 2 // family and protocol, of every request
	switch {
	case a.typ == tcpdiagGetsock:
		return offCookie
	case len(a.data) < sizeofHead:
		return 0
	}
	switch a.data[0] {
	case unix.AF_INET, unix.AF_INET6:
		if a.data[1] == syscall.IPPROTO_SCTP {
			return 0
		}
		return offCookie
	case unix.AF_UNIX, unix.AF_PACKET, unix.AF_XDP:
		return 8 // struct unix_diag_msg, packet_diag_msg, xdp_diag_msg: udiag_cookie, pdiag_cookie, xdiag_cookie
	case unix.AF_VSOCK:
		return 24 // struct vsock_diag_msg: vdiag_cookie
	}
	return 0
}

// begin forgets what was seen in another dump.
func (r *repeats) begin() {
	if r.this == nil {
		r.this, r.last = new(cookies), new(cookies)
		return
	}
	clear(r.this[:])
}

// drop blanks out the messages of b whose cookie, at off in the payload, was seen in b or in the batch before.
func (r *repeats) drop(b *Batch, off int) {
	r.this, r.last = r.last, r.this
	clear(r.this[:])
	b.blank(off, func(c uint64) bool {
		none := c == 0 || c == ^uint64(0) // INET_DIAG_NOCOOKIE
		return !none && (r.last.has(c) || !r.this.add(c))
	})
}

// slot returns where c is, or else where it belongs. The shortest messages, those of unix sockets, have 32 bytes: there are at most
// 1024 in a batch, so that there is always room.
func (s *cookies) slot(c uint64) *uint64 {
	for i := c * 0x9e3779b97f4a7c15 >> 53; ; i = (i + 1) % uint64(len(s)) {
		if s[i] == c || s[i] == 0 {
			return &s[i]
		}
	}
}

func (s *cookies) has(c uint64) bool { return *s.slot(c) == c }

// add puts c into the set, and reports whether it was not there.
func (s *cookies) add(c uint64) bool {
	p := s.slot(c)
	if *p == c {
		return false
	}
	*p = c
	return true
}
