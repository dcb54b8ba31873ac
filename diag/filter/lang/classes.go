package lang

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/field"
	"github.com/sockeye-tools/sockeye/diag/filter"
)

// state parses "state X" and "exclude X", and the comparisons of the field.
func (p *parser) state(t token) (filter.Node, error) {
	f := p.use("state")
	if err := p.advance(); err != nil {
		return nil, err
	}
	c := condition{parser: p, name: t, fields: []*field.Field{f}}
	if t.text != "state" {
		if p.tok.kind != tokWord {
			return nil, p.fail(p.tok, "a state is expected behind "+t.text, "")
		}
		c.op, c.values = tokNE, []token{p.tok}
		if err := p.advance(); err != nil {
			return nil, err
		}
		return c.class(f)
	}
	if p.tok.kind == tokWord {
		p.bare = true
		c.op, c.values = tokEQ, []token{p.tok}
		if err := p.advance(); err != nil {
			return nil, err
		}
		return c.class(f)
	}
	if err := c.operator(); err != nil {
		return nil, err
	}
	if c.op == tokEnd {
		return nil, p.fail(p.tok, "a state is expected behind state", "sockeye help states tells what they are")
	}
	n, err := c.one(f)
	if c.negate && err == nil {
		n = filter.Not{Node: n}
	}
	return n, err
}

// class makes a node that protocol, family and state decide.
func (c *condition) class(f *field.Field) (filter.Node, error) {
	if err := c.ordered(); err != nil {
		return nil, err
	}
	var tests []func(diag.Protocol, diag.Family, diag.State) bool
	for _, t := range c.values {
		test, err := c.classOf(f, t)
		if err != nil {
			return nil, err
		}
		tests = append(tests, test)
	}
	ne := c.op == tokNE
	words := c.words(f)
	if f.Name == "state" && c.op == tokEQ && len(c.values) == 1 {
		words = "state " + printable(c.values[0].text)
	}
	return filter.Class{Words: words, Has: func(p diag.Protocol, f diag.Family, st diag.State) bool {
		for _, test := range tests {
			if test(p, f, st) {
				return !ne
			}
		}
		return ne
	}}, nil
}

func (c *condition) classOf(f *field.Field, t token) (func(diag.Protocol, diag.Family, diag.State) bool, error) {
	word := strings.ToLower(t.text)
	var known []string
	switch f.Name {
	case "state":
		if m, ok := stateOf(word); ok {
			return func(p diag.Protocol, _ diag.Family, st diag.State) bool { return m.has(p, st) }, nil
		}
		known = stateNames()
	case "family":
		switch word {
		case "ipv4", "inet", "4":
			return func(_ diag.Protocol, f diag.Family, _ diag.State) bool { return f == diag.IPv4 }, nil
		case "ipv6", "inet6", "6":
			return func(_ diag.Protocol, f diag.Family, _ diag.State) bool { return f == diag.IPv6 }, nil
		}
		known = []string{"ipv4", "ipv6"}
	default:
		name, six := strings.CutSuffix(word, "6")
		for _, proto := range []diag.Protocol{diag.TCP, diag.UDP} {
			switch {
			case proto.String() != name:
			case f.Name == "proto" && !six:
				return func(p diag.Protocol, _ diag.Family, _ diag.State) bool { return p == proto }, nil
			case f.Name == "netid":
				return func(p diag.Protocol, f diag.Family, _ diag.State) bool { return p == proto && (f == diag.IPv6) == six }, nil
			}
		}
		known = []string{"tcp", "udp"}
		if f.Name == "netid" {
			known = []string{"tcp", "tcp6", "udp", "udp6"}
		}
	}
	hint := "it is one of " + strings.Join(known, ", ")
	if like := field.Nearest(word, known); like != "" {
		hint = "did you mean " + like + "?"
	}
	return nil, c.fail(t, fmt.Sprintf("there is no %s %q", f.Name, t.text), hint)
}

// predicate makes a node of ss's predicates.
func (c *condition) predicate(f *field.Field) (filter.Node, error) {
	word := ssWord(f)
	port := word == "sport" || word == "dport"
	if !port {
		if err := c.ordered(); err != nil {
			return nil, err
		}
	}
	var list filter.Or
	for _, t := range c.values {
		n, err := c.predicateOf(word, t, port)
		if err != nil {
			return nil, err
		}
		list = append(list, n)
	}
	var n filter.Node = list
	if len(list) == 1 {
		n = list[0]
	}
	if c.op == tokNE {
		n = filter.Not{Node: n}
	}
	if f.Name == "mark" && filter.New(n, 0).Match(&diag.InetSocket{}) { // ss takes an unknown mark for 0
		n = filter.And{c.check(f, f.Name, c.has(f)), n}
	}
	return n, nil
}

func (c *condition) predicateOf(word string, t token, port bool) (filter.Node, error) {
	env := &c.env.Filter
	if lo, hi, ok := portRange(t.text); ok && port {
		if c.op != tokEQ && c.op != tokNE {
			return nil, c.fail(t, "a range is compared by = or !=", "")
		}
		side := filter.Local
		if word == "dport" {
			side = filter.Remote
		}
		return filter.And{filter.Port{Side: side, Cmp: filter.GE, Port: lo}, filter.Port{Side: side, Cmp: filter.LE, Port: hi}}, nil
	}
	cmp, negate := filter.EQ, false
	switch c.op {
	case tokGE:
		cmp = filter.GE
	case tokLE:
		cmp = filter.LE
	case tokGT:
		cmp, negate = filter.LE, true
	case tokLT:
		cmp, negate = filter.GE, true
	}
	n, family, err := filter.Predicate(word, t.text, cmp, env)
	if err != nil {
		msg := err.Error()
		if e, ok := errors.AsType[*filter.SSError](err); ok {
			msg, _, _ = strings.Cut(e.Text, "\n")
			msg = strings.TrimSuffix(strings.TrimPrefix(msg, "Error: "), ".")
			if e.Err != nil {
				msg += " (" + e.Err.Error() + ")"
			}
		}
		return nil, c.fail(t, msg, "")
	}
	if negate {
		n = filter.Not{Node: n}
	}
	if family == diag.IPv4 || family == diag.IPv6 { // by a prefix such as inet:
		n = filter.And{filter.Class{Words: "family = " + map[diag.Family]string{diag.IPv4: "ipv4", diag.IPv6: "ipv6"}[family],
			Has: func(_ diag.Protocol, f diag.Family, _ diag.State) bool { return f == family }}, n}
	}
	return n, nil
}

// portRange reads A-B.
func portRange(s string) (lo, hi int32, ok bool) {
	a, b, ok := strings.Cut(strings.TrimPrefix(s, ":"), "-")
	if !ok {
		return 0, 0, false
	}
	l, err1 := strconv.ParseUint(a, 10, 16)
	h, err2 := strconv.ParseUint(b, 10, 16)
	return int32(l), int32(h), err1 == nil && err2 == nil && l <= h
}
