package counters

import (
	"bytes"
	"strconv"
	"time"

	"github.com/sockeye-tools/sockeye/render/names"
	"github.com/sockeye-tools/sockeye/render/table"
)

// text shows counters as a table, one in a line.
type text struct {
	watch  bool // with the time, the difference and the rate
	layout table.Layout
	out    bytes.Buffer
	row    []byte
}

func newText(watch bool) *text {
	t := &text{watch: watch}
	t.layout = table.Layout{W: &t.out, Heads: []table.Head{{Text: "COUNTER"}, {Text: "VALUE", Right: true}, {Text: "MEANING"}}}
	if watch {
		t.layout.Heads = []table.Head{{Text: "TIME"}, {Text: "COUNTER"}, {Text: "VALUE", Right: true}, {Text: "DELTA", Right: true},
			{Text: "RATE/S", Right: true}, {Text: "MEANING"}}
	}
	return t
}

// append returns the lines of a round.
func (t *text) append(r *round) ([]byte, error) {
	t.out.Reset()
	for i := range r.rows {
		t.row = t.appendCells(t.row[:0], r, &r.rows[i])
		if err := t.layout.Row(t.row); err != nil {
			return nil, err
		}
	}
	if err := t.layout.Flush(); err != nil {
		return nil, err
	}
	var out []byte
	for line := range bytes.Lines(t.out.Bytes()) { // a counter without a meaning ends in blanks
		out = append(append(out, bytes.TrimRight(line, " \n")...), '\n')
	}
	return out, nil
}

// appendCells appends the cells of a counter, each with a NUL behind it.
func (t *text) appendCells(b []byte, r *round, c *row) []byte {
	if t.watch {
		b = append(r.time.AppendFormat(b, time.TimeOnly), 0)
	}
	b = append(names.AppendEscaped(b, c.key), 0)
	b = append(c.AppendValue(b), 0)
	if t.watch {
		b = append(appendDelta(b, c), 0)
		if v, ok := r.rate(c); ok {
			b = append(strconv.AppendFloat(b, v, 'f', 1, 64), 0)
		} else {
			b = append(b, '-', 0)
		}
	}
	return append(append(b, c.meaning...), 0)
}

func appendDelta(b []byte, c *row) []byte {
	switch {
	case !c.known:
		return append(b, '-')
	case c.delta > 0:
		b = append(b, '+')
	}
	return strconv.AppendInt(b, c.delta, 10)
}
