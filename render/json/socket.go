package json

import (
	"slices"

	"github.com/sockeye-tools/sockeye/diag"
	"github.com/sockeye-tools/sockeye/diag/field"
)

// Encoder writes sockets as objects.
type Encoder struct {
	context *field.Context
	fields  []member // of the socket
	many    []member // of each process that holds it
	text    []byte
}

// member is a field with what stands in front of its value.
type member struct {
	*field.Field
	key  []byte                                                // a comma, and the name
	word func(*field.Context, *diag.InetSocket) (string, bool) // Field.Word
}

// parts are what the fields for people are made of.
var parts = map[string][]*field.Field{
	"netid": Fields("proto", "family"),
	"local": Fields("local_addr", "local_port"),
	"peer":  Fields("peer_addr", "peer_port"),
	"owner": Fields("pid", "process"),
}

// NewEncoder returns an Encoder of some fields. Those that are for people are left out: programs read what they are made of.
func NewEncoder(c *field.Context, fields []*field.Field) *Encoder {
	e := &Encoder{context: c}
	for _, f := range fields {
		if !f.Shown {
			e.add(f)
		}
		for _, p := range parts[f.Name] {
			e.add(p)
		}
	}
	return e
}

func (e *Encoder) add(f *field.Field) {
	list := &e.fields
	if f.Many {
		list = &e.many
	}
	if !slices.ContainsFunc(*list, func(m member) bool { return m.Field == f }) {
		*list = append(*list, member{f, []byte(`,"` + f.Key + `":`), f.Word()})
	}
}

// Append appends the object of a socket.
func (e *Encoder) Append(dst []byte, s *diag.InetSocket) []byte {
	start := len(dst)
	for i := range e.fields {
		dst = e.appendMember(dst, &e.fields[i], s)
	}
	if len(e.many) > 0 {
		dst = e.appendOwners(dst, s)
	}
	return closed(dst, start)
}

// closed makes an object of members that begin at start, each with a comma in front of it.
func closed(dst []byte, start int) []byte {
	if len(dst) == start {
		return append(dst, '{', '}')
	}
	dst[start] = '{'
	return append(dst, '}')
}

var ownersKey = []byte(`,"owners":[`)

func (e *Encoder) appendOwners(dst []byte, s *diag.InetSocket) []byte {
	hs := e.context.Holders(s)
	if len(hs) == 0 {
		return dst
	}
	dst = append(dst, ownersKey...)
	for i, h := range hs {
		if i > 0 {
			dst = append(dst, ',')
		}
		start := len(dst)
		for j := range e.many {
			m := &e.many[j]
			if m.Kind == field.Number {
				v, _ := m.HolderNumber(h)
				dst = AppendNumber(append(dst, m.key...), v)
			} else if v, ok := m.HolderText(e.context, h); ok {
				dst = AppendString(append(dst, m.key...), v)
			}
		}
		dst = closed(dst, start)
	}
	return append(dst, ']')
}

func (e *Encoder) appendMember(dst []byte, m *member, s *diag.InetSocket) []byte {
	switch m.Kind {
	case field.Number:
		if v, ok := m.Plain(e.context, s); ok {
			dst = AppendNumber(append(dst, m.key...), v)
		}
	case field.Flag:
		if v, ok := m.Plain(e.context, s); ok {
			word := "false"
			if v != 0 {
				word = "true"
			}
			dst = append(append(dst, m.key...), word...)
		}
	case field.Address:
		if a := m.Addr(s); a.IsValid() {
			dst = append(append(dst, m.key...), '"')
			dst = append(field.AppendAddr(dst, a), '"')
		}
	case field.Text:
		if m.word != nil {
			if v, ok := m.word(e.context, s); ok {
				dst = AppendString(append(dst, m.key...), v)
			}
			break
		}
		var ok bool
		if e.text, ok = m.AppendText(e.context, e.text[:0], s); ok {
			dst = AppendString(append(dst, m.key...), e.text)
		}
	}
	return dst
}
