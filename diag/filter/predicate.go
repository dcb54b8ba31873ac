package filter

import (
	"fmt"

	"github.com/sockeye-tools/sockeye/diag"
)

// Predicate returns what a predicate of ss picks: word is src, dst, sport, dport, dev, fwmark or cgroup. Ports may be compared
// by GE and LE. The family is the one that the operand names, Unspec if none.
//
// The error is a *SSError.
func Predicate(word, operand string, c Cmp, env *Env) (Node, diag.Family, error) {
	kind := keywords[word]
	if kind < tokSrc || kind > tokCgroup {
		return nil, diag.Unspec, fmt.Errorf("filter: %q is no predicate of ss", word)
	}
	own := *env // the family of an operand is not that of the next one, as it is in ss
	p := ssParser{env: &own, last: kind}
	n, err := p.readOperand(operand)
	if err != nil {
		return nil, p.family, err
	}
	if c != EQ {
		n = compared(n, c)
	}
	return n, p.family, nil
}

// Autobounds returns the predicate of ss's word autobound.
func Autobounds(env *Env) Node {
	lo, hi := env.portRange()
	return Autobound{lo, hi}
}
