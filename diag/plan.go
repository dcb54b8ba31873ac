package diag

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"slices"

	"github.com/sockeye-tools/sockeye/internal/release"
	"github.com/sockeye-tools/sockeye/internal/sockstat"
)

// Step is part of a Plan: queries that may run at the same time.
type Step struct {
	Queries []InetQuery
	Why     string // one line for people
}

const (
	// many is from how many sockets in the namespace on their order gives way to speed.
	many = 20_000
	// iterateFrom is from how many sockets on an iterator saves more than loading its program takes.
	iterateFrom = 100_000
	// maxAttr is how many bytes a netlink attribute holds; rangeSize is what portRange adds to a program.
	maxAttr, rangeSize = 1<<16 - 1 - 4, 16
	// sampleSize is how many sockets are looked at to see where to split.
	sampleSize = 200
)

// Plan says how to put a query to the kernel in the least time, with up to workers dumps at a time. It changes nothing but the order
// of the rows, and that only where there are many.
//
// A dump of TCP sockets of both families becomes one walk over the kernel's tables (AnyOrder). From Linux 6.9 on dumps run in
// parallel (before, a mutex lets one run), so it is split by a range of ports, with listeners apart and first. Where no attribute is
// wanted, the sockets are very many and fewer than three dumps may run, an iterator is faster: see InetQuery.Iter.
func (c *Conn) Plan(ctx context.Context, q InetQuery, workers int) []Step {
	if q.Protocol == 0 {
		q.Protocol = TCP
	}
	if q.States == 0 {
		q.States = AllStates
	}
	q.Iter = false
	as := func(why string, args ...any) []Step {
		return []Step{{Queries: []InetQuery{q}, Why: fmt.Sprintf(why, args...)}}
	}
	const listen = 1 << Listen
	switch {
	case q.Protocol != TCP:
		return as("one dump for each family: only TCP's can be asked for in one, or split")
	case q.States&^listen == 0:
		return as("one dump for each family, which does not walk the table of connections")
	}
	n, ok := c.CountTCP()
	switch {
	case !ok:
		return as("one dump for each family: how many sockets there are is not known")
	case n < many:
		return as("one dump for each family: too few sockets (%d) to do better", n)
	}
	q.AnyOrder = true
	walks := "one walk for both families"
	if q.Family != Unspec {
		walks = "one walk"
	}
	if r := release.Running(); r < release.Of(6, 9) {
		return as("%s: %d sockets, and Linux %d.%d does not run dumps in parallel", walks, n, r>>16, r&0xffff)
	}
	// Those are found by looking at all sockets that have a local port, which takes longer than the walk over connections.
	var bound []InetQuery
	if q.States&(1<<BoundInactive) != 0 && q.States != 1<<BoundInactive {
		apart := q
		apart.States = 1 << BoundInactive
		bound = []InetQuery{apart}
		q.States &^= 1 << BoundInactive
		walks += ", beside one for those that are only bound"
	}
	one := func(why string) []Step {
		return []Step{{Queries: append([]InetQuery{q}, bound...), Why: fmt.Sprintf("%s: %d sockets, %s", walks, n, why)}}
	}
	if q.States == listen { // listeners and those that are only bound: States without both of them would be 0, which is all
		return one("no connection is asked for")
	}
	var steps []Step
	listenersFirst := func() {
		if q.States&listen == 0 {
			return
		}
		first := q
		first.States, first.AnyOrder = listen, false
		steps = append(steps, Step{Queries: []InetQuery{first}, Why: "listeners first: they are in a table of their own"})
		q.States &^= listen
	}
	if workers < 3 && n >= iterateFrom && c.iterates(&q) { // an iterator cannot be split
		listenersFirst() // IPV6_V6ONLY says what the address of a listener is, and is an attribute
		q.Iter = true
		return append(steps, one("from a BPF iterator, since no attribute is wanted")...)
	}
	if workers < 2 {
		return one("in one dump")
	}
	if len(q.Bytecode) > maxAttr-rangeSize {
		return one("in one dump: no room for a port range beside so long a filter")
	}
	cuts, byRemote, balance := c.cuts(ctx, q, workers)
	if len(cuts) == 0 {
		return one("and no port range divides them (" + balance + ")")
	}
	listenersFirst()
	side := "local"
	if byRemote {
		side = "remote"
	}
	split := Step{Queries: bound, Why: fmt.Sprintf("%s, %d at a time by %s port: %d sockets (%s)", walks, len(cuts)+1, side, n, balance)}
	from := 0
	for _, cut := range append(cuts, 1<<16) {
		part := q
		part.Bytecode = portRange(q.Bytecode, byRemote, from, cut-1)
		split.Queries = append(split.Queries, part)
		from = cut
	}
	return append(steps, split)
}

// cuts finds the ports from which the second and further parts start, on the local or the remote side, from a sample of the
// established hash: its order is by a keyed hash, so what comes first is as good as drawn by lot. It returns none where a part would
// hold more than 0.7 of the sockets of two equal ones.
func (c *Conn) cuts(ctx context.Context, q InetQuery, parts int) (cuts []int, byRemote bool, balance string) {
	q.States &^= 1 << Listen
	q.Ext = 0
	var ports [2][]int
	for s, err := range c.Inet(ctx, q) {
		if err != nil {
			return nil, false, err.Error()
		}
		ports[0] = append(ports[0], int(s.Local.Port()))
		ports[1] = append(ports[1], int(s.Remote.Port()))
		if len(ports[0]) == sampleSize {
			break
		}
	}
	n := len(ports[0])
	if n < sampleSize {
		return nil, false, fmt.Sprintf("only %d match", n)
	}
	best := n + 1
	for side, ps := range ports {
		slices.Sort(ps)
		var cs []int
		largest, from := 0, 0
		for i := 1; i < parts; i++ {
			// Where one port has much of it, the cut is in front of it or behind it, whichever is nearer.
			goal := i * n / parts
			front, _ := slices.BinarySearch(ps, ps[goal])
			behind, _ := slices.BinarySearch(ps, ps[goal]+1)
			at, cut := front, ps[goal]
			if behind-goal < goal-front {
				at, cut = behind, ps[goal]+1
			}
			if at > from && at < n {
				cs = append(cs, cut)
				largest, from = max(largest, at-from), at
			}
		}
		if largest = max(largest, n-from); largest < best {
			best, cuts, byRemote = largest, cs, side == 1
		}
	}
	balance = fmt.Sprintf("the largest part has %d %% of a sample", 100*best/n)
	if best*10 > n*7 {
		return nil, false, balance
	}
	return cuts, byRemote, balance
}

// portRange puts a test for a range of ports in front of a bytecode program: INET_DIAG_BC_{S,D}_{GE,LE} of linux/inet_diag.h.
func portRange(code []byte, byRemote bool, from, to int) []byte {
	const sGE, sLE, dGE, dLE = 2, 3, 4, 5
	ge, le := byte(sGE), byte(sLE)
	if byRemote {
		ge, le = dGE, dLE
	}
	add := func(op byte, port int) {
		// yes: the next operation; no: four behind the end, which rejects.
		test := []byte{op, 8, 0, 0, 0, 0, 0, 0}
		binary.NativeEndian.PutUint16(test[2:], uint16(8+len(code)+4))
		binary.NativeEndian.PutUint16(test[6:], uint16(port))
		code = append(test, code...)
	}
	if to < 1<<16-1 {
		add(le, to)
	}
	if from > 0 {
		add(ge, from)
	}
	return code
}

// CountTCP reads how many TCP sockets the namespace has, those in TimeWait included, and those in SynRecv and BoundInactive not. It
// takes no time (/proc/net/sockstat). ok is false where it cannot be told.
func (c *Conn) CountTCP() (n int, ok bool) {
	if c.elsewhere {
		return 0, false
	}
	for _, table := range []string{"sockstat", "sockstat6"} {
		f, err := c.openTable(table)
		if err != nil {
			continue
		}
		b, _ := io.ReadAll(f) // what could be read
		f.Close()
		tcp, _, tells := sockstat.Count(string(b))
		n, ok = n+tcp, ok || tells
	}
	return n, ok
}
