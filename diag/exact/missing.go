package exact

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"iter"

	"github.com/sockeye-tools/sockeye/diag"
)

const (
	// rounds is how often what was missed is dumped again.
	rounds = 5
	// fewPorts is up to how many ports are dumped one by one.
	fewPorts = 8
	// maxCode is how much bytecode a query takes; sizeofTest is what onPort adds.
	maxCode, sizeofTest = 1<<16 - 1 - 4, 8
)

// Missing yields, when the query's dumps have ended, the sockets that were counted and are still there, but were not in any batch that
// Drop saw. Each is valid until the next is asked for. An error ends the sequence; it is diag.ErrPartial where sockets are still
// missing in the end.
func (x *Counter) Missing(ctx context.Context, c *diag.Conn, census *Census) iter.Seq2[*diag.InetSocket, error] {
	return func(yield func(*diag.InetSocket, error) bool) {
		q := census.query
		var left []*record // that cannot be asked for by their addresses, because others have the same
		for _, r := range census.missing() {
			if q.Protocol == diag.UDP || r.state() == diag.Listen {
				left = append(left, r)
				continue
			}
			s, err := c.LookupInet(ctx, r.key(q.Protocol, q.Ext))
			switch {
			case errors.Is(err, fs.ErrNotExist): // it is gone
			case err != nil:
				yield(nil, err)
				return
			case inStates(s.State, q.States) && !census.note(s.Cookie) && !yield(s, nil):
				return
			}
		}
		for range rounds {
			var err error
			if left, err = x.still(ctx, c, &q, left); err != nil {
				yield(nil, err)
				return
			}
			if len(left) == 0 {
				return
			}
			for _, again := range narrow(q, left) {
				for s, err := range c.Inet(ctx, again) {
					if err != nil {
						yield(nil, err)
						return
					}
					if !census.note(s.Cookie) && !yield(s, nil) {
						return
					}
				}
			}
			left = census.unseen(left)
		}
		if len(left) > 0 {
			err := fmt.Errorf("%d sockets exist, and %d dumps did not have them", len(left), rounds)
			yield(nil, &diag.Error{Op: "dump " + q.Protocol.String(), Err: err, Partial: true})
		}
	}
}

// still returns those of the records whose sockets exist.
func (x *Counter) still(ctx context.Context, c *diag.Conn, q *diag.InetQuery, records []*record) (left []*record, err error) {
	if len(records) == 0 {
		return nil, nil
	}
	now := *q
	if q.Protocol == diag.TCP {
		now.States = diag.StatesOf(diag.Listen)
	}
	list, err := x.count(ctx, c, &now)
	if err != nil {
		return nil, fmt.Errorf("exact: count %v: %w", q.Protocol, err)
	}
	exist := make(map[uint64]bool, len(list))
	for i := range list {
		exist[list[i].cookie()] = true
	}
	for _, r := range records {
		if exist[r.cookie()] {
			left = append(left, r)
		}
	}
	return left, nil
}

// narrow returns queries for the records: port by port, where they are few, so that an answer fits one message.
func narrow(q diag.InetQuery, records []*record) (list []diag.InetQuery) {
	if q.Protocol == diag.TCP {
		q.States = diag.StatesOf(diag.Listen)
	}
	ports := map[uint16]bool{}
	for _, r := range records {
		ports[r.sport()] = true
	}
	if len(ports) > fewPorts || len(q.Bytecode) > maxCode-sizeofTest {
		return []diag.InetQuery{q}
	}
	for p := range ports {
		one := q
		one.Bytecode = onPort(q.Bytecode, p)
		list = append(list, one)
	}
	return list
}

// onPort puts a test for a local port in front of a bytecode program: INET_DIAG_BC_S_EQ of linux/inet_diag.h.
func onPort(code []byte, port uint16) []byte {
	const sEQ = 11
	test := []byte{sEQ, 8, 0, 0, 0, 0, 0, 0}
	// yes: the next operation; no: four behind the end, which rejects.
	binary.NativeEndian.PutUint16(test[2:], uint16(8+len(code)+4))
	binary.NativeEndian.PutUint16(test[6:], port)
	return append(test, code...)
}

// note is repeated for one socket.
func (c *Census) note(cookie uint64) (was bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.repeated(cookie)
}

// unseen returns those of the records that were not shown.
func (c *Census) unseen(records []*record) (left []*record) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range records {
		if !c.shown[c.index[r.cookie()]] {
			left = append(left, r)
		}
	}
	return left
}
