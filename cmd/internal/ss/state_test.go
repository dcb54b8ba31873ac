package ss

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/sockeye-tools/sockeye/diag"
)

func TestTakeStates(t *testing.T) {
	const (
		est    = diag.States(1 << diag.Established)
		listen = diag.States(1 << diag.Listen)
	)
	for _, tt := range []struct {
		words  string
		before diag.States
		want   diag.States
		rest   string
	}{
		{"", est, est, ""},
		{"sport = 22", est, est, "sport = 22"},
		{"state established", 0, est, ""},
		{"state ESTABLISHED state Listening", 0, est | listen, ""},
		{"state established", statesListening, est, ""}, // -l is overridden
		{"exclude established", 0, diag.AllStates &^ est, ""},
		{"excl established exclude listening", listen, diag.AllStates &^ est &^ listen, ""},
		{"state all exclude listening", 0, diag.AllStates &^ listen, ""},
		{"exclude all state listening", 0, listen, ""},
		{"exclude all", listen, 0, ""}, // as if no state were asked for
		{"state established sport = 22 state listening", 0, est, "sport = 22 state listening"},
		{"state connected", 0, diag.AllStates &^ listen &^ (1 << diag.Close), ""},
		{"state synchronized", 0, diag.AllStates &^ listen &^ (1<<diag.Close | 1<<diag.SynSent), ""},
		{"state bucket", 0, 1<<diag.SynRecv | 1<<diag.TimeWait, ""},
		{"state big", 0, diag.AllStates &^ (1<<diag.SynRecv | 1<<diag.TimeWait), ""},
		{"state unknown", 0, 1, ""},
		{"state syn-sent", 0, 1 << diag.SynSent, ""},
		{"state syn-recv", 0, 1 << diag.SynRecv, ""},
		{"state syn-rcv", 0, 1 << diag.SynRecv, ""},
		{"state fin-wait-1", 0, 1 << diag.FinWait1, ""},
		{"state fin-wait-2", 0, 1 << diag.FinWait2, ""},
		{"state time-wait", 0, 1 << diag.TimeWait, ""},
		{"state unconnected", 0, 1 << diag.Close, ""},
		{"state close", 0, 1 << diag.Close, ""},
		{"state closed", 0, 1 << diag.Close, ""},
		{"state close-wait", 0, 1 << diag.CloseWait, ""},
		{"state last-ack", 0, 1 << diag.LastAck, ""},
		{"state closing", 0, 1 << diag.Closing, ""},
		{"state bound-inactive", 0, 1 << diag.BoundInactive, ""},
	} {
		got, rest, err := takeStates(tt.before, strings.Fields(tt.words))
		if got != tt.want || !slices.Equal(rest, strings.Fields(tt.rest)) || err != nil {
			t.Errorf("%q after %b: %b, %q, %v, want %b, %q", tt.words, tt.before, got, rest, err, tt.want, tt.rest)
		}
	}
}

func TestTakeStatesErrors(t *testing.T) {
	for words, want := range map[string]string{
		"state listen":            "ss: wrong state name: listen",
		"state estab":             "ss: wrong state name: estab",
		"state new-syn-recv":      "ss: wrong state name: new-syn-recv",
		"exclude x":               "ss: wrong state name: x",
		"state":                   `Command line is not complete. Try option "help"`,
		"state listening exclude": `Command line is not complete. Try option "help"`,
	} {
		_, _, err := takeStates(0, strings.Fields(words))
		e, ok := errors.AsType[*exit](err)
		if !ok || e.text != want || e.status != 255 || e.usage {
			t.Errorf("%q: %+v, want %q", words, e, want)
		}
	}
}
