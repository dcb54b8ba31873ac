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
	// List are arguments of sockeye's own verb, for what neither ss nor netstat can be asked.
	List []string
	// Pipelines are what is typed in its place.
	Pipelines []Pipeline
	// Floor are options of "sockeye bench floor", with the requests that ss sends; nil: nothing is asked of the kernel.
	Floor []string
	// GoPeers are the names of those in bench/peers that answer it.
	GoPeers []string
	// Extra: it is asked only when it is named.
	Extra bool
}

// Pipeline is a line of the shell that ss stands at the beginning of.
type Pipeline struct {
	Name   string
	Script string // its first word is ss
}

// noOwners ends the names of pipelines that leave out the owners, which sockeye tells.
const noOwners = ", no owners"

// Sets of states as ss has them in its requests, see TestFloorAsksWhatSSAsks.
const (
	statesAll       = "0x3fff"
	statesListening = "0x480"
	statesConnected = "0x3b37"
	stateCloseWait  = "0x100"

	extInfo = "0x2" // INET_DIAG_INFO
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
			Name: "by-state", Text: "TCP sockets by state",
			List:      []string{"-t", "--group-by", "state"},
			Floor:     []string{"--ext", "0x0", "--states", statesAll},
			Pipelines: []Pipeline{{"ss | uniq -c", `ss -tan | awk '{print $1}' | sort | uniq -c`}},
		},
		{
			Name: "by-process", Text: "TCP sockets by the process that holds them",
			List:      []string{"-t", "--group-by", "process"},
			Floor:     []string{"--ext", "0x0", "--states", statesAll, "--scan"},
			Pipelines: []Pipeline{{"ss | uniq -c", `ss -tanp | sed -n 's/.*users:(("\([^"]*\)".*/\1/p' | sort | uniq -c | sort -rn`}},
		},
		{
			Name: "worst-rtt", Text: "the 20 TCP sockets with the longest round trip, and their owners",
			List:  []string{"-t", "--sort", "rtt:desc", "--limit", "20"},
			Floor: []string{"--ext", extInfo, "--states", statesAll, "--scan"},
			Pipelines: []Pipeline{
				{"ss | sort | head", `ss -tanipO | sed -n 's/.* rtt:\([0-9.]*\)/\1 &/p' | sort -rn | head -n 20`},
				{"ss | sort | head" + noOwners, `ss -taniO | sed -n 's/.* rtt:\([0-9.]*\)/\1 &/p' | sort -rn | head -n 20`},
			},
		},
		{
			Name: "rtt-over", Text: "TCP sockets with a round trip above 100 ms, and their owners",
			List:  []string{"-t", "rtt > 100ms"},
			Floor: []string{"--ext", extInfo, "--states", statesAll, "--scan"},
			Pipelines: []Pipeline{
				{"ss | grep", `ss -tanip | paste - - | grep -E ' rtt:[0-9]{3}'`},
				{"ss | grep" + noOwners, `ss -tani | paste - - | grep -E ' rtt:[0-9]{3}'`},
			},
		},
		{
			Name: "ndjson", Text: "all TCP sockets with their owners, one JSON object a line",
			List:      []string{"-t", "--output", "ndjson"},
			Floor:     []string{"--ext", "0x0", "--states", statesAll, "--scan"},
			Pipelines: []Pipeline{{"ss | awk", `ss -tanpH | awk '{gsub(/"/, "", $6); printf "{\"state\":\"%s\",\"local\":\"%s\",\"peer\":\"%s\",\"users\":\"%s\"}\n", $1, $4, $5, $6}'`}},
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
