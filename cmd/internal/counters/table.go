package counters

import (
	"bytes"
	"strconv"
	"time"

	"github.com/sockeye-tools/sockeye/render/names"
)

// table shows counters as text, one in a line.
type table struct {
	watch  bool // with the time, the difference and the rate
	headed bool
	widths []int // a round can only widen the columns
}

// right says which columns hold numbers.
var right = map[string]bool{"VALUE": true, "DELTA": true, "RATE/S": true}

func (t *table) heads() []string {
	if t.watch {
		return []string{"TIME", "COUNTER", "VALUE", "DELTA", "RATE/S", "MEANING"}
	}
	return []string{"COUNTER", "VALUE", "MEANING"}
}

// append returns the lines of a round. Its error is nil.
func (t *table) append(r *round) ([]byte, error) {
	heads := t.heads()
	var lines [][][]byte
	if !t.headed {
		t.headed = true
		t.widths = make([]int, len(heads))
		head := make([][]byte, len(heads))
		for i, h := range heads {
			head[i] = []byte(h)
		}
		lines = append(lines, head)
	}
	for i := range r.rows {
		lines = append(lines, t.cells(r, &r.rows[i]))
	}
	for _, line := range lines {
		for i, cell := range line {
			t.widths[i] = max(t.widths[i], len(cell))
		}
	}
	var out []byte
	for _, line := range lines {
		for i, cell := range line {
			pad := bytes.Repeat([]byte{' '}, t.widths[i]-len(cell))
			switch {
			case right[heads[i]]:
				out = append(append(out, pad...), cell...)
			case i < len(line)-1:
				out = append(append(out, cell...), pad...)
			default:
				out = append(out, cell...)
			}
			if i < len(line)-1 {
				out = append(out, "  "...)
			}
		}
		out = append(bytes.TrimRight(out, " "), '\n')
	}
	return out, nil
}

func (t *table) cells(r *round, c *row) [][]byte {
	key, value, meaning := names.AppendEscaped(nil, c.key), c.AppendValue(nil), []byte(c.meaning)
	if !t.watch {
		return [][]byte{key, value, meaning}
	}
	delta, rate := []byte("-"), []byte("-")
	if c.known {
		delta = delta[:0]
		if c.delta > 0 {
			delta = append(delta, '+')
		}
		delta = strconv.AppendInt(delta, c.delta, 10)
	}
	if v, ok := r.rate(c); ok {
		rate = strconv.AppendFloat(nil, v, 'f', 1, 64)
	}
	return [][]byte{r.time.AppendFormat(nil, time.TimeOnly), key, value, delta, rate, meaning}
}
