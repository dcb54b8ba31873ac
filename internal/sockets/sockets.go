// Package sockets is what the faces of sockeye share: it runs the dumps that a command line asks for, one after the other, and
// has their owners looked up. One goroutine receives, the caller's decodes.
package sockets

import (
	"cmp"
	"context"
	"errors"
	"io"
	"iter"
	"os"
	"runtime"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/exact"
	"github.com/sockeye-tools/sockeye/diag/owner"
	"github.com/sockeye-tools/sockeye/internal/ctxerr"
)

// few is how many datagrams are held back to see whether the answer is short: then only its own inodes are looked up. 64 are
// 2 MiB, about 16,000 sockets.
const few = 64

// many is how many are held back while all owners of the host are looked up: 16 MiB.
const many = 512

// Request is what to show.
type Request struct {
	Queries []diag.InetQuery
	// Match picks sockets, beyond what the queries say; nil takes all.
	Match func(*diag.InetSocket) bool
	// Owners says how owners are looked up; nil: they are not wanted.
	Owners *owner.Config
	// Also are inodes of other sockets whose owners are wanted too.
	Also []uint32
	// Exact has each TCP and UDP socket shown exactly once that exists all the time: package exact says what that takes.
	Exact bool
	// Plan, if not nil, is where the plan is written; nothing is dumped then.
	Plan io.Writer
	// Enter, if not nil, is called before sockets of another namespace are matched or yielded, with its number. It is called on the
	// goroutine of the caller, and from the start again when All begins.
	Enter func(space int)
}

// QueryError is the error that ended one query of a request. The queries behind it still run.
type QueryError struct {
	Query diag.InetQuery
	Err   error
}

func (e *QueryError) Error() string { return e.Err.Error() }
func (e *QueryError) Unwrap() error { return e.Err }

// Run is a request that is running.
type Run struct {
	req    Request
	cancel context.CancelFunc
	pool   diag.BatchPool
	items  chan item
	held   []item // received before the owners were looked up
	unsent *item  // the last one, where ctx was done before it could be sent; set before items is closed
	owners *owner.Table
	space  int            // that of the item at hand
	exact  *exact.Counter // nil: not wanted
}

// item is a batch, some sockets, or the end of a query.
type item struct {
	space int
	query *diag.InetQuery
	batch *diag.Batch
	socks []*diag.InetSocket
	err   error
	end   bool
}

// sockets yields those of the item. Each is valid until the next is asked for.
func (it *item) sockets(yield func(*diag.InetSocket) bool) {
	for _, s := range it.socks {
		if !yield(s) {
			return
		}
	}
	if it.batch != nil {
		it.batch.Inet()(yield)
	}
}

// Open starts the dumps. If owners are wanted it returns when they are known: looked up for the inodes of a short answer, and for
// all inodes of the host when the answer is long. The error is the resolver's, that of package exact, or the plan's.
func Open(ctx context.Context, c *diag.Conn, req Request) (*Run, error) {
	return OpenSpaces(ctx, []Space{{Conn: c, Queries: req.Queries}}, req)
}

// OpenSpaces is Open for several network namespaces, one after the other; the queries are those of each.
func OpenSpaces(ctx context.Context, spaces []Space, req Request) (*Run, error) {
	ctx, cancel := context.WithCancel(ctx)
	r := &Run{req: req, cancel: cancel, items: make(chan item, 192), space: -1}
	if req.Plan != nil {
		close(r.items)
		return r, r.plan(ctx, spaces)
	}
	if req.Exact {
		var err error
		if r.exact, err = exact.New(); err != nil {
			cancel()
			close(r.items)
			return nil, err
		}
	}
	go r.receive(ctx, spaces)
	if req.Owners == nil || req.Owners.Backend == owner.None {
		return r, nil
	}
	if r.hold(few) {
		want := append([]uint32{}, req.Also...)
		for _, it := range r.held {
			r.enter(it.space)
			for s := range it.sockets {
				if s.Inode != 0 && (req.Match == nil || req.Match(s)) {
					want = append(want, s.Inode)
				}
			}
		}
		r.space = -1 // from the start again
		return r.resolve(ctx, want)
	}
	// The answer is long. The dump goes on while the owners are looked up, as far as memory allows.
	found := make(chan error)
	go func() {
		_, err := r.resolve(ctx, nil)
		found <- err
	}()
	items := r.items
	for {
		select {
		case it, ok := <-items:
			if ok {
				r.held = append(r.held, it)
			}
			if !ok || len(r.held) >= many {
				items = nil
			}
		case err := <-found:
			if err != nil {
				return nil, err
			}
			return r, nil
		}
	}
}

// hold takes up to n items with sockets, and reports whether those were all.
func (r *Run) hold(n int) bool {
	for it := range r.items {
		r.held = append(r.held, it)
		if !it.end {
			n--
		}
		if n == 0 {
			return false
		}
	}
	return true
}

func (r *Run) resolve(ctx context.Context, want []uint32) (_ *Run, err error) {
	if r.owners, err = owner.Resolve(ctx, r.req.Owners, want); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// dumps is how many dumps run at a time: one processor is for decoding and printing, which takes a third of the time that the kernel
// takes, and a busy host needs the others for other things.
func dumps() int { return max(1, min(runtime.GOMAXPROCS(0)-1, 4)) }

// receive runs the queries one after the other, each as it is planned.
func (r *Run) receive(ctx context.Context, spaces []Space) {
	defer close(r.items)
	if r.exact != nil {
		defer r.exact.Close()
	}
	for i := range spaces {
		sp := &spaces[i]
		if len(sp.Queries) == 0 {
			continue
		}
		c, err := sp.dial()
		if err != nil {
			if !r.finish(ctx, item{space: i, err: &SpaceError{i, err}}) {
				return
			}
			continue
		}
		more := r.inSpace(ctx, i, sp, c)
		if sp.Conn == nil {
			c.Close()
		}
		if !more {
			return
		}
	}
}

// inSpace runs the queries of one namespace, and reports whether to go on.
func (r *Run) inSpace(ctx context.Context, space int, sp *Space, c *diag.Conn) bool {
	for _, q := range sp.Queries {
		err := r.query(ctx, c, item{space: space, query: &q}, sp.Connections)
		if !r.finish(ctx, item{space: space, query: &q, err: err}) {
			return false
		}
	}
	return true
}

// finish sends the end of a query, or of a namespace, and reports whether to go on. Where ctx is done, so that nobody may wait for it, it is
// kept for All, with ctx's error.
func (r *Run) finish(ctx context.Context, it item) bool {
	it.end = true
	if r.send(ctx, it) {
		return true
	}
	if !errors.Is(it.err, ctx.Err()) {
		it.err = cut(ctx, it)
	}
	r.unsent = &it
	return false
}

// cut is the error of what the item is of, where it was not all sent, since ctx is done.
func cut(ctx context.Context, it item) error {
	err := ctxerr.Of(ctx)
	if it.query == nil {
		return &SpaceError{it.space, err}
	}
	return &diag.Error{Op: "dump " + cmp.Or(it.query.Protocol, diag.TCP).String(), Err: err, Partial: true}
}

// query runs one query. The items that it sends are like it; what was looked up is taken out of its query, which an error is about.
func (r *Run) query(ctx context.Context, c *diag.Conn, it item, known []diag.InetKey) error {
	q := *it.query
	if r.exact != nil && exact.Covers(cmp.Or(q.Protocol, diag.TCP)) {
		if err := r.exactly(ctx, c, it); err != nil {
			return &exactError{err}
		}
		return nil
	}
	if q.States == 0 {
		q.States = diag.AllStates
	}
	if rest := connections(q); rest != 0 && known != nil {
		if err := r.lookUp(ctx, c, it, rest, known); err != nil {
			return err
		}
		if q.States &^= rest; q.States == 0 {
			return nil
		}
		it.query.States = q.States
	}
	for _, step := range c.Plan(ctx, q, dumps()) {
		if err := r.step(ctx, c, it, step, nil); err != nil {
			return err
		}
	}
	return nil
}

// exactly is query without omissions and repeats.
func (r *Run) exactly(ctx context.Context, c *diag.Conn, it item) error {
	census, err := r.exact.Census(ctx, c, *it.query)
	if err != nil {
		return err
	}
	for _, step := range c.Plan(ctx, *it.query, dumps()) {
		if err := r.step(ctx, c, it, step, census); err != nil {
			return err
		}
	}
	for s, err := range r.exact.Missing(ctx, c, census) {
		if err != nil {
			return err
		}
		it.socks = []*diag.InetSocket{s.Clone()}
		if !r.send(ctx, it) {
			return cut(ctx, it)
		}
	}
	return nil
}

// step runs the queries of a step at the same time, and returns the first error. What a census knows to be shown is left out.
func (r *Run) step(ctx context.Context, c *diag.Conn, it item, step diag.Step, census *exact.Census) error {
	errs := make([]error, len(step.Queries))
	var wg sync.WaitGroup
	for i, q := range step.Queries {
		wg.Go(func() {
			for b, err := range c.InetBatches(ctx, q, &r.pool) {
				if err == nil && census != nil {
					err = census.Drop(b)
				}
				if err != nil {
					errs[i] = err
				} else if !r.send(ctx, item{space: it.space, query: it.query, batch: b}) {
					errs[i] = cut(ctx, it)
					return
				}
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *Run) send(ctx context.Context, it item) bool {
	select {
	case r.items <- it:
		return true
	case <-ctx.Done():
		return false
	}
}

// Owners returns the owners of the sockets, or nil where they were not wanted.
func (r *Run) Owners() *owner.Table { return r.owners }

// Close ends the run, if it has not come to its end.
func (r *Run) Close() {
	r.cancel()
	for range r.items { // the receiver may be about to send
	}
}

// All yields the sockets, query by query. A socket is valid until the next is asked for. An error is a *QueryError, or a *SpaceError,
// and does not end the sequence: it stands where the rest of that query, or namespace, would. Where the context is done before all was
// received, the last error is the context's, and there is none for the queries that did not begin.
func (r *Run) All() iter.Seq2[*diag.InetSocket, error] {
	return func(yield func(*diag.InetSocket, error) bool) {
		defer r.Close()
		broken := 0
		each := func(it item) bool {
			r.enter(it.space)
			if it.end {
				if it.err == nil && broken > 0 {
					it.err = diag.BrokenError(*it.query, broken)
				}
				broken = 0
				if it.err != nil && it.query != nil {
					it.err = &QueryError{*it.query, it.err}
				}
				return it.err == nil || yield(nil, it.err)
			}
			for s := range it.sockets {
				if (r.req.Match == nil || r.req.Match(s)) && !yield(s, nil) {
					return false
				}
			}
			if it.batch != nil {
				broken += it.batch.Broken()
				r.pool.Put(it.batch)
			}
			return true
		}
		for _, it := range r.held {
			if !each(it) {
				return
			}
		}
		r.held = nil
		for it := range r.items {
			if !each(it) {
				return
			}
		}
		if r.unsent != nil {
			each(*r.unsent)
		}
	}
}

// exactError is why a query could not be exact. Where that is not supported the protocol may well be.
type exactError struct{ err error }

func (e *exactError) Error() string { return e.err.Error() }
func (e *exactError) Unwrap() error { return e.err }

// Unsupported reports whether err says that the kernel does not have the protocol.
func Unsupported(err error) bool {
	_, inexact := errors.AsType[*exactError](err)
	return !inexact && errors.Is(err, errors.ErrUnsupported)
}

// Refused reports a query that the kernel did not take, and returns it without what may have been refused: the values of BPF maps, which
// take a privilege, else the bytecode, so that Match looks at every socket.
func Refused(err error) (diag.InetQuery, bool) {
	qe, ok := errors.AsType[*QueryError](err)
	if !ok || errors.Is(err, diag.ErrPartial) || !errors.Is(err, os.ErrPermission) && !errors.Is(err, unix.EINVAL) {
		return diag.InetQuery{}, false
	}
	q := qe.Query
	switch {
	case q.BPFMaps != nil && errors.Is(err, os.ErrPermission):
		q.BPFMaps = nil
	case q.Bytecode != nil:
		q.Bytecode = nil
	default:
		return diag.InetQuery{}, false
	}
	return q, true
}
