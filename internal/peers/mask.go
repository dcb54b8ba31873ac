package peers

import (
	"regexp"
	"strings"
)

// A Mask takes a figure out of a line that changes though nothing happens. It has to be as narrow as its reason: what a
// mask does not match is compared, so that the form of the figure and everything about it is.
type Mask struct {
	Pattern *regexp.Regexp
	With    string // as in [regexp.Regexp.ReplaceAllString]; it must be there on both sides, so it is not empty
}

// A program is what is known of a peer.
type program struct {
	masks []Mask
	// fold: columns are as wide as their widest figure, so a changed figure moves others.
	fold bool
}

// programs are the peers by base name.
var programs = map[string]*program{
	"ss": {
		fold: true,
		masks: []Mask{
			// The time left, which is empty at zero; not the kind of timer, nor the retransmissions.
			{regexp.MustCompile(`( timer:\([a-z]+,)(?:\d+min)?(?:\d+(?:\.\d{3})?sec)?(?:\d+ms)?(,\d+\))`), "${1}TIME${2}"},
			// tcp_info and mptcp_info: time since.
			{regexp.MustCompile(`( (?:lastsnd|lastrcv|lastack|last_data_sent|last_data_recv|last_ack_recv):)\d+\b`), "${1}TIME"},
			// tcp_info: time that data has been waiting, up to now.
			{regexp.MustCompile(`( busy:)\d+ms\b`), "${1}TIME"},
			{regexp.MustCompile(`( (?:rwnd|sndbuf)_limited:)\d+ms\(\d+\.\d%\)`), "${1}TIME"},
		},
	},
	"netstat": {
		masks: []Mask{
			// The time left, not the kind of timer, nor the retransmissions and probes. The column is the last.
			{regexp.MustCompile(`( (?:on|keepalive|timewait|probe) \()\d+\.\d\d(/\d+/\d+\))$`), "${1}TIME${2}"},
		},
	},
}

var blanks = regexp.MustCompile(` +`)

// foldBlanks makes one blank of every run and none of those at the end of the line.
func foldBlanks(line string) string {
	return strings.TrimRight(blanks.ReplaceAllString(line, " "), " ")
}
