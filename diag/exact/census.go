package exact

import (
	"errors"
	"fmt"
	"sync"

	"github.com/sockeye-tools/sockeye/diag"
)

// Census is the sockets that met a query at one time, and which of them have been shown since. Its methods may be called from several
// goroutines.
type Census struct {
	query diag.InetQuery

	mu      sync.Mutex
	records []record
	index   map[uint64]int32    // of the records, by cookie
	shown   []bool              // by index
	others  map[uint64]struct{} // shown, and came after the census
}

func newCensus(q diag.InetQuery, records []record) *Census {
	c := &Census{
		query: q, records: records, shown: make([]bool, len(records)),
		index: make(map[uint64]int32, len(records)), others: map[uint64]struct{}{},
	}
	for i := range records {
		c.index[records[i].cookie()] = int32(i)
	}
	return c
}

// Len returns how many sockets were counted.
func (c *Census) Len() int { return len(c.records) }

// Drop takes out of a batch what was shown before, and notes the rest as shown. The error is errors.ErrUnsupported where the rows are
// from /proc, which does not tell sockets apart.
func (c *Census) Drop(b *diag.Batch) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !b.Drop(c.repeated) {
		return fmt.Errorf("exact: the kernel has no sock_diag for %v: %w", c.query.Protocol, errors.ErrUnsupported)
	}
	return nil
}

// repeated reports whether the socket was shown, and notes that it is.
func (c *Census) repeated(cookie uint64) bool {
	if i, ok := c.index[cookie]; ok {
		was := c.shown[i]
		c.shown[i] = true
		return was
	}
	_, was := c.others[cookie]
	c.others[cookie] = struct{}{}
	return was
}

// missing returns the records that were not shown.
func (c *Census) missing() (list []*record) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.records {
		if !c.shown[i] {
			list = append(list, &c.records[i])
		}
	}
	return list
}
