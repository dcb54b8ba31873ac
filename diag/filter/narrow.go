package filter

import "github.com/sockeye-tools/sockeye/diag"

// verdict is what is known of a node before a socket is seen.
type verdict uint8

const (
	open verdict = iota
	yes
	no
)

func known(v bool) verdict {
	if v {
		return yes
	}
	return no
}

// Narrow says what is left of a tree over the sockets of one protocol and family that are in one of states: the states that
// it can pick, and a tree for their sockets in which what is decided by then is left out. A nil tree picks all of them. No
// states: it picks none.
func Narrow(n Node, p diag.Protocol, f diag.Family, states diag.States) (Node, diag.States) {
	if n == nil {
		return nil, states
	}
	var left diag.States
	for st := range diag.State(14) {
		if states.Has(st) && decide(n, p, f, st) != no {
			left |= diag.StatesOf(st)
		}
	}
	if left == 0 {
		return nil, 0
	}
	return reduce(n, p, f, left), left
}

// decide judges n over all sockets of a protocol, a family and a state.
func decide(n Node, p diag.Protocol, f diag.Family, st diag.State) verdict {
	switch n := n.(type) {
	case And:
		return decideAll(n, yes, no, p, f, st)
	case Or:
		return decideAll(n, no, yes, p, f, st)
	case Not:
		switch decide(n.Node, p, f, st) {
		case yes:
			return no
		case no:
			return yes
		}
	case Class:
		return known(n.Has(p, f, reported(st)))
	}
	return open
}

// decideStates is decide over several states.
func decideStates(n Node, p diag.Protocol, f diag.Family, states diag.States) verdict {
	v := open
	for st := range diag.State(14) {
		if !states.Has(st) {
			continue
		}
		switch is := decide(n, p, f, st); {
		case is == open || v != open && v != is:
			return open
		default:
			v = is
		}
	}
	return v
}

// reported is the state that a socket tells which was asked for as st.
func reported(st diag.State) diag.State {
	switch st {
	case diag.BoundInactive:
		return diag.Close
	case diag.NewSynRecv:
		return diag.SynRecv
	}
	return st
}

// decideAll is neutral if all nodes are, and final if one is.
func decideAll(nodes []Node, neutral, final verdict, p diag.Protocol, f diag.Family, st diag.State) verdict {
	v := neutral
	for _, n := range nodes {
		switch decide(n, p, f, st) {
		case final:
			return final
		case open:
			v = open
		}
	}
	return v
}

// reduce leaves out what is decided; nil is a node that holds for all.
func reduce(n Node, p diag.Protocol, f diag.Family, states diag.States) Node {
	switch decideStates(n, p, f, states) {
	case yes:
		return nil
	case no:
		return Or{}
	}
	switch n := n.(type) {
	case And:
		var left And
		for _, k := range n {
			if k = reduce(k, p, f, states); k != nil {
				left = append(left, k)
			}
		}
		if len(left) == 1 {
			return left[0]
		}
		return left
	case Or:
		var left Or
		for _, k := range n {
			if decideStates(k, p, f, states) != no {
				left = append(left, reduce(k, p, f, states))
			}
		}
		if len(left) == 1 {
			return left[0]
		}
		return left
	case Not:
		return Not{reduce(n.Node, p, f, states)}
	}
	return n
}
