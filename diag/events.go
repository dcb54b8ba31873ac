package diag

import (
	"context"
	"errors"
	"iter"
	"os"
	"slices"
	"syscall"
	"time"
)

// EventQuery says which sockets are watched.
type EventQuery struct {
	// Protocols are TCP and UDP; none are both. Sockets of MPTCP and UDP-Lite count as those of TCP and UDP.
	Protocols []Protocol
	// Family is IPv4, IPv6, or Unspec for both.
	Family Family
	// Begun, if not nil, is called once the watch is on: what is freed from then on is yielded. It is called on the goroutine that
	// ranges, before the first socket. A program that wants the sockets that exist as well dumps them then.
	Begun func()
}

// Multicast groups (SKNLGRP_* of linux/sock_diag.h).
const (
	groupInetTCPDestroy  = 1
	groupInetUDPDestroy  = 2
	groupInet6TCPDestroy = 3
	groupInet6UDPDestroy = 4
)

// eventBuffer is how many bytes of events the kernel keeps, about 2,000 of them, if it may.
const eventBuffer = 1 << 20

// InetDestroyed yields the sockets of the namespace that are freed from now on, until ctx is done or the caller breaks off: their
// last word, with all attributes that the protocol has (tcp_info among them). The state is Close and the inode is 0 by then;
// sockets in TimeWait and SynRecv are not told of. One that was aborted (closed with a linger time of 0) may have lost the port of Remote.
// A socket is valid until the next one. Every user may watch; Linux 4.2.
//
// An error that is ErrPartial does not end the sequence: the program was slow, and events were lost before the next one. Any other
// ends it.
func (c *Conn) InetDestroyed(ctx context.Context, q EventQuery) iter.Seq2[*InetSocket, error] {
	return func(yield func(*InetSocket, error) bool) {
		err := c.watch(ctx, q, yield)
		if err == nil {
			return
		}
		if e, ok := errors.AsType[*Error](err); ok {
			err = e
		} else {
			err = &Error{Op: "watch sockets", Err: bare(err)}
		}
		yield(nil, err)
	}
}

// groups returns the multicast groups of a query.
func (q *EventQuery) groups() (list []uint32) {
	for _, g := range []struct {
		p  Protocol
		f  Family
		id uint32
	}{
		{TCP, IPv4, groupInetTCPDestroy}, {UDP, IPv4, groupInetUDPDestroy},
		{TCP, IPv6, groupInet6TCPDestroy}, {UDP, IPv6, groupInet6UDPDestroy},
	} {
		if (q.Family == Unspec || q.Family == g.f) && (len(q.Protocols) == 0 || slices.Contains(q.Protocols, g.p)) {
			list = append(list, g.id)
		}
	}
	return list
}

func (c *Conn) watch(ctx context.Context, q EventQuery, yield func(*InetSocket, error) bool) error {
	groups := q.groups()
	other := func(p Protocol) bool { return p != TCP && p != UDP }
	if len(groups) == 0 || slices.ContainsFunc(q.Protocols, other) {
		return &Error{Op: "watch sockets", Err: errors.ErrUnsupported, Message: "only TCP and UDP sockets of IPv4 and IPv6 are told of"}
	}
	s, err := c.get()
	if err != nil {
		return err
	}
	defer c.put(s, false)
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	defer context.AfterFunc(c.ending, func() { stop(os.ErrClosed) })()
	defer context.AfterFunc(ctx, func() { s.nl.SetReadDeadline(time.Unix(1, 0)) })()
	s.nl.SetReadBuffer(eventBuffer) // the system's limit applies to who has no CAP_NET_ADMIN
	for _, g := range groups {
		if err := s.nl.JoinGroup(g); err != nil {
			return err
		}
	}
	if q.Begun != nil {
		q.Begun()
	}
	b := newBatch()
	var sock InetSocket
	for {
		const year = 365 * 24 * time.Hour
		n, err := s.receive(ctx, b.buf, year)
		if errors.Is(err, syscall.ENOBUFS) {
			lost := &Error{Op: "watch sockets", Err: err, Message: "events were lost", Partial: true}
			if !yield(nil, lost) {
				return nil
			}
			continue
		}
		switch {
		case err != nil && context.Cause(ctx) == os.ErrClosed:
			return os.ErrClosed
		case err != nil:
			return err
		}
		if e := b.scan(n, 0, 0); e.err != nil {
			return e.err
		}
		for m := range b.messages {
			if err := sock.decode(m, TCP); err != nil {
				return err
			}
			if p, ok := sock.RawProtocol(); ok {
				sock.Protocol = p
			}
			if !yield(&sock, nil) {
				return nil
			}
		}
	}
}
