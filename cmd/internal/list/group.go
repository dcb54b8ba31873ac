package list

import (
	"slices"
	"strings"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/field"
	"github.com/sockeye-tools/sockeye/internal/shape"
)

// grouper counts sockets by keys.
type grouper struct {
	l       *lister
	keys    []groupKey
	shown   []figure
	having  []having
	fields  []*field.Field // of the figures
	orders  []groupOrder
	groups  shape.Groups
	perProc bool

	buf  []byte // keys of the socket, one behind the other
	ends []int
}

func newGrouper(l *lister) (*grouper, error) {
	g := &grouper{l: l}
	for _, word := range splitKeys(l.opts.Group) {
		k, err := parseGroupKey(strings.TrimSpace(word))
		if err != nil {
			return nil, err
		}
		if i := slices.IndexFunc(g.keys, func(o groupKey) bool { return o.json == k.json }); i >= 0 {
			if !g.keys[i].same(&k) {
				return nil, usagef("--group-by %s: there is %s already", k.name, g.keys[i].name)
			}
			continue // it is shown once
		}
		if err := l.withoutOwners("--group-by "+k.name, k.field); err != nil {
			return nil, err
		}
		l.needs(k.field)
		g.perProc = g.perProc || k.field.Many
		g.keys = append(g.keys, k)
	}
	spec := l.opts.Columns
	if spec == "" {
		spec = "count"
	} else if more, ok := strings.CutPrefix(spec, "+"); ok {
		spec = "count," + more
	}
	for _, word := range splitKeys(spec) {
		word = strings.TrimSpace(word)
		if g.keyOf(word) >= 0 {
			continue // it is shown anyway
		}
		f, err := g.figure(word)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(g.shown, func(o figure) bool { return o.json == f.json }) {
			g.shown = append(g.shown, f)
		}
	}
	if err := g.order(l.opts.Sort); err != nil {
		return nil, err
	}
	if l.opts.Having != "" {
		var err error
		if g.having, err = g.parseHaving(l.opts.Having); err != nil {
			return nil, err
		}
	}
	g.groups.Figures = len(g.fields)
	return g, nil
}

// add counts a socket; where keys are of processes, once for each that differs.
func (g *grouper) add(s *diag.InetSocket) {
	g.buf, g.ends = g.buf[:0], g.ends[:0]
	hs := g.l.context.Holders(s)
	if !g.perProc || len(hs) == 0 {
		g.key(s, nil)
	} else {
		for _, h := range hs {
			g.key(s, h)
		}
	}
	start := 0
	for i, end := range g.ends {
		key := g.buf[start:end]
		if !g.seen(i, key) {
			grp := g.groups.Of(key)
			for j, f := range g.fields {
				if v, ok := f.Plain(g.l.context, s); ok {
					g.groups.Add(grp, j, v)
				}
			}
		}
		start = end
	}
}

// seen reports whether the key is among the first i of the socket.
func (g *grouper) seen(i int, key []byte) bool {
	start := 0
	for _, end := range g.ends[:i] {
		if string(g.buf[start:end]) == string(key) {
			return true
		}
		start = end
	}
	return false
}

// key appends the key of a socket as one process holds it: the values, each with a NUL behind it; nothing for one that is absent.
func (g *grouper) key(s *diag.InetSocket, h *field.Holder) {
	for i := range g.keys {
		k := &g.keys[i]
		start := len(g.buf)
		ok := true
		switch {
		case k.prefix:
			if a := k.field.Addr(s).Unmap(); a.IsValid() { // IPv4 over an IPv6 socket is of the IPv4 network
				bits := k.v6
				if a.Is4() {
					bits = k.v4
				}
				if p, err := a.Prefix(bits); err == nil {
					g.buf = p.AppendTo(g.buf)
				}
			}
		case k.field.Many && h != nil:
			g.buf, ok = appendHolder(g.buf, g.l.context, k.field, h)
		case k.field.Many:
		default:
			g.buf, ok = appendValue(g.buf, g.l.context, k.field, s, false, ' ')
		}
		if !ok {
			g.buf = g.buf[:start]
		}
		g.buf = append(g.buf, 0)
	}
	g.ends = append(g.ends, len(g.buf))
}
