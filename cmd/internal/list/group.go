package list

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/field"
	"github.com/sockeye-tools/sockeye/internal/shape"
	"github.com/sockeye-tools/sockeye/render/json"
	"github.com/sockeye-tools/sockeye/render/names"
	"github.com/sockeye-tools/sockeye/render/table"
)

// groupKey is one key of --group-by: a field, or the prefix of an address.
type groupKey struct {
	name      string // as it was written
	json      string
	field     *field.Field
	v4, v6    int // lengths of the prefix; 0: the field's value
	isProcess bool
	isNumber  bool
	isBoolean bool
}

// figure is a number of a group.
type figure struct {
	name string // such as avg(rtt)
	json string
	fn   string // count, sum, min, max, avg or p
	pct  int
	unit field.Unit
	at   int // index of the field
}

// grouper counts sockets by keys.
type grouper struct {
	l       *lister
	keys    []groupKey
	shown   []figure
	having  []having
	fields  []*field.Field // of the figures
	orders  []order
	groups  shape.Groups
	perProc bool

	buf  []byte // keys of the socket, one behind the other
	ends []int
}

func newGrouper(l *lister) (*grouper, error) {
	g := &grouper{l: l}
	for _, word := range splitKeys(l.opts.Group) {
		k, err := parseGroupKey(strings.TrimSpace(word))
		if err != nil {
			return nil, err
		}
		l.needs(k.field)
		g.perProc = g.perProc || k.isProcess
		g.keys = append(g.keys, k)
	}
	spec := l.opts.Columns
	if spec == "" {
		spec = "count"
	} else if more, ok := strings.CutPrefix(spec, "+"); ok {
		spec = "count," + more
	}
	for _, word := range splitKeys(spec) {
		word = strings.TrimSpace(word)
		if slices.ContainsFunc(g.keys, func(k groupKey) bool { return k.name == word }) {
			continue // it is shown anyway
		}
		f, err := g.figure(word)
		if err != nil {
			return nil, err
		}
		g.shown = append(g.shown, f)
	}
	var err error
	if g.orders, err = orders(l.opts.Sort); err != nil {
		return nil, err
	}
	if len(g.orders) == 0 {
		g.orders = []order{{"count", true}}
	}
	for _, o := range g.orders {
		if !slices.ContainsFunc(g.keys, func(k groupKey) bool { return k.name == o.name }) {
			if _, err := g.figure(o.name); err != nil {
				return nil, err
			}
		}
	}
	if l.opts.Having != "" {
		if g.having, err = g.parseHaving(l.opts.Having); err != nil {
			return nil, err
		}
	}
	g.groups.Figures = len(g.fields)
	return g, nil
}

func parseGroupKey(word string) (k groupKey, err error) {
	name, bits, prefix := strings.Cut(word, "/")
	if prefix {
		switch strings.ReplaceAll(strings.ToLower(name), "-", "_") {
		case "local", "src", "local_addr":
			name, k.json = "local_addr", "local_prefix"
		case "peer", "dst", "remote", "peer_addr":
			name, k.json = "peer_addr", "peer_prefix"
		default:
			return k, usagef("--group-by %s: only local and peer have prefixes", word)
		}
		four, six, both := strings.Cut(bits, "/")
		n, err4 := strconv.Atoi(four)
		m, err6 := 64, error(nil)
		if both {
			m, err6 = strconv.Atoi(six)
		} else if n > 32 {
			n, m = 32, n
		}
		if err4 != nil || err6 != nil || n < 0 || n > 32 || m < 0 || m > 128 {
			return k, usagef("--group-by %s: want a prefix such as peer/24, peer/64 or peer/24/56", word)
		}
		k.v4, k.v6 = n, m
	}
	f, err := field.Lookup(name)
	if err != nil {
		return k, &UsageError{err}
	}
	k.name, k.field = word, f
	if k.json == "" {
		k.json = f.Key
		if f.Name == "local" || f.Name == "peer" || f.Name == "netid" || f.Name == "owner" {
			k.json = f.Name
		}
	}
	k.isProcess, k.isNumber, k.isBoolean = f.Many, f.Kind == field.Number, f.Kind == field.Flag
	return k, nil
}

// figure reads count or FUNCTION(FIELD).
func (g *grouper) figure(word string) (figure, error) {
	if word == "count" {
		return figure{name: word, json: word, fn: word}, nil
	}
	fn, arg, ok := strings.Cut(word, "(")
	arg, closed := strings.CutSuffix(arg, ")")
	fig := figure{name: word, fn: fn}
	if pct, err := strconv.Atoi(strings.TrimPrefix(fn, "p")); err == nil && strings.HasPrefix(fn, "p") && pct > 0 && pct < 100 {
		fig.fn, fig.pct = "p", pct
	} else if !slices.Contains([]string{"sum", "min", "max", "avg"}, fn) {
		ok = false
	}
	if !ok || !closed {
		return fig, usagef("%q is no figure of a group: want count, sum(FIELD), min() max() avg() p50() p90() p99()", word)
	}
	f, err := field.Lookup(strings.TrimSpace(arg))
	if err != nil {
		return fig, &UsageError{err}
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

// add counts a socket; where keys are of processes, once for each that differs.
func (g *grouper) add(s *diag.InetSocket) {
	g.buf, g.ends = g.buf[:0], g.ends[:0]
	hs := g.l.context.Holders(s)
	if !g.perProc || len(hs) == 0 {
		g.key(s, nil)
	} else {
		for _, h := range hs {
			g.key(s, h)
		}
	}
	start := 0
	for i, end := range g.ends {
		key := g.buf[start:end]
		if !g.seen(i, key) {
			grp := g.groups.Of(key)
			for j, f := range g.fields {
				if v, ok := f.Plain(g.l.context, s); ok {
					g.groups.Add(grp, j, v)
				}
			}
		}
		start = end
	}
}

// seen reports whether the key is among the first i of the socket.
func (g *grouper) seen(i int, key []byte) bool {
	start := 0
	for _, end := range g.ends[:i] {
		if string(g.buf[start:end]) == string(key) {
			return true
		}
		start = end
	}
	return false
}

// key appends the key of a socket as one process holds it: the values, each with a NUL behind it; nothing for one that is absent.
func (g *grouper) key(s *diag.InetSocket, h *field.Holder) {
	for i := range g.keys {
		k := &g.keys[i]
		start := len(g.buf)
		ok := true
		switch {
		case k.v4 != 0 || k.v6 != 0:
			if a := k.field.Addr(s); a.IsValid() {
				bits := k.v6
				if a.Is4() {
					bits = k.v4
				}
				if p, err := a.Prefix(bits); err == nil {
					g.buf = p.AppendTo(g.buf)
				}
			}
		case k.isProcess && h != nil:
			g.buf, ok = appendHolder(g.buf, g.l.context, k.field, h)
		case k.isProcess:
		default:
			g.buf, ok = appendValue(g.buf, g.l.context, k.field, s, false, ' ')
		}
		if !ok {
			g.buf = g.buf[:start]
		}
		g.buf = append(g.buf, 0)
	}
	g.ends = append(g.ends, len(g.buf))
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

// sortKey makes the key of a group's row.
func (g *grouper) sortKey(dst []byte, grp *shape.Group, values []string) []byte {
	for _, o := range g.orders {
		if i := slices.IndexFunc(g.keys, func(k groupKey) bool { return k.name == o.name }); i >= 0 {
			v := values[i]
			switch {
			case v == "":
				dst = shape.AppendAbsent(dst)
			case g.keys[i].isNumber:
				n, _ := strconv.ParseUint(v, 10, 64)
				dst = shape.AppendNumber(dst, n, o.desc)
			case g.keys[i].field.Kind == field.Address:
				dst = shape.AppendText(dst, addressOrder(v), o.desc)
			default:
				dst = shape.AppendText(dst, []byte(v), o.desc)
			}
			continue
		}
		f, err := g.figure(o.name)
		if err != nil {
			continue // newGrouper has looked
		}
		if v, ok := f.value(grp); ok {
			dst = shape.AppendNumber(dst, v, o.desc)
		} else {
			dst = shape.AppendAbsent(dst)
		}
	}
	return dst
}

// addressOrder is a byte string whose order is that of addresses, or prefixes.
func addressOrder(s string) []byte {
	if p, err := netip.ParsePrefix(s); err == nil {
		b := p.Addr().As16()
		return append(b[:], byte(p.Bits()))
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return []byte(s)
	}
	b := a.As16()
	return b[:]
}

// print prints the groups.
func (g *grouper) print() error {
	l := g.l
	var out output
	var heads []string
	var columns []table.Head
	for _, k := range g.keys {
		heads = append(heads, k.json)
		columns = append(columns, table.Head{Text: strings.ToUpper(strings.ReplaceAll(k.name, "_", "-")), Right: k.isNumber})
	}
	for _, f := range g.shown {
		heads = append(heads, f.json)
		columns = append(columns, table.Head{Text: strings.ToUpper(strings.ReplaceAll(f.name, "_", "-")), Right: true})
	}
	switch l.opts.Format {
	case "json", "ndjson":
		out = &objects{w: l.out, lines: l.opts.Format == "ndjson"}
	case "csv", "tsv":
		v := &values{w: l.out, heads: heads, comma: ',', noHeader: l.opts.NoHeader}
		if l.opts.Format == "tsv" {
			v.comma = '\t'
		}
		out = v
	default:
		out = groupTable{&table.Layout{W: l.out, Heads: columns, NoHeader: l.opts.NoHeader}}
	}
	top := shape.Top{Limit: l.opts.Limit}
	var key, row []byte
	for grp := range g.groups.All() {
		if !g.has(grp) {
			continue
		}
		vs := strings.Split(strings.TrimSuffix(grp.Key, "\x00"), "\x00")
		key = g.sortKey(key[:0], grp, vs)
		if !top.Wants(key) {
			continue
		}
		switch o := out.(type) {
		case *objects:
			row = g.appendObject(row[:0], grp, vs)
		case *values:
			row = g.appendValues(row[:0], o, grp, vs)
		default:
			row = g.appendCells(row[:0], grp, vs)
		}
		top.Add(key, row)
	}
	for row := range top.Rows() {
		if err := out.Row(row); err != nil {
			return err
		}
	}
	return out.Flush()
}

// groupTable is a table whose rows are no sockets.
type groupTable struct{ *table.Layout }

func (groupTable) AppendRow(dst []byte, _ *diag.InetSocket) []byte { return dst }

func (g *grouper) appendCells(dst []byte, grp *shape.Group, vs []string) []byte {
	for i, v := range vs {
		switch {
		case v == "":
			dst = append(dst, '-')
		case g.keys[i].isNumber:
			n, _ := strconv.ParseUint(v, 10, 64)
			dst = g.keys[i].field.Unit.AppendHuman(dst, n)
		default:
			dst = names.AppendEscaped(dst, v)
		}
		dst = append(dst, 0)
	}
	for i := range g.shown {
		if v, ok := g.shown[i].value(grp); ok {
			dst = g.shown[i].unit.AppendHuman(dst, v)
		} else {
			dst = append(dst, '-')
		}
		dst = append(dst, 0)
	}
	return dst
}

func (g *grouper) appendObject(dst []byte, grp *shape.Group, vs []string) []byte {
	dst = append(dst, '{')
	for i, v := range vs {
		switch k := &g.keys[i]; {
		case v == "":
		case k.isNumber || k.isBoolean:
			dst = append(json.AppendKey(dst, k.json), v...)
		default:
			dst = json.AppendString(json.AppendKey(dst, k.json), v)
		}
	}
	counted := false
	for i := range g.shown {
		counted = counted || g.shown[i].fn == "count"
		if v, ok := g.shown[i].value(grp); ok {
			dst = json.AppendNumber(json.AppendKey(dst, g.shown[i].json), v)
		}
	}
	if !counted {
		dst = json.AppendNumber(json.AppendKey(dst, "count"), grp.Count)
	}
	return append(dst, '}')
}

func (g *grouper) appendValues(dst []byte, o *values, grp *shape.Group, vs []string) []byte {
	for i, v := range vs {
		if i > 0 {
			dst = append(dst, o.comma)
		}
		dst = o.cell(dst, []byte(v), g.keys[i].field.Kind == field.Text)
	}
	for i := range g.shown {
		dst = append(dst, o.comma)
		if v, ok := g.shown[i].value(grp); ok {
			dst = strconv.AppendUint(dst, v, 10)
		}
	}
	return dst
}

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
