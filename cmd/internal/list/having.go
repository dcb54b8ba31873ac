package list

import (
	"slices"
	"strings"

	"github.com/sockeye-tools/sockeye/internal/shape"
)

// having is a condition on a figure.
type having struct {
	figure figure
	op     string
	value  uint64
	exact  bool
}

// parseHaving reads FIGURE OPERATOR NUMBER { "and" ... }.
func (g *grouper) parseHaving(spec string) (all []having, err error) {
	for part := range strings.SplitSeq(spec, " and ") {
		i := strings.IndexAny(part, "<>=!")
		if i < 0 {
			return nil, usagef("--having %q: want a figure, an operator and a number, such as 'count > 1000'", spec)
		}
		j := i + 1
		if j < len(part) && part[j] == '=' {
			j++
		}
		h := having{op: part[i:j]}
		if h.figure, err = g.figure(strings.TrimSpace(part[:i])); err != nil {
			return nil, err
		}
		q, err := h.figure.unit.Parse(strings.TrimSpace(part[j:]))
		if err != nil {
			return nil, usagef("--having %q: %w", spec, err)
		}
		if !slices.Contains([]string{"<", "<=", ">", ">=", "=", "==", "!="}, h.op) {
			return nil, usagef("--having %q: %q is no operator", spec, h.op)
		}
		h.value, h.exact = q.Whole, q.Exact
		all = append(all, h)
	}
	return all, nil
}

func (g *grouper) has(grp *shape.Group) bool {
	for i := range g.having {
		h := &g.having[i]
		v, ok := h.figure.value(grp)
		if !ok {
			return false
		}
		switch h.op {
		case "<":
			ok = v < h.value || !h.exact && v == h.value
		case "<=":
			ok = v <= h.value
		case ">":
			ok = v > h.value
		case ">=":
			ok = v > h.value || h.exact && v == h.value
		case "!=":
			ok = !h.exact || v != h.value
		default:
			ok = h.exact && v == h.value
		}
		if !ok {
			return false
		}
	}
	return true
}
