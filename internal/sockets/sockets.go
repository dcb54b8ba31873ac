// Package sockets is what the faces of sockeye share: it runs the dumps that a command line asks for, one after the other, and
// has their owners looked up. One goroutine receives, the caller's decodes.
package sockets

import (
	"context"
	"errors"
	"io"
	"iter"
	"runtime"
	"sync"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/owner"
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
	// Plan, if not nil, is where the plan is written; nothing is dumped then.
	Plan io.Writer
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
	owners *owner.Table
}

// item is a batch, or the end of a query.
type item struct {
	query int
	batch *diag.Batch
	err   error
	end   bool
}

// Open starts the dumps. If owners are wanted it returns when they are known: looked up for the inodes of a short answer, and for
// all inodes of the host when the answer is long. The error is the resolver's.
func Open(ctx context.Context, c *diag.Conn, req Request) (*Run, error) {
	ctx, cancel := context.WithCancel(ctx)
	r := &Run{req: req, cancel: cancel, items: make(chan item, 192)}
	if req.Plan != nil {
		close(r.items)
		return r, writePlan(ctx, req.Plan, c, req)
	}
	go r.receive(ctx, c)
	if req.Owners == nil || req.Owners.Backend == owner.None {
		return r, nil
	}
	if r.hold(few) {
		want := []uint32{}
		for _, it := range r.held {
			if it.batch == nil {
				continue
			}
			for s := range it.batch.Inet() {
				if s.Inode != 0 && (req.Match == nil || req.Match(s)) {
					want = append(want, s.Inode)
				}
			}
		}
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

// hold takes up to n items, and reports whether those were all.
func (r *Run) hold(n int) bool {
	for it := range r.items {
		if r.held = append(r.held, it); len(r.held) == n {
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
func (r *Run) receive(ctx context.Context, c *diag.Conn) {
	defer close(r.items)
	for i, q := range r.req.Queries {
		var err error
		for _, step := range c.Plan(ctx, q, dumps()) {
			if err = r.step(ctx, c, i, step); err != nil {
				break
			}
		}
		if !r.send(ctx, item{query: i, err: err, end: true}) {
			return
		}
	}
}

// step runs the queries of a step at the same time, and returns the first error.
func (r *Run) step(ctx context.Context, c *diag.Conn, query int, step diag.Step) error {
	errs := make([]error, len(step.Queries))
	var wg sync.WaitGroup
	for i, q := range step.Queries {
		wg.Go(func() {
			for b, err := range c.InetBatches(ctx, q, &r.pool) {
				if err != nil {
					errs[i] = err
				} else if !r.send(ctx, item{query: query, batch: b}) {
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

// All yields the sockets, query by query. A socket is valid until the next is asked for. An error is a *QueryError, and does not
// end the sequence: it stands where the rest of that query would.
func (r *Run) All() iter.Seq2[*diag.InetSocket, error] {
	return func(yield func(*diag.InetSocket, error) bool) {
		defer r.Close()
		broken := 0
		each := func(it item) bool {
			if it.end {
				q := r.req.Queries[it.query]
				if it.err == nil && broken > 0 {
					it.err = diag.BrokenError(q, broken)
				}
				broken = 0
				return it.err == nil || yield(nil, &QueryError{q, it.err})
			}
			for s := range it.batch.Inet() {
				if (r.req.Match == nil || r.req.Match(s)) && !yield(s, nil) {
					return false
				}
			}
			broken += it.batch.Broken()
			r.pool.Put(it.batch)
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
	}
}

// Unsupported reports whether err says that the kernel does not have the protocol.
func Unsupported(err error) bool { return errors.Is(err, errors.ErrUnsupported) }
