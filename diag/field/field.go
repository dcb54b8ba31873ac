package field

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/sockeye-tools/sockeye/diag"
)

// Kind is the type of a field's values.
type Kind uint8

// Kinds.
const (
	Number  Kind = iota // an unsigned integer, in Field.Unit
	Text                // bytes, as the kernel or a process has them: not to be trusted
	Address             // an IPv4 or IPv6 address
	Flag                // true or false; a number that is 1 or 0
)

func (k Kind) String() string {
	return [...]string{"number", "text", "address", "flag"}[k]
}

// Where says where a condition on a field is evaluated.
type Where uint8

// Places, the cheapest first.
const (
	InMask     Where = iota // the state mask, protocol and family of the request
	InBytecode              // the kernel's filter program
	Here                    // this program, socket by socket
	WithOwner               // this program, once the owners are known
)

func (w Where) String() string {
	return [...]string{"state mask", "bytecode", "here", "needs owner"}[w]
}

// Group is what a field belongs to.
type Group uint8

// Groups.
const (
	Base    Group = iota // what every answer has
	TCP                  // tcp_info
	Memory               // INET_DIAG_SKMEMINFO
	Options              // socket options and shutdown
	Owner                // the processes that hold the socket
	Rates                // what --watch tells
)

var groupNames = [...]string{"base", "tcp", "memory", "options", "owner", "rates"}

func (g Group) String() string { return groupNames[g] }

// ParseGroup returns the group of a name.
func ParseGroup(name string) (Group, bool) {
	i := slices.Index(groupNames[:], name)
	return Group(i), i >= 0
}

// Field is one thing that can be said of a socket.
type Field struct {
	Name    string   // in filters and columns
	Key     string   // in JSON and CSV: the name with its unit
	Aliases []string // other names
	Group   Group
	Kind    Kind
	Unit    Unit
	Since   string   // the first Linux that tells it; "": any that sockeye runs on
	Ext     diag.Ext // what a query must ask for
	Attr    bool     // told by an attribute that comes without being asked for: not with InetQuery.NoAttrs
	Where   Where
	Many    bool // has a value for each process that holds the socket
	// Shown is for people: programs read what it is made of. Hidden from formats for programs.
	Shown  bool
	Doc    string // one line
	Values string // which there are, for texts that are one of a few

	number func(*Context, *diag.InetSocket) (uint64, bool)
	word   func(*Context, *diag.InetSocket) (string, bool)         // a text that is somewhere already, or
	text   func(*Context, []byte, *diag.InetSocket) ([]byte, bool) // one that has to be made
	addr   func(*diag.InetSocket) netip.Addr
	// holder reads the field of one process; a number is in pid.
	holder func(*Context, *Holder) (string, bool)
	// unless: sockets of which the number means another thing, and which programs do not get it of.
	unless func(*diag.InetSocket) bool
}

// Number returns the value of a Number or Flag, and whether the socket has one.
func (f *Field) Number(c *Context, s *diag.InetSocket) (uint64, bool) {
	if f.number == nil {
		return 0, false
	}
	return f.number(c, s)
}

// Plain is Number, but for values that would mislead who does not see the socket's state: the queues of a listener, which
// count connections where those of others count bytes.
func (f *Field) Plain(c *Context, s *diag.InetSocket) (uint64, bool) {
	if f.number == nil || f.unless != nil && f.unless(s) {
		return 0, false
	}
	return f.number(c, s)
}

// AppendText appends the value of a Text, as it is, and reports whether the socket has one.
func (f *Field) AppendText(c *Context, dst []byte, s *diag.InetSocket) ([]byte, bool) {
	if f.word != nil {
		v, ok := f.word(c, s)
		return append(dst, v...), ok
	}
	if f.text == nil {
		return dst, false
	}
	return f.text(c, dst, s)
}

// Word returns a function that reads a Text without copying it; nil where it has to be made: see AppendText. The text is valid until
// the next socket.
func (f *Field) Word() func(*Context, *diag.InetSocket) (string, bool) { return f.word }

// Addr returns the value of an Address.
func (f *Field) Addr(s *diag.InetSocket) netip.Addr { return f.addr(s) }

// HolderNumber returns the value of a Number that is Many.
func (f *Field) HolderNumber(h *Holder) (uint64, bool) { return uint64(h.PID), true }

// HolderText returns the value of a Text that is Many, and whether the process has one that could be read.
func (f *Field) HolderText(c *Context, h *Holder) (string, bool) { return f.holder(c, h) }

// HolderWord returns the function behind HolderText, for a Text that is Many.
func (f *Field) HolderWord() func(*Context, *Holder) (string, bool) { return f.holder }

// All are the fields, in the order in which they are shown. It must not be changed.
var All = slices.Concat(baseFields(), tcpFields(), memoryFields(), optionFields(), ownerFields(), watchFields())

var byName = map[string]*Field{}

func init() { // fields read others by their names
	for _, f := range All {
		for _, name := range append([]string{f.Name, f.Key}, f.Aliases...) {
			byName[name] = f
		}
	}
	for i := range counters {
		counted[i] = byName[counters[i].field]
	}
}

// spelled lets recv-q, Recv_Q and recv_q be one.
func spelled(name string) string { return strings.ReplaceAll(strings.ToLower(name), "-", "_") }

// UnknownError is a name that no field has.
type UnknownError struct {
	Name string
	Like string // the name that is nearest, or ""
}

func (e *UnknownError) Error() string {
	s := fmt.Sprintf("there is no field %q", e.Name)
	if e.Like != "" {
		s += ": did you mean " + e.Like + "?"
	}
	return s
}

// Lookup returns the field of a name or an alias; hyphens count as underscores, capitals as small letters. The error is an
// *UnknownError.
func Lookup(name string) (*Field, error) {
	if f, ok := byName[spelled(name)]; ok {
		return f, nil
	}
	return nil, &UnknownError{name, Nearest(spelled(name), slices.Collect(names))}
}

// names yields all names and aliases, names first.
func names(yield func(string) bool) {
	for _, f := range All {
		if !yield(f.Name) {
			return
		}
	}
	for _, f := range All {
		for _, a := range f.Aliases {
			if !yield(a) {
				return
			}
		}
	}
}

// Nearest returns the first candidate that begins with word, or the one that takes the fewest changed letters to become it; "" if
// none is near.
func Nearest(word string, candidates []string) string {
	best, least := "", len(word)/2+1
	if len(word) > 64 {
		return ""
	}
	for _, c := range candidates {
		if len(word) > 2 && strings.HasPrefix(c, word) {
			return c
		}
	}
	for _, c := range candidates {
		if d := distance(word, c); d < least {
			best, least = c, d
		}
	}
	return best
}

// distance is Levenshtein's, where two letters that changed places count once.
func distance(a, b string) int {
	prev2, prev, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := range len(a) {
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(prev[j+1]+1, row[j]+1, prev[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], prev2[j-1]+1)
			}
		}
		prev2, prev, row = prev, row, prev2
	}
	return prev[len(b)]
}
