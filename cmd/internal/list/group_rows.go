package list

import (
	"strconv"
	"strings"

	"github.com/sockeye-tools/sockeye/diag/field"
	"github.com/sockeye-tools/sockeye/internal/shape"
	"github.com/sockeye-tools/sockeye/render/json"
	"github.com/sockeye-tools/sockeye/render/names"
	"github.com/sockeye-tools/sockeye/render/table"
)

// print prints the groups.
func (g *grouper) print() error {
	l := g.l
	var out rows
	var heads []string
	var columns []table.Head
	for _, k := range g.keys {
		heads = append(heads, k.json)
		columns = append(columns, table.Head{Text: strings.ToUpper(strings.ReplaceAll(k.name, "_", "-")), Right: k.field.Kind == field.Number})
	}
	for _, f := range g.shown {
		heads = append(heads, f.json)
		columns = append(columns, table.Head{Text: strings.ToUpper(strings.ReplaceAll(f.name, "_", "-")), Right: true})
	}
	switch l.opts.Format {
	case "json", "ndjson":
		out = &objects{Writer: json.Writer{W: l.out, Lines: l.opts.Format == "ndjson"}}
	case "csv", "tsv":
		v := &values{w: l.out, heads: heads, comma: ',', noHeader: l.opts.NoHeader}
		if l.opts.Format == "tsv" {
			v.comma = '\t'
		}
		out = v
	default:
		out = &table.Layout{W: l.out, Heads: columns, NoHeader: l.opts.NoHeader, Width: l.width, Color: l.color}
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

func (g *grouper) appendCells(dst []byte, grp *shape.Group, vs []string) []byte {
	for i, v := range vs {
		switch {
		case v == "":
			dst = append(dst, '-')
		case g.keys[i].field.Kind == field.Number:
			n, _ := strconv.ParseUint(v, 10, 64)
			dst = g.keys[i].field.Unit.AppendHuman(dst, n)
		case g.keys[i].field.Name == "state":
			dst = append(table.AppendStyle(dst, table.StateStyle(v)), v...)
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
		case k.field.Kind == field.Number || k.field.Kind == field.Flag:
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
