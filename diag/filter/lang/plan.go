package lang

import (
	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/filter"
)

// Part is one query of a plan, and what is left to be evaluated here.
type Part struct {
	Query diag.InetQuery
	Rest  filter.Node // what the state mask, the protocol and the family do not decide; nil: nothing
	Exact bool        // the query's bytecode decides the rest
}

// datagram are the states that a UDP socket can be in.
const datagram = diag.States(1<<diag.Established | 1<<diag.Close)

// Plan narrows queries to what the filter can pick: states, and bytecode within ops. A query that it can pick nothing of is left
// out.
func (e *Expr) Plan(queries []diag.InetQuery, ops filter.Ops) []Part {
	var parts []Part
	for _, q := range queries {
		if q.Protocol == 0 {
			q.Protocol = diag.TCP
		}
		if q.States == 0 {
			q.States = diag.AllStates
		}
		families := []diag.Family{diag.IPv4, diag.IPv6}
		if q.Family != diag.Unspec {
			families = []diag.Family{q.Family}
		}
		var found []Part
		for _, f := range families {
			rest, states := filter.Narrow(e.Tree, q.Protocol, f, q.States)
			if states == 0 || e.Tree != nil && q.Protocol == diag.UDP && states&datagram == 0 {
				continue
			}
			one := q
			one.Family, one.States = f, states
			fl := filter.New(rest, ops)
			p := Part{Query: one, Rest: rest}
			p.Query.Bytecode, p.Exact = fl.Bytecode()
			found = append(found, p)
		}
		if len(found) == 2 && found[0].Query.States == found[1].Query.States && string(found[0].Query.Bytecode) == string(found[1].Query.Bytecode) {
			if filter.New(found[0].Rest, 0).String() != filter.New(found[1].Rest, 0).String() {
				found[0].Rest = e.Tree
			}
			found[0].Exact = found[0].Exact && found[1].Exact
			found[0].Query.Family = q.Family
			found = found[:1]
		}
		parts = append(parts, found...)
	}
	return parts
}

// Match returns a function that says whether the filter picks a socket. It does not allocate. Conditions that need owners read
// them from Env.Context.
func (e *Expr) Match() func(*diag.InetSocket) bool { return compile(e.Tree) }

// Early returns a function that picks at least the sockets that the filter does, before the owners are known.
func (e *Expr) Early() func(*diag.InetSocket) bool { return compile(filter.Early(e.Tree)) }

// compile spares a lone test the way through the filter that has it.
func compile(n filter.Node) func(*diag.InetSocket) bool {
	if c, ok := n.(filter.Check); ok {
		return c.Picks
	}
	return filter.New(n, 0).Match
}
