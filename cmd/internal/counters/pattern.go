package counters

import (
	"fmt"
	"path"
	"strings"
)

// pattern picks counters.
type pattern struct {
	word    string // as it was given
	lower   string
	glob    bool
	matched bool
}

func newPattern(word string) (pattern, error) {
	p := pattern{word: word, lower: strings.ToLower(word), glob: strings.ContainsAny(word, `*?[\`)}
	if word == "" {
		return p, fmt.Errorf("an empty pattern matches everything: leave it out")
	}
	if _, err := path.Match(p.lower, ""); p.glob && err != nil {
		return p, fmt.Errorf("pattern %q: %w", word, err)
	}
	return p, nil
}

// match takes the name as it is shown, TcpExt.TCPTimeouts, and as other tools have it, TcpExtTCPTimeouts.
func (p *pattern) match(c *row) bool {
	key := strings.ToLower(c.key)
	joined := strings.Replace(key, ".", "", 1)
	if !p.glob {
		return strings.Contains(key, p.lower) || strings.Contains(joined, p.lower) || strings.Contains(strings.ToLower(c.meaning), p.lower)
	}
	for _, name := range []string{key, joined} {
		if ok, _ := path.Match(p.lower, name); ok {
			return true
		}
	}
	return false
}

// match reports whether the counter is wanted, and notes which patterns want it.
func (o *options) match(c *row) bool {
	wanted := len(o.patterns) == 0
	for i := range o.patterns {
		if p := &o.patterns[i]; p.match(c) {
			p.matched, wanted = true, true
		}
	}
	return wanted
}
