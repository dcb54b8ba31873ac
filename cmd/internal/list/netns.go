package list

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/owner"
	"github.com/sockeye-tools/sockeye/internal/netns"
	"github.com/sockeye-tools/sockeye/internal/sockets"
)

// everywhere shows the sockets of all network namespaces.
func (l *lister) everywhere(queries []diag.InetQuery) error {
	found := netns.Find(l.env.Ctx, netns.Config{Proc: l.context.Proc, NoBPF: l.env.Owners.Backend == owner.Proc})
	if found.Denied > 0 {
		fmt.Fprintf(l.env.Stderr, "sockeye: hint: the network namespaces of %s could not be looked at%s\n", processes(found.Denied), asRoot())
	}
	known := found.Denied > 0 && errors.Is(found.Partial, os.ErrPermission) // one hint to be root is enough
	if found.Partial != nil && !known && l.env.Owners.Backend != owner.Proc {
		fmt.Fprintf(l.env.Stderr, "sockeye: hint: network namespaces that are held by sockets alone are not shown: %v%s\n", found.Partial, asRoot())
	}
	found.Count()
	if !l.env.Exact && found.Partial == nil && slices.ContainsFunc(queries, walks) {
		if err := found.Connections(l.env.Ctx); err != nil && l.env.Plan != nil {
			fmt.Fprintf(l.env.Plan, "a walk over the connections of all namespaces for each of them: %v\n", err)
		}
	}
	var spaces []sockets.Space
	var shown []*netns.Namespace
	for _, n := range found.All {
		wanted := worthwhile(queries, n)
		if len(wanted) == 0 {
			continue
		}
		shown = append(shown, n)
		spaces = append(spaces, sockets.Space{Name: n.Name, Queries: wanted, Connections: n.Connections, Dial: func() (*diag.Conn, error) {
			if n.Own {
				return diag.Dial(l.env.Kernel)
			}
			f, err := found.Open(n)
			if err != nil {
				return nil, err
			}
			defer f.Close()
			return diag.Dial(&diag.Config{NetNSFD: int(f.Fd())})
		}})
	}
	return l.show(spaces, func(i int) {
		l.context.NetNS, l.context.Device = shown[i].Name, nil
		if shown[i].Own { // a device's name is another one's in another namespace
			l.context.Device = l.interfaces.Lookup
		}
	})
}

// walks reports whether a query walks over the connections that namespaces share.
func walks(q diag.InetQuery) bool {
	return q.Protocol == diag.TCP && q.States&^diag.StatesOf(diag.Listen, diag.BoundInactive) != 0
}

// inSpace says of an error in which namespace it was; nil if the namespace is gone, and with it its sockets.
func (l *lister) inSpace(err error, space string) error {
	_, closed := errors.AsType[*sockets.SpaceError](err)
	switch {
	case !l.opts.AllNetNS:
		return err
	case closed && errors.Is(err, os.ErrNotExist):
		return nil
	case closed:
		return fmt.Errorf("network namespace %s cannot be entered: %w", space, err)
	}
	return fmt.Errorf("network namespace %s: %w", space, err)
}

// worthwhile leaves out the queries for sockets that a namespace has none of: to find that out, a dump may walk over those of all
// namespaces.
func worthwhile(queries []diag.InetQuery, n *netns.Namespace) []diag.InetQuery {
	if n.Own {
		return queries
	}
	var out []diag.InetQuery
	for _, q := range queries {
		if q.Protocol == diag.TCP {
			if n.Counts != nil && n.Counts.TCP == 0 {
				q.States &= diag.StatesOf(diag.BoundInactive) // which are not counted
			}
			if !n.Bound {
				q.States &^= diag.StatesOf(diag.BoundInactive)
			}
		}
		if q.States == 0 || q.Protocol == diag.UDP && n.Counts != nil && n.Counts.UDP == 0 {
			continue
		}
		out = append(out, q)
	}
	return out
}
