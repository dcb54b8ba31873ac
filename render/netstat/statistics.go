package netstat

import (
	"strconv"
	"strings"

	"github.com/sockeye-tools/sockeye/diag/counters"
	"github.com/sockeye-tools/sockeye/render/names"
)

// Statistics writes the counters of protocols as "netstat -s" does.
//
// net-tools has a sentence for about half of them. It looks for the sentence by bisection in a table that is not sorted, and so
// misses some: those are written by name here as well, as are counters that it does not know.
//
// The four Booleans say which of the protocols that net-tools knows are shown. Sections that it does not know always are.
type Statistics struct {
	Raw  bool // Ip, Icmp
	TCP  bool
	UDP  bool
	SCTP bool

	last kind // of what was written last: it says how far the next line is indented
}

// kind says how a counter is written.
type kind uint8

const (
	plain  kind = iota // a sentence, also where the figure is 0
	opt                // a sentence, unless the figure is 0
	input              // a line of the ICMP input histogram, unless the figure is 0
	output             // a line of the output histogram
	never              // not at all
)

// sentence is how net-tools writes a counter.
type sentence struct {
	kind kind
	name string
	text string // % stands for the figure
}

// known is a section that net-tools knows.
type known struct {
	name      string
	shown     func(*Statistics) bool
	sentences []sentence
}

func lookUp(name string) *known {
	for i := range sections {
		if sections[i].name == name {
			return &sections[i]
		}
	}
	return nil
}

func (k *known) sentence(name string) *sentence {
	if k != nil {
		for i := range k.sentences {
			if k.sentences[i].name == name {
				return &k.sentences[i]
			}
		}
	}
	return nil
}

// Append appends a section. Sections have to come in the order that they are printed in, since lines are indented as those before them.
func (s *Statistics) Append(dst []byte, section *counters.Section) []byte {
	k := lookUp(section.Name)
	if k != nil {
		s.last = plain
		if !k.shown(s) {
			return dst
		}
	}
	dst = names.AppendEscaped(dst, section.Name)
	dst = append(dst, ":\n"...)
	for _, c := range section.Counters {
		dst = s.counter(dst, k.sentence(c.Name), c)
	}
	return dst
}

func (s *Statistics) counter(dst []byte, how *sentence, c counters.Counter) []byte {
	if how == nil {
		if c.Value == 0 {
			return dst
		}
		dst = names.AppendEscaped(s.indent(dst), c.Name)
		dst = append(dst, ": "...)
		return append(strconv.AppendUint(dst, c.Value, 10), '\n')
	}
	switch how.kind {
	case never:
		return dst
	case plain, opt:
		s.last = plain
	case input, output:
		if s.last != how.kind {
			title := "ICMP input histogram:\n"
			if how.kind == output {
				title = "ICMP output histogram:\n"
			}
			dst = append(s.indent(dst), title...)
			s.last = how.kind
		}
	}
	if c.Value == 0 && how.kind != plain {
		return dst
	}
	before, after, _ := strings.Cut(how.text, "%")
	dst = append(s.indent(dst), before...)
	dst = strconv.AppendUint(dst, c.Value, 10)
	dst = append(dst, after...)
	return append(dst, '\n')
}

// indent begins a line: histograms are indented twice, and so is what follows them and has no sentence.
func (s *Statistics) indent(dst []byte) []byte {
	if s.last == plain {
		return append(dst, "    "...)
	}
	return append(dst, "        "...)
}
