package exact

import (
	"cmp"
	"context"
	"iter"

	"github.com/sockeye-tools/sockeye/diag"
)

// Inet is Conn.Inet without omissions and repeats, as the package's comment says. Sockets that the dump has come first. A protocol that
// Covers does not know is dumped as ever.
func (x *Counter) Inet(ctx context.Context, c *diag.Conn, q diag.InetQuery) iter.Seq2[*diag.InetSocket, error] {
	if q.Protocol = cmp.Or(q.Protocol, diag.TCP); !Covers(q.Protocol) {
		return c.Inet(ctx, q)
	}
	return func(yield func(*diag.InetSocket, error) bool) {
		census, err := x.Census(ctx, c, q)
		if err != nil {
			yield(nil, err)
			return
		}
		broken := 0
		for b, err := range c.InetBatches(ctx, q, nil) {
			if err == nil {
				err = census.Drop(b)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			for s := range b.Inet() {
				if !yield(s, nil) {
					return
				}
			}
			broken += b.Broken()
		}
		for s, err := range x.Missing(ctx, c, census) {
			if !yield(s, err) || err != nil {
				return
			}
		}
		if broken > 0 {
			yield(nil, diag.BrokenError(q, broken))
		}
	}
}
