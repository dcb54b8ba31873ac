package list

import (
	"slices"
	"strconv"
	"strings"

	"github.com/sockeye-tools/sockeye/diag/field"
	"github.com/sockeye-tools/sockeye/internal/shape"
)

// figure is a number of a group.
type figure struct {
	name string // such as avg(rtt)
	json string
	fn   string // count, sum, min, max, avg or p
	pct  int
	unit field.Unit
	at   int // index of the field
}

// figure reads count or FUNCTION(FIELD).
func (g *grouper) figure(word string) (figure, error) {
	if word == "count" {
		return figure{name: word, json: word, fn: word}, nil
	}
	fn, arg, ok := strings.Cut(word, "(")
	arg, closed := strings.CutSuffix(arg, ")")
	fig := figure{name: word, fn: fn}
	if pct, err := strconv.ParseUint(strings.TrimPrefix(fn, "p"), 10, 8); err == nil && strings.HasPrefix(fn, "p") && pct > 0 && pct < 100 {
		fig.fn, fig.pct = "p", int(pct)
	} else if !slices.Contains([]string{"sum", "min", "max", "avg"}, fn) {
		ok = false
	}
	if !ok || !closed {
		return fig, usagef("%q is no figure of a group: want count, sum(FIELD), min() max() avg() p50() p90() p99()", word)
	}
	f, err := field.Lookup(strings.TrimSpace(arg))
	if err != nil {
		return fig, &usageError{err}
	}
	if f.Kind != field.Number || f.Many {
		return fig, usagef("%s: %s is no number", word, f.Name)
	}
	g.l.needs(f)
	fig.json = fn + "_" + f.Key
	fig.unit = f.Unit
	fig.at = slices.Index(g.fields, f)
	if fig.at < 0 {
		fig.at = len(g.fields)
		g.fields = append(g.fields, f)
		g.groups.Values = append(g.groups.Values, false)
	}
	if fig.fn == "p" {
		g.groups.Values[fig.at] = true
	}
	return fig, nil
}

// value returns a figure of a group.
func (f *figure) value(grp *shape.Group) (uint64, bool) {
	if f.fn == "count" {
		return grp.Count, true
	}
	v := &grp.Figures[f.at]
	switch f.fn {
	case "sum":
		n, ok := v.Sum()
		return n, ok && v.N > 0
	case "min":
		return v.Min, v.N > 0
	case "max":
		return v.Max, v.N > 0
	case "avg":
		return v.Avg()
	}
	return v.Percentile(f.pct)
}
