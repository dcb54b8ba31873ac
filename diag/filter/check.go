package filter

import "github.com/sockeye-tools/sockeye/diag"

// Class picks sockets by what a dump is asked for by: the protocol, the family and the state. Narrow turns it into queries.
type Class struct {
	Words string // as it was written
	Has   func(diag.Protocol, diag.Family, diag.State) bool
}

// Check picks sockets by a test that only this program can make, such as one of tcp_info.
type Check struct {
	Words string // as it was written
	Picks func(*diag.InetSocket) bool
	// Late: the test needs what is known only after the dump, such as owners.
	Late bool
}

func (n Class) appendWords(dst []byte) []byte { return append(dst, n.Words...) }
func (n Check) appendWords(dst []byte) []byte { return append(dst, n.Words...) }

// Early returns a tree that picks at least the sockets that n does, and has no test that is Late.
func Early(n Node) Node { return early(n, false) }

func early(n Node, negate bool) Node {
	switch n := n.(type) {
	case And:
		return And(earlyAll(n, negate))
	case Or:
		return Or(earlyAll(n, negate))
	case Not:
		return Not{early(n.Node, !negate)}
	case Check:
		if n.Late && negate {
			return Or{} // nothing: its negation is everything
		}
		if n.Late {
			return And{}
		}
	}
	return n
}

func earlyAll(nodes []Node, negate bool) []Node {
	all := make([]Node, len(nodes))
	for i, n := range nodes {
		all[i] = early(n, negate)
	}
	return all
}
