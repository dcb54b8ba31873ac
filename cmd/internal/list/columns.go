package list

import (
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/field"
	"github.com/sockeye-tools/sockeye/diag/owner"
	"github.com/sockeye-tools/sockeye/internal/shape"
	"github.com/sockeye-tools/sockeye/render/json"
	"github.com/sockeye-tools/sockeye/render/names"
	"github.com/sockeye-tools/sockeye/render/table"
)

// wideNames are the columns of --output wide.
var wideNames = []string{"netid", "state", "recv_q", "send_q", "local", "peer", "timer", "user", "owner", "unit", "socket_unit", "container", "pod", "cmdline"}

// watchNames are what --watch adds.
var watchNames = []string{"time", "change", "out_rate", "in_rate", "retrans_rate"}

// fields returns the fields of a list of columns: names and groups, after "+" in addition to the default. Where owners are not looked up,
// only a name asks for them.
func (l *lister) fields(spec string, standard []string) ([]*field.Field, error) {
	list, more := strings.CutPrefix(spec, "+")
	var out []*field.Field
	add := func(f *field.Field) {
		if !slices.Contains(out, f) && l.withoutOwners("", f) == nil {
			out = append(out, f)
		}
	}
	if more || spec == "" {
		for _, name := range standard {
			f, err := field.Lookup(name)
			if err != nil {
				return nil, err
			}
			add(f)
		}
	}
	if list == "" {
		return out, nil
	}
	for name := range strings.SplitSeq(list, ",") {
		name = strings.TrimSpace(name)
		g, ok := field.ParseGroup(name)
		if name == "owner" { // a column of its own, too
			ok = false
		}
		if ok || name == "all" {
			for _, f := range field.All {
				if !f.Shown && (name == "all" || f.Group == g) {
					add(f)
				}
			}
			continue
		}
		f, err := field.Lookup(name)
		if err != nil {
			return nil, &usageError{err}
		}
		if err := l.withoutOwners("--columns "+name, f); err != nil {
			return nil, err
		}
		add(f)
	}
	return out, nil
}

// withoutOwners is the error of what asks for a field of owners where they are not looked up.
func (l *lister) withoutOwners(what string, f *field.Field) error {
	if f.Where != field.WithOwner || l.env.Owners.Backend != owner.None {
		return nil
	}
	return usagef("%s asks for owners, and --owners=none does not look them up", what)
}

// column is the column of a table for a field.
func column(c *field.Context, f *field.Field) table.Column {
	if col, ok := table.Default(c, f.Name); ok {
		if f.Name == "owner" {
			col.Append = orWhyNone(c, col.Append)
		}
		return col
	}
	col := table.Column{Head: strings.ToUpper(strings.ReplaceAll(f.Name, "_", "-")), Right: f.Kind == field.Number && !f.Many, Style: styleOf(c, f)}
	var text []byte
	col.Append = func(dst []byte, s *diag.InetSocket) []byte {
		var ok bool
		if text, ok = appendValue(text[:0], c, f, s, true, ' '); !ok {
			return append(dst, '-')
		}
		return names.AppendEscaped(dst, view(text))
	}
	return col
}

// view is b as a string, for a call that does not keep it.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// appendValue appends the value of a field: for people with units, or bare. Several processes' values are separated by sep.
func appendValue(dst []byte, c *field.Context, f *field.Field, s *diag.InetSocket, human bool, sep byte) ([]byte, bool) {
	if f.Many {
		start := len(dst)
		for _, h := range c.Holders(s) {
			before := len(dst)
			if before > start {
				dst = append(dst, sep)
			}
			v := len(dst)
			var ok bool
			if dst, ok = appendHolder(dst, c, f, h); !ok || repeats(dst[start:before], dst[v:], sep) {
				dst = dst[:before]
			}
		}
		return dst, len(dst) > start
	}
	switch f.Kind {
	case field.Number:
		read := f.Plain
		if human {
			read = f.Number
		}
		v, ok := read(c, s)
		switch {
		case !ok:
			return dst, false
		case human:
			return f.Unit.AppendHuman(dst, v), true
		}
		return strconv.AppendUint(dst, v, 10), true
	case field.Flag:
		v, ok := f.Number(c, s)
		if !ok {
			return dst, false
		}
		if v != 0 {
			return append(dst, "true"...), true
		}
		return append(dst, "false"...), true
	case field.Address:
		a := f.Addr(s)
		if !a.IsValid() {
			return dst, false
		}
		return field.AppendAddr(dst, a), true
	}
	return f.AppendText(c, dst, s)
}

func appendHolder(dst []byte, c *field.Context, f *field.Field, h *field.Holder) ([]byte, bool) {
	if f.Kind == field.Number {
		v, ok := f.HolderNumber(h)
		return strconv.AppendUint(dst, v, 10), ok
	}
	v, ok := f.HolderText(c, h)
	return append(dst, v...), ok
}

// repeats reports whether v is one of the values in list already: three workers in one unit are one unit.
func repeats(list, v []byte, sep byte) bool {
	for len(list) > 0 {
		i := 0
		for i < len(list) && list[i] != sep {
			i++
		}
		if string(list[:i]) == string(v) {
			return true
		}
		list = list[min(i+1, len(list)):]
	}
	return false
}

// order is one key of --sort.
type order struct {
	name string
	desc bool
}

// orders reads --sort.
func orders(spec string) ([]order, error) {
	var out []order
	for _, word := range splitKeys(spec) {
		name, dir, _ := strings.Cut(strings.TrimSpace(word), ":")
		switch dir {
		case "", "asc", "desc":
			out = append(out, order{name, dir == "desc"})
		default:
			return nil, usagef("--sort %s: want FIELD, FIELD:asc or FIELD:desc", word)
		}
	}
	return out, nil
}

// splitKeys splits at commas.
func splitKeys(spec string) []string {
	if spec == "" {
		return nil
	}
	return strings.Split(spec, ",")
}

// sortKey makes the key of a socket.
type sortKey struct {
	context *field.Context
	fields  []*field.Field
	desc    []bool
	text    []byte
}

func (l *lister) newSortKey(os []order) (*sortKey, error) {
	k := &sortKey{context: l.context}
	for _, o := range os {
		f, err := field.Lookup(o.name)
		if err != nil {
			return nil, &usageError{err}
		}
		if err := l.withoutOwners("--sort "+o.name, f); err != nil {
			return nil, err
		}
		fs := []*field.Field{f}
		switch f.Name { // their texts have no order that means anything
		case "local":
			fs = json.Fields("local_addr", "local_port")
		case "peer":
			fs = json.Fields("peer_addr", "peer_port")
		}
		for _, f := range fs {
			k.fields = append(k.fields, f)
			k.desc = append(k.desc, o.desc)
		}
	}
	return k, nil
}

func (k *sortKey) append(dst []byte, s *diag.InetSocket) []byte {
	for i, f := range k.fields {
		switch {
		case f.Kind == field.Address:
			if a := f.Addr(s); a.IsValid() {
				b := addressKey(a)
				dst = shape.AppendText(dst, b[:], k.desc[i])
			} else {
				dst = shape.AppendAbsent(dst)
			}
		case f.Many && f.Kind == field.Number:
			if hs := k.context.Holders(s); len(hs) > 0 {
				dst = shape.AppendNumber(dst, uint64(hs[0].PID), k.desc[i])
			} else {
				dst = shape.AppendAbsent(dst)
			}
		case f.Kind == field.Number || f.Kind == field.Flag:
			if v, ok := f.Number(k.context, s); ok {
				dst = shape.AppendNumber(dst, v, k.desc[i])
			} else {
				dst = shape.AppendAbsent(dst)
			}
		default:
			var ok bool
			if k.text, ok = appendValue(k.text[:0], k.context, f, s, false, ' '); ok {
				dst = shape.AppendText(dst, k.text, k.desc[i])
			} else {
				dst = shape.AppendAbsent(dst)
			}
		}
	}
	return dst
}

// orWhyNone says in place of an owner why there is none, unless the state says it, or owners were not looked up.
func orWhyNone(c *field.Context, owners func([]byte, *diag.InetSocket) []byte) func([]byte, *diag.InetSocket) []byte {
	return func(dst []byte, s *diag.InetSocket) []byte {
		if c.Owners != nil && len(c.Holders(s)) == 0 {
			switch why := c.WhyNone(s); why {
			case "time-wait", "syn-recv":
			default:
				return append(append(append(dst, '('), why...), ')')
			}
		}
		return owners(dst, s)
	}
}
