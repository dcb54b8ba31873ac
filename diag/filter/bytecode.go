package filter

import (
	"encoding/binary"
	"math"
	"net/netip"
	"slices"

	"github.com/sockeye-tools/sockeye/diag"
)

// The machine of net/ipv4/inet_diag.c. An instruction is struct inet_diag_bc_op of linux/inet_diag.h: code u8, yes u8, no u16, and
// what the code needs behind it. If the instruction holds, the next one is yes bytes further, otherwise no bytes. Arriving at the
// end accepts a socket, going beyond it rejects. The kernel checks a program along its yes jumps, and every no must land on an
// instruction that it came by: so yes is always the instruction's own length.
const (
	bcNop        = 0
	bcJmp        = 1
	bcSGE        = 2
	bcSLE        = 3
	bcDGE        = 4
	bcDLE        = 5
	bcAuto       = 6
	bcSCond      = 7
	bcDCond      = 8
	bcDevCond    = 9
	bcMarkCond   = 10
	bcSEQ        = 11
	bcDEQ        = 12
	bcCgroupCond = 13

	sizeofBcOp     = 4
	sizeofHostCond = 8 // family u8, prefix_len u8, pad, port s32; the address follows
	offHostPrefix  = 1
	offHostPort    = 4

	// maxCode is the longest program: what a netlink attribute holds, in whole words.
	maxCode = (math.MaxUint16 - 4) &^ 3
)

// term is a node of what goes down to the kernel: without negations, but those of single instructions.
type term struct {
	kind termKind
	kids []term // all, some

	op     []byte // test: the instruction, jumps not yet filled in
	negate bool   // test
}

type termKind uint8

const (
	always termKind = iota
	never
	test
	all  // and
	some // or
)

// assemble compiles a tree to a program of at most limit bytes that accepts at least what the tree picks.
func assemble(tree Node, ops Ops, limit int) (code []byte, exact bool) {
	a := assembler{ops: ops, exact: true}
	t := a.lower(tree, false)
	t, fits := fit(t, limit)
	if t.kind == always {
		return nil, a.exact && fits
	}
	return link(t), a.exact && fits
}

// fit cuts t to what has room in a program: the parts of a conjunction that fit.
func fit(t term, limit int) (_ term, fits bool) {
	if t.kind == always || len(link(t)) <= limit {
		return t, true
	}
	if t.kind != all {
		return term{kind: always}, false
	}
	var kept []term
	for _, k := range t.kids {
		if n := len(link(k)); n <= limit {
			kept = append(kept, k)
			limit -= n
		}
	}
	return join(all, kept), false
}

// assembler lowers a tree.
type assembler struct {
	ops   Ops
	exact bool
}

// lower turns n, or its negation, to a term that holds wherever n does. Negations move down to the instructions, so everything is
// monotonous and a part that has no instruction can be taken for true.
func (a *assembler) lower(n Node, negate bool) term {
	switch n := n.(type) {
	case And:
		return a.list(n, negate, all)
	case Or:
		return a.list(n, negate, some)
	case Not:
		return a.lower(n.Node, !negate)
	case Host:
		if len(n.Prefixes) == 0 {
			return constant(!negate)
		}
		kids := make([]term, len(n.Prefixes))
		for i, p := range n.Prefixes {
			kids[i] = term{kind: test, op: hostOp(n.Side, p), negate: negate}
		}
		return join(kindOf(some, negate), kids)
	case Port:
		return a.port(n, negate)
	case Device:
		return a.test(OpDevice, negate, bcDevCond, 4, func(b []byte) { binary.NativeEndian.PutUint32(b, n.Index) })
	case Mark:
		return a.test(OpMark, negate, bcMarkCond, 8, func(b []byte) {
			binary.NativeEndian.PutUint32(b, n.Mark)
			binary.NativeEndian.PutUint32(b[4:], n.Mask)
		})
	case Cgroup:
		return a.test(OpCgroup, negate, bcCgroupCond, 8, func(b []byte) { binary.NativeEndian.PutUint64(b, n.ID) })
	case Class, Check:
		a.exact = false // the kernel cannot tell
		return term{kind: always}
	case Autobound:
		a.exact = false // the range is asked for here
		return term{kind: test, op: newOp(bcAuto, 0), negate: negate}
	}
	return constant(negate) // Foreign
}

func (a *assembler) list(nodes []Node, negate bool, kind termKind) term {
	kids := make([]term, len(nodes))
	for i, n := range nodes {
		kids[i] = a.lower(n, negate)
	}
	return join(kindOf(kind, negate), kids)
}

// test returns an instruction, if the kernel can be given it.
func (a *assembler) test(need Ops, negate bool, code byte, size int, fill func(b []byte)) term {
	if a.ops&need == 0 {
		a.exact = false
		return term{kind: always}
	}
	op := newOp(code, size)
	fill(op[sizeofBcOp:])
	return term{kind: test, op: op, negate: negate}
}

// port compares a port. The negation of an order is the other order.
func (a *assembler) port(n Port, negate bool) term {
	p := int64(n.Port)
	ge, le, eq, cond := byte(bcSGE), byte(bcSLE), byte(bcSEQ), byte(bcSCond)
	if n.Side == Remote {
		ge, le, eq, cond = bcDGE, bcDLE, bcDEQ, bcDCond
	}
	c := n.Cmp
	switch {
	case c == GE && negate:
		c, p, negate = LE, p-1, false
	case c == LE && negate:
		c, p, negate = GE, p+1, false
	}
	switch {
	case c == EQ && (p < 0 || p > math.MaxUint16):
		return constant(negate)
	case c == EQ && a.ops&OpEqual == 0:
		op := newOp(cond, sizeofHostCond)
		binary.NativeEndian.PutUint32(op[sizeofBcOp+offHostPort:], uint32(p))
		return term{kind: test, op: op, negate: negate}
	case c == EQ:
		return term{kind: test, op: portOp(eq, p), negate: negate}
	case c == GE && p <= 0, c == LE && p >= math.MaxUint16:
		return term{kind: always}
	case c == GE && p > math.MaxUint16, c == LE && p < 0:
		return term{kind: never}
	case c == GE:
		return term{kind: test, op: portOp(ge, p)}
	}
	return term{kind: test, op: portOp(le, p)}
}

// newOp returns an instruction with room for size bytes behind it.
func newOp(code byte, size int) []byte {
	op := make([]byte, sizeofBcOp+size)
	op[0], op[1] = code, byte(len(op))
	return op
}

// portOp carries its port in the no of a second inet_diag_bc_op.
func portOp(code byte, port int64) []byte {
	op := newOp(code, sizeofBcOp)
	binary.NativeEndian.PutUint16(op[sizeofBcOp+2:], uint16(port))
	return op
}

func hostOp(s Side, p netip.Prefix) []byte {
	code, family := byte(bcSCond), diag.IPv6
	if s == Remote {
		code = bcDCond
	}
	if p.Addr().Is4() {
		family = diag.IPv4
	}
	op := append(newOp(code, sizeofHostCond), p.Addr().AsSlice()...)
	op[1] = byte(len(op))
	cond := op[sizeofBcOp:]
	cond[0], cond[offHostPrefix] = byte(family), byte(p.Bits())
	binary.NativeEndian.PutUint32(cond[offHostPort:], math.MaxUint32) // -1: any
	return op
}

func constant(v bool) term {
	if v {
		return term{kind: always}
	}
	return term{kind: never}
}

// kindOf is De Morgan's law.
func kindOf(k termKind, negate bool) termKind {
	switch {
	case !negate:
		return k
	case k == all:
		return some
	}
	return all
}

// join makes a list of terms, without the constants.
func join(kind termKind, kids []term) term {
	neutral, final := always, never
	if kind == some {
		neutral, final = never, always
	}
	kids = slices.DeleteFunc(kids, func(t term) bool { return t.kind == neutral })
	switch {
	case slices.ContainsFunc(kids, func(t term) bool { return t.kind == final }):
		return term{kind: final}
	case len(kids) == 0:
		return term{kind: neutral}
	case len(kids) == 1:
		return kids[0]
	}
	return term{kind: kind, kids: kids}
}

// link lays t out as a program. Jumps go forward only, so it is written from its end: where they lead to is known then.
func link(t term) []byte {
	l := linker{}
	const accept, reject = 0, -sizeofBcOp
	l.emit(t, accept, reject)
	slices.Reverse(l.code)
	return l.code
}

// linker holds a program that grows at its front, back to front. A position is the distance to the end of the program.
type linker struct{ code []byte }

// emit puts t in front: it goes on at position yes if t holds, else at position no.
func (l *linker) emit(t term, yes, no int) {
	switch t.kind {
	case always:
		l.jump(yes)
	case never:
		l.jump(no)
	case test:
		if t.negate {
			yes, no = no, yes
		}
		l.jump(yes)
		l.op(t.op, no)
	case all:
		for _, k := range slices.Backward(t.kids) {
			l.emit(k, yes, no)
			yes = len(l.code)
		}
	case some:
		for _, k := range slices.Backward(t.kids) {
			l.emit(k, yes, no)
			no = len(l.code)
		}
	}
}

// jump goes on at a position, which costs nothing if it is the next.
func (l *linker) jump(to int) {
	if to != len(l.code) {
		l.op(newOp(bcJmp, 0), to)
	}
}

// op puts an instruction in front, which goes on at position no if it does not hold.
func (l *linker) op(op []byte, no int) {
	op = slices.Clone(op)
	binary.NativeEndian.PutUint16(op[2:], uint16(len(l.code)+len(op)-no))
	slices.Reverse(op)
	l.code = append(l.code, op...)
}
