package filter

import "github.com/sockeye-tools/sockeye/diag"

// Filter is a compiled filter. It may be used by several goroutines at a time.
type Filter struct {
	tree   Node // nil: everything
	family diag.Family
	match  func(*diag.InetSocket) bool
	code   []byte
	exact  bool
}

// New compiles a tree; a nil one picks everything. ops says which instructions the kernel can be given.
func New(tree Node, ops Ops) *Filter {
	f := &Filter{tree: tree, exact: true}
	if tree != nil {
		f.match = matcher(tree)
		f.code, f.exact = assemble(tree, ops, maxCode)
	}
	return f
}

// Bytecode returns what the kernel can do of the filter, for InetQuery.Bytecode: a program that accepts at least the sockets that
// the filter picks; nil if that is all of them. The bytes are the filter's own.
//
// If exact, it accepts no others: there is nothing left to evaluate, but for rows that are read from /proc.
func (f *Filter) Bytecode() (code []byte, exact bool) { return f.code, f.exact }

// Match reports whether the filter picks s. It does not allocate.
func (f *Filter) Match(s *diag.InetSocket) bool { return f.match == nil || f.match(s) }

// Family returns the family that the filter's operands ask for, which replaces the families that were wanted otherwise: IPv4,
// IPv6, AF_UNIX, AF_PACKET, AF_NETLINK or AF_VSOCK. Unspec: none. Where operands disagree, it is the last one's, as in ss.
func (f *Filter) Family() diag.Family { return f.family }

// Tree returns the filter's tree; nil picks everything.
func (f *Filter) Tree() Node { return f.tree }

// String returns the tree in the words of ss, with all its parentheses.
func (f *Filter) String() string {
	if f.tree == nil {
		return ""
	}
	return string(f.tree.appendWords(nil))
}
