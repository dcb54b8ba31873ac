package bench

import (
	"fmt"
	"slices"
	"strings"
)

// Question is something that all programs are asked, each in its own words.
type Question struct {
	Name string
	Text string // what is asked
	// Arguments of the programs; nil: it cannot be asked that.
	SS, Netstat, Lsof []string
	// Floor are options of "sockeye bench floor", with the requests that ss sends; nil: nothing is asked of the kernel.
	Floor []string
	// GoPeers are the names of those in bench/peers that answer it.
	GoPeers []string
	// Extra: it is asked only when it is named.
	Extra bool
}

// Sets of states as ss has them in its requests, see TestFloorAsksWhatSSAsks.
const (
	statesAll       = "0x3fff"
	statesListening = "0x480"
	statesConnected = "0x3b37"
	stateCloseWait  = "0x100"
)

// Questions returns all questions.
func Questions() []Question {
	return []Question{
		{
			Name: "tan", Text: "all TCP sockets",
			SS: []string{"-tan"}, Netstat: []string{"-tan"},
			Floor: []string{"--ext", "0x0", "--states", statesAll}, GoPeers: []string{"mdlayher", "procfs"},
		},
		{
			Name: "tani", Text: "all TCP sockets with tcp_info",
			SS:    []string{"-tani"},
			Floor: []string{"--ext", "0xe", "--states", statesAll}, GoPeers: []string{"mdlayher-info", "vishvananda"},
		},
		{
			Name: "tanp", Text: "all TCP sockets with their owners",
			SS: []string{"-tanp"}, Netstat: []string{"-tanp"}, Lsof: []string{"-nPiTCP"},
			Floor: []string{"--ext", "0x0", "--states", statesAll}, GoPeers: []string{"gopsutil"},
		},
		{
			Name: "tln", Text: "listening TCP sockets",
			SS: []string{"-tln"}, Netstat: []string{"-tln"},
			Floor: []string{"--ext", "0x0", "--states", statesListening},
		},
		{
			Name: "tlnp", Text: "listening TCP sockets with their owners",
			SS: []string{"-tlnp"}, Netstat: []string{"-tlnp"}, Lsof: []string{"-nPiTCP", "-sTCP:LISTEN"},
			Floor: []string{"--ext", "0x0", "--states", statesListening},
		},
		{
			Name: "tn-sport1", Text: "owners of the connections from port 1: there is none",
			SS:    []string{"-tnp", "sport = :1"},
			Floor: []string{"--ext", "0x0", "--states", statesConnected, "--sport", "1"},
		},
		{
			Name: "close-wait", Text: "TCP sockets in CLOSE_WAIT", Extra: true,
			SS:    []string{"-tan", "state", "close-wait"},
			Floor: []string{"--ext", "0x0", "--states", stateCloseWait},
		},
		{
			Name: "startup", Text: "start, print the version, end", Extra: true,
			SS: []string{"-V"}, Netstat: []string{"-V"}, Lsof: []string{"-v"},
		},
	}
}

// QuestionsByName returns the questions with these names, or the usual ones when there is no name.
func QuestionsByName(names []string) ([]Question, error) {
	all := Questions()
	if len(names) == 0 {
		return slices.DeleteFunc(all, func(q Question) bool { return q.Extra }), nil
	}
	var picked []Question
	for i, name := range names {
		at := slices.IndexFunc(all, func(q Question) bool { return q.Name == name })
		if at < 0 {
			var known []string
			for _, q := range all {
				known = append(known, q.Name)
			}
			return nil, fmt.Errorf("there is no question %q: want one of %s", name, strings.Join(known, ", "))
		}
		if !slices.Contains(names[:i], name) {
			picked = append(picked, all[at])
		}
	}
	return picked, nil
}
