package lang

import "strings"

type kind uint8

const (
	tokEnd kind = iota
	tokWord
	tokOpen
	tokClose
	tokComma
	tokAnd
	tokOr
	tokNot
	tokEQ
	tokNE
	tokLT
	tokLE
	tokGT
	tokGE
	tokMatch
	tokNoMatch
	tokIn
)

// operators, the longer first.
var operators = []struct {
	text string
	kind kind
}{
	{"==", tokEQ}, {"!=", tokNE}, {"!~", tokNoMatch}, {"<=", tokLE}, {">=", tokGE}, {"&&", tokAnd}, {"||", tokOr},
	{"=", tokEQ}, {"<", tokLT}, {">", tokGT}, {"~", tokMatch}, {"&", tokAnd}, {"|", tokOr}, {"!", tokNot}, {"(", tokOpen}, {")", tokClose}, {",", tokComma},
}

var keywords = map[string]kind{
	"and": tokAnd, "or": tokOr, "not": tokNot, "in": tokIn, "eq": tokEQ, "ne": tokNE, "neq": tokNE, "lt": tokLT, "gt": tokGT,
	"le": tokLE, "leq": tokLE, "ge": tokGE, "geq": tokGE,
}

type token struct {
	kind       kind
	text       string // of a word: without quotes and backslashes
	start, end int
	quoted     bool
}

type lexer struct {
	text string
	pos  int
}

func blank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func (l *lexer) skip() {
	for l.pos < len(l.text) && blank(l.text[l.pos]) {
		l.pos++
	}
}

// next reads a token.
func (l *lexer) next() (token, error) {
	l.skip()
	rest := l.text[l.pos:]
	if rest == "" {
		return token{start: l.pos, end: l.pos}, nil
	}
	if rest[0] == '"' || rest[0] == '\'' {
		return l.quoted()
	}
	for _, o := range operators {
		if strings.HasPrefix(rest, o.text) {
			t := token{kind: o.kind, text: o.text, start: l.pos, end: l.pos + len(o.text)}
			l.pos = t.end
			return t, nil
		}
	}
	return l.word(), nil
}

// quoted reads a text in quotes, in which a backslash takes a quote or a backslash as it is.
func (l *lexer) quoted() (token, error) {
	t := token{kind: tokWord, start: l.pos, quoted: true}
	quote := l.text[l.pos]
	var b strings.Builder
	for i := l.pos + 1; i < len(l.text); i++ {
		c := l.text[i]
		if c == quote {
			l.pos = i + 1
			t.end, t.text = l.pos, b.String()
			return t, nil
		}
		if c == '\\' && i+1 < len(l.text) && (l.text[i+1] == quote || l.text[i+1] == '\\') {
			i++
			c = l.text[i]
		}
		b.WriteByte(c)
	}
	return t, &Error{Text: l.text, Start: t.start, End: len(l.text), Msg: "the quote is not closed"}
}

func (l *lexer) word() token {
	t := token{kind: tokWord, start: l.pos}
	var b strings.Builder
	i := l.pos
	for ; i < len(l.text); i++ {
		c := l.text[i]
		if blank(c) || strings.IndexByte("()=<>,~&|", c) >= 0 || c == '!' && i+1 < len(l.text) && (l.text[i+1] == '=' || l.text[i+1] == '~') {
			break
		}
		if c == '\\' && i+1 < len(l.text) {
			i++
			c = l.text[i]
			t.quoted = true
		}
		b.WriteByte(c)
	}
	l.pos = i
	t.end, t.text = i, b.String()
	if k, ok := keywords[t.text]; ok && !t.quoted {
		t.kind = k
	}
	return t
}

// regexp reads the word behind "~": up to a blank, or to a parenthesis that it did not open.
func (l *lexer) regexp() (token, error) {
	l.skip()
	if l.pos < len(l.text) && (l.text[l.pos] == '"' || l.text[l.pos] == '\'') {
		return l.quoted()
	}
	t := token{kind: tokWord, start: l.pos}
	depth, class := 0, false
	i := l.pos
scan:
	for ; i < len(l.text); i++ {
		switch c := l.text[i]; {
		case blank(c):
			break scan
		case c == '\\':
			i++
		case class:
			class = c != ']'
		case c == '[':
			class = true
		case c == '(':
			depth++
		case c == ')':
			if depth--; depth < 0 {
				break scan
			}
		}
	}
	i = min(i, len(l.text))
	t.text, t.end, l.pos = l.text[t.start:i], i, i
	if i == t.start {
		t.kind = tokEnd
	}
	return t, nil
}
