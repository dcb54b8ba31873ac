package lang

import (
	"fmt"
	"slices"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/field"
	"github.com/sockeye-tools/sockeye/diag/filter"
)

// Env is what a filter depends on beyond its words.
type Env struct {
	Filter filter.Env
	// Context is what fields are read with while the filter is evaluated. It may be filled in later.
	Context *field.Context
}

// Expr is a filter that was parsed. It serves one goroutine at a time.
type Expr struct {
	Text   string
	Tree   filter.Node    // nil picks everything
	Fields []*field.Field // that it asks about, each once
}

// Ext is what a query must ask for, so that the filter can be evaluated.
func (e *Expr) Ext() (x diag.Ext) {
	for _, f := range e.Fields {
		x |= f.Ext
	}
	return x
}

// Owners reports whether the filter asks about the processes that hold a socket.
func (e *Expr) Owners() bool {
	return slices.ContainsFunc(e.Fields, func(f *field.Field) bool { return f.Where == field.WithOwner })
}

// maxDepth is how deep parentheses and "not" may nest.
const maxDepth = 500

// Parse parses a filter. The error is an *Error.
func Parse(text string, env *Env) (*Expr, error) {
	p := parser{lexer: lexer{text: text}, env: env, expr: &Expr{Text: text}}
	if err := p.advance(); err != nil {
		return nil, err
	}
	if p.tok.kind == tokEnd {
		return p.expr, nil
	}
	n, err := p.or()
	if err != nil {
		return nil, err
	}
	switch p.tok.kind {
	case tokEnd:
	case tokClose:
		return nil, p.fail(p.tok, "there is no parenthesis to close", "")
	default:
		return nil, p.fail(p.tok, fmt.Sprintf("%q is out of place", p.tok.text), "")
	}
	p.expr.Tree = n
	return p.expr, nil
}

type parser struct {
	lexer
	env   *Env
	expr  *Expr
	tok   token
	depth int
	bare  bool // the term that was parsed last is "state A"
}

func (p *parser) advance() (err error) {
	p.tok, err = p.next()
	return err
}

func (p *parser) fail(t token, msg, hint string) error {
	return &Error{Text: p.text, Start: t.start, End: t.end, Msg: msg, Hint: hint}
}

func (p *parser) or() (filter.Node, error) {
	n, err := p.and()
	if err != nil || p.tok.kind != tokOr {
		return n, err
	}
	list := filter.Or{n}
	for p.tok.kind == tokOr {
		if err := p.advance(); err != nil {
			return nil, err
		}
		if n, err = p.and(); err != nil {
			return nil, err
		}
		list = append(list, n)
	}
	return list, nil
}

func (p *parser) and() (filter.Node, error) {
	before := p.tok
	p.bare = false
	n, err := p.not()
	if err != nil {
		return nil, err
	}
	list := filter.And{n}
	bare := p.bare && before.text == "state" // the last one is "state A"
	for p.tok.kind == tokAnd || starts(p.tok.kind) {
		joined := p.tok.kind == tokAnd
		if joined {
			if err := p.advance(); err != nil {
				return nil, err
			}
		}
		before := p.tok
		p.bare = false
		if n, err = p.not(); err != nil {
			return nil, err
		}
		wasBare := bare
		bare = p.bare && before.text == "state"
		if wasBare && bare && !joined { // "state A state B" is either
			last, next := list[len(list)-1].(filter.Class), n.(filter.Class)
			list[len(list)-1] = filter.Class{Words: last.Words + " " + next.Words, Has: func(pr diag.Protocol, f diag.Family, st diag.State) bool {
				return last.Has(pr, f, st) || next.Has(pr, f, st)
			}}
			continue
		}
		list = append(list, n)
	}
	if len(list) == 1 {
		return list[0], nil
	}
	return list, nil
}

// starts reports whether a term can begin with k.
func starts(k kind) bool { return k == tokWord || k == tokOpen || k == tokNot }

func (p *parser) not() (filter.Node, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, p.fail(p.tok, "the filter nests too deep", "")
	}
	defer func() { p.depth-- }()
	t := p.tok
	switch t.kind {
	case tokNot:
		if err := p.advance(); err != nil {
			return nil, err
		}
		n, err := p.not()
		if err != nil {
			return nil, err
		}
		return filter.Not{Node: n}, nil
	case tokOpen:
		if err := p.advance(); err != nil {
			return nil, err
		}
		n, err := p.or()
		if err != nil {
			return nil, err
		}
		if p.tok.kind != tokClose {
			return nil, p.fail(t, "the parenthesis is not closed", "")
		}
		return n, p.advance()
	case tokWord:
		return p.term()
	case tokEnd:
		return nil, p.fail(t, "the filter ends where a condition is expected", "")
	}
	return nil, p.fail(t, fmt.Sprintf("%q stands where a condition is expected", t.text), "")
}

// term parses one condition.
func (p *parser) term() (filter.Node, error) {
	t := p.tok
	switch t.text {
	case "state", "exclude", "excl":
		return p.state(t)
	case "autobound":
		p.use("local_port")
		return filter.Autobounds(&p.env.Filter), p.advance()
	}
	fs, err := p.fields(t)
	if err != nil {
		return nil, err
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	c := condition{parser: p, name: t, fields: fs}
	return c.parse()
}

// fields finds what a word names: one field, or two for "port" and "addr", of which one has to hold.
func (p *parser) fields(t token) ([]*field.Field, error) {
	switch t.text {
	case "port":
		return []*field.Field{p.use("local_port"), p.use("peer_port")}, nil
	case "addr", "host":
		return []*field.Field{p.use("local_addr"), p.use("peer_addr")}, nil
	}
	f, err := field.Lookup(t.text)
	if err != nil || t.quoted {
		hint := "sockeye fields lists them"
		like := field.Nearest(t.text, words())
		if like != "" {
			hint = "did you mean " + like + "?"
		}
		return nil, p.fail(t, fmt.Sprintf("there is no field %q", t.text), hint)
	}
	return []*field.Field{p.use(f.Name)}, nil
}

// termWords are what a term can begin with that is no field.
var termWords = []string{"state", "exclude", "excl", "autobound", "port", "addr", "host"}

// words are what a term can begin with.
func words() []string {
	all := slices.Clone(termWords)
	for _, f := range field.All {
		all = append(append(all, f.Name), f.Aliases...)
	}
	return all
}

// use notes that the filter asks about a field.
func (p *parser) use(name string) *field.Field {
	f, err := field.Lookup(name)
	if err != nil {
		panic(err) // the names here are constants
	}
	if !slices.Contains(p.expr.Fields, f) {
		p.expr.Fields = append(p.expr.Fields, f)
	}
	return f
}
