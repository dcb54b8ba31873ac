package ss

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/filter"
)

// explainFilter says what becomes of the filter: its tree, what the kernel is asked, and what is looked at here.
func (s *show) explainFilter() string {
	var b strings.Builder
	b.WriteString("filter:\n")
	tree := s.filter.Tree()
	if tree == nil {
		b.WriteString("  none: every socket is picked\n")
	} else {
		explainNode(&b, tree, 1)
	}
	code, exact := s.filter.Bytecode()
	fmt.Fprintf(&b, "kernel: ")
	if len(code) == 0 {
		b.WriteString("no bytecode\n")
	} else {
		fmt.Fprintf(&b, "%d bytes of bytecode\n", len(code))
		for line := range strings.Lines(filter.Disassemble(code)) {
			b.WriteString("  " + line)
		}
	}
	b.WriteString("here:   ")
	switch {
	case tree == nil:
		b.WriteString("nothing\n")
	case exact:
		b.WriteString("nothing, but for rows that come from /proc\n")
	case len(code) == 0:
		b.WriteString("the filter, for every socket\n")
	default:
		b.WriteString("the filter, for the sockets that the bytecode accepts\n")
	}
	b.WriteString("dumps:\n")
	queries := s.queries()
	for _, q := range queries {
		family := "inet, inet6"
		if q.Family != diag.Unspec {
			family = q.Family.String()
		}
		fmt.Fprintf(&b, "  %-6s %-12s %s\n", cmp.Or(q.Protocol, diag.TCP), family, stateList(q.States))
	}
	if len(queries) == 0 {
		b.WriteString("  none of IPv4 or IPv6 sockets\n")
	}
	return b.String()
}

// stateList names states.
func stateList(m diag.States) string {
	if m == diag.AllStates {
		return "all states"
	}
	var names []string
	for st := range diag.BoundInactive + 1 {
		if m.Has(st) && st != 0 && st != diag.NewSynRecv { // those are asked for by ss and are no socket's
			names = append(names, st.String())
		}
	}
	return strings.Join(names, " ")
}

// explainNode writes a node, a level deeper than its parent, and where each test is made.
func explainNode(b *strings.Builder, n filter.Node, depth int) {
	line := func(text string) { b.WriteString(strings.Repeat("  ", depth) + text + "\n") }
	list := func(word string, nodes []filter.Node) {
		line(word)
		for _, k := range nodes {
			explainNode(b, k, depth+1)
		}
	}
	switch n := n.(type) {
	case filter.And:
		list("and", n)
	case filter.Or:
		list("or", n)
	case filter.Not:
		list("not", []filter.Node{n.Node})
	default:
		f := filter.New(n, filter.SystemEnv().Ops)
		switch code, exact := f.Bytecode(); {
		case exact:
			line(f.String() + "  [kernel]")
		case len(code) > 0:
			line(f.String() + "  [kernel, and here]")
		default:
			line(f.String() + "  [here]")
		}
	}
}
