// Package getopt takes command lines apart as the getopt_long of the GNU C library does, with its error texts: clusters of short
// options, options after operands, long options cut short, and "--". The rules are those of getopt(3) and of POSIX.1-2024
// XBD 12.2.
//
// Options are delivered one at a time, in order, for programs that act while they parse.
package getopt

import (
	"io"
	"strings"
)

// ArgKind says whether an option has an argument.
type ArgKind uint8

// Kinds of arguments.
const (
	None     ArgKind = iota
	Required         // "-A x", "-Ax", "--long x", "--long=x"
	Optional         // "-Ax", "--long=x"; never a word of its own
)

// Option is one option: a letter, a word, or both.
type Option struct {
	Short rune   // one byte (ASCII), or 0
	Long  string // without "--", or ""
	Arg   ArgKind
	// ID is what Next returns. A long option may be cut short where everything that it could mean has the same ID and Arg: the
	// first of them is taken.
	ID int
}

// Parser walks through one command line.
type Parser struct {
	// Posix makes the first operand end the options, as POSIXLY_CORRECT in the environment does. Set it before Next.
	Posix bool

	prog     string
	args     []string // what has not been looked at
	cluster  string   // what remains of a cluster of short options
	opts     []Option
	operands []string
	name     string
}

// New returns a Parser of args, the words after the command's name. prog is the name that errors begin with: argv[0] as it was
// typed.
func New(prog string, args []string, opts []Option) *Parser {
	return &Parser{prog: prog, args: args, opts: opts}
}

// Next returns the next option's ID and its argument. At the end the error is io.EOF. Any other error is an *Error; the option
// has been skipped then, and Next may be called again.
func (p *Parser) Next() (id int, arg string, err error) {
	p.name = ""
	for p.cluster == "" {
		if len(p.args) == 0 {
			return 0, "", io.EOF
		}
		word := p.args[0]
		p.args = p.args[1:]
		switch {
		case word == "--":
			p.operands = append(p.operands, p.args...)
			p.args = nil
		case len(word) < 2 || word[0] != '-':
			p.operands = append(p.operands, word)
			if p.Posix {
				p.operands = append(p.operands, p.args...)
				p.args = nil
			}
		case word[1] == '-':
			return p.long(word[2:])
		default:
			p.cluster = word[1:]
		}
	}
	return p.short()
}

// Operands returns the words that are not options, in order. It is complete once Next has returned io.EOF.
func (p *Parser) Operands() []string { return p.operands }

// Name returns the full name of the long option that Next returned last, or "" where it was a short one.
func (p *Parser) Name() string { return p.name }

func (p *Parser) short() (id int, arg string, err error) {
	c := p.cluster[0]
	p.cluster = p.cluster[1:]
	for i := range p.opts {
		o := &p.opts[i]
		if o.Short == 0 || o.Short != rune(c) {
			continue
		}
		switch {
		case o.Arg == None:
		case p.cluster != "" || o.Arg == Optional:
			arg, p.cluster = p.cluster, ""
		case len(p.args) == 0:
			return 0, "", p.fail("option requires an argument -- '", string(c), "'")
		default:
			arg, p.args = p.args[0], p.args[1:]
		}
		return o.ID, arg, nil
	}
	return 0, "", p.fail("invalid option -- '", string([]byte{c}), "'")
}

func (p *Parser) long(word string) (id int, arg string, err error) {
	name, value, assigned := strings.Cut(word, "=")
	o, ambiguous := p.find(name)
	switch {
	case ambiguous != "":
		return 0, "", p.fail("option '--", word, "' is ambiguous; possibilities:", ambiguous)
	case o == nil:
		return 0, "", p.fail("unrecognized option '--", word, "'")
	case assigned && o.Arg == None:
		return 0, "", p.fail("option '--", o.Long, "' doesn't allow an argument")
	case assigned:
		arg = value
	case o.Arg == Required && len(p.args) == 0:
		return 0, "", p.fail("option '--", o.Long, "' requires an argument")
	case o.Arg == Required:
		arg, p.args = p.args[0], p.args[1:]
	}
	p.name = o.Long
	return o.ID, arg, nil
}

// find returns the option that is called name, or else the one that begins with it; or what name could mean, as the error
// lists it.
func (p *Parser) find(name string) (found *Option, ambiguous string) {
	var all strings.Builder
	for i := range p.opts {
		o := &p.opts[i]
		switch {
		case o.Long == "" || !strings.HasPrefix(o.Long, name):
		case o.Long == name:
			return o, ""
		case found == nil:
			found = o
		case o.ID != found.ID || o.Arg != found.Arg:
			if all.Len() == 0 {
				all.WriteString(" '--" + found.Long + "'")
			}
			all.WriteString(" '--" + o.Long + "'")
		}
	}
	return found, all.String()
}

func (p *Parser) fail(text ...string) error {
	return &Error{Prog: p.prog, Text: strings.Join(text, "")}
}

// Error is a command line that getopt refuses.
type Error struct {
	Prog string // argv[0]
	Text string // such as "invalid option -- 'q'"
}

// Error returns the line that getopt_long prints, without its newline.
func (e *Error) Error() string { return e.Prog + ": " + e.Text }
