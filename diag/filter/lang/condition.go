package lang

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/field"
	"github.com/sockeye-tools/sockeye/diag/filter"
)

// condition is a term that is being parsed: a field, an operator and values.
type condition struct {
	*parser
	name   token
	fields []*field.Field
	op     kind
	values []token
	negate bool // "not in"
}

// ssWord is ss's predicate for a field, which the kernel can evaluate.
func ssWord(f *field.Field) string {
	switch f.Name {
	case "local", "local_addr":
		return "src"
	case "peer", "peer_addr":
		return "dst"
	case "local_port":
		return "sport"
	case "peer_port":
		return "dport"
	case "mark":
		return "fwmark"
	case "dev", "cgroup":
		return f.Name
	}
	return ""
}

func (c *condition) parse() (filter.Node, error) {
	if err := c.operator(); err != nil {
		return nil, err
	}
	var n filter.Node
	for i, f := range c.fields {
		one, err := c.one(f)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			n = one
		} else if c.op == tokNE || c.op == tokNoMatch {
			n = filter.And{n, one} // neither of them
		} else {
			n = filter.Or{n, one}
		}
	}
	if c.negate {
		n = filter.Not{Node: n}
	}
	return n, nil
}

// operator reads the operator and its values. No operator leaves op at tokEnd.
func (c *condition) operator() error {
	switch k := c.tok.kind; {
	case k == tokNot: // "not in", or the next term
		save, tok := c.lexer, c.tok
		if err := c.advance(); err != nil {
			return err
		}
		if c.tok.kind != tokIn {
			c.lexer, c.tok = save, tok
			return nil
		}
		c.negate = true
		return c.list()
	case k == tokIn:
		return c.list()
	case k == tokMatch || k == tokNoMatch:
		c.op = k
		t, err := c.regexp()
		if err != nil {
			return err
		}
		if t.kind == tokEnd {
			return c.fail(t, "a regular expression is expected", "")
		}
		c.values = []token{t}
		return c.advance()
	case k >= tokEQ && k <= tokGE:
		c.op = k
		if err := c.advance(); err != nil {
			return err
		}
		if c.tok.kind != tokWord {
			return c.fail(c.tok, "a value is expected behind "+c.name.text, "")
		}
	case k == tokWord && c.takes(c.tok):
		c.op = tokEQ
	default:
		return nil
	}
	c.values = []token{c.tok}
	return c.advance()
}

// takes reports whether a word that follows a field without an operator is its value: of a field of ss always, of others unless it
// names a field itself.
func (c *condition) takes(t token) bool {
	f := c.fields[0]
	if ssWord(f) != "" || t.quoted {
		return true
	}
	if f.Kind == field.Flag {
		return false
	}
	_, err := field.Lookup(t.text)
	return err != nil && !slices.Contains(termWords, t.text)
}

func (c *condition) list() error {
	in := c.tok
	c.op = tokEQ
	if err := c.advance(); err != nil {
		return err
	}
	if c.tok.kind != tokOpen {
		return c.fail(c.tok, "a list in parentheses is expected behind in", "write "+c.name.text+" in (A, B)")
	}
	for {
		if err := c.advance(); err != nil {
			return err
		}
		switch c.tok.kind {
		case tokWord:
			c.values = append(c.values, c.tok)
		case tokComma:
		case tokClose:
			if len(c.values) == 0 {
				return c.fail(c.tok, "the list is empty", "")
			}
			return c.advance()
		case tokEnd:
			return c.fail(in, "the list is not closed", "")
		default:
			return c.fail(c.tok, fmt.Sprintf("%q stands where a value is expected", c.tok.text), "quote it, if it is one")
		}
	}
}

// one makes the node for one field.
func (c *condition) one(f *field.Field) (filter.Node, error) {
	if c.op == tokEnd {
		return c.check(f, f.Name, c.has(f)), nil
	}
	if c.op != tokMatch && c.op != tokNoMatch {
		switch f.Name {
		case "proto", "netid", "family", "state":
			return c.class(f)
		}
		if ssWord(f) != "" && (f.Name != "mark" || c.op == tokEQ || c.op == tokNE) {
			return c.predicate(f)
		}
	}
	switch {
	case f.Name == "owner":
		return nil, c.fail(c.name, "owner is for columns", "ask for process or pid")
	case c.op == tokMatch || c.op == tokNoMatch:
		return c.match(f)
	case f.Kind == field.Flag:
		return c.flag(f)
	case f.Kind == field.Text:
		return c.text(f)
	}
	return c.number(f)
}

// check is a node that is evaluated here. The words are for people.
func (c *condition) check(f *field.Field, words string, picks func(*diag.InetSocket) bool) filter.Node {
	return filter.Check{Words: words, Picks: picks, Late: f.Where == field.WithOwner}
}

func (c *condition) words(f *field.Field) string {
	op := map[kind]string{tokEQ: "=", tokNE: "!=", tokLT: "<", tokLE: "<=", tokGT: ">", tokGE: ">=", tokMatch: "~", tokNoMatch: "!~"}[c.op]
	var vs []string
	for _, v := range c.values {
		if s := v.text; strings.ContainsAny(s, " ()=<>,~&|\"'") || s == "" {
			vs = append(vs, strconv.Quote(s))
		} else {
			vs = append(vs, printable(s))
		}
	}
	if len(vs) > 1 {
		return f.Name + " in (" + strings.Join(vs, ", ") + ")"
	}
	return f.Name + " " + op + " " + vs[0]
}

// has is true for sockets that have the field, and for which a flag is set.
func (c *condition) has(f *field.Field) func(*diag.InetSocket) bool {
	ctx := c.env.Context
	switch {
	case f.Many && f.Kind == field.Number:
		return func(s *diag.InetSocket) bool { return len(ctx.Holders(s)) > 0 }
	case f.Many:
		return func(s *diag.InetSocket) bool {
			for _, h := range ctx.Holders(s) {
				if _, ok := f.HolderText(ctx, h); ok {
					return true
				}
			}
			return false
		}
	case f.Kind == field.Flag:
		return func(s *diag.InetSocket) bool {
			v, ok := f.Number(ctx, s)
			return ok && v != 0
		}
	case f.Kind == field.Number:
		return func(s *diag.InetSocket) bool {
			_, ok := f.Number(ctx, s)
			return ok
		}
	case f.Kind == field.Address:
		return func(s *diag.InetSocket) bool { return f.Addr(s).IsValid() }
	}
	read := reader(f)
	return func(s *diag.InetSocket) bool {
		_, ok := read(ctx, s)
		return ok
	}
}

func (c *condition) ordered() error {
	if c.op >= tokLT && c.op <= tokGE {
		hint := "compare it by =, != or in"
		if c.fields[0].Kind == field.Text {
			hint = "compare it by =, !=, ~ or in"
		}
		return c.fail(c.name, c.fields[0].Name+" has no order", hint)
	}
	return nil
}

func (c *condition) flag(f *field.Field) (filter.Node, error) {
	if err := c.ordered(); err != nil {
		return nil, err
	}
	var want [2]bool // whether false, and true, are asked for
	for _, v := range c.values {
		switch strings.ToLower(v.text) {
		case "1", "true", "yes", "on":
			want[1] = true
		case "0", "false", "no", "off":
			want[0] = true
		default:
			return nil, c.fail(v, f.Name+" is true or false", "")
		}
	}
	if c.op == tokNE {
		want[0], want[1] = want[1], want[0]
	}
	ctx := c.env.Context
	return c.check(f, c.words(f), func(s *diag.InetSocket) bool {
		v, ok := f.Number(ctx, s)
		return ok && want[v&1]
	}), nil
}

// bound is a comparison of numbers.
type bound struct {
	op kind
	v  uint64
}

func (b bound) holds(v uint64) bool {
	switch b.op {
	case tokEQ:
		return v == b.v
	case tokNE:
		return v != b.v
	case tokLT:
		return v < b.v
	case tokLE:
		return v <= b.v
	case tokGT:
		return v > b.v
	case tokGE:
		return v >= b.v
	}
	return b.op == tokNoMatch // a value that no whole number can be, by !=; by =, none is
}

func (c *condition) bound(f *field.Field, t token) (bound, error) {
	q, err := f.Unit.Parse(t.text)
	if err != nil {
		msg, hint, _ := strings.Cut(err.Error(), ": ")
		return bound{}, c.fail(t, msg, hint)
	}
	b := bound{c.op, q.Whole}
	if !q.Exact { // between Whole and the next number
		switch c.op {
		case tokLT:
			b.op = tokLE
		case tokGE:
			b.op = tokGT
		case tokNE:
			b.op = tokNoMatch
		case tokEQ:
			b.op = tokEnd
		}
	}
	return b, nil
}

func (c *condition) number(f *field.Field) (filter.Node, error) {
	bounds := make([]bound, len(c.values))
	for i, t := range c.values {
		var err error
		if bounds[i], err = c.bound(f, t); err != nil {
			return nil, err
		}
	}
	ctx, b := c.env.Context, bounds[0]
	var picks func(*diag.InetSocket) bool
	switch {
	case f.Many:
		picks = func(s *diag.InetSocket) bool {
			for _, h := range ctx.Holders(s) {
				v, ok := f.HolderNumber(h)
				for _, b := range bounds {
					if ok && b.holds(v) {
						return true
					}
				}
			}
			return false
		}
	case len(bounds) == 1 && b.op == tokGT:
		picks = func(s *diag.InetSocket) bool {
			v, ok := f.Number(ctx, s)
			return ok && v > b.v
		}
	case len(bounds) == 1:
		picks = func(s *diag.InetSocket) bool {
			v, ok := f.Number(ctx, s)
			return ok && b.holds(v)
		}
	default:
		picks = func(s *diag.InetSocket) bool {
			v, ok := f.Number(ctx, s)
			if !ok {
				return false
			}
			for _, b := range bounds {
				if b.holds(v) {
					return true
				}
			}
			return false
		}
	}
	return c.check(f, c.words(f), picks), nil
}

// longText is how long most texts are at most.
const longText = 256

// test makes a node of a test of texts.
func (c *condition) test(f *field.Field, holds func(string) bool) filter.Node {
	ctx := c.env.Context
	if f.Many {
		read := f.HolderWord()
		return c.check(f, c.words(f), func(s *diag.InetSocket) bool {
			for _, h := range ctx.Holders(s) {
				if v, ok := read(ctx, h); ok && holds(v) {
					return true
				}
			}
			return false
		})
	}
	read := reader(f)
	return c.check(f, c.words(f), func(s *diag.InetSocket) bool {
		v, ok := read(ctx, s)
		return ok && holds(v)
	})
}

// reader returns a function that reads a text that is valid until the next one is read.
func reader(f *field.Field) func(*field.Context, *diag.InetSocket) (string, bool) {
	if read := f.Word(); read != nil {
		return read
	}
	buf := make([]byte, 0, longText)
	return func(c *field.Context, s *diag.InetSocket) (string, bool) {
		var ok bool
		buf, ok = f.AppendText(c, buf[:0], s)
		return unsafe.String(unsafe.SliceData(buf), len(buf)), ok
	}
}

func (c *condition) text(f *field.Field) (filter.Node, error) {
	if err := c.ordered(); err != nil {
		return nil, err
	}
	if f.Values != "" {
		for _, t := range c.values {
			if known := strings.Fields(f.Values); !slices.Contains(known, t.text) {
				hint := "it is one of " + strings.Join(known, ", ")
				if like := field.Nearest(t.text, known); like != "" {
					hint = "did you mean " + like + "?"
				}
				return nil, c.fail(t, fmt.Sprintf("%s is never %q", f.Name, t.text), hint)
			}
		}
	}
	want := make([]string, len(c.values))
	for i, t := range c.values {
		want[i] = t.text
	}
	return c.equal(f, want, c.op == tokNE), nil
}

// equal makes a node of whether a text is one of some, or none of them.
func (c *condition) equal(f *field.Field, want []string, ne bool) filter.Node {
	ctx, w := c.env.Context, want[0]
	if f.Many && len(want) == 1 {
		read := f.HolderWord()
		return c.check(f, c.words(f), func(s *diag.InetSocket) bool {
			for _, h := range ctx.Holders(s) {
				if v, ok := read(ctx, h); ok && (v == w) != ne {
					return true
				}
			}
			return false
		})
	}
	if len(want) > 1 {
		return c.test(f, func(v string) bool {
			found := false
			for i := 0; i < len(want) && !found; i++ { // half the time of slices.Contains
				found = v == want[i]
			}
			return found != ne
		})
	}
	read := reader(f)
	return c.check(f, c.words(f), func(s *diag.InetSocket) bool {
		v, ok := read(ctx, s)
		return ok && (v == w) != ne
	})
}

func (c *condition) match(f *field.Field) (filter.Node, error) {
	if f.Kind != field.Text {
		hint := "compare it by =, != or in"
		if f.Kind == field.Number {
			hint = "compare it by =, !=, < or >"
		}
		return nil, c.fail(c.name, f.Name+" is no text", hint)
	}
	re, err := regexp.Compile(c.values[0].text)
	if err != nil {
		return nil, c.fail(c.values[0], strings.TrimPrefix(err.Error(), "error parsing regexp: "), "")
	}
	want := c.op == tokMatch
	return c.test(f, func(v string) bool { return re.MatchString(v) == want }), nil
}
