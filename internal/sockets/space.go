package sockets

import (
	"context"
	"errors"
	"os"

	"github.com/sockeye-tools/sockeye/diag"
)

// Space is a network namespace to show.
type Space struct {
	Name string
	// Conn looks into it; or Dial opens it when its turn comes, and it is closed behind.
	Conn *diag.Conn
	Dial func() (*diag.Conn, error)

	Queries []diag.InetQuery
	// Connections, if not nil, are all TCP sockets of the namespace but for those that listen or are only bound. They are looked up
	// one by one, where a dump would walk over the connections of all namespaces.
	Connections []diag.InetKey
}

// SpaceError is the error that kept from looking into a namespace.
type SpaceError struct {
	Space int
	Err   error
}

func (e *SpaceError) Error() string { return e.Err.Error() }
func (e *SpaceError) Unwrap() error { return e.Err }

func (sp *Space) dial() (*diag.Conn, error) {
	if sp.Conn != nil {
		return sp.Conn, nil
	}
	return sp.Dial()
}

// Space returns the number of the namespace that the last socket or error of All is of.
func (r *Run) Space() int { return r.space }

// enter tells of another namespace.
func (r *Run) enter(space int) {
	if space != r.space {
		if r.space = space; r.req.Enter != nil {
			r.req.Enter(space)
		}
	}
}

// connections returns the states of a query that are those of TCP connections. Its states are not 0.
func connections(q diag.InetQuery) diag.States {
	if q.Protocol != 0 && q.Protocol != diag.TCP {
		return 0
	}
	return q.States &^ diag.StatesOf(diag.Listen, diag.BoundInactive)
}

// lookedUp is how many sockets are in an item.
const lookedUp = 256

// lookUp asks for the connections that are known one by one, and sends those that the query would; the items are like it. One that is
// gone is none, and one that is another socket's by now is not it.
func (r *Run) lookUp(ctx context.Context, c *diag.Conn, it item, states diag.States, known []diag.InetKey) error {
	send := func() bool {
		more := len(it.socks) == 0 || r.send(ctx, it)
		it.socks = nil
		return more
	}
	for _, k := range known {
		k.Ext = it.query.Ext
		s, err := c.LookupInet(ctx, k)
		switch {
		case errors.Is(err, os.ErrNotExist):
			continue
		case err != nil:
			send()
			return err
		case !states.Has(s.State) || it.query.Family != diag.Unspec && s.Family != it.query.Family || s.Local != k.Local || s.Remote != k.Remote:
			continue
		}
		if it.socks = append(it.socks, s); len(it.socks) == lookedUp && !send() {
			return cut(ctx, it)
		}
	}
	if !send() {
		return cut(ctx, it)
	}
	return nil
}
