package filter

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/sockeye-tools/sockeye/diag"
)

// SSError is what ParseSS fails with: ss's own words and exit status.
type SSError struct {
	Text   string // what ss prints to stderr; lines are separated by newlines, the last one has none
	Status int    // ss's exit status: 1 for an operand, 255 otherwise
	Usage  bool   // ss prints its usage behind the text, to stderr
	Err    error  // the look-up that failed, or nil
}

func (e *SSError) Error() string { return e.Text }

func (e *SSError) Unwrap() error { return e.Err }

// bison is the error that the parser ends with.
func bison(what string) *SSError {
	return &SSError{
		Text:   `ss: bison bellows (while parsing filter): "` + what + `!" Sorry.`,
		Status: 255,
		Usage:  true,
	}
}

// maxDepth is how deep parentheses and "not" nest: what the stack of ss's parser holds.
const maxDepth = 9996

// ParseSS parses the filter words of ss: the arguments behind the options and the states, each of which may hold several words,
// and then the lines of a filter file (see SSFileLines). No words make a filter that picks everything.
//
// The error is a *SSError.
func ParseSS(words []string, env Env) (*Filter, error) {
	p := ssParser{args: words, env: &env}
	tree, err := p.parse()
	if err != nil {
		return nil, err
	}
	if Has[Cgroup](tree) && env.Ops&OpCgroup == 0 {
		return nil, &SSError{Text: "It looks like such filter is not supported! Too old kernel?", Status: 255}
	}
	f := New(tree, env.Ops)
	f.family = p.family
	return f, nil
}

// SSFileLines reads a filter file (ss -F): its lines, to be put behind the words of the command line. Lines that begin with "#" are
// comments; so, in ss, are those that begin with "0". A line that is too long for ss, be it a comment, is a *SSError.
func SSFileLines(r io.Reader) (lines []string, _ error) {
	const tooLong = 1023 // bytes, with the line feed
	in := bufio.NewReaderSize(r, tooLong)
	for {
		b, err := in.ReadSlice('\n')
		if len(b) == tooLong {
			return nil, &SSError{Text: "Too long line in filter", Status: 255}
		}
		if s := strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r"); s != "" && s[0] != '#' && s[0] != '0' {
			lines = append(lines, s)
		}
		switch {
		case err == io.EOF:
			return lines, nil
		case err != nil:
			return nil, fmt.Errorf("read filter file: %w", err)
		}
	}
}

// tokenKind is the kind of a word.
type tokenKind uint8

const (
	tokEnd tokenKind = iota
	tokNot
	tokAnd
	tokOr
	tokOpen
	tokClose
	tokEQ
	tokNE
	tokGE
	tokLE
	tokGT
	tokLT
	tokSrc
	tokDst
	tokSport
	tokDport
	tokDev
	tokMark
	tokCgroup
	tokAuto
	tokOperand
)

var keywords = map[string]tokenKind{
	"!": tokNot, "not": tokNot,
	"&": tokAnd, "&&": tokAnd, "and": tokAnd,
	"|": tokOr, "||": tokOr, "or": tokOr,
	"(": tokOpen, ")": tokClose,
	"=": tokEQ, "==": tokEQ, "eq": tokEQ,
	"!=": tokNE, "ne": tokNE, "neq": tokNE,
	">=": tokGE, "ge": tokGE, "geq": tokGE,
	"<=": tokLE, "le": tokLE, "leq": tokLE,
	">": tokGT, "gt": tokGT,
	"<": tokLT, "lt": tokLT,
	"src": tokSrc, "dst": tokDst, "sport": tokSport, "dport": tokDport,
	"dev": tokDev, "fwmark": tokMark, "cgroup": tokCgroup, "autobound": tokAuto,
}

// ssParser parses with one word of look-ahead, as ss's does: the first word that is wrong is the one that is reported, be it an
// operand (looked up when it is read) or out of place.
type ssParser struct {
	env    *Env
	args   []string
	rest   string // of the argument that is being read
	family diag.Family

	tok     tokenKind
	last    tokenKind // the predicate seen last: what an operand is read as
	operand Node      // tokOperand
	depth   int
}

func (p *ssParser) parse() (Node, error) {
	if err := p.next(); err != nil || p.tok == tokEnd {
		return nil, err
	}
	n, err := p.list()
	if err == nil && p.tok != tokEnd {
		err = bison("syntax error")
	}
	return n, err
}

// word cuts the next word; ok is false at the end.
func (p *ssParser) word() (w string, ok bool) {
	for {
		p.rest = strings.TrimLeft(p.rest, " \t")
		if p.rest != "" {
			break
		}
		if len(p.args) == 0 {
			return "", false
		}
		// A C string ends at its first NUL.
		p.rest, _, _ = strings.Cut(p.args[0], "\x00")
		p.args = p.args[1:]
	}
	i := strings.IndexAny(p.rest, " \t\\")
	if i < 0 {
		w, p.rest = p.rest, ""
		return w, true
	}
	b := make([]byte, 0, len(p.rest))
	for i = 0; i < len(p.rest) && p.rest[i] != ' ' && p.rest[i] != '\t'; i++ {
		if p.rest[i] == '\\' {
			if i++; i == len(p.rest) {
				break
			}
		}
		b = append(b, p.rest[i])
	}
	p.rest = p.rest[min(i, len(p.rest)):]
	return string(b), true
}

// next reads the next word.
func (p *ssParser) next() error {
	w, ok := p.word()
	if !ok {
		p.tok = tokEnd
		return nil
	}
	if p.tok, ok = keywords[w]; ok {
		if p.tok >= tokSrc {
			p.last = p.tok
		}
		return nil
	}
	p.tok = tokOperand
	var err error
	p.operand, err = p.readOperand(w)
	return err
}

// readOperand reads an operand of the predicate that was seen last; of "src", if there was none.
func (p *ssParser) readOperand(w string) (Node, error) {
	switch p.last {
	case tokDev:
		return parseDevice(w, p.env)
	case tokMark:
		return parseMark(w)
	case tokCgroup:
		return parseCgroup(w, p.env)
	}
	side := Local
	if p.last == tokDst || p.last == tokDport {
		side = Remote
	}
	n, family, err := parseAddress(w, side, p.last == tokSport || p.last == tokDport, p.env)
	if err != nil {
		return nil, err
	}
	if family != diag.Unspec {
		p.family = family
		p.env.Preferred = family // by the operands that follow
	}
	return n, nil
}

// list parses terms up to a closing parenthesis or the end.
func (p *ssParser) list() (Node, error) {
	left, err := p.term()
	for err == nil && p.tok != tokClose && p.tok != tokEnd {
		join := both
		switch p.tok {
		case tokOr:
			join = either
			fallthrough
		case tokAnd:
			if err = p.next(); err != nil {
				return nil, err
			}
		}
		var right Node
		if right, err = p.term(); err == nil {
			left = join(left, right)
		}
	}
	return left, err
}

func (p *ssParser) term() (Node, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, bison("memory exhausted")
	}
	defer func() { p.depth-- }()
	switch kind := p.tok; kind {
	case tokNot:
		if err := p.next(); err != nil {
			return nil, err
		}
		n, err := p.term()
		return Not{n}, err
	case tokOpen:
		if err := p.next(); err != nil {
			return nil, err
		}
		n, err := p.list()
		if err != nil {
			return nil, err
		}
		if p.tok != tokClose {
			return nil, bison("syntax error")
		}
		return n, p.next()
	case tokAuto:
		return Autobounds(p.env), p.next()
	case tokSrc, tokDst, tokSport, tokDport, tokDev, tokMark, tokCgroup:
		return p.predicate(kind)
	}
	return nil, bison("syntax error")
}

// predicate parses what follows the word that kind stands for.
func (p *ssParser) predicate(kind tokenKind) (Node, error) {
	if err := p.next(); err != nil {
		return nil, err
	}
	op := tokEQ
	if p.tok >= tokEQ && p.tok <= tokLT {
		op = p.tok
		port, value := kind == tokSport || kind == tokDport, kind >= tokDev
		if op != tokEQ && !port && !(value && op == tokNE) {
			return nil, bison("syntax error")
		}
		if err := p.next(); err != nil {
			return nil, err
		}
	}
	if p.tok != tokOperand {
		return nil, bison("syntax error")
	}
	n := p.operand
	switch op {
	case tokNE:
		n = Not{n}
	case tokGE:
		n = compared(n, GE)
	case tokLE:
		n = compared(n, LE)
	case tokGT:
		n = Not{compared(n, LE)}
	case tokLT:
		n = Not{compared(n, GE)}
	}
	return n, p.next()
}

// compared turns the operand of "sport =" to one of another comparison.
func compared(n Node, c Cmp) Node {
	switch n := n.(type) {
	case Port:
		n.Cmp = c
		return n
	case Foreign:
		n.Cmp = c
		return n
	case Host: // any port
		return Port{Side: n.Side, Cmp: c, Port: -1}
	}
	return n
}
