package sockets

import (
	"context"
	"fmt"
	"strings"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/filter"
	"github.com/sockeye-tools/sockeye/diag/owner"
	"github.com/sockeye-tools/sockeye/render/names"
)

// plan writes what the request asks the kernel for in each namespace, and why, without asking for it. (Where a dump may be split it looks
// at a sample of 200 sockets.)
func (r *Run) plan(ctx context.Context, spaces []Space) error {
	var b []byte
	for i := range spaces {
		sp := &spaces[i]
		if sp.Name != "" {
			b = append(names.AppendEscaped(append(b, "network namespace "...), sp.Name), ":\n"...)
		}
		c, err := sp.dial()
		if err != nil {
			b = append(names.AppendEscaped(append(b, "cannot be entered: "...), err.Error()), '\n')
			continue
		}
		b = appendSpace(ctx, b, c, sp)
		if sp.Conn == nil {
			c.Close()
		}
	}
	_, err := r.req.Plan.Write(appendRest(b, &r.req))
	return err
}

// appendSpace prints the queries of a namespace.
func appendSpace(ctx context.Context, b []byte, c *diag.Conn, sp *Space) []byte {
	if sp.Connections != nil {
		b = fmt.Appendf(b, "tcp: the connections are known, and looked up by their addresses: %d\n", len(sp.Connections))
	}
	for _, q := range sp.Queries {
		if sp.Connections != nil {
			if q.States == 0 {
				q.States = diag.AllStates
			}
			if q.States &^= connections(q); q.States == 0 {
				continue
			}
		}
		for _, step := range c.Plan(ctx, q, dumps()) {
			b = fmt.Appendf(b, "%s: %s\n", protocol(q), step.Why)
			for _, part := range step.Queries {
				b = appendQuery(b, part)
			}
		}
	}
	return b
}

// appendRest prints what is the same in all namespaces.
func appendRest(b []byte, req *Request) []byte {
	if req.Match != nil {
		b = append(b, "what the queries cannot say of the sockets that are wanted is evaluated here\n"...)
	}
	if req.Exact {
		b = append(b, "exact: sockets are counted by BPF iterators first; those that the dumps do not have are looked up, repeats are left out\n"...)
	}
	if req.Owners == nil || req.Owners.Backend == owner.None {
		b = append(b, "owners: not wanted\n"...)
	} else {
		backend, why := owner.Plan(req.Owners)
		b = fmt.Appendf(b, "owners: by %v (%s); of the sockets that match if they are few (up to %d KiB of messages), else of the whole host, beside the dump\n",
			backend, why, few*32)
	}
	return b
}

func protocol(q diag.InetQuery) string {
	if q.Protocol == 0 {
		q.Protocol = diag.TCP
	}
	return q.Protocol.String()
}

// appendQuery prints a request in the kernel's terms.
func appendQuery(b []byte, q diag.InetQuery) []byte {
	families := "inet, then inet6"
	switch {
	case q.Family != diag.Unspec:
		families = q.Family.String()
	case q.AnyOrder:
		families = "inet and inet6 in one (TCPDIAG_GETSOCK)"
	}
	if q.Iter {
		b = fmt.Appendf(b, "  read iterator tcp, states %#x", uint32(q.States))
	} else {
		b = fmt.Appendf(b, "  ask %s, states %#x", families, uint32(q.States))
	}
	sep := " ("
	for s := range diag.State(32) {
		if q.States.Has(s) && q.States.Len() <= 4 {
			b = fmt.Appendf(b, "%s%v", sep, s)
			sep = " "
		}
	}
	if sep == " " {
		b = append(b, ')')
	}
	if q.Iter {
		return append(b, '\n')
	}
	b = fmt.Appendf(b, ", ext %#x", uint8(q.Ext))
	if len(q.Bytecode) == 0 {
		return append(b, ", no bytecode\n"...)
	}
	b = fmt.Appendf(b, ", %d bytes of bytecode:\n", len(q.Bytecode))
	for line := range strings.Lines(filter.Disassemble(q.Bytecode)) {
		b = fmt.Appendf(b, "    %s\n", strings.TrimRight(line, "\n"))
	}
	return b
}
