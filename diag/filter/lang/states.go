package lang

import (
	"maps"
	"slices"
	"strings"

	"github.com/sockeye-tools/sockeye/diag"
)

// stateSet is a set of states, and of the protocols whose Close is in it.
type stateSet struct {
	states     diag.States
	noUDPClose bool // bound: TCP's Close alone
	noTCPClose bool // unconnected: the others' alone
}

func (m stateSet) has(p diag.Protocol, st diag.State) bool {
	if st == diag.NewSynRecv {
		st = diag.SynRecv
	}
	if st == diag.Close {
		tcp := p == diag.TCP || p == diag.MPTCP
		if tcp && m.noTCPClose || !tcp && m.noUDPClose {
			return false
		}
	}
	return m.states.Has(st)
}

const all = diag.AllStates

// states are their names: sockeye's, ss's and the kernel's.
var states = map[string]stateSet{
	"established": {states: 1 << diag.Established}, "estab": {states: 1 << diag.Established},
	"syn-sent": {states: 1 << diag.SynSent},
	"syn-recv": {states: 1 << diag.SynRecv}, "syn-rcv": {states: 1 << diag.SynRecv},
	"fin-wait-1": {states: 1 << diag.FinWait1}, "fin-wait1": {states: 1 << diag.FinWait1},
	"fin-wait-2": {states: 1 << diag.FinWait2}, "fin-wait2": {states: 1 << diag.FinWait2},
	"time-wait": {states: 1 << diag.TimeWait}, "close-wait": {states: 1 << diag.CloseWait}, "last-ack": {states: 1 << diag.LastAck},
	"listen": {states: 1 << diag.Listen}, "listening": {states: 1<<diag.Listen | 1<<diag.Close, noTCPClose: true},
	"closing": {states: 1 << diag.Closing},
	"close":   {states: 1 << diag.Close}, "closed": {states: 1 << diag.Close},
	"unconnected": {states: 1 << diag.Close, noTCPClose: true}, "unconn": {states: 1 << diag.Close, noTCPClose: true},
	"bound": {states: 1 << diag.Close, noUDPClose: true}, "bound-inactive": {states: 1 << diag.Close, noUDPClose: true},
	"all": {states: all}, "connected": {states: diag.ConnectedStates}, "synchronized": {states: diag.SynchronizedStates},
	"bucket": {states: diag.BucketStates}, "big": {states: diag.BigStates},
}

// stateOf finds a state by its name; underscores and capitals do not count.
func stateOf(name string) (stateSet, bool) {
	m, ok := states[strings.ReplaceAll(strings.ToLower(name), "_", "-")]
	return m, ok
}

func stateNames() []string { return slices.Sorted(maps.Keys(states)) }
