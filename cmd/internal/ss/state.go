package ss

import (
	"strings"

	"github.com/sockeye-tools/sockeye/diag"
)

// Sets of states that options ask for, or that are taken if there is none.
const (
	statesConn = diag.ConnectedStates &^ diag.BucketStates

	statesListening = diag.States(1<<diag.Listen | 1<<diag.Close)
	statesBound     = diag.States(1 << diag.BoundInactive)
)

// stateWords are the words behind "state" and "exclude", in small letters.
var stateWords = map[string]diag.States{
	"unknown":        1 << 0,
	"established":    1 << diag.Established,
	"syn-sent":       1 << diag.SynSent,
	"syn-recv":       1 << diag.SynRecv,
	"syn-rcv":        1 << diag.SynRecv,
	"fin-wait-1":     1 << diag.FinWait1,
	"fin-wait-2":     1 << diag.FinWait2,
	"time-wait":      1 << diag.TimeWait,
	"unconnected":    1 << diag.Close,
	"close":          1 << diag.Close,
	"closed":         1 << diag.Close,
	"close-wait":     1 << diag.CloseWait,
	"last-ack":       1 << diag.LastAck,
	"listening":      1 << diag.Listen,
	"closing":        1 << diag.Closing,
	"bound-inactive": 1 << diag.BoundInactive,

	"all":          diag.AllStates,
	"connected":    diag.ConnectedStates,
	"synchronized": diag.SynchronizedStates,
	"bucket":       diag.BucketStates,
	"big":          diag.BigStates,
}

// takeStates takes the words "state X" and "exclude X" from the front of the operands. They replace the states that options asked
// for; 0 are those of the tables.
func takeStates(states diag.States, words []string) (diag.States, []string, error) {
	for seen := false; len(words) > 0; seen = true {
		exclude := words[0] == "exclude" || words[0] == "excl"
		if !exclude && words[0] != "state" {
			break
		}
		if len(words) < 2 {
			return 0, nil, &exit{text: `Command line is not complete. Try option "help"`, status: exitUsage}
		}
		m, ok := stateWords[strings.ToLower(words[1])]
		switch {
		case !ok:
			return 0, nil, &exit{text: "ss: wrong state name: " + words[1], status: exitUsage}
		case exclude && seen:
			states &^= m
		case exclude:
			states = diag.AllStates &^ m
		case seen:
			states |= m
		default:
			states = m
		}
		words = words[2:]
	}
	return states, words, nil
}
