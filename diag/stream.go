package diag

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"iter"
	"math"
)

// query is what the dump of one of the smaller families takes. S is its socket.
type query[S any] struct {
	ask
	// decode fills a socket from a message, which it borrows.
	decode func(*S, []byte) error
	// table is the name below /proc/net, "" where there is none, split finds its lines, and parse fills a socket from one.
	table string
	split bufio.SplitFunc
	parse func(*S, []byte) bool
	// keep picks of what was read from the table what the kernel would have picked; nil: all.
	keep func(*S) bool
}

// stream yields the sockets that a query asks for: one S, filled again and again. Errors are as Inet has them.
func stream[S any](ctx context.Context, c *Conn, q query[S]) iter.Seq2[*S, error] {
	return func(yield func(*S, error) bool) {
		var s S
		broken, yielded := 0, false
		d := dump{conn: c, ctx: ctx}
		d.yield = func(b *Batch) bool {
			for m := range b.messages {
				if q.decode(&s, m) != nil {
					broken++
				} else if !yield(&s, nil) {
					return false
				}
			}
			return true
		}
		more, err := d.patiently(q.ask)
		if err != nil && !err.Partial {
			if h, ok := unhandled(err.Err); ok {
				err.Err = h
				if m, e := d.lines(q.table, q.split, func(line []byte) bool {
					switch {
					case !q.parse(&s, line):
						broken++
						return true
					case q.keep != nil && !q.keep(&s):
						return true
					}
					yielded = true
					return yield(&s, nil)
				}); e != errNoTable {
					more, err = m, e
				}
			}
		}
		switch {
		case err != nil:
			err.Partial = err.Partial || yielded
			yield(nil, err)
		case more && broken > 0:
			yield(nil, &Error{Op: q.op, Err: fmt.Errorf("%d messages could not be decoded", broken), Partial: true})
		}
	}
}

// parse decodes the payload of one message of a recorded dump.
func parse[S any](b []byte, what string, decode func(*S, []byte) error) (*S, error) {
	if len(b) > math.MaxUint16 { // no dump has them; spans count to here
		return nil, &MessageError{What: what, Len: len(b), Want: math.MaxUint16}
	}
	s := new(S)
	if err := decode(s, b); err != nil {
		return nil, err
	}
	return s, nil
}

// readTable reads a table as /proc/net has it.
func readTable[S any](r io.Reader, name string, split bufio.SplitFunc, parse func(*S, []byte) bool) iter.Seq2[*S, error] {
	return func(yield func(*S, error) bool) {
		var s S
		broken := 0
		lines := bufio.NewScanner(r)
		lines.Split(split)
		lines.Scan() // headings
		for lines.Scan() {
			if !parse(&s, lines.Bytes()) {
				broken++
			} else if !yield(&s, nil) {
				return
			}
		}
		err := lines.Err()
		if err == nil && broken > 0 {
			err = fmt.Errorf("%d lines could not be read", broken)
		}
		if err != nil {
			yield(nil, &Error{Op: "read table of " + name + " sockets", Err: err, Partial: true})
		}
	}
}

// cookie reads a cookie: two words, the low one first.
func cookie(b []byte) uint64 {
	ne := binary.NativeEndian
	return uint64(ne.Uint32(b[4:]))<<32 | uint64(ne.Uint32(b))
}
