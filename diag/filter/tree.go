package filter

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/sockeye-tools/sockeye/diag"
)

// Node is a node of a filter's tree: And, Or, Not, or one of the predicates.
type Node interface {
	// appendWords appends the node in the words of ss.
	appendWords(dst []byte) []byte
}

// And picks what all of its nodes pick; everything, if there is none.
type And []Node

// Or picks what at least one of its nodes picks; nothing, if there is none.
type Or []Node

// Not picks what its node does not.
type Not struct{ Node Node }

// Side is one end of a socket.
type Side uint8

// Sides.
const (
	Local  Side = iota // src
	Remote             // dst
)

// Cmp is how a port is compared.
type Cmp uint8

// Comparisons. The others are their negations.
const (
	EQ Cmp = iota
	GE
	LE
)

// Host picks inet sockets whose address lies in one of Prefixes; any, if there is none.
//
// An IPv4 prefix holds the IPv4-mapped IPv6 addresses too, as in the kernel (struct inet_diag_hostcond).
type Host struct {
	Side     Side
	Prefixes []netip.Prefix
}

// Port picks inet sockets by a port. A number outside of 0 to 65535 is compared as any other.
type Port struct {
	Side Side
	Cmp  Cmp
	Port int32
}

// Device picks sockets that are bound to a device; with Index 0, those that are bound to none.
type Device struct {
	Index uint32
	Name  string // as it was written
}

// Mark picks sockets whose SO_MARK, masked with Mask, is Mark. A mark that the kernel did not tell (it wants CAP_NET_ADMIN)
// counts as 0.
type Mark struct{ Mark, Mask uint32 }

// Cgroup picks sockets of one cgroup (v2). A socket of which the kernel tells none (TIME_WAIT, SYN_RECV) has id 0.
type Cgroup struct {
	ID   uint64
	Path string // as it was written
}

// Autobound picks sockets whose local port was chosen by the kernel: see the package's comment.
type Autobound struct{ Lo, Hi uint16 }

// Foreign picks sockets of a family that is not inet: AF_UNIX, AF_PACKET, AF_NETLINK or AF_VSOCK. It picks no inet socket.
type Foreign struct {
	Family diag.Family
	Side   Side
	// Name is AF_UNIX's: a pattern as fnmatch(3) has it with FNM_CASEFOLD, which the abstract names' NULs are @ for. "" picks
	// sockets without a name.
	Name string
	// Addr is the ethertype, the netlink protocol or the context id; -1: any.
	Addr int64
	// Port is the interface's index, the netlink port id or the vsock port, compared as Cmp says; -1: any.
	Port int64
	Cmp  Cmp
}

// Has reports whether there is a T in the tree.
func Has[T Node](n Node) bool {
	switch n := n.(type) {
	case T:
		return true
	case And:
		return anyHas[T](n)
	case Or:
		return anyHas[T](n)
	case Not:
		return Has[T](n.Node)
	}
	return false
}

func anyHas[T Node](nodes []Node) bool {
	return slices.ContainsFunc(nodes, Has[T])
}

// both returns a and b, without nesting And in And.
func both(a, b Node) Node {
	if l, ok := a.(And); ok {
		return append(l, b)
	}
	return And{a, b}
}

// either returns a or b, without nesting Or in Or.
func either(a, b Node) Node {
	if l, ok := a.(Or); ok {
		return append(l, b)
	}
	return Or{a, b}
}

func (n And) appendWords(dst []byte) []byte { return appendList(dst, n, " and ", "src *") }
func (n Or) appendWords(dst []byte) []byte  { return appendList(dst, n, " or ", "not src *") }

func appendList(dst []byte, nodes []Node, op, none string) []byte {
	if len(nodes) == 0 {
		return append(dst, none...)
	}
	for i, n := range nodes {
		if i > 0 {
			dst = append(dst, op...)
		}
		if h, ok := n.(Host); ok && op == " or " {
			dst = h.appendWords(dst) // its own list is one of "or"
			continue
		}
		dst = appendTerm(dst, n)
	}
	return dst
}

// appendTerm appends n in parentheses, where it is more than a word of a list.
func appendTerm(dst []byte, n Node) []byte {
	wide := false
	switch n := n.(type) {
	case And:
		wide = len(n) > 1
	case Or:
		wide = len(n) != 1
	case Host:
		wide = len(n.Prefixes) > 1
	}
	if !wide {
		return n.appendWords(dst)
	}
	dst = append(dst, "( "...)
	dst = n.appendWords(dst)
	return append(dst, " )"...)
}

func (n Not) appendWords(dst []byte) []byte {
	return appendTerm(append(dst, "not "...), n.Node)
}

func (n Host) appendWords(dst []byte) []byte {
	word := [...]string{Local: "src ", Remote: "dst "}[n.Side]
	if len(n.Prefixes) == 0 {
		return append(append(dst, word...), '*')
	}
	for i, p := range n.Prefixes {
		if i > 0 {
			dst = append(dst, " or "...)
		}
		dst = append(dst, word...)
		v6 := p.Addr().Is6()
		if v6 {
			dst = append(dst, '[')
		}
		dst = p.Addr().AppendTo(dst)
		if p.Bits() < p.Addr().BitLen() {
			dst = append(dst, '/')
			dst = strconv.AppendInt(dst, int64(p.Bits()), 10)
		}
		if v6 {
			dst = append(dst, ']')
		}
	}
	return dst
}

func appendPort(dst []byte, s Side, c Cmp) []byte {
	dst = append(dst, [...]string{Local: "sport ", Remote: "dport "}[s]...)
	return append(dst, [...]string{EQ: "= ", GE: ">= ", LE: "<= "}[c]...)
}

func (n Port) appendWords(dst []byte) []byte {
	return strconv.AppendInt(appendPort(dst, n.Side, n.Cmp), int64(n.Port), 10)
}

func (n Device) appendWords(dst []byte) []byte {
	dst = append(dst, "dev "...)
	if n.Name != "" {
		return appendWord(dst, n.Name)
	}
	return strconv.AppendUint(dst, uint64(n.Index), 10)
}

func (n Mark) appendWords(dst []byte) []byte {
	dst = append(dst, "fwmark 0x"...)
	dst = strconv.AppendUint(dst, uint64(n.Mark), 16)
	if n.Mask != 1<<32-1 {
		dst = append(dst, "/0x"...)
		dst = strconv.AppendUint(dst, uint64(n.Mask), 16)
	}
	return dst
}

func (n Cgroup) appendWords(dst []byte) []byte {
	return appendWord(append(dst, "cgroup "...), n.Path)
}

func (n Autobound) appendWords(dst []byte) []byte { return append(dst, "autobound"...) }

func (n Foreign) appendWords(dst []byte) []byte {
	name := familyNames[n.Family]
	if n.Cmp != EQ {
		dst = append(append(appendPort(dst, n.Side, n.Cmp), name...), ':')
		if n.Name != "" {
			return appendWord(dst, n.Name)
		}
		return appendForeignPort(dst, n.Port)
	}
	dst = append(dst, [...]string{Local: "src ", Remote: "dst "}[n.Side]...)
	dst = append(append(dst, name...), ':')
	if n.Name != "" {
		return appendWord(dst, n.Name)
	}
	if n.Addr >= 0 {
		dst = strconv.AppendInt(dst, n.Addr, 10)
	} else {
		dst = append(dst, '*')
	}
	if n.Port != -1 {
		dst = appendForeignPort(append(dst, ':'), n.Port)
	}
	return dst
}

func appendForeignPort(dst []byte, port int64) []byte {
	if port == -1 {
		return append(dst, '*')
	}
	return strconv.AppendInt(dst, port, 10)
}

// appendWord appends one word of the language, blanks and backslashes escaped. Control characters, which may not reach a
// terminal, become question marks.
func appendWord(dst []byte, s string) []byte {
	s = strings.Map(func(r rune) rune {
		if r != '\t' && r < ' ' || r >= 0x7f && r < 0xa0 {
			return '?'
		}
		return r
	}, s)
	for i := range len(s) {
		if s[i] == ' ' || s[i] == '\t' || s[i] == '\\' {
			dst = append(dst, '\\')
		}
		dst = append(dst, s[i])
	}
	return dst
}
