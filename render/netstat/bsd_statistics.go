package netstat

import (
	"slices"
	"strconv"
	"strings"

	"github.com/sockeye-tools/sockeye/diag/counters"
)

// BSDStatistics writes the counters of protocols in the nested form of the netstat of macOS. Of its sentences those are there whose
// figure Linux counts; a line may lack the part in parentheses. Where macOS has one figure for both versions of IP, those of Linux are
// added up.
type BSDStatistics struct {
	Nonzero bool // -ss: without the figures that are 0

	figures map[string]uint64 // by counters.Section.Key
}

// BSDProtocols are the protocols that there are sentences for, in the order that they are printed in.
var BSDProtocols = []string{"tcp", "udp", "ip", "icmp", "ip6", "icmp6"}

// Add takes the counters of a section.
func (s *BSDStatistics) Add(section *counters.Section) {
	if s.figures == nil {
		s.figures = map[string]uint64{}
	}
	for _, c := range section.Counters {
		if !c.Negative {
			s.figures[section.Key(c)] = c.Value
		}
	}
}

// Append appends what there is of a protocol: a line with its name, if there is any figure, and one for each figure.
func (s *BSDStatistics) Append(dst []byte, protocol string) []byte {
	start := len(dst)
	dst = append(append(dst, protocol...), ":\n"...)
	known := false
	for i := range bsdSentences {
		k := &bsdSentences[i]
		if k.protocol != protocol {
			continue
		}
		if k.histogram {
			dst = s.appendHistogram(dst, k) // where the kernel counts types, it also counts what follows
			continue
		}
		figure, ok := s.sum(k.keys)
		if !ok {
			continue
		}
		known = true
		if figure == 0 && s.Nonzero {
			continue
		}
		dst = append(dst, "\t\t\t"[:k.depth]...)
		dst = strconv.AppendUint(dst, figure, 10)
		dst = append(appendPlural(append(dst, ' '), k.text, figure), '\n')
	}
	if !known {
		return dst[:start]
	}
	return dst
}

// sum adds up those of the counters that the kernel has.
func (s *BSDStatistics) sum(keys string) (sum uint64, ok bool) {
	for key := range strings.FieldsSeq(keys) {
		if n, has := s.figures[key]; has {
			sum, ok = sum+n, true
		}
	}
	return sum, ok
}

// appendPlural appends a sentence: what is in braces only if there is more than one, which is how macOS has it.
func appendPlural(dst []byte, text string, figure uint64) []byte {
	for {
		before, after, found := strings.Cut(text, "{")
		dst = append(dst, before...)
		if !found {
			return dst
		}
		plural, rest, _ := strings.Cut(after, "}")
		if figure > 1 {
			dst = append(dst, plural...)
		}
		text = rest
	}
}

// appendHistogram appends messages by type, without those that did not come, in the order of the types' numbers.
func (s *BSDStatistics) appendHistogram(dst []byte, k *bsdSentence) []byte {
	type bar struct{ number, figure uint64 }
	var bars []bar
	for key, figure := range s.figures {
		rest, ok := strings.CutPrefix(key, k.keys)
		if number, err := strconv.ParseUint(rest, 10, 8); ok && err == nil && figure > 0 {
			bars = append(bars, bar{number, figure})
		}
	}
	if len(bars) == 0 {
		return dst
	}
	slices.SortFunc(bars, func(a, b bar) int { return int(a.number) - int(b.number) })
	dst = append(append(append(dst, '\t'), k.text...), ":\n"...)
	types := icmpTypes
	if k.protocol == "icmp6" {
		types = icmp6Types
	}
	for _, b := range bars {
		dst = append(dst, "\t\t"...)
		if name, ok := types[b.number]; ok {
			dst = append(dst, name...)
		} else {
			dst = strconv.AppendUint(append(dst, '#'), b.number, 10)
		}
		dst = append(strconv.AppendUint(append(dst, ": "...), b.figure, 10), '\n')
	}
	return dst
}
