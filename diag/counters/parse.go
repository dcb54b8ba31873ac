package counters

import (
	"fmt"
	"iter"
	"strconv"
	"strings"
)

// numbered yields the lines that are not blank, with their numbers.
func numbered(text []byte) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		n := 0
		for line := range strings.Lines(string(text)) {
			n++
			if line = strings.TrimSpace(line); line != "" && !yield(n, line) {
				return
			}
		}
	}
}

// parsePairs reads snmp and netstat: a line of names, then one of figures, both behind the name of the section.
//
//	Udp: InDatagrams NoPorts
//	Udp: 283 0
func parsePairs(text []byte, f File) (sections []Section, err error) {
	var section string
	var names []string
	open := false // a line of names waits for its figures
	for n, line := range numbered(text) {
		name, rest, ok := strings.Cut(line, ":")
		switch {
		case !ok:
			return sections, fmt.Errorf("line %d: no colon: %w", n, ErrFormat)
		case !open:
			section, names, open = name, strings.Fields(rest), true
			continue
		case name != section:
			return sections, fmt.Errorf("line %d: %q where figures of %q belong: %w", n, name, section, ErrFormat)
		}
		open = false
		figures := strings.Fields(rest)
		if len(figures) != len(names) {
			return sections, fmt.Errorf("line %d: %d figures for %d names: %w", n, len(figures), len(names), ErrFormat)
		}
		s := Section{File: f, Name: section, Counters: make([]Counter, len(names))}
		for i, figure := range figures {
			if s.Counters[i], ok = parseCounter(names[i], figure); !ok {
				return sections, fmt.Errorf("line %d: %s is %q: %w", n, names[i], figure, ErrFormat)
			}
		}
		sections = append(sections, s)
	}
	if open {
		return sections, fmt.Errorf("%s has no figures: %w", section, ErrFormat)
	}
	return sections, nil
}

// parseLines reads snmp6 and sctp/snmp: a name and a figure in each line.
//
//	Ip6InReceives                   	1
func parseLines(text []byte, f File) (sections []Section, err error) {
	if f == SCTP {
		sections = []Section{{File: f, Name: "Sctp"}}
	}
	for n, line := range numbered(text) {
		w := strings.Fields(line)
		if len(w) != 2 {
			return sections, fmt.Errorf("line %d: %d words: %w", n, len(w), ErrFormat)
		}
		c, ok := parseCounter(w[0], w[1])
		if !ok {
			return sections, fmt.Errorf("line %d: %s is %q: %w", n, w[0], w[1], ErrFormat)
		}
		if f == SNMP6 && (len(sections) == 0 || !strings.HasPrefix(c.Name, sections[len(sections)-1].Name)) {
			sections = append(sections, Section{File: f, Name: upTo6(c.Name)})
		}
		last := &sections[len(sections)-1]
		last.Counters = append(last.Counters, c)
	}
	return sections, nil
}

// upTo6 returns the section of a counter of IPv6: "Icmp6" of "Icmp6OutType135".
func upTo6(name string) string {
	section, _, ok := strings.Cut(name, "6")
	if ok {
		section += "6"
	}
	return section
}

func parseCounter(name, figure string) (Counter, bool) {
	c := Counter{Name: name}
	if figure[0] == '-' {
		v, err := strconv.ParseInt(figure, 10, 64)
		c.Value, c.Negative = uint64(v), true
		return c, err == nil
	}
	v, err := strconv.ParseUint(figure, 10, 64)
	c.Value = v
	return c, err == nil
}
